#include "engine/base/regex.h"
#include "engine/op/check.h"
#include "engine/op/registry.h"

namespace nm {
namespace {

class RegexFullMatch final : public Operator {
 public:
  explicit RegexFullMatch(Attributes& a) {
    a.require("pattern");
    auto regex = Regex::compile(a.string("pattern", ""));
    if (regex.ok()) {
      regex_ = std::move(*regex);
    } else if (regex.status().code() == Code::UnsupportedOperator) {
      a.unsupported(regex.status().message());
    } else {
      a.fail(regex.status().message());
    }
  }

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 1));
    NM_TRY(check_type(inference, 0, "the input", {DType::String}));
    inference.output(0, DType::Bool);
    if (inference.has_shape(0)) inference.output(0, DType::Bool, inference.shape(0));
    return {};
  }

  Status run(Execution& execution) override {
    const Tensor& in = execution.input(0);
    for (int64_t i = 0; i < in.count(); ++i) execution.out<bool>(0)[i] = regex_.matches(in.data<std::string>()[i]);
    return {};
  }

 private:
  Regex regex_;
};

}  // namespace

constexpr OperatorEntry kEntries[] = {
    entry<RegexFullMatch>("RegexFullMatch", 20, {.inputs = 1, .outputs = 1, .layout = layout::opaque}),
};

NM_OPERATORS(regex_full_match, kEntries)

}  // namespace nm
