#include "engine/kernels/kernels.h"

#include "engine/kernels/targets/targets.h"

namespace nm {
namespace {

struct Available {
  const KernelTable* tables[3] = {};
  size_t count = 0;

  Available() {
#if defined(NM_SCALAR)
    tables[count++] = &targets::scalar;
#elif defined(__wasm_simd128__)
    tables[count++] = &targets::wasm;
#elif defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")) {
      tables[count++] = &targets::avx512;
    }
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) tables[count++] = &targets::avx2;
    tables[count++] = &targets::sse2;
#elif defined(__i386__)
    tables[count++] = &targets::sse2;
#else
    tables[count++] = &targets::neon;
#endif
  }
};

const Available& available() {
  static const Available tables;
  return tables;
}

}  // namespace

#if !defined(NM_REDUCED) || !defined(__wasm__)
const KernelTable& kernels() { return *available().tables[0]; }
#endif

std::span<const KernelTable* const> available_kernels() { return {available().tables, available().count}; }

}  // namespace nm
