// Softmax, LogSoftmax, Hardmax. Before operator set 13 the tensor counts as a matrix whose rows start at the axis.
#include <cmath>
#include <limits>
#include <type_traits>

#include "engine/kernels/kernels.h"
#include "engine/op/check.h"
#include "engine/op/numbers.h"
#include "engine/op/registry.h"

namespace nm {
namespace {

enum class Kind { Softmax, LogSoftmax, Hardmax };

class SoftmaxOperator final : public Operator {
 public:
  // Whether this build has operators of the kind.
  static bool has(Kind kind);

  SoftmaxOperator(Attributes& a, Kind kind)
      : kind_(kind), flat_(a.version() < 13), axis_(a.integer("axis", flat_ ? 1 : -1)) {}

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 1));
    NM_TRY(check_float(inference, 0, "the input"));
    output_like(inference, 0, 0);
    if (!inference.has_shape(0)) return {};
    // A flattening axis may also stand behind the last dimension.
    const int rank = inference.shape(0).rank();
    if (flat_ && axis_ == rank) return {};
    // A scalar has one element to normalise over, whatever the axis.
    if (rank == 0 && axis_ >= -1 && axis_ <= 0) return {};
    return check_axis(axis_, rank).take_status();
  }

  Status run(Execution& execution) override {
    const Tensor& in = execution.input(0);
    if (in.count() == 0) return {};
    const int rank = in.rank();
    const int axis = axis_ < 0 ? static_cast<int>(axis_) + std::max(rank, 1) : static_cast<int>(axis_);
    const int end = flat_ || rank == 0 ? rank : axis + 1;
    const Rows rows{in.shape().count(0, std::min(axis, rank)), in.shape().count(std::min(axis, rank), end),
                    in.shape().count(end, rank)};
    if (in.dtype() == DType::Float32 && !is(Kind::Hardmax)) {
      run_float(rows, in.data<float>(), execution.out<float>(0));
      return {};
    }
    // Of float32 only Hardmax comes here.
    return with_float(in.dtype(), [&]<class T>() -> Status {
      if constexpr (std::is_same_v<T, float>) {
        if (!has(Kind::Hardmax)) return {};
      }
      const T* x = in.data<T>();
      T* y = execution.out<T>(0);
      for (int64_t o = 0; o < rows.outer; ++o) {
        for (int64_t i = 0; i < rows.inner; ++i) {
          const int64_t at = o * rows.n * rows.inner + i;
          normalize(rows.n, rows.inner, x + at, y + at);
        }
      }
      return {};
    });
  }

  bool in_place(size_t i) const override { return i == 0; }
  double flops(const Inference& inference) const override {
    return 4 * static_cast<double>(inference.shape(0).count());
  }

 private:
  bool is(Kind kind) const { return has(kind) && kind_ == kind; }

  struct Rows {
    int64_t outer, n, inner;
  };

  void run_float(const Rows& rows, const float* x, float* y) const {
    const RowKernels& k = kernels().rows;
    const int64_t size = rows.n * rows.inner;
    for_rows(rows.outer, size, [&](int64_t begin, int64_t end) {
      const float* from = x + begin * size;
      float* to = y + begin * size;
      if (rows.inner == 1) {
        const auto f = is(Kind::LogSoftmax) ? k.log_softmax : k.softmax;
        f(end - begin, rows.n, from, rows.n, to, rows.n);
      } else {
        const auto f = is(Kind::LogSoftmax) ? k.log_softmax_strided : k.softmax_strided;
        f(end - begin, rows.n, rows.inner, from, to);
      }
    });
  }

  template <class T>
  void normalize(int64_t n, int64_t step, const T* x, T* y) const {
    int64_t best = 0;
    for (int64_t i = 1; i < n; ++i) {
      if (x[i * step] > x[best * step]) best = i;
    }
    if (kind_ == Kind::Hardmax) {
      for (int64_t i = 0; i < n; ++i) y[i * step] = static_cast<T>(i == best);
      return;
    }
    const T top = x[best * step];
    T sum = 0;
    for (int64_t i = 0; i < n; ++i) sum += std::exp(x[i * step] - top);
    const T log_sum = std::log(sum);
    for (int64_t i = 0; i < n; ++i) {
      const T v = x[i * step] - top;
      y[i * step] = kind_ == Kind::Softmax ? std::exp(v) / sum : v - log_sum;
    }
  }

  Kind kind_;
  bool flat_;
  int64_t axis_;
};

}  // namespace

constexpr Facts kSoftmax = {.inputs = 1, .outputs = 1, .layout = layout::along_axis<-1, 13>};

constexpr OperatorEntry kEntries[] = {
    entry<SoftmaxOperator, Kind::Softmax>("Softmax", 1, kSoftmax),
    entry<SoftmaxOperator, Kind::LogSoftmax>("LogSoftmax", 1, kSoftmax),
    entry<SoftmaxOperator, Kind::Hardmax>("Hardmax", 1, kSoftmax),
};

bool SoftmaxOperator::has(Kind kind) {
  switch (kind) {
    case Kind::Softmax:
      return makes<SoftmaxOperator, Kind::Softmax>(kEntries);
    case Kind::LogSoftmax:
      return makes<SoftmaxOperator, Kind::LogSoftmax>(kEntries);
    default:
      return makes<SoftmaxOperator, Kind::Hardmax>(kEntries);
  }
}

NM_OPERATORS(softmax, kEntries)

}  // namespace nm
