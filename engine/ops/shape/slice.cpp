#include <algorithm>

#include "engine/op/check.h"
#include "engine/op/movement.h"
#include "engine/op/registry.h"
#include "engine/tensor/integers.h"

namespace nm {
namespace {

struct Range {
  int64_t start = 0;
  int64_t step = 1;
  int64_t length = 0;
};
using Ranges = std::array<Range, kMaxRank>;

using Integers = std::optional<std::vector<int64_t>>;

// Starts, ends, axes and steps are attributes before operator set 10 and inputs 1 to 4 from then on.
class Slice final : public Movement {
 public:
  explicit Slice(Attributes& a) : as_attributes_(a.version() < 10) {
    if (!as_attributes_) return;
    a.require("starts");
    a.require("ends");
    given_ = {a.integers("starts"), a.integers("ends"), {}, {}};
    if (a.has("axes")) given_[2] = a.integers("axes");
  }

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, as_attributes_ ? 1 : 3));
    for (size_t i = 1; i < 5; ++i) {
      NM_TRY(check_type(inference, i, "the bounds", {DType::Int32, DType::Int64}));
      if (inference.has_shape(i) && inference.shape(i).rank() > 1)
        return wrong_shape("the bounds", inference.shape(i), "a list");
    }
    inference.output(0, inference.type(0));
    if (!inference.has_shape(0)) return {};
    const Lists lists = read([&](size_t i) { return inference.integers(i); });
    const bool axes_known = as_attributes_ || !inference.has(3) || lists[2];
    Shape out = inference.shape(0);
    if (lists[0] && lists[1] && axes_known && (as_attributes_ || !inference.has(4) || lists[3])) {
      Ranges ranges;
      NM_TRY(resolve(inference.shape(0), lists, ranges));
      for (int i = 0; i < out.rank(); ++i) out[i] = ranges[i].length;
    } else {
      const bool few = axes_known && lists[2];
      uint32_t set = ~0u;
      if (few) {
        NM_ASSIGN(set, check_axes(*lists[2], out.rank()));
      }
      for (int i = 0; i < out.rank(); ++i) {
        if (set >> i & 1) out[i] = kUnknownDim;
      }
    }
    inference.output(0, inference.type(0), out);
    return {};
  }

  Status run(Execution& execution) override {
    const Tensor& in = execution.input(0);
    Tensor& out = execution.output(0);
    Ranges ranges;
    NM_TRY(resolve(in.shape(),
                   read([&](size_t i) { return execution.has(i) ? integers(execution.input(i)) : Integers(); }),
                   ranges));
    StridedSource from{in.raw(), 0, row_major(in.shape())};
    for (int i = 0; i < in.rank(); ++i) {
      from.offset += ranges[i].start * from.strides[i];
      from.strides[i] *= ranges[i].step;
    }
    copy_strided(in.dtype(), out.shape(), from, {out.raw(), 0, row_major(out.shape())});
    return {};
  }

  // A slice of the first dimension that is not one, with everything behind it whole, lies in one piece.
  std::optional<View> view(const Inference& inference, size_t) const override {
    Ranges ranges;
    const Shape& in = inference.shape(0);
    for (size_t i = 1; i < 5; ++i) {
      if (!as_attributes_ && inference.has(i) && inference.value(i) == nullptr) return std::nullopt;
    }
    if (!resolve(in, read([&](size_t i) { return inference.integers(i); }), ranges).ok()) return std::nullopt;
    const Strides strides = row_major(in);
    int64_t offset = 0;
    bool outer = true;
    for (int i = 0; i < in.rank(); ++i) {
      if (ranges[i].length == 0) return View{};
      if (ranges[i].length > 1 && ranges[i].step != 1) return std::nullopt;
      if (!outer && ranges[i].length != in[i]) return std::nullopt;
      offset += ranges[i].start * strides[i];
      outer = outer && ranges[i].length == 1;
    }
    return View{0, offset};
  }

 private:
  using Lists = std::array<Integers, 4>;

  template <class Read>
  Lists read(Read&& input) const {
    if (as_attributes_) return given_;
    return {input(1), input(2), input(3), input(4)};
  }

  static Status resolve(const Shape& in, const Lists& lists, Ranges& ranges) {
    const auto& [starts, ends, axes, steps] = lists;
    const size_t n = starts->size();
    if (ends->size() != n || (axes && axes->size() != n) || (steps && steps->size() != n)) {
      return {Code::ShapeMismatch, "starts, ends, axes and steps must be equally long"};
    }
    if (!axes && n > static_cast<size_t>(in.rank())) {
      return wrong_shape("the input", in, text("at least ", n, " dimensions, one for each start"));
    }
    for (int i = 0; i < in.rank(); ++i) ranges[i].length = in[i];
    if (axes) NM_TRY(check_axes(*axes, in.rank()).take_status());
    for (size_t i = 0; i < n; ++i) {
      const int axis = axes ? normalize_axis((*axes)[i], in.rank()) : static_cast<int>(i);
      const int64_t step = steps ? (*steps)[i] : 1;
      if (step == 0) return {Code::InvalidData, text("the step of axis ", axis, " is 0; it must be another number")};
      ranges[axis] = range((*starts)[i], (*ends)[i], step, in[axis]);
    }
    return {};
  }

  static Range range(int64_t start, int64_t end, int64_t step, int64_t dim) {
    if (dim < 0) {
      const bool whole = start == 0 && step == 1 && end == INT64_MAX;
      return {0, 1, whole ? dim : kUnknownDim};
    }
    step = std::clamp(step, -INT64_MAX, INT64_MAX);
    const bool forward = step > 0;
    const int64_t high = forward ? dim : dim - 1;
    const auto clamp = [&](int64_t at, int64_t low) { return std::clamp(at < 0 ? at + dim : at, low, high); };
    // Backwards from before the first element is from the first element on: not as in Python, where nothing is left.
    start = clamp(start, std::min<int64_t>(0, high));
    end = clamp(end, forward ? 0 : -1);
    const int64_t distance = forward ? end - start : start - end;
    const int64_t size = forward ? step : -step;
    const int64_t length = distance <= 0 ? 0 : (distance - 1) / size + 1;
    // One element needs no step, and a huge one must not be multiplied by anything.
    return {length == 0 ? 0 : start, length <= 1 ? 1 : step, length};
  }

  bool as_attributes_;
  Lists given_;
};

bool slice_layout(LayoutChange& change) {
  Node& node = change.node;
  const int r = change.rank(node.inputs[0]);
  if (r < 3 || !change.worthwhile({node.inputs[0]})) return false;
  const bool as_input = node.version >= 10;
  // Without axes there is one start for each of the first dimensions.
  int64_t count = r;
  if (as_input) {
    const auto& starts = change.graph.value(node.inputs[1]).shape;
    if (!starts || starts->rank() != 1 || (*starts)[0] < 0) return false;
    count = (*starts)[0];
  } else if (const auto it = node.attributes.find("starts"); it != node.attributes.end()) {
    const auto* starts = std::get_if<LayoutChange::Axes>(&it->second);
    if (starts != nullptr) count = static_cast<int64_t>(starts->size());
  }
  if (count > r) return false;
  LayoutChange::Axes all;
  for (int64_t i = 0; i < count; ++i) all.push_back(i);
  auto axes = change.axes(3, r, all);
  if (!axes) return false;
  for (int64_t& a : *axes) a = LayoutChange::in_last(a, r);
  change.first_from(1);
  if (!change.set_axes(3, as_input, *axes)) return false;
  node.inputs[0] = change.last(node.inputs[0]);
  return change.push_last();
}

// Slices from 0 to a symbol: as many rows of a table of positions as there are tokens.
void note_cuts(const ShapeQuery& q) {
  const auto &in = q.shape(0), &out = q.output().shape;
  const auto start = q.input(1), end = q.input(2), axes = q.input(3), steps = q.input(4);
  if (!in || !out || !start || !end || !axes || start->size() != axes->size() || end->size() != axes->size()) return;
  for (size_t i = 0; i < axes->size(); ++i) {
    const int axis = (*axes)[i].is_dim ? -1 : normalize_axis((*axes)[i].value, out->rank());
    const bool stepless = q.node.input(4) == kNone || (steps && i < steps->size() && (*steps)[i].is(1));
    if (axis < 0 || !stepless || !(*start)[i].is(0) || !(*end)[i].is_dim || (*end)[i].value == kUnknownDim) continue;
    if ((*out)[axis] < kUnknownDim && (*out)[axis] != (*in)[axis]) q.cut((*out)[axis], (*end)[i].value);
  }
}

std::optional<DimList> slice_contents(const ShapeQuery& q) {
  note_cuts(q);
  const auto data = q.input(0);
  const auto start = q.element(1), end = q.element(2);
  if (!data || !start || !end || start->is_dim || end->is_dim) return std::nullopt;
  if (q.node.input(4) != kNone) {
    const auto step = q.input(4);
    if (!step || step->empty() || !(*step)[0].is(1)) return std::nullopt;
  }
  const auto n = static_cast<int64_t>(data->size());
  const auto place = [&](int64_t at) { return std::clamp<int64_t>(at < 0 ? at + n : at, 0, n); };
  const int64_t first = place(start->value);
  return DimList(data->begin() + first, data->begin() + std::max(first, place(end->value)));
}

}  // namespace

constexpr OperatorEntry kEntries[] = {
    entry<Slice>("Slice", 1, {.inputs = 1, .outputs = 1, .layout = slice_layout, .contents = slice_contents}),
    entry<Slice>("Slice", 10, {.inputs = 5, .outputs = 1, .layout = slice_layout, .contents = slice_contents}),
};

NM_OPERATORS(slice, kEntries)

}  // namespace nm
