// Weights of 2, 4 or 8 bits with a scale and a zero point for each block along K, as com.microsoft's MatMulNBits stores
// them: column n of the product is a row of `blocks` blocks of `block`·bits/8 bytes, low bits first.
//
// Codes of 4 bits, and of 2 as such of 4, are packed into panels and multiplied as integers; those of 8 bits are
// widened to floats as they are read. All functions run on the calling thread.
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

  int64_t length() const { return blocks * block; }  // of a padded row of the left matrix
};

// Codes of 4 bits, eight columns together. A panel's codes are, for each eight elements of K, 32 bytes: four of each
// column, of which byte i holds element i in its low and element 4 + i in its high bits. So 16 bytes are what a vector
// of four columns takes from them, and a left matrix needs no other order. Columns beyond n have zeros.
struct NBitsPanels {
  static constexpr int64_t columns = 8;

  int64_t n = 0;
  int64_t block = 0;         // elements, a power of two, 16 at least
  int64_t blocks = 0;        // along K
  uint8_t* codes = nullptr;  // [panels, blocks, block/8, 32]
  float* scales = nullptr;   // [panels, blocks, 8]
  float* offsets = nullptr;  // [panels, blocks, 8], -scale·zero; without: all zero points are 8

  int64_t length() const { return blocks * block; }
  int64_t panels() const { return (n + columns - 1) / columns; }

  // A row of the left matrix as integers X is scaled in pieces, whose sums of products fit 16 and 32 bits.
  template <class X>
  int64_t piece() const {
    constexpr int64_t longest = sizeof(X) == 1 ? 32 : 4096;
    return block < longest ? block : longest;
  }
  template <class X>
  int64_t pieces() const {
    return length() / piece<X>();
  }
};

// Rows of a left matrix as integers, one after the other; for each piece of them a scale and a sum.
template <class X>
struct NBitsRows {
  X* integers;    // [rows, length]
  float* scales;  // [rows, pieces]
  int32_t* sums;  // [rows, pieces]
};

struct NBitsKernels {
  // Writes panels [begin, end). w.bits is 2 or 4. Without offsets all zero
  // points are 8.
  void (*pack)(const NBits& w, const NBitsPanels& to, int64_t begin, int64_t end);
  // Each piece has a scale of its own, so that its largest element becomes the largest integer; a piece that is not
  // finite has the scale NaN. `row` is where the integers, scales and sums go, x has k elements.
  void (*quantize8)(const NBitsPanels& w, int64_t k, const float* x, const NBitsRows<int8_t>& row);
  void (*quantize16)(const NBitsPanels& w, int64_t k, const float* x, const NBitsRows<int16_t>& row);
  // y[r·ldy + n] = row r · column n, for the columns of panels [begin, end).
  // Without dot8, dot16 is as fast.
  void (*dot8)(const NBitsPanels& w, int64_t rows, const NBitsRows<int8_t>& x, int64_t begin, int64_t end, float* y,
               int64_t ldy);
  void (*dot16)(const NBitsPanels& w, int64_t rows, const NBitsRows<int16_t>& x, int64_t begin, int64_t end, float* y,
                int64_t ldy);
  // Columns [8·begin, 8·end) as floats, one after the other, `length` elements each.
  void (*widen_panels)(const NBitsPanels& w, int64_t begin, int64_t end, float* y);

  // Codes of 8 bits. `pad` writes a row, padded with zeros to whole blocks, and the sums of its blocks, sums[blocks],
  // which may be null.
  void (*pad)(const NBits& w, int64_t k, const float* x, float* row, float* sums);
  // y[r·ldy + i] = row r · column n0 + i, for padded rows, one after the other, with their sums.
  void (*dot)(const NBits& w, int64_t rows, const float* x, const float* sums, int64_t n0, int64_t n1, float* y,
              int64_t ldy);
  // Columns [n0, n1) as floats, one after the other, `length` elements each.
  void (*widen)(const NBits& w, int64_t n0, int64_t n1, float* y);
};

}  // namespace nm
