// -mavx512f -mavx512cd -mavx512dq -mavx512bw -mavx512vl -mfma -mf16c
// GCC 12 takes the deliberately undefined registers of its own AVX-512 header for mistakes (GCC bug 105593).
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include "engine/kernels/targets/table.h"
#include "engine/kernels/targets/targets.h"

namespace nm::targets {

constinit const KernelTable avx512 = make_table<xsimd::avx512bw>("avx512");

}  // namespace nm::targets
