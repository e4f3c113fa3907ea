#include <algorithm>

#include "engine/op/check.h"
#include "engine/op/movement.h"
#include "engine/op/registry.h"
#include "engine/tensor/element.h"
#include "engine/tensor/strided.h"

namespace nm {
namespace {

class Concat final : public Movement {
 public:
  explicit Concat(Attributes& a) : axis_(a.integer("axis", 1)) {
    selection::note(selection::Part::States);
    if (a.version() >= 4) a.require("axis");
  }

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, inference.input_count()));
    if (inference.input_count() == 0) return {Code::MissingInput, "there is nothing to join"};
    NM_ASSIGN(const DType type, common_type(inference, 0, inference.input_count()));
    inference.output(0, type);
    std::optional<Shape> out;
    bool all = true;
    const size_t first = first_with_elements(inference);
    for (size_t i = 0; i < inference.input_count(); ++i) {
      if (!inference.has_shape(i)) {
        all = false;
        continue;
      }
      const Shape& in = inference.shape(i);
      if (inference.has_shape(first) && is_left_out(in, inference.shape(first))) continue;
      NM_ASSIGN(const int axis, check_axis(axis_, in.rank()));
      if (!out) {
        out = in;
      } else {
        NM_TRY(join(*out, in, axis, i));
      }
    }
    if (!out) return {};
    if (!all) (*out)[normalize_axis(axis_, out->rank())] = kUnknownDim;
    inference.output(0, type, *out);
    return {};
  }

  Status run(Execution& execution) override {
    const bool grows = execution.grows(0);
    const int axis = normalize_axis(axis_, grows ? execution.input_shape(0).rank() : execution.output(0).rank());
    LastRows to;
    if (grows) {
      const int64_t kept = execution.input_shape(0)[axis];
      int64_t length = kept;
      for (size_t i = 1; i < execution.input_count(); ++i) length += execution.input_shape(i)[axis];
      NM_ASSIGN(to, execution.lengthened(0, 0, axis, kept, length));
    } else {
      to.at = {execution.output(0).raw(), 0, row_major(execution.output(0).shape())};
    }
    for (size_t i = grows ? 1 : 0; i < execution.input_count(); ++i) {
      const Shape& shape = execution.input_shape(i);
      if (shape.count() == 0) continue;
      copy_first(execution.input_value(i), shape, to.at);
      to.at.offset += shape[axis] * to.at.strides[axis];
    }
    to.settle();
    return {};
  }

  std::optional<View> view(const Inference& inference, size_t) const override {
    return inference.input_count() == 1 ? std::optional<View>(View{}) : std::nullopt;
  }

  // A first input with the dimensions of the others.
  std::optional<size_t> growth(const Inference& inference, size_t) const override {
    if (inference.input_count() < 2 || is_packed(inference.type(0)) || inference.type(0) == DType::String)
      return std::nullopt;
    for (size_t i = 0; i < inference.input_count(); ++i) {
      if (!inference.has_shape(i) || inference.shape(i).rank() != inference.shape(0).rank()) return std::nullopt;
      Shape alike = inference.shape(i);
      const int axis = normalize_axis(axis_, alike.rank());
      alike[axis] = inference.shape(0)[axis];
      if (alike != inference.shape(0)) return std::nullopt;
    }
    return 0;
  }
  bool takes_growing(size_t) const override { return true; }

 private:
  static bool is_empty(const Shape& s) { return std::find(s.begin(), s.end(), 0) != s.end(); }

  // The first input that is not known to be empty, or else the first of all.
  static size_t first_with_elements(const Inference& inference) {
    for (size_t i = 0; i < inference.input_count(); ++i) {
      if (inference.has_shape(i) && !is_empty(inference.shape(i))) return i;
    }
    return 0;
  }

  // torch begins lists of tensors with an empty one, [0], which has other dimensions than those it is joined to: it
  // adds nothing, and its dimensions do not count.
  bool is_left_out(const Shape& in, const Shape& other) const {
    if (!is_empty(in) || is_empty(other)) return false;
    if (in.rank() != other.rank()) return true;
    const int axis = normalize_axis(axis_, in.rank());
    for (int d = 0; d < in.rank(); ++d) {
      if (d != axis && in[d] >= 0 && other[d] >= 0 && in[d] != other[d]) return true;
    }
    return false;
  }

  // Takes `in` into the shape so far.
  static Status join(Shape& out, const Shape& in, int axis, size_t i) {
    bool fits = in.rank() == out.rank();
    for (int d = 0; fits && d < in.rank(); ++d) {
      if (d == axis) {
        const bool known = in[d] >= 0 && out[d] >= 0;
        if (known && in[d] > INT64_MAX - out[d]) return {Code::ShapeMismatch, "the output is too large"};
        out[d] = known ? in[d] + out[d] : kUnknownDim;
      } else if (out[d] < 0) {
        out[d] = in[d];
      } else {
        fits = in[d] < 0 || in[d] == out[d];
      }
    }
    if (fits) return {};
    return wrong_shape(text("input ", i), in, text("as ", to_string(out), " except for axis ", axis));
  }

  int64_t axis_;
};

bool concat_layout(LayoutChange& change) {
  const int r = change.rank(change.node.outputs[0]);
  if (r < 3) return false;
  for (const ValueId id : change.node.inputs) {
    if (id == kNone || change.rank(id) != r) return false;
  }
  if (!change.worthwhile(change.node.inputs) || !change.move_axis(r, 1)) return false;
  for (ValueId& id : change.node.inputs) id = change.last(id);
  return change.push_last();
}

std::optional<DimList> concat_contents(const ShapeQuery& q) {
  DimList out;
  for (size_t i = 0; i < q.node.inputs.size(); ++i) {
    if (q.node.inputs[i] == kNone) return std::nullopt;
    if (const auto part = q.input(i)) {
      out.insert(out.end(), part->begin(), part->end());
      continue;
    }
    const auto& shape = q.shape(i);
    const bool is_list = shape && shape->rank() == 1;
    if (!is_list || (*shape)[0] < 0 || (*shape)[0] > static_cast<int64_t>(kMostDimEntries)) return std::nullopt;
    out.insert(out.end(), static_cast<size_t>((*shape)[0]), DimEntry::unknown());
  }
  return out;
}

// The length along the axis, a sum of symbols where it is no number.
std::optional<Shape> concat_shape(const ShapeQuery& q) {
  const auto& known = q.output().shape;
  if (!known) return std::nullopt;
  Shape out = *known;
  int64_t axis = q.integer("axis", q.node.version < 4 ? 1 : 0);
  if (axis < 0) axis += out.rank();
  if (axis < 0 || axis >= out.rank()) return std::nullopt;
  DimEntry length = DimEntry::number(0);
  for (size_t i = 0; i < q.node.inputs.size(); ++i) {
    if (q.node.inputs[i] == kNone || !q.shape(i) || q.shape(i)->rank() != out.rank()) return std::nullopt;
    length = q.sum(length, DimEntry::dim((*q.shape(i))[static_cast<int>(axis)]));
  }
  out[static_cast<int>(axis)] = length.value;
  return out;
}

}  // namespace

constexpr OperatorEntry kEntries[] = {
    entry<Concat>("Concat", 1,
                  {.inputs = kAny,
                   .outputs = 1,
                   .layout = concat_layout,
                   .contents = concat_contents,
                   .shape = concat_shape,
                   .moves = Moves::All}),
};

NM_OPERATORS(concat, kEntries)

}  // namespace nm
