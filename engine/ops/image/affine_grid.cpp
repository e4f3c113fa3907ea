#include "engine/op/check.h"
#include "engine/op/numbers.h"
#include "engine/op/registry.h"
#include "engine/tensor/integers.h"

namespace nm {
namespace {

// Sampling places for GridSample: an affine map of [-1,1]² or [-1,1]³ for each batch.
class AffineGrid final : public Operator {
 public:
  explicit AffineGrid(Attributes& a) : corners_(a.flag("align_corners", false)) {}

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 2));
    NM_TRY(check_float(inference, 0, "theta"));
    NM_TRY(check_type(inference, 1, "the size", {DType::Int64}));
    inference.output(0, inference.type(0));
    const auto size = inference.integers(1);
    if (!size) return {};
    NM_ASSIGN(const Shape in, check_shape(*size));
    if (in.rank() != 4 && in.rank() != 5) return wrong_shape("the size", inference.shape(1), "[4] or [5]");
    const int space = in.rank() - 2;
    if (inference.has_shape(0)) {
      const Shape& theta = inference.shape(0);
      const auto differs = [](int64_t a, int64_t b) { return a >= 0 && a != b; };
      if (theta.rank() != 3 || differs(theta[0], in[0]) || differs(theta[1], space) || differs(theta[2], space + 1)) {
        return wrong_shape("theta", theta, to_string(Shape{in[0], space, space + 1}));
      }
    }
    Shape out = in;
    out.erase(1);
    out.push_back(space);
    inference.output(0, inference.type(0), out);
    return {};
  }

  Status run(Execution& execution) override {
    Tensor& out = execution.output(0);
    return with_float(out.dtype(), [&]<class T>() -> Status {
      const int space = out.rank() - 2;
      const int64_t cells = out.shape().count(1, 1 + space);
      for_rows(out.dim(0) * cells, space, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) {
          T place[3] = {};  // x, y, z
          int64_t rest = i % cells;
          for (int d = 0; d < space; ++d) {
            const int64_t n = out.dim(space - d);
            place[d] = coordinate<T>(rest % n, n);
            rest /= n;
          }
          const T* theta = execution.data<T>(0) + i / cells * space * (space + 1);
          for (int d = 0; d < space; ++d, theta += space + 1) {
            T sum = theta[space];
            for (int k = 0; k < space; ++k) sum += theta[k] * place[k];
            out.data<T>()[i * space + d] = sum;
          }
        }
      });
      return {};
    });
  }

 private:
  // Of cell i out of n: from the first cell's centre to the last one's, or from edge to edge.
  template <class T>
  T coordinate(int64_t i, int64_t n) const {
    if (corners_) return n == 1 ? T{0} : T{-1} + T{2} * static_cast<T>(i) / static_cast<T>(n - 1);
    return (T{2} * static_cast<T>(i) + T{1}) / static_cast<T>(n) - T{1};
  }

  bool corners_;
};

}  // namespace

constexpr OperatorEntry kEntries[] = {
    entry<AffineGrid>("AffineGrid", 20, {.inputs = 2, .outputs = 1, .layout = layout::opaque}),
};

NM_OPERATORS(affine_grid, kEntries)

}  // namespace nm
