// Scaled dot-product attention in f32 over heads that lie anywhere in memory: softmax(scale·Q·Kᵀ + bias)·V.
#pragma once
#include <limits>

#include "engine/op/operator.h"
#include "engine/tensor/strided.h"

namespace nm {

// Matrices of one operand: matrix (b, h) starts at data + b·batch + h·head, its rows are `row` apart.
template <class T>
struct Heads {
  T* data = nullptr;
  int64_t batch = 0, head = 0, row = 0;

  T* at(int64_t b, int64_t h) const { return data + b * batch + h * head; }
  int64_t offset(int64_t b, int64_t h) const { return b * batch + h * head; }
  // Heads one after the other: [batch, heads, rows, size].
  static Heads outer(T* p, int64_t heads, int64_t rows, int64_t size) {
    return {p, heads * rows * size, rows * size, size};
  }
  // Heads side by side in rows of `width` elements: [batch, rows, heads·size].
  static Heads inner(T* p, int64_t rows, int64_t size, int64_t width) { return {p, rows * width, size, width}; }
  // Of four dimensions, [batch, heads, rows, size].
  static Heads strided(T* p, const Strides& s) { return {p, s[0], s[1], s[2]}; }
  // The same, from a row on.
  Heads from_row(int64_t r) const { return {data + r * row, batch, head, row}; }
};

// Keys or values: floats, or narrower as a cache stores them (tensor/narrow.h).
struct StoredHeads {
  StoredSource rows;
  int64_t batch = 0, head = 0, row = 0;  // elements between neighbours, as of Heads

  StoredHeads() = default;
  StoredHeads(const Heads<const float>& h)  // NOLINT(google-explicit-constructor)
      : rows{Stored::F32, h.data}, batch(h.batch), head(h.head), row(h.row) {}
  // Of four dimensions, [batch, heads, rows, size].
  StoredHeads(const StoredSource& r, const Strides& s) : rows(r), batch(s[0]), head(s[1]), row(s[2]) {}

  // The same from whole rows further on.
  StoredHeads behind(int64_t elements) const {
    StoredHeads h = *this;
    h.rows.data = static_cast<const uint8_t*>(rows.data) + elements * stored_bytes(rows.stored);
    if (rows.scales != nullptr) h.rows.scales += elements / rows.width;
    return h;
  }

  int64_t offset(int64_t b, int64_t h) const { return b * batch + h * head; }
  const void* at(int64_t b, int64_t h) const {
    return static_cast<const uint8_t*>(rows.data) + offset(b, h) * stored_bytes(rows.stored);
  }
  // Of a head's rows, one after the other; null where they are floats.
  const float* scales(int64_t b, int64_t h) const {
    return rows.scales == nullptr ? nullptr : rows.scales + offset(b, h) / rows.width;
  }
};

// A mask that broadcasts to the scores; columns past `columns` are masked. Either floats that are added or bools
// that say what may be seen.
struct AttentionMask {
  const float* bias = nullptr;
  const bool* seen = nullptr;
  int64_t batch = 0, head = 0, row = 0;  // elements between neighbours; 0 where one serves all
  int64_t column = 1;
  int64_t columns = 0;
};

// Rows of heads that are to lie elsewhere. A bias, `size` floats for each head, is added to them.
struct HeadRows {
  int64_t batch = 0, heads = 0, size = 0;
  Heads<const float> from;
  int64_t rows = 0;
  const float* bias = nullptr;
};
void copy_rows(const HeadRows& rows, const Heads<float>& to);

// Keys or values of the past and of now together: those of the past are there already, those behind are to be written
// to `last`, and settled before `all` is read.
struct Present {
  LastRows last;
  RowsTensor all;

  // Where the rows that are to be written are.
  Heads<float> now() const {
    return Heads<float>::strided(static_cast<float*>(last.at.data) + last.at.offset, last.at.strides);
  }
};
// As `shape` says, whose last three dimensions are heads, rows and sizes, behind the first `kept` rows of input `past`.
// In output `o`, where somebody wants it, or else in scratch.
Result<Present> present(Execution& execution, size_t past, size_t o, const Shape& shape, int64_t kept);
// The same of four dimensions, with these rows.
Result<StoredHeads> joined(Execution& execution, size_t past, size_t o, const Shape& shape, int64_t kept,
                           const HeadRows& now);

// Input i as floats, in scratch where it is stored narrower.
Result<RowsTensor> float_rows(Execution& execution, size_t i);

struct AttentionCall {
  int64_t batch = 0, q_heads = 0, kv_heads = 0, q_len = 0, kv_len = 0, head_size = 0, v_size = 0;
  Heads<const float> q;
  StoredHeads k, v;
  Heads<float> y;
  float scale = 1;
  float softcap = 0;  // 0: none
  AttentionMask mask;
  float low = -std::numeric_limits<float>::infinity();  // the score of what a mask of bools hides
  // A row of which all scores are -∞ is 0, and others may be NaN; or both are NaN, as a softmax has them; or 0.
  enum class NanRows { Standard, Kept, Zero };
  NanRows nan_rows = NanRows::Standard;
  AttentionMask padding;  // another one, that applies behind the first
  // Query i stands at position i + offset among the keys; with lengths the offset of each batch is its length - q_len,
  // or what `offsets` says.
  int64_t offset = 0;
  const int64_t* offsets = nullptr;
  bool causal = false;               // no key behind that position is seen
  int64_t left_window = -1;          // so many keys before it are seen, -1: all
  int64_t right_window = -1;         // and so many behind it
  const int64_t* lengths = nullptr;  // keys that count, for each batch
  const float* sinks = nullptr;      // a score for each head that takes part in the softmax, for a key of value zero
  // Scores [batch, q_heads, q_len, kv_len] as they are after the step that `scores_after` names.
  enum class Scores { Product, Softcap, Mask, Softmax };
  float* scores = nullptr;
  Scores scores_after = Scores::Product;
};

Status attend(Execution& execution, const AttentionCall& call);

}  // namespace nm
