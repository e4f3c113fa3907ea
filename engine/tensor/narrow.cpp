#include "engine/tensor/narrow.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "engine/base/thread_pool.h"
#include "engine/kernels/kernels.h"

namespace nm {
namespace {

// Rows that a thread takes at a time come to about as many elements.
constexpr int64_t kElements = 1 << 14;

// NaN where the row has one.
float largest(const float* x, int64_t n) {
  float low = 0, high = 0;
  kernels().rows.reduce(Reduce::Min, 1, n, x, n, &low);
  kernels().rows.reduce(Reduce::Max, 1, n, x, n, &high);
  return std::isnan(low) ? low : std::max(-low, high);
}

// Of a row whose largest element is that. So that a row that was narrowed once has the same scale again, a power of two
// for halves allows for their rounding, and one for integers has so few bits that its multiples are exact.
float scale_of(Stored stored, float most) {
  constexpr float least = std::numeric_limits<float>::min(), infinity = std::numeric_limits<float>::infinity();
  if (!(most < (stored == Stored::F16 ? 0x1p30f : infinity))) return std::numeric_limits<float>::quiet_NaN();
  if (stored == Stored::I8) {
    return std::max(std::bit_cast<float>((std::bit_cast<uint32_t>(most / 127) + 0xff) & ~uint32_t{0xff}), least);
  }
  const float power = std::bit_cast<float>((std::bit_cast<uint32_t>(most) + 0x1000) & 0x7f800000);
  return std::max(power * 0x1p-14f, least) / kHalfUnit;
}

void narrow(Stored stored, const float* x, int64_t n, void* y, float* scale) {
  *scale = scale_of(stored, largest(x, n));
  if (std::isnan(*scale)) {
    std::memset(y, 0, static_cast<size_t>(n * stored_bytes(stored)));
    return;
  }
  if (stored == Stored::I8) {
    kernels().integer.quantize(x, static_cast<uint8_t*>(y), n, *scale, 0, true);
    return;
  }
  constexpr int64_t kPiece = 256;
  float scaled[kPiece];
  for (int64_t i = 0; i < n; i += kPiece) {
    const int64_t count = std::min(kPiece, n - i);
    kernels().elementwise.unary(Unary::Affine, x + i, scaled, count, 1 / (*scale * kHalfUnit), 0);
    kernels().convert.f32_to_f16(scaled, static_cast<uint16_t*>(y) + i, count);
  }
}

void widen(Stored stored, const void* x, float scale, int64_t n, float* y) {
  if (stored == Stored::I8) {
    kernels().convert.dequantize_i8(static_cast<const int8_t*>(x), y, n, scale, 0);
    return;
  }
  kernels().convert.f16_to_f32(static_cast<const uint16_t*>(x), y, n);
  kernels().elementwise.unary(Unary::Affine, y, y, n, scale * kHalfUnit, 0);
}

template <class T>
T* element(T* data, Stored stored, int64_t offset) {
  using Byte = std::conditional_t<std::is_const_v<T>, const uint8_t, uint8_t>;
  return static_cast<Byte*>(data) + offset * stored_bytes(stored);
}

}  // namespace

int64_t stored_bytes(Stored stored) { return stored == Stored::F32 ? 4 : stored == Stored::F16 ? 2 : 1; }

void copy_row(const StoredSource& from, int64_t from_offset, const StoredTarget& to, int64_t to_offset, int64_t n) {
  const void* x = element(from.data, from.stored, from_offset);
  void* y = element(to.data, to.stored, to_offset);
  if (from.stored == to.stored) {
    std::memcpy(y, x, static_cast<size_t>(n * stored_bytes(to.stored)));
    if (to.scales != nullptr) to.scales[to_offset / to.width] = from.scales[from_offset / from.width];
  } else if (to.stored == Stored::F32) {
    widen(from.stored, x, from.scales[from_offset / from.width], n, static_cast<float*>(y));
  } else {
    narrow(to.stored, static_cast<const float*>(x), n, y, to.scales + to_offset / to.width);
  }
}

void copy_rows(const Shape& extent, const StoredSource& from, const Strides& from_strides, const StoredTarget& to,
               const Strides& to_strides) {
  const int last = extent.rank() - 1;
  const int64_t n = extent[last], count = extent.count();
  if (count == 0) return;
  thread_pool::parallel_for(count / n, std::max<int64_t>(1, kElements / n), [&](int64_t begin, int64_t end, int) {
    for (int64_t row = begin; row < end; ++row) {
      int64_t from_offset = 0, to_offset = 0, left = row;
      for (int d = last - 1; d >= 0; --d) {
        const int64_t at = left % extent[d];
        left /= extent[d];
        from_offset += at * from_strides[d];
        to_offset += at * to_strides[d];
      }
      copy_row(from, from_offset, to, to_offset, n);
    }
  });
}

}  // namespace nm
