#pragma once
#include "engine/kernels/convert.h"
#include "engine/kernels/integers.h"
#include "engine/kernels/pack.h"
#include "engine/simd/simd.h"

namespace nm::impl {

// Rounds a float's bits to a half, nearest even.
template <class A>
uint16_t narrow_f16(float value) {
  uint32_t u;
  std::memcpy(&u, &value, 4);
  const uint32_t sign = (u >> 16) & 0x8000;
  u &= 0x7fffffff;
  if (u >= 0x7f800000) return static_cast<uint16_t>(sign | (u > 0x7f800000 ? 0x7e00 : 0x7c00));
  if (u >= 0x477ff000) return static_cast<uint16_t>(sign | 0x7c00);  // rounds past the largest half
  if (u < 0x38800000) {  // a subnormal half: let an addition do the rounding
    float f;
    std::memcpy(&f, &u, 4);
    f += 0.5f;
    uint32_t r;
    std::memcpy(&r, &f, 4);
    return static_cast<uint16_t>(sign | (r - 0x3f000000));
  }
  const uint32_t odd = (u >> 13) & 1;
  return static_cast<uint16_t>(sign | ((u - 0x38000000 + 0xfff + odd) >> 13));
}

template <class A>
uint16_t narrow_bf16(float value) {
  uint32_t u;
  std::memcpy(&u, &value, 4);
  if ((u & 0x7fffffff) > 0x7f800000) return static_cast<uint16_t>((u >> 16) | 0x40);
  return static_cast<uint16_t>((u + 0x7fff + ((u >> 16) & 1)) >> 16);
}

template <class A>
void f16_to_f32(const uint16_t* x, float* y, int64_t n) {
  int64_t i = 0;
#if defined(__F16C__)
  for (; i + 8 <= n; i += 8) {
    _mm256_storeu_ps(y + i, _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(x + i))));
  }
#elif defined(__wasm_simd128__)
  // The scalar algorithm of widen_f16, four at a time.
  const v128_t magic = wasm_f32x4_splat(0x1p112f);
  for (; i + 4 <= n; i += 4) {
    const v128_t h = wasm_u32x4_load16x4(x + i);
    const v128_t magnitude = wasm_i32x4_shl(wasm_v128_and(h, wasm_i32x4_splat(0x7fff)), 13);
    const v128_t special = wasm_i32x4_ge(magnitude, wasm_i32x4_splat(0x7c00 << 13));
    const v128_t normal = wasm_f32x4_mul(magnitude, magic);
    const v128_t infinite = wasm_v128_or(magnitude, wasm_i32x4_splat(0x7f800000));
    const v128_t sign = wasm_i32x4_shl(wasm_v128_and(h, wasm_i32x4_splat(0x8000)), 16);
    wasm_v128_store(y + i, wasm_v128_or(wasm_v128_bitselect(infinite, normal, special), sign));
  }
#endif
  for (; i < n; ++i) y[i] = widen_f16<A>(x[i]);
}

template <class A>
void f32_to_f16(const float* x, uint16_t* y, int64_t n) {
  int64_t i = 0;
#if defined(__F16C__)
  for (; i + 8 <= n; i += 8) {
    const __m128i h = _mm256_cvtps_ph(_mm256_loadu_ps(x + i), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(y + i), h);
  }
#endif
  for (; i < n; ++i) y[i] = narrow_f16<A>(x[i]);
}

template <class A>
void bf16_to_f32(const uint16_t* x, float* y, int64_t n) {
  for (int64_t i = 0; i < n; ++i) y[i] = widen_bf16<A>(x[i]);
}
template <class A>
void f32_to_bf16(const float* x, uint16_t* y, int64_t n) {
  for (int64_t i = 0; i < n; ++i) y[i] = narrow_bf16<A>(x[i]);
}

// The difference is exact in f32 only while the zero point has the source's range, which ONNX requires.
template <class A, class T>
void dequantize(const T* x, float* y, int64_t n, float scale, int32_t zero_point) {
  for (int64_t i = 0; i < n; ++i) y[i] = static_cast<float>(static_cast<int32_t>(x[i]) - zero_point) * scale;
}

template <class A>
constexpr ConvertKernels convert_kernels() {
  return {
      .f16_to_f32 = f16_to_f32<A>,
      .f32_to_f16 = f32_to_f16<A>,
      .bf16_to_f32 = bf16_to_f32<A>,
      .f32_to_bf16 = f32_to_bf16<A>,
      .dequantize_i8 = dequantize<A, int8_t>,
      .dequantize_u8 = dequantize<A, uint8_t>,
  };
}

}  // namespace nm::impl
