#include "engine/op/check.h"
#include "engine/op/movement.h"
#include "engine/op/registry.h"
#include "engine/tensor/strided.h"

namespace nm {
namespace {

class Identity final : public Movement {
 public:
  explicit Identity(Attributes&) {}

  Status infer(Inference& inference) const override {
    if (!inference.has(0)) return {};  // an absent optional stays one
    inference.output(0, inference.value_type(0));
    if (inference.has_shape(0)) inference.output(0, inference.type(0), inference.shape(0));
    return {};
  }

  Status run(Execution& execution) override {
    const Tensor* in = execution.has(0) ? execution.input_value(0).tensor() : nullptr;
    if (in != nullptr) {
      copy_all(*in, execution.output(0));
    } else if (execution.has(0)) {
      return execution.set_output(0, execution.input_value(0));
    }
    return {};
  }

  std::optional<View> view(const Inference& inference, size_t) const override {
    return inference.value_type(0).is_tensor() ? std::optional<View>(View{}) : std::nullopt;
  }
};

}  // namespace

constexpr OperatorEntry kEntries[] = {
    entry<Identity>("Identity", 1,
                    {.inputs = 1, .outputs = 1, .layout = layout::elementwise, .contents = contents::same}),
};

NM_OPERATORS(identity, kEntries)

}  // namespace nm
