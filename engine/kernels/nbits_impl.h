#pragma once
#include "engine/kernels/integers.h"
#include "engine/kernels/nbits.h"
#include "engine/kernels/nbits_panels_impl.h"
#include "engine/simd/simd.h"

namespace nm::impl {

template <class A>
void nbits_arrange(const NBits& w, int64_t k, const float* x, float* planes, float* sums) {
  const int64_t per_byte = 8 / w.bits;
  const int64_t bytes = lesser(16, w.block / per_byte);
  for (int64_t at = 0; at < w.length(); at += bytes * per_byte) {
    for (int64_t p = 0; p < per_byte; ++p) {
      for (int64_t j = 0; j < bytes; ++j) {
        const int64_t from = at + j * per_byte + p;
        planes[at + p * bytes + j] = from < k ? x[from] : 0;
      }
    }
  }
  for (int64_t b = 0; sums != nullptr && b < w.blocks; ++b) {
    float sum = 0;
    for (int64_t i = b * w.block; i < (b + 1) * w.block; ++i) sum += planes[i];
    sums[b] = sum;
  }
}

// One column whose blocks are smaller than a chunk.
template <class A>
float nbits_dot_small(const NBits& w, const float* planes, const float* sums, int64_t n) {
  const int64_t per_byte = 8 / w.bits, bytes = w.block / per_byte;
  const int mask = (1 << w.bits) - 1;
  float total = 0;
  for (int64_t b = 0; b < w.blocks; ++b) {
    const uint8_t* codes = w.codes + (n * w.blocks + b) * bytes;
    const float* x = planes + b * w.block;
    float sum = 0;
    for (int p = 0; p < per_byte; ++p, x += bytes) {
      for (int64_t j = 0; j < bytes; ++j) sum += static_cast<float>(codes[j] >> (p * w.bits) & mask) * x[j];
    }
    total += w.scales[n * w.blocks + b] * (sum - nbits_zero<A>(w, n, b) * sums[b]);
  }
  return total;
}

// The codes of plane p.
template <class A, int bits>
simd::vf<A> nbits_code(simd::vi<A> bytes, int p) {
  if constexpr (bits < 8) {
    if (p > 0) bytes = bytes >> (p * bits);
    if (p + 1 < 8 / bits) bytes = bytes & simd::vi<A>((1 << bits) - 1);
  }
  return xsimd::to_float(bytes);
}

// `columns` columns at once share the loads of x.
template <class A, int bits, int columns>
void nbits_dot_columns(const NBits& w, const float* planes, const float* sums, int64_t n, float* y) {
  constexpr int vectors = 16 / simd::lanes<A>, per_byte = 8 / bits;
  const int64_t chunks = w.block / per_byte / 16, row = w.blocks * chunks * 16;
  simd::vf<A> total[columns];
  float offset[columns] = {};
  for (int c = 0; c < columns; ++c) total[c] = simd::vf<A>(0.f);
  const float* x = planes;
  const uint8_t* codes = w.codes + n * row;
  for (int64_t b = 0; b < w.blocks; ++b) {
    simd::vf<A> acc[columns];
    for (int c = 0; c < columns; ++c) acc[c] = simd::vf<A>(0.f);
    for (int64_t chunk = 0; chunk < chunks; ++chunk, codes += 16, x += 16 * per_byte) {
#pragma GCC unroll 4
      for (int c = 0; c < columns; ++c) {
        simd::vi<A> bytes[vectors];
        simd::widen_bytes<A>(codes + c * row, bytes);
#pragma GCC unroll 4
        for (int p = 0; p < per_byte; ++p) {
#pragma GCC unroll 4
          for (int v = 0; v < vectors; ++v) {
            const simd::vf<A> vx = simd::load<A>(x + p * 16 + v * simd::lanes<A>);
            acc[c] = simd::madd<A>(nbits_code<A, bits>(bytes[v], p), vx, acc[c]);
          }
        }
      }
    }
    for (int c = 0; c < columns; ++c) {
      const float scale = w.scales[(n + c) * w.blocks + b];
      total[c] = simd::madd<A>(simd::vf<A>(scale), acc[c], total[c]);
      offset[c] += scale * nbits_zero<A>(w, n + c, b) * sums[b];
    }
  }
  for (int c = 0; c < columns; ++c) y[c] = simd::sum<A>(total[c]) - offset[c];
}

// Several rows at once, for each of which a code would have to be unpacked: it becomes a real number first.
template <class A, int bits, int rows, int columns>
void nbits_dot_tile(const NBits& w, const float* planes, int64_t n, float* y, int64_t ldy) {
  constexpr int vectors = 16 / simd::lanes<A>, per_byte = 8 / bits;
  const int64_t chunks = w.block / per_byte / 16, row = w.blocks * chunks * 16;
  simd::vf<A> acc[rows * columns];
  for (int i = 0; i < rows * columns; ++i) acc[i] = simd::vf<A>(0.f);
  const float* x = planes;
  const uint8_t* codes = w.codes + n * row;
  for (int64_t b = 0; b < w.blocks; ++b) {
    simd::vf<A> scale[columns], offset[columns];
    for (int c = 0; c < columns; ++c) {
      const float s = w.scales[(n + c) * w.blocks + b];
      scale[c] = simd::vf<A>(s);
      offset[c] = simd::vf<A>(-s * nbits_zero<A>(w, n + c, b));
    }
    for (int64_t chunk = 0; chunk < chunks; ++chunk, codes += 16, x += 16 * per_byte) {
      simd::vi<A> bytes[columns][vectors];
      for (int c = 0; c < columns; ++c) simd::widen_bytes<A>(codes + c * row, bytes[c]);
#pragma GCC unroll 4
      for (int p = 0; p < per_byte; ++p) {
#pragma GCC unroll 4
        for (int v = 0; v < vectors; ++v) {
          simd::vf<A> value[columns];
#pragma GCC unroll 2
          for (int c = 0; c < columns; ++c) {
            value[c] = simd::madd<A>(nbits_code<A, bits>(bytes[c][v], p), scale[c], offset[c]);
          }
#pragma GCC unroll 4
          for (int r = 0; r < rows; ++r) {
            const simd::vf<A> vx = simd::load<A>(x + r * w.length() + p * 16 + v * simd::lanes<A>);
#pragma GCC unroll 2
            for (int c = 0; c < columns; ++c) acc[r * columns + c] = simd::madd<A>(value[c], vx, acc[r * columns + c]);
          }
        }
      }
    }
  }
  for (int i = 0; i < rows * columns; ++i) y[i / columns * ldy + i % columns] = simd::sum<A>(acc[i]);
}

template <class A, int bits>
void nbits_dot_bits(const NBits& w, int64_t rows, const float* planes, const float* sums, int64_t n0, int64_t n1,
                    float* y, int64_t ldy) {
  constexpr int tall = 4, together = 2;
  for (int64_t n = n0; n < n1; n += together) {
    const bool pair = n + together <= n1;
    const float* x = planes;
    float* to = y + n - n0;
    int64_t r = 0;
    for (; r + tall <= rows; r += tall, x += tall * w.length(), to += tall * ldy) {
      pair ? nbits_dot_tile<A, bits, tall, together>(w, x, n, to, ldy)
           : nbits_dot_tile<A, bits, tall, 1>(w, x, n, to, ldy);
    }
    for (; r < rows; ++r, x += w.length(), to += ldy) {
      pair ? nbits_dot_columns<A, bits, together>(w, x, sums + r * w.blocks, n, to)
           : nbits_dot_columns<A, bits, 1>(w, x, sums + r * w.blocks, n, to);
    }
  }
}

template <class A>
void nbits_dot(const NBits& w, int64_t rows, const float* planes, const float* sums, int64_t n0, int64_t n1, float* y,
               int64_t ldy) {
  if (w.block * w.bits < 8 * 16) {
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t n = n0; n < n1; ++n) {
        y[r * ldy + n - n0] = nbits_dot_small<A>(w, planes + r * w.length(), sums + r * w.blocks, n);
      }
    }
  } else if (w.bits == 2) {
    nbits_dot_bits<A, 2>(w, rows, planes, sums, n0, n1, y, ldy);
  } else {
    nbits_dot_bits<A, 8>(w, rows, planes, sums, n0, n1, y, ldy);
  }
}

template <class A>
void nbits_widen(const NBits& w, int64_t n0, int64_t n1, float* y) {
  const int64_t per_byte = 8 / w.bits, bytes = lesser(16, w.block / per_byte), chunks = w.block / per_byte / bytes;
  const int mask = (1 << w.bits) - 1;
  const uint8_t* codes = w.codes + n0 * w.blocks * chunks * bytes;
  for (int64_t n = n0; n < n1; ++n) {
    for (int64_t b = 0; b < w.blocks; ++b) {
      const float scale = w.scales[n * w.blocks + b], zero = nbits_zero<A>(w, n, b);
      for (int64_t chunk = 0; chunk < chunks; ++chunk, codes += bytes) {
        for (int p = 0; p < per_byte; ++p, y += bytes) {
          for (int64_t j = 0; j < bytes; ++j) {
            y[j] = (static_cast<float>(codes[j] >> (p * w.bits) & mask) - zero) * scale;
          }
        }
      }
    }
  }
}

template <class A>
constexpr NBitsKernels nbits_kernels() {
  using H = NBitsArch<A>;
  NBitsKernels k{.pack = nbits_pack<A>,
                 .quantize8 = nbits_quantize<A, int8_t>,
                 .quantize16 = nbits_quantize<A, int16_t>,
                 .dot8 = nullptr,
                 .dot16 = nbits_dot_panels<A, H, int16_t>,
                 .widen_panels = nbits_widen_panels<A>,
                 .arrange = nbits_arrange<A>,
                 .dot = nbits_dot<A>,
                 .widen = nbits_widen<A>};
  if constexpr (kNBitsBytes) k.dot8 = nbits_dot_panels<A, H, int8_t>;
  return k;
}

}  // namespace nm::impl
