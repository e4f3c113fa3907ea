// Operators that look at a tensor's shape only.
#include <algorithm>

#include "engine/ops/check.h"
#include "engine/ops/movement.h"

namespace nm {
namespace {

class ShapeOf final : public Movement {
 public:
  explicit ShapeOf(Attributes& a) : start_(a.integer("start", 0)), end_(a.integer("end", INT64_MAX)) {}

  Status infer(Inference& c) const override {
    NM_TRY(check_tensors(c, 1));
    c.output(0, DType::Int64, Shape{kUnknownDim});
    if (!c.has_shape(0)) return {};
    const auto [begin, end] = range(c.shape(0).rank());
    const Shape part(c.shape(0).dims().subspan(static_cast<size_t>(begin), static_cast<size_t>(end - begin)));
    c.output(0, DType::Int64, Shape{part.rank()});
    if (!part.known()) return {};
    NM_ASSIGN(Tensor value, Tensor::from<int64_t>(Shape{part.rank()}, part.dims()));
    c.output_value(0, std::move(value));
    return {};
  }

  Status run(Execution& c) override {
    const Shape& shape = c.input(0).shape();
    const auto [begin, end] = range(shape.rank());
    std::copy(shape.begin() + begin, shape.begin() + end, c.out<int64_t>(0));
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

  Status infer(Inference& c) const override {
    NM_TRY(check_tensors(c, 1));
    c.output(0, DType::Int64, Shape{});
    if (!c.has_shape(0) || !c.shape(0).known()) return {};
    const int64_t count = c.shape(0).count();
    NM_ASSIGN(Tensor value, Tensor::from<int64_t>(Shape{}, std::span(&count, 1)));
    c.output_value(0, std::move(value));
    return {};
  }

  Status run(Execution& c) override {
    *c.out<int64_t>(0) = c.input(0).count();
    return {};
  }
};

}  // namespace

NM_OPERATORS(shape_of) {
  r.add<ShapeOf>("Shape", 1);
  r.add<SizeOf>("Size", 1);
}

}  // namespace nm
