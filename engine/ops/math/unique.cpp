#include <algorithm>
#include <vector>

#include "engine/base/sort_positions.h"
#include "engine/op/check.h"
#include "engine/op/movement.h"
#include "engine/op/numbers.h"
#include "engine/op/registry.h"
#include "engine/tensor/order.h"

namespace nm {
namespace {

// The input as items that are compared whole: elements, or slices along the axis.
struct Items {
  int64_t count;
  int64_t outer;
  int64_t inner;

  int64_t offset(int64_t item, int64_t part) const {  // part < outer
    return (part * count + item) * inner;
  }
};

class Unique final : public Movement {
 public:
  explicit Unique(Attributes& a)
      : flat_(!a.has("axis")), axis_(a.integer("axis", 0)), sorted_(a.flag("sorted", true)) {}

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 1));
    const DType t = inference.type(0);
    if (t != DType::Undefined && !is_float(t) && !is_integer(t) && t != DType::Bool && t != DType::String) {
      return wrong_type("the input", t, "numbers, bool or text");
    }
    inference.output(0, t);
    for (size_t o = 1; o < 4; ++o) inference.output(o, DType::Int64, Shape{kUnknownDim});
    if (!inference.has_shape(0)) return {};
    Shape out = flat_ ? Shape{kUnknownDim} : inference.shape(0);
    NM_ASSIGN(const int axis, check_axis(axis_, out.rank()));
    out[axis] = kUnknownDim;
    inference.output(0, t, out);
    return {};
  }

  Status run(Execution& execution) override {
    const Tensor& in = execution.input(0);
    Shape shape = flat_ ? Shape{in.count()} : in.shape();
    const int axis = flat_ ? 0 : normalize_axis(axis_, in.rank());
    const Items items{shape[axis], shape.count(0, axis), shape.count(axis + 1, shape.rank())};
    std::vector<int64_t> keys;
    if (in.dtype() != DType::String) {
      keys.resize(static_cast<size_t>(in.count()));
      for_order_keys(in, 0, 1, in.count(), [&](int64_t i, int64_t key) { keys[static_cast<size_t>(i)] = key; });
    }
    const auto compare = [&](int64_t a, int64_t b) {
      for (int64_t part = 0; part < items.outer; ++part) {
        const int64_t pa = items.offset(a, part);
        const int64_t pb = items.offset(b, part);
        for (int64_t i = 0; i < items.inner; ++i) {
          const int order = keys.empty()
                                ? in.data<std::string>()[pa + i].compare(in.data<std::string>()[pb + i])
                                : three_way(keys[static_cast<size_t>(pa + i)], keys[static_cast<size_t>(pb + i)]);
          if (order != 0) return order;
        }
      }
      return 0;
    };
    const std::vector<int64_t> order =
        sorted_positions(static_cast<size_t>(items.count), [&](int64_t a, int64_t b) { return compare(a, b) < 0; });
    // One group for each distinct item: where it first stands and how often.
    struct Group {
      int64_t first;
      int64_t count;
    };
    std::vector<Group> groups;
    std::vector<int64_t> group_of(order.size());
    for (size_t i = 0; i < order.size(); ++i) {
      if (i == 0 || compare(order[i - 1], order[i]) != 0) groups.push_back({order[i], 0});
      ++groups.back().count;
      group_of[static_cast<size_t>(order[i])] = static_cast<int64_t>(groups.size()) - 1;
    }
    if (!sorted_) renumber(groups, group_of);

    const auto n = static_cast<int64_t>(groups.size());
    if (execution.wants(0)) {
      shape[axis] = n;
      NM_ASSIGN(Tensor * out, execution.allocate(0, in.dtype(), shape));
      const Items target{n, items.outer, items.inner};
      for (int64_t g = 0; g < n; ++g) {
        for (int64_t part = 0; part < items.outer; ++part) {
          copy_run(in.dtype(), in.raw(), items.offset(groups[static_cast<size_t>(g)].first, part), out->raw(),
                   target.offset(g, part), items.inner);
        }
      }
    }
    const auto list = [&](size_t o, int64_t count, auto&& value) -> Status {
      if (!execution.wants(o)) return {};
      NM_ASSIGN(Tensor * out, execution.allocate(o, DType::Int64, Shape{count}));
      for (int64_t i = 0; i < count; ++i) out->data<int64_t>()[i] = value(static_cast<size_t>(i));
      return {};
    };
    NM_TRY(list(1, n, [&](size_t i) { return groups[i].first; }));
    NM_TRY(list(2, items.count, [&](size_t i) { return group_of[i]; }));
    return list(3, n, [&](size_t i) { return groups[i].count; });
  }

 private:
  static int three_way(int64_t a, int64_t b) { return a < b ? -1 : a > b ? 1 : 0; }

  // From the order of the values to that of their first places.
  template <class Groups>
  static void renumber(Groups& groups, std::vector<int64_t>& group_of) {
    const std::vector<int64_t> by_place = sorted_positions(groups.size(), [&](int64_t a, int64_t b) {
      return groups[static_cast<size_t>(a)].first < groups[static_cast<size_t>(b)].first;
    });
    Groups moved;
    std::vector<int64_t> number(groups.size());
    for (size_t i = 0; i < by_place.size(); ++i) {
      moved.push_back(groups[static_cast<size_t>(by_place[i])]);
      number[static_cast<size_t>(by_place[i])] = static_cast<int64_t>(i);
    }
    groups = std::move(moved);
    for (int64_t& g : group_of) g = number[static_cast<size_t>(g)];
  }

  bool flat_;
  int64_t axis_;
  bool sorted_;
};

}  // namespace

constexpr OperatorEntry kEntries[] = {
    entry<Unique>("Unique", 11, {.inputs = 1, .outputs = 4, .layout = layout::opaque}),
};

NM_OPERATORS(unique, kEntries)

}  // namespace nm
