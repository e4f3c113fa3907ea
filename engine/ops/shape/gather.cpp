// Gather: whole slices of one axis, named by indices.
#include <algorithm>
#include <cstring>

#include "engine/base/thread_pool.h"
#include "engine/op/check.h"
#include "engine/op/movement.h"
#include "engine/op/registry.h"
#include "engine/ops/shape/indices.h"
#include "engine/tensor/element.h"

namespace nm {
namespace {

constexpr int64_t kChunkElements = 16384;

class Gather final : public Movement {
 public:
  explicit Gather(Attributes& a) : axis_(a.integer("axis", 0)) {}

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 2));
    NM_TRY(check_type(inference, 1, "the indices", {DType::Int32, DType::Int64}));
    inference.output(0, inference.type(0));
    if (!inference.has_shape(0)) return {};
    const Shape& in = inference.shape(0);
    NM_ASSIGN(const int axis, check_axis(axis_, in.rank()));
    if (!inference.has_shape(1)) return {};
    const Shape& indices = inference.shape(1);
    if (in.rank() - 1 + indices.rank() > kMaxRank) {
      return wrong_shape("the indices", indices, text("fewer dimensions: the output would have more than ", kMaxRank));
    }
    Shape out;
    for (int i = 0; i < axis; ++i) out.push_back(in[i]);
    for (const int64_t d : indices) out.push_back(d);
    for (int i = axis + 1; i < in.rank(); ++i) out.push_back(in[i]);
    inference.output(0, inference.type(0), out);
    return {};
  }

  Status run(Execution& execution) override {
    const Tensor& in = execution.input(0);
    const Indices indices(execution.input(1));
    Tensor& out = execution.output(0);
    const int axis = normalize_axis(axis_, in.rank());
    const int64_t dim = in.dim(axis);
    NM_TRY(indices.check(dim));
    const int64_t inner = in.shape().count(axis + 1, in.rank());
    if (out.count() == 0) return {};
    // Slices [begin, end) of the output, each `inner` elements long.
    const auto gather = [&]<class T>(int64_t begin, int64_t end) {
      const T* from = static_cast<const T*>(in.raw());
      T* to = static_cast<T*>(out.raw()) + begin * inner;
      int64_t outer = begin / indices.count();
      int64_t i = begin % indices.count();
      for (int64_t s = begin; s < end; ++s, to += inner) {
        const T* source = from + (outer * dim + indices.at(i, dim)) * inner;
        if constexpr (std::is_trivially_copyable_v<T>) {
          if (inner == 1) {
            *to = *source;
          } else {
            std::memcpy(to, source, static_cast<size_t>(inner) * sizeof(T));
          }
        } else {
          std::copy_n(source, inner, to);
        }
        if (++i == indices.count()) {
          i = 0;
          ++outer;
        }
      }
    };
    const int64_t slices = out.count() / inner;
    const bool whole = with_element(in.dtype(), [&]<class T>() {
      thread_pool::parallel_for(slices, std::max<int64_t>(1, kChunkElements / inner),
                                [&](int64_t begin, int64_t end, int) { gather.template operator()<T>(begin, end); });
    });
    if (!whole) {
      for (int64_t s = 0; s < slices; ++s) {
        const int64_t index = indices.at(s % indices.count(), dim);
        copy_run(in.dtype(), in.raw(), (s / indices.count() * dim + index) * inner, out.raw(), s * inner, inner);
      }
    }
    return {};
  }

  // One slice of the outermost dimension.
  std::optional<View> view(const Inference& inference, size_t) const override {
    const Shape& in = inference.shape(0);
    const auto indices = inference.integers(1);
    const int axis = normalize_axis(axis_, in.rank());
    if (!indices || indices->size() != 1 || in.count(0, axis) != 1) return std::nullopt;
    const int64_t index = (*indices)[0] < 0 ? (*indices)[0] + in[axis] : (*indices)[0];
    if (index < 0 || index >= in[axis]) return std::nullopt;  // run will say so
    return View{0, index * in.count(axis + 1, in.rank())};
  }

 private:
  int64_t axis_;
};

std::optional<DimList> gather_contents(const ShapeQuery& q) {
  const auto data = q.input(0), indices = q.input(1);
  if (!data || !indices || !q.shape(0) || q.shape(0)->rank() != 1) return std::nullopt;
  const auto n = static_cast<int64_t>(data->size());
  DimList out;
  for (const DimEntry& e : *indices) {
    if (e.is_dim || e.value < -n || e.value >= n) return std::nullopt;
    out.push_back((*data)[static_cast<size_t>(e.value < 0 ? e.value + n : e.value)]);
  }
  return out;
}

}  // namespace

constexpr OperatorEntry kEntries[] = {
    entry<Gather>("Gather", 1, {.inputs = 2, .outputs = 1, .layout = layout::opaque, .contents = gather_contents}),
};

NM_OPERATORS(gather, kEntries)

}  // namespace nm
