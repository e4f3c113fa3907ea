// ZipMap of ai.onnx.ml: each row of scores becomes a map from class label to score.
#include <algorithm>
#include <cstring>

#include "engine/op/check.h"
#include "engine/op/registry.h"
#include "engine/ops/ml/ml_scores.h"

namespace nm {
namespace {

class ZipMap final : public Operator {
 public:
  explicit ZipMap(Attributes& a) {
    labels_.strings = a.strings("classlabels_strings");
    labels_.integers = a.integers("classlabels_int64s");
    if (labels_.size() == 0) a.fail("the operator has no class labels");
  }

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 1));
    NM_TRY(check_type(inference, 0, "the scores", {DType::Float32}));
    if (inference.has_shape(0)) {
      const Shape& x = inference.shape(0);
      const auto labels = static_cast<int64_t>(labels_.size());
      if (x.rank() < 1 || x.rank() > 2 || (x.back() >= 0 && x.back() != labels)) {
        return wrong_shape("the scores", x, text("[rows, ", labels, "]"));
      }
    }
    ValueType map;
    map.kind = ValueType::Kind::Map;
    map.dtype = labels_.dtype();
    map.element = std::make_shared<const ValueType>(ValueType::tensor(DType::Float32));
    inference.output(0, ValueType::sequence(std::move(map)));
    return {};
  }

  Status run(Execution& execution) override {
    const Tensor& x = execution.input(0);
    const auto labels = static_cast<int64_t>(labels_.size());
    NM_ASSIGN(Tensor keys, Tensor::create(labels_.dtype(), {labels}));
    for (int64_t i = 0; i < labels; ++i) labels_.write(keys, i, static_cast<size_t>(i));
    auto sequence = std::make_shared<Sequence>();
    for (int64_t r = 0; r < row_count(x); ++r) {
      auto map = std::make_shared<Map>();
      map->keys = keys;
      NM_ASSIGN(map->values, Tensor::create(DType::Float32, {labels}));
      std::memcpy(map->values.raw(), x.data<float>() + r * labels, map->values.bytes());
      sequence->items.push_back(std::shared_ptr<const Map>(std::move(map)));
    }
    return execution.set_output(0, std::shared_ptr<const Sequence>(std::move(sequence)));
  }

 private:
  ClassLabels labels_;
};

}  // namespace

constexpr OperatorEntry kEntries[] = {
    entry_in<ZipMap>(kMlDomain, "ZipMap", 1, {.inputs = 1, .outputs = 1, .layout = layout::opaque}),
};

NM_OPERATORS(zip_map, kEntries)

}  // namespace nm
