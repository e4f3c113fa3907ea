// -mavx2 -mfma -mf16c
#include "engine/kernels/targets/table.h"
#include "engine/kernels/targets/targets.h"

namespace nm::targets {

constinit const KernelTable avx2 = make_table<xsimd::fma3<xsimd::avx2>>("avx2");

}  // namespace nm::targets
