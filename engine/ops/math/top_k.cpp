#include <algorithm>

#include "engine/base/thread_pool.h"
#include "engine/op/check.h"
#include "engine/op/movement.h"
#include "engine/op/numbers.h"
#include "engine/op/registry.h"
#include "engine/tensor/integers.h"
#include "engine/tensor/order.h"

namespace nm {
namespace {

struct Entry {
  int64_t key;
  int64_t index;
  // Of equals the earlier one goes first.
  friend bool operator<(const Entry& a, const Entry& b) { return a.key != b.key ? a.key > b.key : a.index < b.index; }
};

// k is an attribute before operator set 10.
class TopK final : public Movement {
 public:
  explicit TopK(Attributes& a)
      : as_attribute_(a.version() < 10),
        k_(a.integer("k", -1)),
        axis_(a.integer("axis", -1)),
        largest_(a.flag("largest", true)),
        sorted_(a.flag("sorted", true)) {
    if (as_attribute_) a.require("k");
  }

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, as_attribute_ ? 1 : 2));
    NM_TRY(check_number(inference, 0, "the input"));
    NM_TRY(check_type(inference, 1, "k", {DType::Int64}));
    if (!as_attribute_) NM_TRY(check_scalar(inference, 1, "k"));
    inference.output(0, inference.type(0));
    inference.output(1, DType::Int64);
    if (!inference.has_shape(0)) return {};
    Shape out = inference.shape(0);
    NM_ASSIGN(const int axis, check_axis(axis_, out.rank()));
    const bool known = as_attribute_ || inference.value(1) != nullptr;
    const int64_t k = as_attribute_ ? k_ : known ? integer_at(*inference.value(1), 0) : kUnknownDim;
    if (known && (k < 0 || (out[axis] >= 0 && k > out[axis]))) {
      return {Code::InvalidData, text("k is ", k, "; it must lie in [0,", out[axis], "], the size of axis ", axis)};
    }
    out[axis] = k;
    inference.output(0, inference.type(0), out);
    inference.output(1, DType::Int64, out);
    return {};
  }

  Status run(Execution& execution) override {
    const Tensor& in = execution.input(0);
    const int axis = normalize_axis(axis_, in.rank());
    const int64_t n = in.dim(axis);
    const int64_t inner = in.shape().count(axis + 1, in.rank());
    const int64_t lanes = in.shape().count(0, axis) * inner;
    const int64_t k = as_attribute_ ? k_ : integer_at(execution.input(1), 0);
    if (k == 0 || lanes == 0) return {};
    const int64_t threads = n * lanes < kElementChunk ? 1 : thread_pool::size();
    NM_ASSIGN(Entry * scratch, execution.scratch<Entry>(Size(threads) * n));
    const auto lane = [&](int64_t l, Entry* entries) {
      const int64_t outer = l / inner;
      const int64_t from = outer * n * inner + l % inner;
      for_order_keys(in, from, inner, n, [&](int64_t i, int64_t key) { entries[i] = {largest_ ? key : ~key, i}; });
      if (sorted_ || k == n) {
        std::partial_sort(entries, entries + k, entries + n);
      } else {
        std::nth_element(entries, entries + k - 1, entries + n);
      }
      const int64_t to = outer * k * inner + l % inner;
      for (int64_t i = 0; i < k; ++i) {
        if (execution.wants(0))
          copy_run(in.dtype(), in.raw(), from + entries[i].index * inner, execution.output(0).raw(), to + i * inner, 1);
        if (execution.wants(1)) execution.out<int64_t>(1)[to + i * inner] = entries[i].index;
      }
    };
    if (threads == 1) {
      for (int64_t l = 0; l < lanes; ++l) lane(l, scratch);
      return {};
    }
    thread_pool::parallel_for(lanes, std::max<int64_t>(1, kElementChunk / n),
                              [&](int64_t begin, int64_t end, int thread) {
                                for (int64_t l = begin; l < end; ++l) lane(l, scratch + thread * n);
                              });
    return {};
  }

 private:
  bool as_attribute_;
  int64_t k_;
  int64_t axis_;
  bool largest_;
  bool sorted_;
};

}  // namespace

constexpr AttributeRange kTopKAttributes[] = {{"k", 1, 9}, {"largest", 11}, {"sorted", 11}};

constexpr OperatorEntry kEntries[] = {
    entry<TopK>("TopK", 1, {.inputs = 1, .outputs = 2, .layout = layout::opaque, .attributes = kTopKAttributes}),
    entry<TopK>("TopK", 10, {.inputs = 2, .outputs = 2, .layout = layout::opaque, .attributes = kTopKAttributes}),
};

NM_OPERATORS(top_k, kEntries)

}  // namespace nm
