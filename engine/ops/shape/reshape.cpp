// Operators that give the same elements another shape.
#include <algorithm>

#include "engine/op/check.h"
#include "engine/op/movement.h"
#include "engine/op/registry.h"
#include "engine/tensor/integers.h"

namespace nm {
namespace {

class Reshape final : public SameBytes {
 public:
  explicit Reshape(Attributes& a)
      : as_attribute_(a.version() < 5), shape_(a.integers("shape")), allow_zero_(a.flag("allowzero", false)) {}

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, as_attribute_ ? 1 : 2));
    NM_TRY(check_type(inference, 1, "the shape", {DType::Int64}));
    inference.output(0, inference.type(0));
    if (inference.has_shape(1) && inference.shape(1).rank() != 1)
      return wrong_shape("the shape", inference.shape(1), "a list");
    const auto target = as_attribute_ ? std::optional(shape_) : inference.integers(1);
    if (target) {
      NM_ASSIGN(const Shape shape, resolve(*target, inference.has_shape(0) ? &inference.shape(0) : nullptr));
      inference.output(0, inference.type(0), shape);
    } else if (inference.has_shape(1) && inference.shape(1)[0] >= 0 && inference.shape(1)[0] <= kMaxRank) {
      inference.output(0, inference.type(0), Shape::filled(static_cast<int>(inference.shape(1)[0]), kUnknownDim));
    }
    return {};
  }

 private:
  Result<Shape> resolve(const std::vector<int64_t>& target, const Shape* in) const {
    if (target.size() > static_cast<size_t>(kMaxRank)) {
      return Status(Code::ShapeMismatch,
                    text("the shape has ", target.size(), " dimensions; at most ", kMaxRank, " are supported"));
    }
    Shape out;
    int rest = -1;
    for (size_t i = 0; i < target.size(); ++i) {
      const int at = static_cast<int>(i);
      int64_t dim = target[i];
      if (dim == -1 && rest < 0) {
        rest = at;
        dim = kUnknownDim;
      } else if (dim == 0 && !allow_zero_) {
        if (in != nullptr && at >= in->rank()) {
          return Status(Code::ShapeMismatch, text("the shape ", to_string(Shape(target)), " copies dimension ", at,
                                                  ", which an input of shape ", to_string(*in), " does not have"));
        }
        dim = in != nullptr ? (*in)[at] : kUnknownDim;
      } else if (dim < 0) {
        return Status(Code::ShapeMismatch, text("the shape's dimension ", at, " is ", dim,
                                                "; only one may be -1, the others must be at least 0"));
      }
      out.push_back(dim);
    }
    if (in == nullptr || !in->known()) return out;
    const int64_t count = in->count();
    if (rest >= 0) {
      out[rest] = 1;
      const int64_t others = out.count();
      if (others <= 0 || count % others != 0) return mismatch(target, *in);
      out[rest] = count / others;
    }
    if (out.count() != count) return mismatch(target, *in);
    return out;
  }

  static Status mismatch(const std::vector<int64_t>& target, const Shape& in) {
    std::string wanted;
    for (const int64_t d : target) wanted += text(wanted.empty() ? "" : ",", d);
    return Status(Code::ShapeMismatch, text("a tensor of shape ", to_string(in), " cannot be given the shape [", wanted,
                                            "]; both must have as many elements"))
        .about("shape", text("[", wanted, "]"), to_string(in));
  }

  bool as_attribute_;
  std::vector<int64_t> shape_;
  bool allow_zero_;
};

class Flatten final : public SameBytes {
 public:
  explicit Flatten(Attributes& a) : axis_(a.integer("axis", 1)) {}

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 1));
    inference.output(0, inference.type(0), Shape{kUnknownDim, kUnknownDim});
    if (!inference.has_shape(0)) return {};
    const Shape& in = inference.shape(0);
    int axis = in.rank();
    if (axis_ != in.rank()) {
      NM_ASSIGN(axis, check_axis(axis_, in.rank()));
    }
    inference.output(0, inference.type(0), Shape{product(in, 0, axis), product(in, axis, in.rank())});
    return {};
  }

 private:
  static int64_t product(const Shape& s, int from, int to) {
    if (to - from == 1) return s[from];
    for (int i = from; i < to; ++i) {
      if (s[i] < 0) return kUnknownDim;
    }
    return s.count(from, to);
  }

  int64_t axis_;
};

// The axes of Squeeze and Unsqueeze: an attribute before operator set 13, an input from then on.
class AxesOperator : public SameBytes {
 protected:
  explicit AxesOperator(Attributes& a) : as_attribute_(a.version() < 13) {
    if (!as_attribute_) return;
    axes_ = a.integers("axes");
    given_ = a.has("axes");
  }

  Status check(const Inference& inference, bool required) const {
    NM_TRY(check_tensors(inference, required && !as_attribute_ ? 2 : 1));
    if (required && as_attribute_ && !given_) return {Code::InvalidModel, "the required attribute 'axes' is missing"};
    NM_TRY(check_type(inference, 1, "the axes", {DType::Int64}));
    if (inference.has_shape(1) && inference.shape(1).rank() > 1)
      return wrong_shape("the axes", inference.shape(1), "a list");
    return {};
  }
  bool has_axes(const Inference& inference) const { return as_attribute_ ? given_ : inference.has(1); }
  std::optional<std::vector<int64_t>> axes(const Inference& inference) const {
    return as_attribute_ ? std::optional(axes_) : inference.integers(1);
  }

 private:
  bool as_attribute_;
  std::vector<int64_t> axes_;
  bool given_ = false;
};

class Squeeze final : public AxesOperator {
 public:
  explicit Squeeze(Attributes& a) : AxesOperator(a) {}

  Status infer(Inference& inference) const override {
    NM_TRY(check(inference, false));
    inference.output(0, inference.type(0));
    if (!inference.has_shape(0)) return {};
    const Shape& in = inference.shape(0);
    const auto given = axes(inference);
    if (has_axes(inference) && !given) return {};
    uint32_t set = 0;
    if (has_axes(inference)) {
      NM_ASSIGN(set, check_axes(*given, in.rank()));
    } else if (!in.known()) {
      return {};
    }
    Shape out;
    for (int i = 0; i < in.rank(); ++i) {
      const bool named = set >> i & 1;
      if (named && in[i] >= 0 && in[i] != 1) {
        return wrong_shape("the input", in, text("1 at axis ", i, ", which is to be removed"));
      }
      if (!named && (has_axes(inference) || in[i] != 1)) out.push_back(in[i]);
    }
    inference.output(0, inference.type(0), out);
    return {};
  }
};

class Unsqueeze final : public AxesOperator {
 public:
  explicit Unsqueeze(Attributes& a) : AxesOperator(a) {}

  Status infer(Inference& inference) const override {
    NM_TRY(check(inference, true));
    inference.output(0, inference.type(0));
    const auto given = axes(inference);
    if (!given || !inference.has_shape(0)) return {};
    const Shape& in = inference.shape(0);
    if (given->size() > static_cast<size_t>(kMaxRank - in.rank())) {
      return {Code::ShapeMismatch,
              text("the output would have more than ", kMaxRank, " dimensions, which is not supported")};
    }
    const int rank = in.rank() + static_cast<int>(given->size());
    NM_ASSIGN(const uint32_t set, check_axes(*given, rank));
    Shape out;
    for (int i = 0, next = 0; i < rank; ++i) out.push_back(set >> i & 1 ? 1 : in[next++]);
    inference.output(0, inference.type(0), out);
    return {};
  }
};

// [N, C, …pixels] to [N, C, …pixels otherwise].
bool reshape_layout(LayoutChange& change) {
  Node& node = change.node;
  const ValueId in = node.inputs[0], out = node.outputs[0];
  const int r = change.rank(in), to = change.rank(out);
  if (r < 3 || to < 3 || !change.worthwhile({in})) return false;
  const Shape &a = *change.graph.value(in).shape, &b = *change.graph.value(out).shape;
  if (a[0] != b[0] || a[1] != b[1] || a[0] == kUnknownDim || a[1] < 0) return false;
  if (node.attributes.contains("allowzero") || node.version < 5) return false;
  const auto target = change.integers(node.input(1));
  if (!target || static_cast<int>(target->size()) != to) return false;
  // A zero copies the dimension at its own place, which moves by one together with the pixels.
  LayoutChange::Axes moved{(*target)[0]};
  for (size_t i = 2; i < target->size(); ++i) moved.push_back((*target)[i]);
  moved.push_back(a[1]);
  const ValueId shape = change.add_integers(moved, node.name + ".shape");
  if (shape == kNone) return false;
  node.inputs[1] = shape;
  node.inputs[0] = change.last(in);
  return change.push_last();
}

std::optional<Shape> reshape_shape(const ShapeQuery& q) {
  const auto target = q.input(1);
  if (!target) return std::nullopt;
  const auto& in = q.shape(0);
  const bool copies = q.integer("allowzero", 0) == 0;
  DimList dims = *target;
  int rest = -1;
  for (size_t i = 0; i < dims.size(); ++i) {
    if (dims[i].is(0) && copies) {
      dims[i] =
          in && static_cast<int>(i) < in->rank() ? DimEntry::dim((*in)[static_cast<int>(i)]) : DimEntry::unknown();
    } else if (dims[i].is(-1) && rest < 0) {
      rest = static_cast<int>(i);
      dims[i] = DimEntry::unknown();
    }
  }
  auto shape = contents::to_shape(dims);
  if (!shape || rest < 0 || !in) return shape;
  // The dimension -1 is what is left once equal dimensions have been taken away on both sides.
  std::vector<int64_t> left(in->begin(), in->end());
  int64_t product = 1;
  for (int i = 0; i < shape->rank(); ++i) {
    const int64_t dim = (*shape)[i];
    if (i == rest) continue;
    if (const auto it = std::find(left.begin(), left.end(), dim); dim != kUnknownDim && it != left.end()) {
      left.erase(it);
    } else if (dim > 0 && dim <= INT32_MAX && product <= INT32_MAX) {
      product *= dim;
    } else {
      return shape;
    }
  }
  int64_t symbol = 1;
  int64_t number = 1;
  for (const int64_t dim : left) {
    if (dim == kUnknownDim || (dim < 0 && symbol != 1) || dim > INT32_MAX || number > INT32_MAX) return shape;
    (dim < 0 ? symbol : number) *= dim;
  }
  if (symbol == 1 && number % product == 0) (*shape)[rest] = number / product;
  if (symbol != 1 && number == product) (*shape)[rest] = symbol;
  return shape;
}

}  // namespace

constexpr AttributeRange kReshapeAttributes[] = {{"allowzero", 14}, {"shape", 1, 4}};
constexpr AttributeRange kAxesUntil12[] = {{"axes", 1, 12}};

constexpr Facts reshape(uint8_t inputs) {
  return {.inputs = inputs,
          .outputs = 1,
          .layout = reshape_layout,
          .contents = contents::same,
          .shape = reshape_shape,
          .moves = Moves::First,
          .attributes = kReshapeAttributes};
}
constexpr Facts squeeze(uint8_t inputs) {
  return {.inputs = inputs,
          .outputs = 1,
          .layout = layout::opaque,
          .contents = contents::same,
          .moves = Moves::First,
          .attributes = kAxesUntil12};
}

constexpr OperatorEntry kEntries[] = {
    entry<Reshape>("Reshape", 1, reshape(1)),
    entry<Reshape>("Reshape", 5, reshape(2)),
    entry<Flatten>("Flatten", 1, {.inputs = 1, .outputs = 1, .layout = layout::opaque, .moves = Moves::First}),
    entry<Squeeze>("Squeeze", 1, squeeze(1)),
    entry<Squeeze>("Squeeze", 13, squeeze(2)),
    entry<Unsqueeze>("Unsqueeze", 1, squeeze(1)),
    entry<Unsqueeze>("Unsqueeze", 13, squeeze(2)),
};

NM_OPERATORS(reshape, kEntries)

}  // namespace nm
