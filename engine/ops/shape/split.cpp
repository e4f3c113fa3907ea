#include "engine/op/check.h"
#include "engine/op/movement.h"
#include "engine/op/registry.h"
#include "engine/tensor/cast.h"
#include "engine/tensor/integers.h"

namespace nm {
namespace {

// The parts' lengths: an attribute before operator set 13, an input from then on, and in the first one as well, of the
// data's type there; without them equal parts, of which from operator set 18 on the last may be smaller.
class Split final : public Movement {
 public:
  explicit Split(Attributes& a)
      : version_(a.version()),
        axis_(a.integer("axis", 0)),
        lengths_(a.integers("split")),
        given_(a.has("split")),
        parts_(a.integer("num_outputs", 0)) {}

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 1));
    if (version_ == 1) {
      NM_TRY(check_type(inference, 1, "the split", {DType::Int32, DType::Int64, DType::Float32, DType::Float64}));
    } else {
      NM_TRY(check_type(inference, 1, "the split", {DType::Int32, DType::Int64}));
    }
    const size_t n = inference.output_count();
    if (parts_ != 0 && parts_ != static_cast<int64_t>(n)) {
      return {Code::InvalidModel,
              text("the attribute 'num_outputs' is ", parts_, " where the node has ", n, " outputs")};
    }
    for (size_t o = 0; o < n; ++o) inference.output(o, inference.type(0));
    if (!inference.has_shape(0)) return {};
    NM_ASSIGN(const int axis, check_axis(axis_, inference.shape(0).rank()));
    const int64_t dim = inference.shape(0)[axis];
    const auto lengths = lengths_of(inference.value(1));
    const bool unknown = inference.has(1) && !lengths;
    for (size_t o = 0; o < n; ++o) {
      Shape shape = inference.shape(0);
      shape[axis] = kUnknownDim;
      if (!unknown) {
        NM_ASSIGN(shape[axis], length(lengths, dim, o, n));
      }
      inference.output(o, inference.type(0), shape);
    }
    return {};
  }

  Status run(Execution& execution) override {
    const Tensor& in = execution.input(0);
    const int axis = normalize_axis(axis_, in.rank());
    const Strides strides = row_major(in.shape());
    const auto lengths = lengths_of(execution.has(1) ? &execution.input(1) : nullptr);
    int64_t at = 0;
    for (size_t o = 0; o < execution.output_count(); ++o) {
      NM_ASSIGN(const int64_t n, length(lengths, in.dim(axis), o, execution.output_count()));
      if (execution.wants(o)) {
        Tensor& out = execution.output(o);
        const int64_t from = at * strides[axis];
        const auto* first = static_cast<const uint8_t*>(in.raw()) + dtype_offset(in.dtype(), from);
        if (first != out.raw()) {  // else the output is a view, and lies where it should
          copy_strided(in.dtype(), out.shape(), {in.raw(), from, strides}, {out.raw(), 0, row_major(out.shape())});
        }
      }
      at += n;
    }
    return {};
  }

  std::optional<View> view(const Inference& inference, size_t o) const override {
    const Shape& in = inference.shape(0);
    const int axis = normalize_axis(axis_, in.rank());
    if (in.count(0, axis) != 1 || (inference.has(1) && inference.value(1) == nullptr)) return std::nullopt;
    const auto lengths = lengths_of(inference.value(1));
    int64_t at = 0;
    for (size_t i = 0; i < o; ++i) {
      const auto n = length(lengths, in[axis], i, inference.output_count());
      if (!n.ok()) return std::nullopt;
      at += n.value();
    }
    return View{0, at * in.count(axis + 1, in.rank())};
  }

 private:
  static std::optional<std::vector<int64_t>> lengths_of(const Tensor* t) {
    if (t == nullptr || is_index(t->dtype())) return t ? integers(*t) : std::nullopt;
    std::vector<int64_t> lengths(static_cast<size_t>(t->count()));
    Tensor whole = Tensor::view(DType::Int64, t->shape(), lengths.data());
    if (!cast(*t, whole).ok()) return std::nullopt;
    return lengths;
  }

  // Of output o out of n; kUnknownDim where it follows from an unknown dimension.
  Result<int64_t> length(const std::optional<std::vector<int64_t>>& input, int64_t dim, size_t o, size_t n) const {
    const std::vector<int64_t>* lengths = given_ ? &lengths_ : input ? &*input : nullptr;
    if (lengths == nullptr) {
      if (dim < 0) return kUnknownDim;
      const auto count = static_cast<int64_t>(n);
      if (version_ < 18 && dim % count != 0) return uneven(dim, n);
      const int64_t part = (dim + count - 1) / count;
      const int64_t left = dim - part * static_cast<int64_t>(o);
      return left < 0 ? 0 : left < part ? left : part;
    }
    if (lengths->size() != n) {
      return Status(Code::ShapeMismatch, text("the split has ", lengths->size(), " lengths for ", n, " outputs"));
    }
    int64_t sum = 0;
    for (const int64_t l : *lengths) {
      if (l < 0 || l > INT64_MAX - sum) return uneven(dim, n);
      sum += l;
    }
    if (dim >= 0 && sum != dim) return uneven(dim, n);
    return (*lengths)[o];
  }

  static Status uneven(int64_t dim, size_t n) {
    return Status(Code::ShapeMismatch, text("the dimension ", dim, " cannot be split into these ", n, " parts"));
  }

  int version_;
  int64_t axis_;
  std::vector<int64_t> lengths_;
  bool given_;
  int64_t parts_;
};

}  // namespace

constexpr AttributeRange kSplitAttributes[] = {{"num_outputs", 18}, {"split", 1, 12}};

constexpr Facts kSplit = {
    .inputs = 2, .outputs = kAny, .layout = layout::along_axis<0>, .attributes = kSplitAttributes};

constexpr OperatorEntry kEntries[] = {
    entry<Split>("Split", 1, kSplit),
    entry<Split>("Split", 2,
                 {.inputs = 1, .outputs = kAny, .layout = layout::along_axis<0>, .attributes = kSplitAttributes}),
    entry<Split>("Split", 13, kSplit),
};

NM_OPERATORS(split, kEntries)

}  // namespace nm
