#if defined(__aarch64__)
#include <arm_neon.h>
#endif

#include <chrono>
#include <cstring>

#include "bench/roofline/roofline.h"

namespace nm::bench {
namespace {

// The operands come from memory: compilers rebuild constants at each use, which would be measured too.
alignas(64) volatile float operands[16] = {1.0001f, 1.0001f, 1.0001f, 1.0001f, 1.0001f, 1.0001f, 1.0001f, 1.0001f,
                                           1.0001f, 1.0001f, 1.0001f, 1.0001f, 1.0001f, 1.0001f, 1.0001f, 1.0001f};

// Ten independent chains of multiply-adds over vectors of `width` bytes: enough for 4 cycles of latency on 2 ports, and
// few enough for 16 registers with a temporary where products are not fused. The target attribute, not the file's
// flags, names the instruction set.
#define NM_PEAK(name, attribute, width)                                                                         \
  attribute __attribute__((noinline)) double name(int64_t rounds) {                                             \
    typedef float V __attribute__((vector_size(width)));                                                        \
    constexpr int chains = 10;                                                                                  \
    V a;                                                                                                        \
    for (int i = 0; i < static_cast<int>(width / 4); ++i) a[i] = operands[i];                                   \
    V sum[chains];                                                                                              \
    _Pragma("GCC unroll 12") for (int i = 0; i < chains; ++i) sum[i] = a * static_cast<float>(i);               \
    for (int64_t r = 0; r < rounds; ++r) {                                                                      \
      _Pragma("GCC unroll 12") for (int i = 0; i < chains; ++i) { sum[i] = multiply_add_##name(a, a, sum[i]); } \
    }                                                                                                           \
    V total = a;                                                                                                \
    _Pragma("GCC unroll 12") for (int i = 0; i < chains; ++i) total += sum[i];                                  \
    volatile float keep = total[0];                                                                             \
    (void)keep;                                                                                                 \
    return 2. * chains * (width / 4) * static_cast<double>(rounds);                                             \
  }

#if defined(__wasm_relaxed_simd__)
#define multiply_add_peak_wasm(a, b, s) __builtin_wasm_relaxed_madd_f32x4(a, b, s)
NM_PEAK(peak_wasm, , 16)
#elif defined(__wasm_simd128__)
#define multiply_add_peak_wasm(a, b, s) ((s) * (a) + (b))
NM_PEAK(peak_wasm, , 16)
#elif defined(__x86_64__) || defined(__i386__)
#define multiply_add_peak_sse2(a, b, s) ((s) * (a) + (b))
NM_PEAK(peak_sse2, , 16)
#define multiply_add_peak_avx2(a, b, s) __builtin_ia32_vfmaddps256(a, b, s)
NM_PEAK(peak_avx2, __attribute__((target("avx2,fma"))), 32)
#define multiply_add_peak_avx512(a, b, s) __builtin_ia32_vfmaddps512_mask(a, b, s, -1, 4)
NM_PEAK(peak_avx512, __attribute__((target("avx512f"))), 64)
#elif defined(__aarch64__)
#define multiply_add_peak_neon(a, b, s) vfmaq_f32(s, a, b)
NM_PEAK(peak_neon, , 16)
#endif

using Loop = double (*)(int64_t rounds);

Loop loop_for(const KernelTable& table) {
#if defined(__wasm_simd128__)
  (void)table;
  return peak_wasm;
#elif defined(__x86_64__) || defined(__i386__)
  if (!std::strcmp(table.isa, "avx512")) return peak_avx512;
  if (!std::strcmp(table.isa, "avx2")) return peak_avx2;
  return peak_sse2;
#else
  (void)table;
  return peak_neon;
#endif
}

}  // namespace

double peak_flops(const KernelTable& table) {
  double best = 0;
  // Many short calls: WebAssembly engines replace a function's code only between calls. The optimiser that runs at link
  // time must not see which function it is, or inlines it into this loop, where it stays unoptimised.
  volatile Loop loop = loop_for(table);
  for (int i = 0; i < 3000; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    const double flops = loop(40000);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    best = std::max(best, flops / seconds.count());
  }
  return best;
}

}  // namespace nm::bench
