#include <algorithm>

#include "engine/op/check.h"
#include "engine/op/movement.h"
#include "engine/op/registry.h"
#include "engine/tensor/edition.h"

namespace nm {
namespace {

// A cache with the update written along an axis, from a place of its own for each batch (dimension 0) on.
class TensorScatter final : public Movement {
 public:
  explicit TensorScatter(Attributes& a) : axis_(a.integer("axis", -2)) {
    selection::note(selection::Part::States);
    const std::string mode = a.string("mode", "linear");
    circular_ = mode == "circular";
    if (!circular_ && mode != "linear")
      a.fail(text("the attribute 'mode' is '", mode, "'; expected linear or circular"));
  }

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 2));
    NM_ASSIGN(const DType type, common_type(inference, 0, 2));
    NM_TRY(check_type(inference, 2, "the places", {DType::Int64}));
    inference.output(0, type);
    if (!inference.has_shape(0)) return {};
    const Shape& cache = inference.shape(0);
    NM_ASSIGN(const int axis, check_axis(axis_, cache.rank()));
    if (axis == 0) return {Code::InvalidModel, "the attribute 'axis' must not be the batch's, 0"};
    inference.output(0, type, cache);
    if (inference.has_shape(1)) {
      const Shape& update = inference.shape(1);
      bool fits = update.rank() == cache.rank();
      for (int i = 0; fits && i < cache.rank(); ++i) {
        const bool known = update[i] >= 0 && cache[i] >= 0;
        fits = !known || (i == axis ? update[i] <= cache[i] : update[i] == cache[i]);
      }
      if (!fits) return wrong_shape("the update", update, text("as ", to_string(cache), ", or less along axis ", axis));
    }
    if (inference.has_shape(2)) {
      const Shape& places = inference.shape(2);
      if (places.rank() != 1 || (places[0] >= 0 && cache[0] >= 0 && places[0] != cache[0])) {
        return wrong_shape("the places", places, text("one for each batch of ", to_string(cache)));
      }
    }
    return {};
  }

  Status run(Execution& execution) override {
    const Tensor& update = execution.input(1);
    Tensor& out = execution.output(0);
    copy_all(execution.input(0), out);
    const Strides from = row_major(update.shape()), to = row_major(out.shape());
    return each_part(execution, [&](const Shape& extent, int64_t source, int64_t target) {
      copy_strided(out.dtype(), extent, {update.raw(), source, from}, {out.raw(), target, to});
      return Status();
    });
  }

  bool in_place(size_t i) const override { return i == 0; }
  std::optional<size_t> rewrites(const Inference&, size_t) const override { return 0; }
  Status written(const Execution& execution, Extents& list) const override {
    const Strides to = row_major(execution.input(0).shape());
    return each_part(execution,
                     [&](const Shape& extent, int64_t, int64_t target) { return list.add(extent, target, to); });
  }

 private:
  // Calls f(extent, offset in the update, offset in the cache).
  template <class F>
  Status each_part(const Execution& execution, F&& f) const {
    const Shape &cache = execution.input(0).shape(), &update = execution.input(1).shape();
    const int axis = normalize_axis(axis_, cache.rank());
    const int64_t size = cache[axis], length = update[axis];
    const Strides from = row_major(update), to = row_major(cache);
    Shape extent = update;
    extent[0] = 1;
    for (int64_t b = 0; b < cache[0]; ++b) {
      const int64_t at = execution.has(2) ? execution.data<int64_t>(2)[b] : 0;
      if (at < 0 || at > size || (!circular_ && at + length > size)) {
        return {Code::InvalidData, text("an update of ", length, " does not fit at place ", at, " of ", size)};
      }
      // A circular update goes on at the beginning when it reaches the end.
      const int64_t first = std::min(length, size - at);
      extent[axis] = first;
      NM_TRY(f(extent, b * from[0], b * to[0] + at * to[axis]));
      extent[axis] = length - first;
      NM_TRY(f(extent, b * from[0] + first * from[axis], b * to[0]));
    }
    return {};
  }

  int64_t axis_;
  bool circular_;
};

}  // namespace

constexpr OperatorEntry kEntries[] = {
    entry<TensorScatter>("TensorScatter", 24, {.inputs = 3, .outputs = 1, .layout = layout::opaque}),
};

NM_OPERATORS(tensor_scatter, kEntries)

}  // namespace nm
