// Imputer and Binarizer of ai.onnx.ml, which look at one number at a time.
#include <cmath>

#include "engine/op/check.h"
#include "engine/op/numbers.h"
#include "engine/op/registry.h"

namespace nm {
namespace {

template <class F>
Status with_feature(DType t, F&& f) {
  switch (t) {
    case DType::Int64:
      return f.template operator()<int64_t>();
    case DType::Int32:
      return f.template operator()<int32_t>();
    default:
      return with_float(t, f);
  }
}

class OfNumbers : public Operator {
 public:
  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 1));
    NM_TRY(check_type(inference, 0, "the input", {DType::Float32, DType::Float64, DType::Int64, DType::Int32}));
    output_like(inference, 0, 0);
    return {};
  }
  bool in_place(size_t) const override { return true; }
};

class Binarizer final : public OfNumbers {
 public:
  explicit Binarizer(Attributes& a) : threshold_(a.number("threshold", 0)) {}

  Status run(Execution& execution) override {
    return with_feature(execution.input(0).dtype(), [&]<class T>() -> Status {
      for (int64_t i = 0; i < execution.input(0).count(); ++i) {
        execution.out<T>(0)[i] = static_cast<T>(static_cast<double>(execution.data<T>(0)[i]) > threshold_);
      }
      return {};
    });
  }

 private:
  double threshold_;
};

class Imputer final : public OfNumbers {
 public:
  explicit Imputer(Attributes& a)
      : floats_(a.numbers("imputed_value_floats")),
        integers_(a.integers("imputed_value_int64s")),
        replaced_float_(a.number("replaced_value_float", 0)),
        replaced_integer_(a.integer("replaced_value_int64", 0)) {
    if (floats_.empty() == integers_.empty()) {
      a.fail("exactly one of 'imputed_value_floats' and 'imputed_value_int64s' must have entries");
    }
  }

  Status infer(Inference& inference) const override {
    NM_TRY(OfNumbers::infer(inference));
    const DType t = inference.type(0);
    if (t != DType::Undefined && is_float(t) == floats_.empty()) {
      return wrong_type("the input", t,
                        floats_.empty() ? "int64 or int32, as the imputed values are integers"
                                        : "float32 or float64, as the imputed values are floats");
    }
    if (!inference.has_shape(0)) return {};
    const Shape& x = inference.shape(0);
    const auto values = static_cast<int64_t>(std::max(floats_.size(), integers_.size()));
    if (values != 1 && (x.rank() == 0 || (x.back() >= 0 && x.back() != values))) {
      return wrong_shape("the input", x, text("a last dimension of ", values, ", one for each imputed value"));
    }
    return {};
  }

  Status run(Execution& execution) override {
    return with_feature(execution.input(0).dtype(), [&]<class T>() -> Status {
      if constexpr (std::is_floating_point_v<T>) {
        fill<T>(execution, floats_, replaced_float_);
      } else {
        fill<T>(execution, integers_, replaced_integer_);
      }
      return {};
    });
  }

 private:
  template <class T, class V>
  static void fill(Execution& execution, const std::vector<V>& values, V replaced) {
    size_t column = 0;
    for (int64_t i = 0; i < execution.input(0).count(); ++i) {
      const T x = execution.data<T>(0)[i];
      const bool missing = x == static_cast<T>(replaced) || (x != x && replaced != replaced);  // NaN stands for itself
      execution.out<T>(0)[i] = missing ? static_cast<T>(values[column]) : x;
      if (++column == values.size()) column = 0;
    }
  }

  std::vector<float> floats_;
  std::vector<int64_t> integers_;
  float replaced_float_;
  int64_t replaced_integer_;
};

}  // namespace

constexpr OperatorEntry kEntries[] = {
    entry_in<Imputer>(kMlDomain, "Imputer", 1, {.inputs = 1, .outputs = 1, .layout = layout::opaque}),
    entry_in<Binarizer>(kMlDomain, "Binarizer", 1, {.inputs = 1, .outputs = 1, .layout = layout::opaque}),
};

NM_OPERATORS(imputer, kEntries)

}  // namespace nm
