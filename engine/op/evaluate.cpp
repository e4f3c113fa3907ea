#include "engine/op/evaluate.h"

#include <algorithm>

namespace nm {

Tensor take_view(const Tensor& source, const View& view, DType dtype, const Shape& shape) {
  auto* data = static_cast<uint8_t*>(const_cast<void*>(source.raw()));
  return Tensor::view(dtype, shape, data + dtype_offset(dtype, view.element_offset), source.owner());
}

Status check_view(const View& view, DType source_type, const Shape& source, DType dtype, const Shape& shape) {
  const Size end = dtype_bytes(dtype, Size(view.element_offset)) + tensor_bytes(dtype, shape);
  if (end <= tensor_bytes(source_type, source)) return {};
  return {Code::Internal, text("a view ", describe(dtype, shape), " at element ", view.element_offset, " of ",
                               describe(source_type, source), " leaves its source")};
}

namespace {

// Strings say nothing of their bytes beforehand. No operator makes one that is longer than its inputs' longest
// together.
Size longest_strings(const std::vector<const Value*>& inputs) {
  Size sum;
  for (const Value* v : inputs) {
    const Tensor* t = v == nullptr ? nullptr : v->tensor();
    if (t == nullptr || t->dtype() != DType::String || t->raw() == nullptr) continue;
    size_t longest = 0;
    for (const std::string& s : t->span<std::string>()) longest = std::max(longest, s.size());
    sum += Size(longest);
  }
  return sum;
}

}  // namespace

Result<bool> evaluate(Operator& op, Inference& inference, const std::vector<const Value*>& inputs, Scratch& scratch,
                      size_t max_bytes, std::vector<Value>& results) {
  results.clear();
  Size bytes;
  for (size_t o = 0; o < inference.output_count(); ++o) {
    if (!inference.wants(o)) continue;
    const Inference::Output& out = inference.output_slot(o);
    if (!out.type.is_tensor() || out.type.dtype == DType::Undefined || !out.shape || !out.shape->known()) return false;
    bytes += tensor_bytes(out.type.dtype, *out.shape);
    if (out.type.dtype == DType::String) bytes += longest_strings(inputs) * Size(out.shape->count());
    if (bytes > Size(max_bytes)) return false;
  }
  std::vector<Value> values(inference.output_count());
  std::vector<Value*> outputs(inference.output_count(), nullptr);
  for (size_t o = 0; o < inference.output_count(); ++o) {
    if (!inference.wants(o)) continue;
    Inference::Output& out = inference.output_slot(o);
    if (out.value.defined()) {
      values[o] = std::move(out.value);
      continue;
    }
    if (out.type.dtype != DType::String) {
      if (const auto view = op.view(inference, o)) {
        const Tensor& source = *inputs[view->input]->tensor();
        NM_TRY(check_view(*view, source.dtype(), source.shape(), out.type.dtype, *out.shape));
        values[o] = take_view(source, *view, out.type.dtype, *out.shape);
        continue;
      }
    }
    NM_ASSIGN(Tensor t, Tensor::create(out.type.dtype, *out.shape));
    values[o] = std::move(t);
    outputs[o] = &values[o];
  }
  if (std::any_of(outputs.begin(), outputs.end(), [](const Value* v) { return v != nullptr; })) {
    if (!op.pure()) return false;
    scratch.reset();
    // Outputs that are done already are still there to be written: an operator may fill all of them in one go.
    for (size_t o = 0; o < outputs.size(); ++o) {
      if (inference.wants(o) && outputs[o] == nullptr) {
        const Inference::Output& out = inference.output_slot(o);
        NM_ASSIGN(Tensor t, Tensor::create(out.type.dtype, *out.shape));
        values[o] = std::move(t);
        outputs[o] = &values[o];
      }
    }
    RunControl control;  // control flow is never evaluated: its outputs' shapes depend on data
    Execution execution(scratch, control, inputs, std::move(outputs));
    NM_TRY(op.run(execution));
  }
  results = std::move(values);
  return true;
}

}  // namespace nm
