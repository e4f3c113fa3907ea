#include <algorithm>
#include <vector>

#include "engine/base/checked.h"
#include "engine/op/check.h"
#include "engine/op/movement.h"
#include "engine/op/registry.h"
#include "engine/tensor/cast.h"
#include "engine/tensor/integers.h"

namespace nm {
namespace {

enum class Mode : uint8_t { Constant, Reflect, Edge, Wrap };

struct Pads {
  Strides before{};  // negative: elements cut off
  Strides after{};
};

// Pads and the value are attributes before operator set 11 and inputs from then on.
class Pad final : public Movement {
 public:
  explicit Pad(Attributes& a)
      : as_attributes_(a.version() < 11),
        pads_(a.integers(a.version() < 2 ? "paddings" : "pads")),
        value_(a.number("value", 0)) {
    const std::string mode = a.string("mode", "constant");
    if (mode == "reflect") {
      mode_ = Mode::Reflect;
    } else if (mode == "edge") {
      mode_ = Mode::Edge;
    } else if (mode == "wrap") {
      mode_ = Mode::Wrap;
    } else if (mode != "constant") {
      a.fail(text("the attribute 'mode' is '", mode, "'; expected constant, reflect, edge or wrap"));
    }
  }

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, as_attributes_ ? 1 : 2));
    NM_TRY(check_type(inference, 1, "the pads", {DType::Int64}));
    NM_TRY(check_type(inference, 3, "the axes", {DType::Int32, DType::Int64}));
    NM_TRY(check_scalar(inference, 2, "the padding value"));
    if (inference.has(2) && inference.type(2) != DType::Undefined && inference.type(0) != DType::Undefined &&
        inference.type(2) != inference.type(0)) {
      return wrong_type("the padding value", inference.type(2), dtype_name(inference.type(0)));
    }
    if (as_attributes_ && inference.type(0) != DType::Undefined && !can_cast(inference.type(0))) {
      return wrong_type("the input", inference.type(0), "a type that is not complex");
    }
    inference.output(0, inference.type(0));
    if (!inference.has_shape(0)) return {};
    Shape out = inference.shape(0);
    Pads pads;
    const auto axes = inference.integers(3);
    const auto list = as_attributes_ ? std::optional(pads_) : inference.integers(1);
    if (!list || (inference.has(3) && !axes)) {
      inference.output(0, inference.type(0), Shape::filled(out.rank(), kUnknownDim));
      return {};
    }
    NM_TRY(resolve(out.rank(), *list, axes ? &*axes : nullptr, pads));
    for (int i = 0; i < out.rank(); ++i) {
      if (out[i] < 0) {
        out[i] = pads.before[i] == 0 && pads.after[i] == 0 ? out[i] : kUnknownDim;
        continue;
      }
      const int64_t dim = saturating_add(out[i], pads.before[i] + pads.after[i]);
      if (dim < 0)
        return wrong_shape("the input", inference.shape(0), text("more than is to be cut off from axis ", i));
      const bool grows = pads.before[i] > 0 || pads.after[i] > 0;
      if (mode_ != Mode::Constant && grows && dim > 0) {
        // What is left after cutting is what gets repeated.
        const int64_t left = out[i] + std::min<int64_t>(pads.before[i], 0) + std::min<int64_t>(pads.after[i], 0);
        if (left <= 0) return wrong_shape("the input", inference.shape(0), text("something to repeat along axis ", i));
      }
      out[i] = dim;
    }
    inference.output(0, inference.type(0), out);
    return {};
  }

  Status run(Execution& execution) override {
    const Tensor& in = execution.input(0);
    Tensor& out = execution.output(0);
    if (out.count() == 0) return {};
    Pads pads;
    const auto axes = execution.has(3) ? integers(execution.input(3)) : std::nullopt;
    NM_TRY(resolve(in.rank(), as_attributes_ ? pads_ : *integers(execution.input(1)), axes ? &*axes : nullptr, pads));
    if (mode_ != Mode::Constant) return repeat(execution, in, out, pads);
    NM_TRY(fill_value(execution, out));
    // What is kept of the input lands behind the padding.
    const Strides from = row_major(in.shape());
    const Strides to = row_major(out.shape());
    StridedSource source{in.raw(), 0, from};
    StridedTarget target{out.raw(), 0, to};
    Shape extent;
    for (int i = 0; i < in.rank(); ++i) {
      const int64_t before = pads.before[i];
      extent.push_back(
          std::max<int64_t>(0, in.dim(i) + std::min<int64_t>(before, 0) + std::min<int64_t>(pads.after[i], 0)));
      if (extent.back() == 0) return {};  // more is cut off than there is: offsets would mean nothing
      (before < 0 ? source.offset : target.offset) += std::abs(before) * (before < 0 ? from[i] : to[i]);
    }
    copy_strided(in.dtype(), extent, source, target);
    return {};
  }

 private:
  static Status resolve(int rank, const std::vector<int64_t>& list, const std::vector<int64_t>* axes, Pads& pads) {
    const size_t n = axes != nullptr ? axes->size() : static_cast<size_t>(rank);
    if (list.size() != 2 * n) {
      return {Code::ShapeMismatch, text("there are ", list.size(), " pads; expected ", 2 * n, ", two for each axis")};
    }
    if (axes != nullptr) NM_TRY(check_axes(*axes, rank).take_status());
    constexpr int64_t kLimit = INT64_MAX / 4;  // sums stay far from overflow; such sizes fail for lack of memory
    for (size_t i = 0; i < n; ++i) {
      const int axis = axes != nullptr ? normalize_axis((*axes)[i], rank) : static_cast<int>(i);
      pads.before[axis] = std::clamp(list[i], -kLimit, kLimit);
      pads.after[axis] = std::clamp(list[i + n], -kLimit, kLimit);
    }
    return {};
  }

  Status fill_value(const Execution& execution, Tensor& out) const {
    if (execution.has(2)) {
      fill(out, execution.input(2).raw());
      return {};
    }
    NM_ASSIGN(Tensor value, Tensor::create(out.dtype(), Shape{}));
    if (as_attributes_) {
      NM_ASSIGN(const Tensor number, Tensor::from<float>(Shape{}, std::span(&value_, 1)));
      NM_TRY(cast(number, value));
    } else if (out.dtype() != DType::String) {
      std::fill_n(static_cast<uint8_t*>(value.raw()), value.bytes(), uint8_t{0});
    }
    fill(out, value.raw());
    return {};
  }

  // The input's coordinate for each coordinate of the output along every axis, then a gather of rows.
  Status repeat(Execution& execution, const Tensor& in, Tensor& out, const Pads& pads) const {
    int64_t total = 0;
    for (const int64_t d : out.shape()) total += d;
    NM_ASSIGN(int64_t * table, execution.scratch<int64_t>(Size(total)));
    const Strides from = row_major(in.shape());
    std::array<const int64_t*, kMaxRank> offsets{};
    int64_t* next = table;
    for (int i = 0; i < in.rank(); ++i) {
      offsets[i] = next;
      const int64_t cut = std::max<int64_t>(0, -pads.before[i]);
      const int64_t left = in.dim(i) - cut - std::max<int64_t>(0, -pads.after[i]);
      for (int64_t o = 0; o < out.dim(i); ++o) {
        *next++ = (cut + source_of(o - std::max<int64_t>(0, pads.before[i]), left)) * from[i];
      }
    }
    const int last = in.rank() - 1;
    if (last < 0) {
      copy_all(in, out);
      return {};
    }
    const int64_t n = out.dim(last);
    const int64_t inside = std::max<int64_t>(0, pads.before[last]);
    const int64_t kept = std::min(
        n - inside, in.dim(last) + std::min<int64_t>(0, pads.before[last]) + std::min<int64_t>(0, pads.after[last]));
    Strides at{};
    for (int64_t row = 0; row < out.count(); row += n) {
      int64_t base = 0;
      for (int d = 0; d < last; ++d) base += offsets[d][at[d]];
      for (int64_t o = 0; o < inside; ++o)
        copy_run(in.dtype(), in.raw(), base + offsets[last][o], out.raw(), row + o, 1);
      copy_run(in.dtype(), in.raw(), base + offsets[last][inside], out.raw(), row + inside, kept);
      for (int64_t o = inside + kept; o < n; ++o) {
        copy_run(in.dtype(), in.raw(), base + offsets[last][o], out.raw(), row + o, 1);
      }
      for (int d = last - 1; d >= 0; --d) {
        if (++at[d] < out.dim(d)) break;
        at[d] = 0;
      }
    }
    return {};
  }

  // Where coordinate `at`, which may lie outside, is found in [0, dim).
  int64_t source_of(int64_t at, int64_t dim) const {
    if (at >= 0 && at < dim) return at;
    if (mode_ == Mode::Edge || dim == 1) return at < 0 ? 0 : dim - 1;
    const int64_t period = mode_ == Mode::Wrap ? dim : 2 * (dim - 1);
    at %= period;
    if (at < 0) at += period;
    return at < dim ? at : period - at;
  }

  bool as_attributes_;
  std::vector<int64_t> pads_;
  float value_;
  Mode mode_ = Mode::Constant;
};

bool pad_layout(LayoutChange& change) {
  Node& node = change.node;
  const int r = change.rank(node.inputs[0]);
  if (r < 3 || node.version < 2 || node.input(3) != kNone || !change.worthwhile({node.inputs[0]})) return false;
  LayoutChange::Axes pads;
  if (node.version >= 11) {
    const auto given = change.integers(node.input(1));
    if (!given) return false;
    pads = *given;
  } else if (const auto it = node.attributes.find("pads"); it != node.attributes.end()) {
    if (const auto* given = std::get_if<LayoutChange::Axes>(&it->second)) pads = *given;
  }
  const auto size = static_cast<size_t>(r);
  if (pads.size() != 2 * size) return false;
  LayoutChange::Axes moved(2 * size);
  for (size_t i = 0; i < size; ++i) {
    const auto to = static_cast<size_t>(LayoutChange::in_last(static_cast<int64_t>(i), r));
    moved[to] = pads[i];
    moved[to + size] = pads[i + size];
  }
  if (node.version >= 11) {
    const ValueId id = change.add_integers(moved, node.name + ".pads");
    if (id == kNone) return false;
    node.inputs[1] = id;
  } else {
    node.attributes["pads"] = moved;
  }
  change.first(node.input(2));
  node.inputs[0] = change.last(node.inputs[0]);
  return change.push_last();
}

}  // namespace

constexpr AttributeRange kPadAttributes[] = {{"pads", 2, 10}, {"value", 1, 10}};

constexpr OperatorEntry kEntries[] = {
    entry<Pad>("Pad", 1, {.inputs = 1, .outputs = 1, .layout = pad_layout, .attributes = kPadAttributes}),
    entry<Pad>("Pad", 11, {.inputs = 3, .outputs = 1, .layout = pad_layout, .attributes = kPadAttributes}),
    entry<Pad>("Pad", 18, {.inputs = 4, .outputs = 1, .layout = pad_layout, .attributes = kPadAttributes}),
};

NM_OPERATORS(pad, kEntries)

}  // namespace nm
