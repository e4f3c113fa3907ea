// Operators that repeat elements.
#include <algorithm>

#include "engine/op/check.h"
#include "engine/op/movement.h"
#include "engine/op/registry.h"
#include "engine/tensor/broadcast.h"
#include "engine/tensor/integers.h"

namespace nm {
namespace {

class Expand final : public Movement {
 public:
  explicit Expand(Attributes&) {}

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 2));
    NM_TRY(check_type(inference, 1, "the shape", {DType::Int64}));
    if (inference.has_shape(1) && inference.shape(1).rank() != 1)
      return wrong_shape("the shape", inference.shape(1), "a list");
    inference.output(0, inference.type(0));
    const auto dims = inference.integers(1);
    if (!dims) return {};
    NM_ASSIGN(const Shape target, check_shape(*dims));
    if (!inference.has_shape(0)) return {};
    NM_ASSIGN(const Shape out, broadcast_or_fail(inference.shape(0), target));
    inference.output(0, inference.type(0), out);
    return {};
  }

  Status run(Execution& execution) override {
    const Tensor& in = execution.input(0);
    Tensor& out = execution.output(0);
    const Strides own = row_major(in.shape());
    StridedSource from{in.raw(), 0, {}};
    const int added = out.rank() - in.rank();
    for (int i = 0; i < in.rank(); ++i) from.strides[i + added] = in.dim(i) == 1 ? 0 : own[i];
    copy_strided(in.dtype(), out.shape(), from, {out.raw(), 0, row_major(out.shape())});
    return {};
  }

  std::optional<View> view(const Inference& inference, size_t) const override {
    const auto dims = inference.integers(1);
    if (!dims) return std::nullopt;
    const auto out = broadcast_shape(inference.shape(0), Shape(*dims));
    return out && out->count() == inference.shape(0).count() ? std::optional<View>(View{}) : std::nullopt;
  }
};

// Input 1 holds a count for each axis; in operator set 1 it is one count and input 2 the axis.
class Tile final : public Movement {
 public:
  explicit Tile(Attributes& a) : one_axis_(a.version() < 6) {}

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, one_axis_ ? 3 : 2));
    inference.output(0, inference.type(0));
    if (!one_axis_) NM_TRY(check_type(inference, 1, "the repeats", {DType::Int64}));
    if (!inference.has_shape(0)) return {};
    Shape out = inference.shape(0);
    if (inference.has_shape(1) && !one_axis_) {
      const Shape& list = inference.shape(1);
      if (list.rank() != 1 || (list[0] >= 0 && list[0] != out.rank())) {
        return wrong_shape("the repeats", list, text("[", out.rank(), "], one for each dimension"));
      }
    }
    NM_ASSIGN(const Counts repeats, counts(inference, out.rank()));
    for (int i = 0; i < out.rank(); ++i) {
      if (!repeats || out[i] < 0) {
        out[i] = kUnknownDim;
        continue;
      }
      const int64_t n = (*repeats)[static_cast<size_t>(i)];
      if (n < 0) return {Code::InvalidData, text("the repeats hold ", n, "; they must be at least 0")};
      if (out[i] > 0 && n > INT64_MAX / out[i]) return {Code::ShapeMismatch, "the output is too large"};
      out[i] *= n;
    }
    inference.output(0, inference.type(0), out);
    return {};
  }

  // Seen as (repeat, dim) pairs, a tile is one copy whose repeat dimensions stand still in the input.
  Status run(Execution& execution) override {
    const Tensor& in = execution.input(0);
    Tensor& out = execution.output(0);
    if (out.count() == 0) return {};
    const Strides from = row_major(in.shape());
    const Strides to = row_major(out.shape());
    // Pairs take two places in a Shape; where it has too few, the repeats of outer dimensions are copies of their own.
    Strides repeat{};
    int64_t places = 1;
    const int inner = std::max(0, 2 * in.rank() - kMaxRank);
    for (int i = 0; i < in.rank(); ++i) repeat[i] = out.dim(i) / in.dim(i);
    for (int i = 0; i < inner; ++i) places *= repeat[i];
    Shape extent;
    StridedSource source{in.raw(), 0, {}};
    StridedTarget target{out.raw(), 0, {}};
    for (int i = 0; i < in.rank(); ++i) {
      if (i >= inner) {
        source.strides[extent.rank()] = 0;
        target.strides[extent.rank()] = to[i] * in.dim(i);
        extent.push_back(repeat[i]);
      }
      source.strides[extent.rank()] = from[i];
      target.strides[extent.rank()] = to[i];
      extent.push_back(in.dim(i));
    }
    for (int64_t p = 0; p < places; ++p) {
      target.offset = 0;
      int64_t rest = p;
      for (int i = inner - 1; i >= 0; --i) {
        target.offset += rest % repeat[i] * in.dim(i) * to[i];
        rest /= repeat[i];
      }
      copy_strided(in.dtype(), extent, source, target);
    }
    return {};
  }

 private:
  using Counts = std::optional<std::vector<int64_t>>;

  Result<Counts> counts(const Inference& inference, int rank) const {
    if (!one_axis_) return inference.integers(1);
    const Tensor* tiles = inference.value(1);
    const Tensor* axis = inference.value(2);
    if (tiles == nullptr || axis == nullptr) return Counts();
    NM_TRY(check_scalar(inference, 1, "the tiles"));
    NM_TRY(check_scalar(inference, 2, "the axis"));
    NM_ASSIGN(const int at, check_axis(whole_number(*axis), rank));
    std::vector<int64_t> all(static_cast<size_t>(rank), 1);
    all[static_cast<size_t>(at)] = whole_number(*tiles);
    return Counts(std::move(all));
  }

  // Operator set 1 gives them in the data's type.
  static int64_t whole_number(const Tensor& t) {
    if (t.dtype() == DType::Float32) return static_cast<int64_t>(std::clamp(*t.data<float>(), -1e9f, 1e9f));
    return is_index(t.dtype()) ? integer_at(t, 0) : -1;
  }

  bool one_axis_;
};

std::optional<Shape> expand_shape(const ShapeQuery& q) {
  const auto target = q.input(1);
  const auto shape = target ? contents::to_shape(*target) : std::nullopt;
  return shape && q.shape(0) ? broadcast_shape(*q.shape(0), *shape) : std::nullopt;
}

std::optional<Shape> tile_shape(const ShapeQuery& q) {
  const auto counts = q.input(1);
  auto shape = counts ? contents::to_shape(*counts) : std::nullopt;
  const auto& in = q.shape(0);
  if (!shape || !in || shape->rank() != in->rank()) return std::nullopt;
  for (int i = 0; i < shape->rank(); ++i) {
    const int64_t dim = (*in)[i], times = (*shape)[i];
    const bool small = dim >= 0 && dim <= INT32_MAX && times >= 0 && times <= INT32_MAX;
    (*shape)[i] = times == 1 ? dim : dim == 1 ? times : small ? dim * times : kUnknownDim;
  }
  return shape;
}

}  // namespace

constexpr OperatorEntry kEntries[] = {
    entry<Expand>("Expand", 8, {.inputs = 2, .outputs = 1, .layout = layout::opaque, .shape = expand_shape}),
    entry<Tile>("Tile", 1, {.inputs = 3, .outputs = 1, .layout = layout::opaque, .shape = tile_shape}),
    entry<Tile>("Tile", 6, {.inputs = 2, .outputs = 1, .layout = layout::opaque, .shape = tile_shape}),
};

NM_OPERATORS(expand, kEntries)

}  // namespace nm
