// DFT and STFT. Complex numbers are pairs along a last dimension of 2; a last dimension of 1 holds real ones.
#include <algorithm>

#include "engine/base/checked.h"
#include "engine/op/check.h"
#include "engine/op/numbers.h"
#include "engine/op/registry.h"
#include "engine/ops/math/fourier.h"
#include "engine/tensor/integers.h"

namespace nm {
namespace {

// Keeps the plan of the length used last.
class Transforming : public Operator {
 protected:
  Status plan(int64_t n) {
    if (fourier_.size() == n) return {};
    NM_ASSIGN(fourier_, Fourier::create(n));
    return {};
  }

  // Calls body(lane, x, work) for each lane, with space for a signal of n elements and for its transform.
  template <class F>
  Status for_lanes(Execution& execution, int64_t lanes, int64_t n, F&& body) {
    if (lanes == 0) return {};
    NM_TRY(plan(n));
    const int64_t space = n + fourier_.work();
    NM_ASSIGN(Complex * all, execution.scratch<Complex>(Size(space) * thread_pool::size()));
    const int64_t chunk = std::max<int64_t>(1, 1024 / n);
    thread_pool::parallel_for(lanes, chunk, [&](int64_t begin, int64_t end, int thread) {
      Complex* x = all + space * thread;
      for (int64_t lane = begin; lane < end; ++lane) body(lane, x, x + n);
    });
    return {};
  }

  template <class T>
  static Complex load(const T* at, bool real) {
    return {static_cast<double>(at[0]), real ? 0 : static_cast<double>(at[1])};
  }
  template <class T>
  static void store(T* at, Complex value) {
    at[0] = static_cast<T>(value.re);
    at[1] = static_cast<T>(value.im);
  }

  Fourier fourier_;
};

Status check_signal(const Inference& inference) {
  NM_TRY(check_float(inference, 0, "the signal"));
  if (!inference.has_shape(0)) return {};
  const Shape& in = inference.shape(0);
  if (in.rank() >= 2 && (in.back() < 0 || in.back() == 1 || in.back() == 2)) return {};
  return wrong_shape("the signal", in, "[..., 1] for real numbers or [..., 2] for complex ones");
}

Status check_size(const Inference& inference, size_t i, std::string_view what) {
  NM_TRY(check_type(inference, i, what, {DType::Int32, DType::Int64}));
  return check_scalar(inference, i, what);
}

class Dft final : public Transforming {
 public:
  explicit Dft(Attributes& a)
      : axis_(a.integer("axis", a.version() < 20 ? 1 : -2)),
        inverse_(a.flag("inverse", false)),
        one_sided_(a.flag("onesided", false)) {}

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 1));
    NM_TRY(check_signal(inference));
    NM_TRY(check_size(inference, 1, "the length"));
    NM_TRY(check_size(inference, 2, "the axis"));
    inference.output(0, inference.type(0));
    if (!inference.has_shape(0)) return {};
    Shape out = inference.shape(0);
    int64_t given = axis_;
    if (inference.has(2)) {
      const auto axis = inference.integers(2);
      if (!axis) return {};
      given = (*axis)[0];
    }
    NM_ASSIGN(const int axis, check_axis(given, out.rank()));
    if (axis == out.rank() - 1) {
      return Status(Code::ShapeMismatch, text("the axis ", given, " is the one of real and imaginary parts"));
    }
    const bool real = out.back() == 1;
    if (one_sided_ && !inverse_ && out.back() == 2) {
      return wrong_shape("the signal", out, "[..., 1], since only real signals have a one-sided transform");
    }
    if (one_sided_ && inverse_ && real) {
      return wrong_shape("the signal", out, "[..., 2], since a one-sided spectrum is complex");
    }
    int64_t n = out[axis];
    if (inference.has(1)) {
      const auto length = inference.integers(1);
      n = length ? (*length)[0] : kUnknownDim;
      if (length && n < 1) return Status(Code::InvalidData, text("the length is ", n, "; it must be positive"));
    } else if (one_sided_ && inverse_ && n >= 0) {
      n = saturating_mul(n - 1, 2);
    }
    if (n == 0) return wrong_shape("the signal", out, text("at least one element along axis ", axis));
    const bool half = one_sided_ && !inverse_;
    out[axis] = half && n > 0 ? n / 2 + 1 : n;
    if (half && n < 0) out[axis] = kUnknownDim;
    out[out.rank() - 1] = one_sided_ && inverse_ ? 1 : 2;
    inference.output(0, inference.type(0), out);
    return {};
  }

  Status run(Execution& execution) override {
    const Tensor& in = execution.input(0);
    const Tensor& out = execution.output(0);
    const int axis = normalize_axis(execution.has(2) ? integer_at(execution.input(2), 0) : axis_, in.rank());
    const int64_t available = in.dim(axis);
    const int64_t kept = out.dim(axis);
    const bool real_out = one_sided_ && inverse_;
    const int64_t n = execution.has(1) ? integer_at(execution.input(1), 0) : real_out ? 2 * (available - 1) : available;
    const int64_t inner = in.shape().count(axis + 1, in.rank() - 1);
    const int64_t lanes = in.shape().count(0, axis) * inner;
    const bool real = in.shape().back() == 1;
    // The upper half of a one-sided spectrum mirrors the lower one.
    const int64_t used = std::min(available, real_out ? n / 2 + 1 : n);
    return with_float(in.dtype(), [&]<class T>() -> Status {
      return for_lanes(execution, lanes, n, [&](int64_t lane, Complex* x, Complex* work) {
        const T* from = in.data<T>() + (lane / inner * available * inner + lane % inner) * (real ? 1 : 2);
        T* to = execution.out<T>(0) + (lane / inner * kept * inner + lane % inner) * (real_out ? 1 : 2);
        for (int64_t i = 0; i < used; ++i) x[i] = load(from + i * inner * (real ? 1 : 2), real);
        std::fill(x + used, x + n, Complex{});
        if (real_out) {
          for (int64_t i = 1; i < used && 2 * i < n; ++i) x[n - i] = {x[i].re, -x[i].im};
        }
        fourier_.transform(x, work, inverse_);
        for (int64_t i = 0; i < kept; ++i) {
          if (real_out) {
            to[i * inner] = static_cast<T>(x[i].re);
          } else {
            store(to + i * inner * 2, x[i]);
          }
        }
      });
    });
  }

 private:
  int64_t axis_;
  bool inverse_;
  bool one_sided_;
};

// Signals [batch, samples, 1 or 2]: transforms of frames that begin `step` apart, each times the window. PyTorch writes
// real signals as [batch, samples].
class Stft final : public Transforming {
 public:
  explicit Stft(Attributes& a) : one_sided_(a.flag("onesided", true)) {}

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 2));
    const bool plain = inference.has_shape(0) && inference.shape(0).rank() == 2;
    NM_TRY(plain ? check_float(inference, 0, "the signal") : check_signal(inference));
    NM_TRY(check_size(inference, 1, "the step"));
    NM_TRY(check_size(inference, 3, "the frame length"));
    if (inference.has(2) && inference.type(0) != DType::Undefined)
      NM_TRY(check_type(inference, 2, "the window", {inference.type(0)}));
    inference.output(0, inference.type(0), Shape::filled(4, kUnknownDim));
    const auto step = inference.integers(1);
    const auto length = inference.integers(3);
    if (step && (*step)[0] < 1) {
      return Status(Code::InvalidData, text("the step is ", (*step)[0], "; it must be positive"));
    }
    if (inference.has_shape(2) && inference.shape(2).rank() != 1)
      return wrong_shape("the window", inference.shape(2), "[frame length]");
    if (!inference.has_shape(0)) return {};
    const Shape& in = inference.shape(0);
    if (!plain && in.rank() != 3) {
      return wrong_shape("the signal", in, "[batch, samples], [batch, samples, 1] or, of complex numbers, [..., 2]");
    }
    if (one_sided_ && !plain && in[2] == 2) {
      return wrong_shape("the signal", in, "[batch, samples, 1]; complex ones need the attribute 'onesided' to be 0");
    }
    int64_t frame = in[1];
    if (inference.has(3)) {
      frame = length ? (*length)[0] : kUnknownDim;
      if (length && frame < 1) return Status(Code::InvalidData, text("the frame length is ", frame));
    }
    if (inference.has(2)) {
      const int64_t window = inference.has_shape(2) ? inference.shape(2)[0] : kUnknownDim;
      if (!inference.has(3)) frame = window;
      if (window >= 0 && frame >= 0 && window != frame) {
        return wrong_shape("the window", inference.shape(2), text("[", frame, "], the frame length"));
      }
    }
    if (frame == 0 || (frame > 0 && in[1] >= 0 && frame > in[1])) {
      return Status(Code::ShapeMismatch, text("a frame has ", frame, " samples where the signal has ", in[1]));
    }
    const bool known = frame > 0 && in[1] >= 0 && step;
    inference.output(0, inference.type(0),
                     Shape{in[0], known ? (in[1] - frame) / (*step)[0] + 1 : kUnknownDim,
                           frame > 0 && one_sided_ ? frame / 2 + 1
                           : frame > 0             ? frame
                                                   : kUnknownDim,
                           2});
    return {};
  }

  Status run(Execution& execution) override {
    const Tensor& in = execution.input(0);
    const Tensor& out = execution.output(0);
    const int64_t step = integer_at(execution.input(1), 0);
    const int64_t n = execution.has(3)   ? integer_at(execution.input(3), 0)
                      : execution.has(2) ? execution.input(2).count()
                                         : in.dim(1);
    const int64_t frames = out.dim(1);
    const int64_t kept = out.dim(2);
    const int64_t parts = in.rank() == 3 ? in.dim(2) : 1;
    return with_float(in.dtype(), [&]<class T>() -> Status {
      const T* window = execution.has(2) ? execution.data<T>(2) : nullptr;
      return for_lanes(execution, in.dim(0) * frames, n, [&](int64_t lane, Complex* x, Complex* work) {
        const int64_t first = lane / frames * in.dim(1) + lane % frames * step;
        const T* from = in.data<T>() + first * parts;
        for (int64_t i = 0; i < n; ++i) {
          const double weight = window ? static_cast<double>(window[i]) : 1;
          const Complex sample = load(from + i * parts, parts == 1);
          x[i] = {sample.re * weight, sample.im * weight};
        }
        fourier_.transform(x, work, false);
        T* to = execution.out<T>(0) + lane * kept * 2;
        for (int64_t i = 0; i < kept; ++i) store(to + i * 2, x[i]);
      });
    });
  }

 private:
  bool one_sided_;
};

}  // namespace

constexpr AttributeRange kDFTAttributes[] = {{"axis", 17, 19}};

constexpr OperatorEntry kEntries[] = {
    entry<Dft>("DFT", 17, {.inputs = 2, .outputs = 1, .layout = layout::opaque, .attributes = kDFTAttributes}),
    entry<Dft>("DFT", 20, {.inputs = 3, .outputs = 1, .layout = layout::opaque, .attributes = kDFTAttributes}),
    entry<Stft>("STFT", 17, {.inputs = 4, .outputs = 1, .layout = layout::opaque}),
};

NM_OPERATORS(dft, kEntries)

}  // namespace nm
