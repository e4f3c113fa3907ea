#include "engine/op/check.h"
#include "engine/op/movement.h"
#include "engine/op/registry.h"
#include "engine/tensor/strided.h"

namespace nm {
namespace {

class Identity final : public Movement {
 public:
  explicit Identity(Attributes&) {}

  Status infer(Inference& c) const override {
    if (!c.has(0)) return {};  // an absent optional stays one
    c.output(0, c.value_type(0));
    if (c.has_shape(0)) c.output(0, c.type(0), c.shape(0));
    return {};
  }

  Status run(Execution& c) override {
    const Tensor* in = c.has(0) ? c.input_value(0).tensor() : nullptr;
    if (in != nullptr) {
      copy_all(*in, c.output(0));
    } else if (c.has(0)) {
      return c.set_output(0, c.input_value(0));
    }
    return {};
  }

  std::optional<View> view(const Inference& c, size_t) const override {
    return c.value_type(0).is_tensor() ? std::optional<View>(View{}) : std::nullopt;
  }
};

}  // namespace

constexpr OperatorEntry kEntries[] = {
    entry<Identity>("Identity", 1,
                    {.inputs = 1, .outputs = 1, .layout = layout::elementwise, .contents = contents::same}),
};

NM_OPERATORS(identity, kEntries)

}  // namespace nm
