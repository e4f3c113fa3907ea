#include "engine/op/check.h"
#include "engine/op/numbers.h"
#include "engine/op/registry.h"

namespace nm {
namespace {

class ArgExtreme final : public Operator {
 public:
  ArgExtreme(Attributes& a, bool max)
      : max_(max),
        axis_(a.integer("axis", 0)),
        keep_dims_(a.flag("keepdims", true)),
        last_(a.flag("select_last_index", false)) {}

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 1));
    NM_TRY(check_number(inference, 0, "the input"));
    inference.output(0, DType::Int64);
    if (!inference.has_shape(0)) return {};
    Shape out = inference.shape(0);
    NM_ASSIGN(const int axis, check_axis(axis_, out.rank()));
    if (out[axis] == 0) return wrong_shape("the input", out, text("at least one element along axis ", axis));
    if (keep_dims_) {
      out[axis] = 1;
    } else {
      out.erase(axis);
    }
    inference.output(0, DType::Int64, out);
    return {};
  }

  Status run(Execution& execution) override {
    const Tensor& in = execution.input(0);
    const int axis = normalize_axis(axis_, in.rank());
    const int64_t n = in.dim(axis);
    const int64_t inner = in.shape().count(axis + 1, in.rank());
    const int64_t outer = in.shape().count(0, axis);
    int64_t* out = execution.out<int64_t>(0);
    return with_number(in.dtype(), [&]<class T>() -> Status {
      const T* x = in.data<T>();
      for_rows(outer, n * inner, [&](int64_t begin, int64_t end) {
        for (int64_t o = begin; o < end; ++o) {
          const T* block = x + o * n * inner;
          for (int64_t i = 0; i < inner; ++i) out[o * inner + i] = find(block + i, inner, n);
        }
      });
      return {};
    });
  }

 private:
  // As in NumPy, NaN beats every number.
  template <class T>
  int64_t find(const T* x, int64_t step, int64_t n) const {
    int64_t at = 0;
    T best = x[0];
    for (int64_t i = 1; i < n; ++i) {
      const T value = x[i * step];
      const bool better = max_ ? value > best : value < best;
      if (better || (last_ && value == best) || (value != value && (best == best || last_))) {
        best = value;
        at = i;
      }
    }
    return at;
  }

  bool max_;
  int64_t axis_;
  bool keep_dims_;
  bool last_;
};

bool arg_layout(LayoutChange& change) {
  Node& node = change.node;
  const int r = change.rank(node.inputs[0]);
  const auto it = node.attributes.find("axis");
  const int64_t* given = it == node.attributes.end() ? nullptr : std::get_if<int64_t>(&it->second);
  const int axis = normalize_axis(given ? *given : 0, std::max(r, 0));
  if (r < 3 || axis < 0 || !change.worthwhile({node.inputs[0]}) || !change.order_survives(r, {axis})) return false;
  if (!change.move_axis(r, 0)) return false;
  node.inputs[0] = change.last(node.inputs[0]);
  return change.push_reduced();
}

}  // namespace

constexpr AttributeRange kAttributes[] = {{"select_last_index", 12}};

constexpr Facts kExtreme = {.inputs = 1, .outputs = 1, .layout = arg_layout, .attributes = kAttributes};

constexpr OperatorEntry kEntries[] = {
    entry<ArgExtreme, true>("ArgMax", 1, kExtreme),
    entry<ArgExtreme, false>("ArgMin", 1, kExtreme),
};

NM_OPERATORS(arg_max, kEntries)

}  // namespace nm
