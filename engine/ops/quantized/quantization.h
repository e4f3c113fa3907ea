// How the scales and zero points of QuantizeLinear and DequantizeLinear lie over the data: one for all, one for each
// index of an axis, or one for each block along an axis.
#pragma once
#include <algorithm>

#include "engine/op/check.h"
#include "engine/op/layout.h"
#include "engine/op/numbers.h"

namespace nm {

class QuantizationGrid {
 public:
  // `rank` and axis of the data may be unknown while inferring: only what is known is checked. A block size of 0
  // means that there are no blocks.
  static Status check(const Inference& inference, int64_t axis, int64_t block) {
    NM_TRY(check_tensors(inference, 2));
    if (block < 0)
      return {Code::InvalidModel, text("the attribute 'block_size' is ", block, "; it must not be negative")};
    if (inference.has_shape(1) && inference.has_shape(2) && inference.shape(1).known() && inference.shape(2).known() &&
        inference.shape(1) != inference.shape(2) &&
        (inference.shape(1).count() != 1 || inference.shape(2).count() != 1)) {
      return wrong_shape("the zero point", inference.shape(2), text(to_string(inference.shape(1)), ", as the scale"));
    }
    if (!inference.has_shape(0) || !inference.has_shape(1)) return {};
    const Shape& data = inference.shape(0);
    const Shape& scale = inference.shape(1);
    if (block == 0 && scale.known() && scale.count() == 1) return {};
    NM_ASSIGN(const int a, check_axis(axis, data.rank()));
    const auto differs = [](int64_t x, int64_t y) { return x >= 0 && y >= 0 && x != y; };
    if (block == 0) {
      if (scale.rank() == 1 && !differs(scale[0], data[a])) return {};
      return wrong_shape("the scale", scale,
                         text("one value, or one for each index of axis ", a, " of ", to_string(data)));
    }
    bool fits = scale.rank() == data.rank();
    for (int i = 0; fits && i < data.rank(); ++i) {
      fits = !differs(scale[i], i != a || data[i] < 0 ? data[i] : data[i] / block + (data[i] % block != 0));
    }
    if (fits) return {};
    return wrong_shape("the scale", scale,
                       text("as ", to_string(data), ", with one for each ", block, " along axis ", a));
  }

  QuantizationGrid(const Shape& data, const Shape& scale, int64_t axis, int64_t block) {
    if (block == 0 && scale.count() == 1) {
      row_ = std::max<int64_t>(1, data.count());
      rows_ = data.count() > 0 ? 1 : 0;
      return;
    }
    const int a = normalize_axis(axis, data.rank());
    dim_ = data[a];
    inner_ = data.count(a + 1, data.rank());
    rows_ = data.count(0, a);
    row_ = dim_ * inner_;
    block_ = block;
    blocks_ = block > 0 ? dim_ / block + (dim_ % block != 0) : 0;
  }

  // f(first, count, parameter, step): elements first + i have the scale number parameter + i * step, for i < count.
  // `parallel`: f may run on several threads at once, which elements that share a byte do not allow.
  template <class F>
  void walk(bool parallel, F&& f) const {
    if (!parallel) {
      if (rows_ == 1 && dim_ == 0) return f(0, row_, 0, 0);
      for (int64_t r = 0; r < rows_; ++r) walk_row(r, f);
      return;
    }
    if (rows_ == 1 && dim_ == 0) {
      for_elements(row_, [&](int64_t begin, int64_t end) { f(begin, end - begin, 0, 0); });
      return;
    }
    for_rows(rows_, row_, [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; ++r) walk_row(r, f);
    });
  }

 private:
  template <class F>
  void walk_row(int64_t r, F& f) const {
    const int64_t first = r * row_;
    if (inner_ == 1 && block_ == 0) return f(first, dim_, 0, 1);
    if (inner_ == 1) {
      for (int64_t d = 0; d < dim_; d += block_) f(first + d, std::min(block_, dim_ - d), r * blocks_ + d / block_, 0);
      return;
    }
    for (int64_t d = 0; d < dim_; ++d) {
      const int64_t parameter = block_ == 0 ? d : (r * blocks_ + d / block_) * inner_;
      f(first + d * inner_, inner_, parameter, block_ == 0 ? 0 : 1);
    }
  }

  int64_t rows_ = 0;
  int64_t row_ = 0;
  int64_t dim_ = 0;  // of the axis; 0: one scale for all
  int64_t inner_ = 1;
  int64_t block_ = 0;
  int64_t blocks_ = 0;
};

// One scale, or one for each index of an axis; blocks lie in the order of the file.
inline bool quantization_layout(LayoutChange& change) {
  return !change.node.attributes.contains("block_size") && layout::along_axis(change, 1);
}

}  // namespace nm
