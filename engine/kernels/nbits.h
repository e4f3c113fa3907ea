// Weights of 2, 4 or 8 bits with a scale and a zero point for each block along K, as com.microsoft's MatMulNBits stores
// them: column n of the product is a row of `blocks` blocks of `block`·bits/8 bytes, low bits first.
//
// Kernels read codes by planes: of a chunk of 16 bytes (or a block, when that is smaller) first the code in the lowest
// bits of each byte, then the next ones. `arrange` brings vectors into that order, padded with zeros to whole blocks,
// so that products need no shuffling. All run on the calling thread.
#pragma once
#include <cstdint>

namespace nm {

struct NBits {
  int bits = 4;
  int64_t block = 0;   // elements, a power of two, 16 at least
  int64_t blocks = 0;  // along K
  const uint8_t* codes = nullptr;
  const float* scales = nullptr;          // [n, blocks]
  const uint8_t* packed_zeros = nullptr;  // [n, ⌈blocks·bits/8⌉], low bits first; or
  const float* zeros = nullptr;           // [n, blocks]; neither: 2^(bits-1)

  int64_t length() const { return blocks * block; }  // of an arranged vector
};

// Rows of a left matrix as integers, arranged, one after the other; for each block of them a scale and a sum.
template <class X>
struct NBitsRows {
  const X* planes;
  const float* scales;
  const int32_t* sums;
};

struct NBitsKernels {
  // planes[length] and the sum of each block, sums[blocks], of x[k]. sums may be null.
  void (*arrange)(const NBits& w, int64_t k, const float* x, float* planes, float* sums);
  // y[r·ldy + i] = row r · column n0 + i, for rows that are arranged, one after the other, with their sums.
  void (*dot)(const NBits& w, int64_t rows, const float* planes, const float* sums, int64_t n0, int64_t n1, float* y,
              int64_t ldy);
  // The same for vectors as integers, with 4 bits and blocks of 32 to 4096: each block of x has a scale of its own, so
  // that its largest element becomes the largest integer. `sums` are those of the integers. A block that is not finite
  // has the scale NaN.
  void (*quantize8)(const NBits& w, int64_t k, const float* x, int8_t* planes, float* scales, int32_t* sums);
  void (*quantize16)(const NBits& w, int64_t k, const float* x, int16_t* planes, float* scales, int32_t* sums);
  void (*dot8)(const NBits& w, int64_t rows, const NBitsRows<int8_t>& x, int64_t n0, int64_t n1, float* y, int64_t ldy);
  void (*dot16)(const NBits& w, int64_t rows, const NBitsRows<int16_t>& x, int64_t n0, int64_t n1, float* y,
                int64_t ldy);
  // Columns [n0, n1) as arranged floats, one after the other.
  void (*widen)(const NBits& w, int64_t n0, int64_t n1, float* y);
};

}  // namespace nm
