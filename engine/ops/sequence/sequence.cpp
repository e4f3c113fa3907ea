// Operators that make and take apart sequences of tensors.
#include "engine/op/check.h"
#include "engine/op/movement.h"
#include "engine/op/registry.h"
#include "engine/tensor/integers.h"
#include "engine/tensor/strided.h"

namespace nm {
namespace {

DType element_type(const Inference& inference, size_t i) {
  const auto& element = inference.value_type(i).element;
  return element && element->is_tensor() ? element->dtype : DType::Undefined;
}

Result<const Sequence*> sequence(const Execution& execution, size_t i) {
  if (execution.has(i)) {
    if (const Sequence* s = execution.input_value(i).sequence()) return s;
  }
  return Status(Code::TypeMismatch, text("input ", i, " holds no sequence"));
}

// The position that optional input i gives, in [-count, last], from the end where it is negative; without one, `last`.
Result<int64_t> position(const Execution& execution, size_t i, int64_t count, int64_t last) {
  if (!execution.has(i)) return last;
  const int64_t given = integer_at(execution.input(i), 0);
  if (given < -count || given > last) {
    return Status(Code::InvalidData, text("the position ", given, " is outside of a sequence of ", count));
  }
  return given < 0 ? given + count : given;
}

Status check_position(const Inference& inference, size_t i) {
  NM_TRY(check_type(inference, i, "the position", {DType::Int32, DType::Int64}));
  if (inference.has(i) && !inference.value_type(i).is_tensor())
    return {Code::TypeMismatch, "the position must be a tensor"};
  return check_scalar(inference, i, "the position");
}

class SequenceConstruct final : public Movement {
 public:
  explicit SequenceConstruct(Attributes&) {}

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 1));
    NM_ASSIGN(const DType type, common_type(inference, 0, inference.input_count()));
    inference.output(0, ValueType::sequence(ValueType::tensor(type)));
    return {};
  }

  Status run(Execution& execution) override {
    auto out = std::make_shared<Sequence>();
    out->element = ValueType::tensor(execution.input(0).dtype());
    for (size_t i = 0; i < execution.input_count(); ++i) {
      NM_ASSIGN(Tensor item, keep(execution.input(i)));
      out->items.push_back(std::move(item));
    }
    return execution.set_output(0, std::shared_ptr<const Sequence>(std::move(out)));
  }
};

class SequenceEmpty final : public Movement {
 public:
  explicit SequenceEmpty(Attributes& a) : dtype_(type_attribute(a, "dtype", DType::Float32)) {}

  Status infer(Inference& inference) const override {
    inference.output(0, ValueType::sequence(ValueType::tensor(dtype_)));
    return {};
  }

  Status run(Execution& execution) override {
    auto out = std::make_shared<Sequence>();
    out->element = ValueType::tensor(dtype_);
    return execution.set_output(0, std::shared_ptr<const Sequence>(std::move(out)));
  }

 private:
  DType dtype_;
};

class SequenceInsert final : public Movement {
 public:
  explicit SequenceInsert(Attributes&) {}

  Status infer(Inference& inference) const override {
    NM_TRY(check_sequence(inference, 0));
    if (!inference.has(1)) return {Code::MissingInput, "the tensor to insert (input 1) is missing"};
    if (!inference.value_type(1).is_tensor()) return {Code::TypeMismatch, "input 1 must be a tensor"};
    NM_TRY(check_position(inference, 2));
    const DType element = element_type(inference, 0);
    if (element != DType::Undefined && inference.type(1) != DType::Undefined && element != inference.type(1)) {
      return wrong_type("the tensor to insert", inference.type(1), dtype_name(element));
    }
    inference.output(0, inference.value_type(0));
    return {};
  }

  Status run(Execution& execution) override {
    NM_ASSIGN(const Sequence* in, sequence(execution, 0));
    const auto count = static_cast<int64_t>(in->items.size());
    NM_ASSIGN(const int64_t at, position(execution, 2, count, count));
    NM_ASSIGN(Tensor item, keep(execution.input(1)));
    auto out = std::make_shared<Sequence>(*in);
    out->items.insert(static_cast<size_t>(at), std::move(item));
    return execution.set_output(0, std::shared_ptr<const Sequence>(std::move(out)));
  }
};

class SequenceErase final : public Movement {
 public:
  explicit SequenceErase(Attributes&) {}

  Status infer(Inference& inference) const override {
    NM_TRY(check_sequence(inference, 0));
    NM_TRY(check_position(inference, 1));
    inference.output(0, inference.value_type(0));
    return {};
  }

  Status run(Execution& execution) override {
    NM_ASSIGN(const Sequence* in, sequence(execution, 0));
    const auto count = static_cast<int64_t>(in->items.size());
    if (count == 0) return {Code::InvalidData, "nothing can be erased from an empty sequence"};
    NM_ASSIGN(const int64_t at, position(execution, 1, count, count - 1));
    auto out = std::make_shared<Sequence>(*in);
    out->items.erase(static_cast<size_t>(at));
    return execution.set_output(0, std::shared_ptr<const Sequence>(std::move(out)));
  }
};

class SequenceAt final : public Movement {
 public:
  explicit SequenceAt(Attributes&) {}

  Status infer(Inference& inference) const override {
    NM_TRY(check_sequence(inference, 0));
    if (!inference.has(1)) return {Code::MissingInput, "the position (input 1) is missing"};
    NM_TRY(check_position(inference, 1));
    inference.output(0, element_type(inference, 0));
    return {};
  }

  Status run(Execution& execution) override {
    NM_ASSIGN(const Sequence* in, sequence(execution, 0));
    const auto count = static_cast<int64_t>(in->items.size());
    NM_ASSIGN(const int64_t at, position(execution, 1, count, count - 1));
    return execution.set_output(0, in->items[static_cast<size_t>(at)]);
  }
};

class SequenceLength final : public Movement {
 public:
  explicit SequenceLength(Attributes&) {}

  Status infer(Inference& inference) const override {
    NM_TRY(check_sequence(inference, 0));
    inference.output(0, DType::Int64, Shape{});
    return {};
  }

  Status run(Execution& execution) override {
    NM_ASSIGN(const Sequence* in, sequence(execution, 0));
    *execution.out<int64_t>(0) = static_cast<int64_t>(in->items.size());
    return {};
  }
};

class SplitToSequence final : public Movement {
 public:
  explicit SplitToSequence(Attributes& a) : axis_(a.integer("axis", 0)), keep_dims_(a.flag("keepdims", true)) {}

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 1));
    NM_TRY(check_type(inference, 1, "the split", {DType::Int32, DType::Int64}));
    if (inference.has_shape(0)) NM_TRY(check_axis(axis_, inference.shape(0).rank()).take_status());
    if (inference.has_shape(1) && inference.shape(1).rank() > 1)
      return wrong_shape("the split", inference.shape(1), "a scalar or a list");
    inference.output(0, ValueType::sequence(ValueType::tensor(inference.type(0))));
    return {};
  }

  Status run(Execution& execution) override {
    const Tensor& in = execution.input(0);
    NM_ASSIGN(const int axis, check_axis(axis_, in.rank()));
    NM_ASSIGN(const std::vector<int64_t> parts, lengths(execution, in.dim(axis)));
    auto out = std::make_shared<Sequence>();
    out->element = ValueType::tensor(in.dtype());
    const Strides strides = row_major(in.shape());
    int64_t begin = 0;
    for (const int64_t length : parts) {
      Shape extent = in.shape();
      extent[axis] = length;
      Shape shape = extent;
      if (!keep_dims_ && !execution.has(1)) shape.erase(axis);
      NM_ASSIGN(Tensor part, Tensor::create(in.dtype(), shape));
      copy_strided(in.dtype(), extent, {in.raw(), begin * strides[axis], strides}, {part.raw(), 0, row_major(extent)});
      out->items.push_back(std::move(part));
      begin += length;
    }
    return execution.set_output(0, std::shared_ptr<const Sequence>(std::move(out)));
  }

 private:
  static Result<std::vector<int64_t>> lengths(const Execution& execution, int64_t dim) {
    const uint64_t limit = execution.control().limits.text_bytes;
    const auto check_count = [&](int64_t count) -> Status {  // parts without elements take no memory of their own
      if (static_cast<uint64_t>(count) <= limit / sizeof(Value)) return {};
      return limit_exceeded("textBytes", limit,
                            text("the input falls into ", count, " tensors of ", sizeof(Value), " bytes or more"));
    };
    if (!execution.has(1)) {
      NM_TRY(check_count(dim));
      return std::vector<int64_t>(static_cast<size_t>(dim), 1);
    }
    const Tensor& split = execution.input(1);
    std::vector<int64_t> parts;
    if (split.rank() == 0) {
      const int64_t length = integer_at(split, 0);
      if (length <= 0) return Status(Code::InvalidData, text("the split ", length, " must be positive"));
      NM_TRY(check_count(dim / length));
      for (int64_t left = dim; left > 0; left -= length) parts.push_back(std::min(left, length));
      return parts;
    }
    int64_t left = dim;
    for (int64_t i = 0; i < split.count(); ++i) {
      parts.push_back(integer_at(split, i));
      if (parts.back() < 0 || parts.back() > left) break;
      left -= parts.back();
    }
    if (left != 0 || static_cast<int64_t>(parts.size()) != split.count()) {
      return Status(Code::InvalidData, text("the split does not add up to the dimension ", dim));
    }
    return parts;
  }

  int64_t axis_;
  bool keep_dims_;
};

class ConcatFromSequence final : public Movement {
 public:
  explicit ConcatFromSequence(Attributes& a) : axis_(a.integer("axis", 0)), new_axis_(a.flag("new_axis", false)) {
    a.require("axis");
  }

  Status infer(Inference& inference) const override {
    NM_TRY(check_sequence(inference, 0));
    inference.output(0, element_type(inference, 0));
    return {};
  }

  Status run(Execution& execution) override {
    NM_ASSIGN(const Sequence* in, sequence(execution, 0));
    if (!in->element.is_tensor()) return {Code::TypeMismatch, "only a sequence of tensors can be joined to a tensor"};
    if (in->items.empty()) return {Code::InvalidData, "an empty sequence cannot be joined to a tensor"};
    const Tensor& first = first_with_elements(*in);
    if (first.rank() + (new_axis_ ? 1 : 0) > kMaxRank)
      return wrong_shape("the first tensor", first.shape(), "fewer dimensions");
    NM_ASSIGN(const int axis, check_axis(axis_, first.rank() + (new_axis_ ? 1 : 0)));
    Shape total = with_axis(first, axis);
    total[axis] = 0;
    for (const Value& item : in->items) {
      const Tensor& t = *item.tensor();
      if (is_left_out(t, first)) continue;
      Shape others = with_axis(first, axis);
      if (t.rank() == first.rank()) others[axis] = with_axis(t, axis)[axis];
      if (t.dtype() != first.dtype())
        return wrong_type("a tensor of the sequence", t.dtype(), dtype_name(first.dtype()));
      if (t.rank() != first.rank() || with_axis(t, axis) != others) {
        return wrong_shape("a tensor of the sequence", t.shape(), to_string(first.shape()));
      }
      total[axis] += others[axis];
    }
    NM_ASSIGN(Tensor * out, execution.allocate(0, first.dtype(), total));
    const Strides strides = row_major(total);
    int64_t at = 0;
    for (const Value& item : in->items) {
      const Tensor& t = *item.tensor();
      if (t.count() == 0) continue;
      const Shape extent = with_axis(t, axis);
      copy_strided(t.dtype(), extent, {t.raw(), 0, row_major(extent)}, {out->raw(), at * strides[axis], strides});
      at += extent[axis];
    }
    return {};
  }

 private:
  // As Concat does: an empty tensor of other dimensions adds nothing (torch begins lists with one).
  static const Tensor& first_with_elements(const Sequence& in) {
    for (const Value& item : in.items) {
      if (item.tensor()->count() != 0) return *item.tensor();
    }
    return *in.items[0].tensor();
  }
  bool is_left_out(const Tensor& t, const Tensor& first) const {
    if (new_axis_ || t.count() != 0 || first.count() == 0 || t.dtype() != first.dtype()) return false;
    if (t.rank() != first.rank()) return true;
    const int axis = normalize_axis(axis_, first.rank());
    for (int d = 0; d < t.rank(); ++d) {
      if (d != axis && t.dim(d) != first.dim(d)) return true;
    }
    return false;
  }

  Shape with_axis(const Tensor& t, int axis) const {
    Shape s = t.shape();
    if (new_axis_) s.insert(axis, 1);
    return s;
  }

  int64_t axis_;
  bool new_axis_;
};

}  // namespace

constexpr Facts kOfTwo = {.inputs = 2, .outputs = 1, .layout = layout::opaque};

constexpr OperatorEntry kEntries[] = {
    entry<SequenceConstruct>("SequenceConstruct", 11, {.inputs = kAny, .outputs = 1, .layout = layout::opaque}),
    entry<SequenceEmpty>("SequenceEmpty", 11, {.inputs = 0, .outputs = 1, .layout = layout::opaque}),
    entry<SequenceInsert>("SequenceInsert", 11, {.inputs = 3, .outputs = 1, .layout = layout::opaque}),
    entry<SequenceErase>("SequenceErase", 11, kOfTwo),
    entry<SequenceAt>("SequenceAt", 11, kOfTwo),
    entry<SequenceLength>("SequenceLength", 11, {.inputs = 1, .outputs = 1, .layout = layout::opaque}),
    entry<SplitToSequence>("SplitToSequence", 11, kOfTwo),
    entry<ConcatFromSequence>("ConcatFromSequence", 11, {.inputs = 1, .outputs = 1, .layout = layout::opaque}),
};

NM_OPERATORS(sequence, kEntries)

}  // namespace nm
