// What audio models compute for themselves: window functions and the matrix from spectra to mel bands.
#include <algorithm>
#include <cmath>
#include <numbers>

#include "engine/op/check.h"
#include "engine/op/numbers.h"
#include "engine/op/registry.h"
#include "engine/tensor/cast.h"
#include "engine/tensor/integers.h"

namespace nm {
namespace {

enum class Window { Hann, Hamming, Blackman };

// Doubles in the type of the output.
Status put(Execution& execution, double* values) {
  Tensor& out = execution.output(0);
  return cast(Tensor::view(DType::Float64, out.shape(), values), out);
}

Status check_output(DType type) {
  if (is_float(type) || is_integer(type)) return {};
  return wrong_type("the output", type, "a float or integer type");
}

class CosineWindow final : public Operator {
 public:
  CosineWindow(Attributes& a, Window kind)
      : kind_(kind),
        dtype_(type_attribute(a, "output_datatype", DType::Float32)),
        periodic_(a.flag("periodic", true)) {}

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 1));
    NM_TRY(check_type(inference, 0, "the size", {DType::Int32, DType::Int64}));
    NM_TRY(check_scalar(inference, 0, "the size"));
    NM_TRY(check_output(dtype_));
    inference.output(0, dtype_, Shape{kUnknownDim});
    if (const auto size = inference.integers(0)) {
      NM_ASSIGN(const Shape out, check_shape(*size));
      inference.output(0, dtype_, Shape{out.count()});
    }
    return {};
  }

  Status run(Execution& execution) override {
    const int64_t n = execution.output(0).count();
    NM_ASSIGN(double* values, execution.scratch<double>(Size(n)));
    const auto period = static_cast<double>(periodic_ ? n : n - 1);
    for (int64_t i = 0; i < n; ++i) {
      const double angle = 2 * std::numbers::pi * static_cast<double>(i) / period;
      const double wave = std::cos(angle);
      values[i] = n == 1                     ? 1
                  : kind_ == Window::Hann    ? 0.5 - 0.5 * wave
                  : kind_ == Window::Hamming ? (25 - 21 * wave) / 46
                                             : 0.42 - 0.5 * wave + 0.08 * std::cos(2 * angle);
    }
    return put(execution, values);
  }

 private:
  Window kind_;
  DType dtype_;
  bool periodic_;
};

// Triangles over the bins of a spectrum, evenly spaced in mel.
class MelWeightMatrix final : public Operator {
 public:
  explicit MelWeightMatrix(Attributes& a) : dtype_(type_attribute(a, "output_datatype", DType::Float32)) {}

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 5));
    constexpr std::string_view kNames[] = {"the number of mel bins", "the transform's length", "the sample rate",
                                           "the lower edge", "the upper edge"};
    for (size_t i = 0; i < 5; ++i) {
      if (i < 3) {
        NM_TRY(check_type(inference, i, kNames[i], {DType::Int32, DType::Int64}));
      } else {
        NM_TRY(check_float(inference, i, kNames[i]));
      }
      NM_TRY(check_scalar(inference, i, kNames[i]));
      if (const auto v = inference.integers(i); i < 3 && v && (*v)[0] < 1) {
        return Status(Code::InvalidData, text(kNames[i], " is ", (*v)[0], "; it must be positive"));
      }
    }
    NM_TRY(check_output(dtype_));
    const auto bins = inference.integers(0);
    const auto length = inference.integers(1);
    inference.output(0, dtype_, Shape{length ? (*length)[0] / 2 + 1 : kUnknownDim, bins ? (*bins)[0] : kUnknownDim});
    return {};
  }

  Status run(Execution& execution) override {
    const int64_t bands = execution.output(0).dim(1);
    const int64_t bins = execution.output(0).dim(0);
    const auto length = static_cast<double>(integer_at(execution.input(1), 0));
    const auto rate = static_cast<double>(integer_at(execution.input(2), 0));
    double edges[2];
    for (size_t i = 0; i < 2; ++i) {
      Tensor edge = Tensor::view(DType::Float64, execution.input(3 + i).shape(), &edges[i]);
      NM_TRY(cast(execution.input(3 + i), edge));
    }
    const double low = mel(edges[0]);
    const double step = (mel(edges[1]) - low) / static_cast<double>(bands + 2);
    const auto bin = [&](int64_t i) {
      const double hertz = 700 * (std::pow(10, (low + static_cast<double>(i) * step) / 2595) - 1);
      return to_integer(std::floor((length + 1) * hertz / rate));
    };
    if (bin(0) < 0 || bin(bands + 1) < bin(0) || bin(bands + 1) > bins) {
      return {Code::InvalidData, "the edges of the mel bands do not lie in order between 0 and half the sample rate"};
    }
    NM_ASSIGN(double* values, execution.scratch<double>(Size(bins) * bands));
    std::fill_n(values, bins * bands, 0.0);
    for (int64_t b = 0; b < bands; ++b) {
      const int64_t lower = bin(b);
      const int64_t centre = bin(b + 1);
      const int64_t higher = bin(b + 2);
      for (int64_t i = lower; i <= centre && i < bins; ++i) {
        values[i * bands + b] = centre == lower ? 1 : ratio(i - lower, centre - lower);
      }
      for (int64_t i = centre; i < higher; ++i) values[i * bands + b] = ratio(higher - i, higher - centre);
    }
    return put(execution, values);
  }

 private:
  static double mel(double hertz) { return 2595 * std::log10(1 + hertz / 700); }
  static double ratio(int64_t a, int64_t b) { return static_cast<double>(a) / static_cast<double>(b); }

  DType dtype_;
};

}  // namespace

constexpr Facts kWindow = {.inputs = 1, .outputs = 1, .layout = layout::opaque};

constexpr OperatorEntry kEntries[] = {
    entry<CosineWindow, Window::Hann>("HannWindow", 17, kWindow),
    entry<CosineWindow, Window::Hamming>("HammingWindow", 17, kWindow),
    entry<CosineWindow, Window::Blackman>("BlackmanWindow", 17, kWindow),
    entry<MelWeightMatrix>("MelWeightMatrix", 17, {.inputs = 5, .outputs = 1, .layout = layout::opaque}),
};

NM_OPERATORS(audio, kEntries)

}  // namespace nm
