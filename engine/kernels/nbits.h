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

struct NBitsKernels {
  // planes[length] and the sum of each block, sums[blocks], of x[k]. sums may be null.
  void (*arrange)(const NBits& w, int64_t k, const float* x, float* planes, float* sums);
  // y[r·ldy + i] = row r · column n0 + i, for rows that are arranged, one after the other, with their sums.
  void (*dot)(const NBits& w, int64_t rows, const float* planes, const float* sums, int64_t n0, int64_t n1, float* y,
              int64_t ldy);
  // Columns [n0, n1) as arranged floats, one after the other.
  void (*widen)(const NBits& w, int64_t n0, int64_t n1, float* y);
};

}  // namespace nm
