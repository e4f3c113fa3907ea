// Without SIMD: -DXSIMD_WITH_EMULATED=1. Vectors of one lane make the least code; the registers of tiles are then
// locals, of which an interpreter has as many as it likes.
#include "engine/kernels/targets/table.h"
#include "engine/kernels/targets/targets.h"

namespace nm::targets {

constinit const KernelTable scalar = make_table<xsimd::emulated<32>>("scalar");

}  // namespace nm::targets
