// com.microsoft's GatherBlockQuantized: slices of a table of 2, 4 or 8 bits, named by indices, as the real numbers that
// a scale and a zero point for each block make of them.
#include <algorithm>

#include "engine/op/check.h"
#include "engine/op/numbers.h"
#include "engine/op/registry.h"
#include "engine/ops/shape/indices.h"
#include "engine/tensor/element.h"

namespace nm {
namespace {

constexpr size_t kData = 0, kIndices = 1, kScales = 2, kZeros = 3;
constexpr int64_t kLargest = int64_t{1} << 40;  // of a block or a dimension, so that sums of them do not overflow

class GatherBlockQuantized final : public Operator {
 public:
  explicit GatherBlockQuantized(Attributes& a)
      : gather_axis_(a.integer("gather_axis", 0)),
        block_axis_(a.integer("quantize_axis", 1)),
        block_(a.integer("block_size", 128)),
        bits_(a.integer("bits", 4)),
        strict_(a.integer("nm_strict", 0) != 0) {
    if (bits_ != 2 && bits_ != 4 && bits_ != 8)
      a.unsupported(text("a table of ", bits_, " bits; there are 2, 4 and 8"));
    if (block_ < 16 || block_ > kLargest || (block_ & (block_ - 1)) != 0) {
      a.fail(text("the attribute 'block_size' is ", block_, "; it must be a power of two and 16 at least"));
    }
  }

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 3));
    NM_TRY(check_type(inference, kData, "the table (input 0)", {DType::UInt8, DType::UInt4, DType::Int4}));
    NM_TRY(check_type(inference, kIndices, "the indices (input 1)", {DType::Int32, DType::Int64}));
    NM_TRY(check_type(inference, kScales, "the scales (input 2)", {DType::Float32, DType::Float16, DType::BFloat16}));
    if (inference.has(kZeros))
      NM_TRY(check_type(inference, kZeros, "the zero points (input 3)", {inference.type(kData)}));
    inference.output(0, inference.type(kScales));
    if (!inference.has_shape(kData) || !inference.shape(kData).known() || inference.type(kData) == DType::Undefined)
      return {};
    for (const int64_t d : inference.shape(kData)) {
      if (d > kLargest) return wrong_shape("the table (input 0)", inference.shape(kData), "smaller dimensions");
    }
    const Shape table = shape_of(inference.shape(kData), inference.type(kData));
    NM_ASSIGN(const int axis, check_axis(gather_axis_, table.rank()));
    NM_ASSIGN(const int block_axis, check_axis(block_axis_, table.rank()));
    if (table.count() < 0) return wrong_shape("the table (input 0)", inference.shape(kData), "fewer elements");
    if (inference.type(kData) == DType::UInt8 && bits_ < 8 && axis == table.rank() - 1) {
      return {Code::InvalidModel, "the attribute 'gather_axis' must not be the axis that codes are packed along"};
    }
    Shape scales = table;
    scales[block_axis] = (table[block_axis] + block_ - 1) / block_;
    Shape zeros = scales;
    if (inference.type(kData) == DType::UInt8) zeros[zeros.rank() - 1] = (zeros.back() * bits_ + 7) / 8;
    if (inference.has_shape(kScales) && inference.shape(kScales).known() && inference.shape(kScales) != scales) {
      return wrong_shape("the scales (input 2)", inference.shape(kScales), to_string(scales));
    }
    if (inference.has_shape(kZeros) && inference.shape(kZeros).known() && inference.shape(kZeros) != zeros) {
      return wrong_shape("the zero points (input 3)", inference.shape(kZeros), to_string(zeros));
    }
    if (!inference.has_shape(kIndices)) return {};
    const Shape& indices = inference.shape(kIndices);
    if (table.rank() - 1 + indices.rank() > kMaxRank) {
      return wrong_shape("the indices", indices, text("fewer dimensions: the output would have more than ", kMaxRank));
    }
    Shape out;
    for (int i = 0; i < axis; ++i) out.push_back(table[i]);
    for (const int64_t d : indices) out.push_back(d);
    for (int i = axis + 1; i < table.rank(); ++i) out.push_back(table[i]);
    inference.output(0, inference.type(kScales), out);
    return {};
  }

  Status run(Execution& execution) override {
    if (execution.input(kScales).dtype() != DType::Float32) return no_arithmetic(execution.input(kScales).dtype());
    const Tensor& data = execution.input(kData);
    const Shape table = shape_of(data.shape(), data.dtype());
    const int axis = normalize_axis(gather_axis_, table.rank());
    const Indices indices(execution.input(kIndices));
    if (strict_) NM_TRY(indices.check(table[axis]));
    const int64_t dim = table[axis], inner = table.count(axis + 1, table.rank());
    if (execution.output(0).count() == 0) return {};
    for_rows(execution.output(0).count() / inner, inner, [&](int64_t begin, int64_t end) {
      for (int64_t s = begin; s < end; ++s) {
        float* to = execution.out<float>(0) + s * inner;
        int64_t index = indices.raw(s % indices.count());
        if (index < 0) index += dim;
        if (index < 0 || index >= dim) {
          std::fill_n(to, inner, 0.f);  // as documented: no failure
        } else {
          read(execution, table, (s / indices.count() * dim + index) * inner, inner, to);
        }
      }
    });
    return {};
  }

 private:
  // The shape in codes. Of uint8 the last dimension counts bytes.
  Shape shape_of(const Shape& stored, DType dtype) const {
    Shape s = stored;
    if (dtype == DType::UInt8 && s.rank() > 0) s[s.rank() - 1] *= 8 / bits_;
    return s;
  }

  // Elements [first, first + count) of the table.
  void read(const Execution& execution, const Shape& table, int64_t first, int64_t count, float* to) const {
    const Tensor& data = execution.input(kData);
    const float* scales = execution.data<float>(kScales);
    const bool bytes = data.dtype() == DType::UInt8;
    const int bits = bytes ? static_cast<int>(bits_) : 4;
    const int sign = data.dtype() == DType::Int4 ? 8 : 0;
    const uint8_t* zeros = execution.has(kZeros) ? static_cast<const uint8_t*>(execution.input(kZeros).raw()) : nullptr;
    const int64_t row =
        execution.input(kScales).shape().back();  // of scales; zero points of uint8 begin a byte with each
    const int64_t zero_row = bytes ? (row * bits + 7) / 8 * (8 / bits) : row;
    const int axis = normalize_axis(block_axis_, table.rank());
    const int64_t size = table[axis], after = table.count(axis + 1, table.rank());
    const int64_t blocks = (size + block_ - 1) / block_;
    for (int64_t at = first; at < first + count;) {
      const int64_t along = at / after % size, beside = at % after;
      const int64_t parameter = (at / after / size * blocks + along / block_) * after + beside;
      // Elements that have one scale, or each the next.
      const int64_t run = after == 1 ? std::min(block_ - along % block_, size - along) : after - beside;
      const int64_t n = std::min(run, first + count - at), step = after == 1 ? 0 : 1;
      for (int64_t i = 0; i < n; ++i, ++at) {
        const int64_t p = parameter + i * step;
        int zero = bytes ? 1 << (bits - 1) : 0;
        if (zeros != nullptr) zero = (packed_get(zeros, p / row * zero_row + p % row, bits) ^ sign) - sign;
        const int code = (packed_get(data.raw(), at, bits) ^ sign) - sign;
        *to++ = static_cast<float>(code - zero) * scales[p];
      }
    }
  }

  int64_t gather_axis_, block_axis_, block_, bits_;
  bool strict_;  // an index that is not there is a failure, as for Gather, which the node was
};

}  // namespace

constexpr OperatorEntry kEntries[] = {
    entry_in<GatherBlockQuantized>(kMicrosoftDomain, "GatherBlockQuantized", 1,
                                   {.inputs = 4, .outputs = 1, .layout = layout::opaque}),
};

NM_OPERATORS(gather_block_quantized, kEntries)

}  // namespace nm
