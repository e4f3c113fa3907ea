// Operators that write updates into a copy of their data.
#include <algorithm>

#include "engine/op/movement.h"
#include "engine/op/numbers.h"
#include "engine/op/registry.h"
#include "engine/ops/shape/along_axis.h"
#include "engine/ops/shape/index_tuples.h"
#include "engine/tensor/edition.h"

namespace nm {
namespace {

enum class Reduction : uint8_t { None, Add, Mul, Min, Max };

Reduction reduction_of(Attributes& a) {
  const std::string name = a.string("reduction", "none");
  if (name == "add") return Reduction::Add;
  if (name == "mul") return Reduction::Mul;
  if (name == "min") return Reduction::Min;
  if (name == "max") return Reduction::Max;
  if (name != "none") a.fail(text("the attribute 'reduction' is '", name, "'; expected none, add, mul, min or max"));
  return Reduction::None;
}

// A NaN on either side is the result, also of the smaller and the larger one.
template <class T>
T combine(Reduction r, T a, T b) {
  switch (r) {
    case Reduction::Add:
      return add(a, b);
    case Reduction::Mul:
      return multiply(a, b);
    case Reduction::Min:
      return b < a || b != b ? b : a;
    case Reduction::Max:
      return b > a || b != b ? b : a;
    case Reduction::None:
      break;
  }
  return b;
}

// Sums and the larger of two bools are "or", products and the smaller "and".
template <>
bool combine(Reduction r, bool a, bool b) {
  return r == Reduction::Add || r == Reduction::Max ? a || b : a && b;
}

// Combines `count` updates from `from` on with the output's elements from `to` on.
using Combine = void (*)(Reduction r, Tensor& out, int64_t to, const Tensor& updates, int64_t from, int64_t count);

Result<Combine> combine_for(Reduction r, DType dtype) {
  if (r == Reduction::None) {
    return Combine([](Reduction, Tensor& out, int64_t to, const Tensor& updates, int64_t from, int64_t count) {
      copy_run(out.dtype(), updates.raw(), from, out.raw(), to, count);
    });
  }
  Combine chosen = nullptr;
  const auto choose = [&]<class T>() -> Status {
    chosen = [](Reduction how, Tensor& out, int64_t to, const Tensor& updates, int64_t from, int64_t count) {
      T* target = out.data<T>() + to;
      const T* source = updates.data<T>() + from;
      for (int64_t i = 0; i < count; ++i) target[i] = combine(how, target[i], source[i]);
    };
    return {};
  };
  NM_TRY(dtype == DType::Bool ? choose.operator()<bool>() : with_number(dtype, choose));
  return chosen;
}

// As far as the dimensions are known.
bool may_equal(const Shape& a, const Shape& b) {
  bool equal = a.rank() == b.rank();
  for (int i = 0; equal && i < a.rank(); ++i) equal = a[i] < 0 || b[i] < 0 || a[i] == b[i];
  return equal;
}

class ScatterBase : public Movement {
 public:
  bool native_float16() const override { return reduction_ == Reduction::None; }
  bool in_place(size_t i) const override { return i == 0; }
  std::optional<size_t> rewrites(const Inference&, size_t) const override { return 0; }

 protected:
  explicit ScatterBase(Attributes& a) : reduction_(reduction_of(a)) { selection::note(selection::Part::States); }

  Status check(Inference& inference) const {
    NM_TRY(check_tensors(inference, 3));
    NM_TRY(check_type(inference, 1, "the indices", {DType::Int32, DType::Int64}));
    const DType t = inference.type(0);
    if (t != DType::Undefined && inference.type(2) != DType::Undefined && inference.type(2) != t) {
      return wrong_type("the updates", inference.type(2), dtype_name(t));
    }
    if (reduction_ != Reduction::None && t != DType::Bool) NM_TRY(check_number(inference, 0, "the data"));
    inference.output(0, t);
    if (inference.has_shape(0)) inference.output(0, t, inference.shape(0));
    return {};
  }

  Reduction reduction_;
};

class ScatterElements final : public ScatterBase {
 public:
  explicit ScatterElements(Attributes& a) : ScatterBase(a), axis_(a.integer("axis", 0)) {}

  Status infer(Inference& inference) const override {
    NM_TRY(check(inference));
    if (inference.has_shape(1) && inference.has_shape(2) && !may_equal(inference.shape(1), inference.shape(2))) {
      return wrong_shape("the updates", inference.shape(2), text(to_string(inference.shape(1)), ", as the indices"));
    }
    if (!inference.has_shape(0)) return {};
    NM_ASSIGN(const int axis, check_axis(axis_, inference.shape(0).rank()));
    return inference.has_shape(1) ? check_along_axis(inference.shape(0), inference.shape(1), axis) : Status();
  }

  Status written(const Execution& execution, Extents& list) const override {
    const Indices indices(execution.input(1));
    const Shape& data = execution.input(0).shape();
    const int axis = normalize_axis(axis_, data.rank());
    NM_TRY(indices.check(data[axis]));
    Status s;
    walk_along_axis(data, execution.input(2).shape(), axis, indices, [&](int64_t, int64_t at) {
      if (s.ok()) s = list.add(at, 1);
    });
    return s;
  }

  Status run(Execution& execution) override {
    const Indices indices(execution.input(1));
    const Tensor& updates = execution.input(2);
    Tensor& out = execution.output(0);
    const int axis = normalize_axis(axis_, out.rank());
    NM_TRY(indices.check(out.dim(axis)));
    NM_ASSIGN(const Combine update, combine_for(reduction_, out.dtype()));
    copy_all(execution.input(0), out);
    walk_along_axis(out.shape(), updates.shape(), axis, indices,
                    [&](int64_t i, int64_t at) { update(reduction_, out, at, updates, i, 1); });
    return {};
  }

 private:
  int64_t axis_;
};

// A pass adds nm_perm where the data was transposed before and back afterwards: tuples and updates are for the
// transposed data, and without a reduction.
class ScatterND final : public ScatterBase {
 public:
  explicit ScatterND(Attributes& a) : ScatterBase(a), perm_(a.integers("nm_perm")) {
    std::vector<int64_t> sorted = perm_;
    std::sort(sorted.begin(), sorted.end());
    for (size_t i = 0; i < sorted.size(); ++i) {
      if (sorted[i] != static_cast<int64_t>(i)) a.fail("the attribute 'nm_perm' is no permutation");
    }
    if (!perm_.empty() && reduction_ != Reduction::None) a.fail("the attribute 'nm_perm' allows no reduction");
  }

  Status infer(Inference& inference) const override {
    NM_TRY(check(inference));
    if (!inference.has_shape(0)) return {};
    if (!perm_.empty() && static_cast<int>(perm_.size()) != inference.shape(0).rank()) {
      return {Code::InvalidModel, "the attribute 'nm_perm' is not of the data's rank"};
    }
    const Shape seen = as_seen(inference.shape(0));
    NM_ASSIGN(const std::optional<Shape> expected, sliced_shape(inference, &seen, 0));
    if (!expected || !inference.has_shape(2)) return {};
    return may_equal(inference.shape(2), *expected)
               ? Status()
               : wrong_shape("the updates", inference.shape(2), to_string(*expected));
  }

  Status run(Execution& execution) override {
    const Tensor& tuples = execution.input(1);
    const Tensor& updates = execution.input(2);
    Tensor& out = execution.output(0);
    NM_ASSIGN(const Combine update, combine_for(reduction_, out.dtype()));
    copy_all(execution.input(0), out);
    const Slices slices(*this, out.shape(), tuples);
    const int64_t count = slices.extent.count();
    return walk_tuples(slices.shape, slices.strides, tuples, 0, [&](int64_t t, int64_t offset) {
      if (perm_.empty()) {
        update(reduction_, out, offset, updates, t * count, count);
      } else {
        copy_strided(out.dtype(), slices.extent, {updates.raw(), t * count, row_major(slices.extent)},
                     {out.raw(), offset, slices.apart});
      }
      return Status();
    });
  }

  Status written(const Execution& execution, Extents& list) const override {
    const Tensor& tuples = execution.input(1);
    const Slices slices(*this, execution.input(0).shape(), tuples);
    return walk_tuples(slices.shape, slices.strides, tuples, 0, [&](int64_t, int64_t offset) {
      return perm_.empty() ? list.add(offset, slices.extent.count()) : list.add(slices.extent, offset, slices.apart);
    });
  }

 private:
  // The data as tuples see it, and what each of them names.
  struct Slices {
    Slices(const ScatterND& op, const Shape& data, const Tensor& tuples) : shape(op.as_seen(data)) {
      const Strides whole = row_major(data);
      const int width = static_cast<int>(tuples.shape().back());
      for (int i = 0; i < data.rank(); ++i) {
        strides[i] = whole[op.axis(i)];
        if (i < width) continue;
        apart[extent.rank()] = strides[i];
        extent.push_back(shape[i]);
      }
    }
    Shape shape, extent;
    Strides strides{}, apart{};
  };

  // Of the data, where the tuples count it as number i.
  int axis(int i) const { return perm_.empty() ? i : static_cast<int>(perm_[i]); }
  Shape as_seen(const Shape& data) const {
    Shape seen = data;
    for (int i = 0; i < seen.rank() && !perm_.empty(); ++i) seen[i] = data[axis(i)];
    return seen;
  }

  std::vector<int64_t> perm_;
};

}  // namespace

constexpr AttributeRange kReductionSince16[] = {{"reduction", 16}};

constexpr Facts kScatter = {.inputs = 3, .outputs = 1, .layout = layout::opaque, .attributes = kReductionSince16};

constexpr OperatorEntry kEntries[] = {
    entry<ScatterElements>("Scatter", 9, {.inputs = 3, .outputs = 1, .layout = layout::opaque}),
    entry<ScatterElements>("ScatterElements", 11, kScatter),
    entry<ScatterND>("ScatterND", 11, kScatter),
};

NM_OPERATORS(scatter, kEntries)

}  // namespace nm
