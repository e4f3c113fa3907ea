// x86-64 baseline: no extra flags.
#include "engine/kernels/targets/table.h"
#include "engine/kernels/targets/targets.h"

namespace nm::targets {

constinit const KernelTable sse2 = make_table<xsimd::sse2>("sse2");

}  // namespace nm::targets
