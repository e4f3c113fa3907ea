// Operators that write updates into a copy of their data.
#include "engine/op/movement.h"
#include "engine/op/numbers.h"
#include "engine/op/registry.h"
#include "engine/ops/shape/along_axis.h"
#include "engine/ops/shape/index_tuples.h"

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

 protected:
  explicit ScatterBase(Attributes& a) : reduction_(reduction_of(a)) {}

  Status check(Inference& c) const {
    NM_TRY(check_tensors(c, 3));
    NM_TRY(check_type(c, 1, "the indices", {DType::Int32, DType::Int64}));
    const DType t = c.type(0);
    if (t != DType::Undefined && c.type(2) != DType::Undefined && c.type(2) != t) {
      return wrong_type("the updates", c.type(2), dtype_name(t));
    }
    if (reduction_ != Reduction::None && t != DType::Bool) NM_TRY(check_number(c, 0, "the data"));
    c.output(0, t);
    if (c.has_shape(0)) c.output(0, t, c.shape(0));
    return {};
  }

  Reduction reduction_;
};

class ScatterElements final : public ScatterBase {
 public:
  explicit ScatterElements(Attributes& a) : ScatterBase(a), axis_(a.integer("axis", 0)) {}

  Status infer(Inference& c) const override {
    NM_TRY(check(c));
    if (c.has_shape(1) && c.has_shape(2) && !may_equal(c.shape(1), c.shape(2))) {
      return wrong_shape("the updates", c.shape(2), text(to_string(c.shape(1)), ", as the indices"));
    }
    if (!c.has_shape(0)) return {};
    NM_ASSIGN(const int axis, check_axis(axis_, c.shape(0).rank()));
    return c.has_shape(1) ? check_along_axis(c.shape(0), c.shape(1), axis) : Status();
  }

  Status run(Execution& c) override {
    const Indices indices(c.input(1));
    const Tensor& updates = c.input(2);
    Tensor& out = c.output(0);
    const int axis = normalize_axis(axis_, out.rank());
    NM_TRY(indices.check(out.dim(axis)));
    NM_ASSIGN(const Combine update, combine_for(reduction_, out.dtype()));
    copy_all(c.input(0), out);
    walk_along_axis(out.shape(), updates.shape(), axis, indices,
                    [&](int64_t i, int64_t at) { update(reduction_, out, at, updates, i, 1); });
    return {};
  }

 private:
  int64_t axis_;
};

class ScatterND final : public ScatterBase {
 public:
  explicit ScatterND(Attributes& a) : ScatterBase(a) {}

  Status infer(Inference& c) const override {
    NM_TRY(check(c));
    NM_ASSIGN(const std::optional<Shape> expected, sliced_shape(c, 0));
    if (!expected || !c.has_shape(2)) return {};
    return may_equal(c.shape(2), *expected) ? Status() : wrong_shape("the updates", c.shape(2), to_string(*expected));
  }

  Status run(Execution& c) override {
    const Tensor& tuples = c.input(1);
    const Tensor& updates = c.input(2);
    Tensor& out = c.output(0);
    NM_ASSIGN(const Combine update, combine_for(reduction_, out.dtype()));
    copy_all(c.input(0), out);
    const int64_t slice = out.shape().count(static_cast<int>(tuples.shape().back()), out.rank());
    return walk_tuples(out, tuples, 0,
                       [&](int64_t t, int64_t offset) { update(reduction_, out, offset, updates, t * slice, slice); });
  }
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
