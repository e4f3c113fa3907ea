// Operators that look at a tensor's shape only.
#include <algorithm>

#include "engine/op/check.h"
#include "engine/op/movement.h"
#include "engine/op/registry.h"

namespace nm {
namespace {

class ShapeOf final : public Movement {
 public:
  explicit ShapeOf(Attributes& a) : start_(a.integer("start", 0)), end_(a.integer("end", INT64_MAX)) {}

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 1));
    inference.output(0, DType::Int64, Shape{kUnknownDim});
    if (!inference.has_shape(0)) return {};
    const auto [begin, end] = range(inference.shape(0).rank());
    const Shape part(inference.shape(0).dims().subspan(static_cast<size_t>(begin), static_cast<size_t>(end - begin)));
    inference.output(0, DType::Int64, Shape{part.rank()});
    if (!part.known()) return {};
    NM_ASSIGN(Tensor value, Tensor::from<int64_t>(Shape{part.rank()}, part.dims()));
    inference.output_value(0, std::move(value));
    return {};
  }

  Status run(Execution& execution) override {
    const Shape& shape = execution.input(0).shape();
    const auto [begin, end] = range(shape.rank());
    std::copy(shape.begin() + begin, shape.begin() + end, execution.out<int64_t>(0));
    return {};
  }

 private:
  std::pair<int64_t, int64_t> range(int64_t rank) const {
    const auto clamp = [&](int64_t at) { return std::clamp<int64_t>(at < 0 ? at + rank : at, 0, rank); };
    const int64_t begin = clamp(start_);
    return {begin, std::max(begin, clamp(end_))};
  }

  int64_t start_;
  int64_t end_;
};

class SizeOf final : public Movement {
 public:
  explicit SizeOf(Attributes&) {}

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 1));
    inference.output(0, DType::Int64, Shape{});
    if (!inference.has_shape(0) || !inference.shape(0).known()) return {};
    const int64_t count = inference.shape(0).count();
    NM_ASSIGN(Tensor value, Tensor::from<int64_t>(Shape{}, std::span(&count, 1)));
    inference.output_value(0, std::move(value));
    return {};
  }

  Status run(Execution& execution) override {
    *execution.out<int64_t>(0) = execution.input(0).count();
    return {};
  }
};

// Asks only for dimensions: those of the channels-last form, put back in order.
bool shape_layout(LayoutChange& change) {
  Node& node = change.node;
  const ValueId id = node.inputs[0], out = node.outputs[0];
  if (!change.only_last(id) || node.attributes.contains("start") || node.attributes.contains("end")) return false;
  const int r = change.rank(id);
  const ValueId order = change.add_integers(LayoutChange::to_first(r), node.name + ".order");
  if (order == kNone) return false;
  GraphValue dims;
  dims.name = change.graph.value(out).name + ".channels_last";
  dims.type = ValueType::tensor(DType::Int64);
  dims.shape = Shape{r};
  Node gather;
  gather.name = node.name;
  gather.op_type = "Gather";
  gather.version = 13;
  node.inputs[0] = change.last(id);
  node.outputs[0] = change.graph.add_value(std::move(dims));
  gather.inputs = {node.outputs[0], order};
  gather.explicit_inputs = 2;
  gather.outputs = {out};
  change.push_first();
  change.push(std::move(gather));
  return true;
}

std::optional<DimList> shape_contents(const ShapeQuery& q) {
  const auto& shape = q.shape(0);
  if (!shape) return std::nullopt;
  const auto place = [&](int64_t at) {
    return std::clamp<int64_t>(at < 0 ? at + shape->rank() : at, 0, shape->rank());
  };
  const int64_t end = place(q.integer("end", INT64_MAX));
  DimList out;
  for (int64_t i = place(q.integer("start", 0)); i < end; ++i) {
    out.push_back(DimEntry::dim((*shape)[static_cast<int>(i)]));
  }
  return out;
}

}  // namespace

constexpr AttributeRange kShapeAttributes[] = {{"end", 15}, {"start", 15}};

constexpr OperatorEntry kEntries[] = {
    entry<ShapeOf>("Shape", 1,
                   {.inputs = 1,
                    .outputs = 1,
                    .layout = shape_layout,
                    .contents = shape_contents,
                    .attributes = kShapeAttributes}),
    entry<SizeOf>("Size", 1, {.inputs = 1, .outputs = 1, .layout = layout::opaque}),
};

NM_OPERATORS(shape_of, kEntries)

}  // namespace nm
