#include "engine/ops/evaluate.h"

#include <algorithm>

namespace nm {

Tensor take_view(const Tensor& source, const View& view, DType dtype, const Shape& shape) {
  auto* data = static_cast<uint8_t*>(const_cast<void*>(source.raw()));
  return Tensor::view(dtype, shape, data + dtype_bytes(dtype, view.element_offset), source.owner());
}

Result<bool> evaluate(Operator& op, Inference& c, const std::vector<const Value*>& inputs, Scratch& scratch,
                      size_t max_bytes, std::vector<Value>& results) {
  results.clear();
  size_t bytes = 0;
  for (size_t o = 0; o < c.output_count(); ++o) {
    if (!c.wants(o)) continue;
    const Inference::Output& out = c.output_slot(o);
    if (!out.type.is_tensor() || out.type.dtype == DType::Undefined || !out.shape || !out.shape->known()) return false;
    const int64_t count = out.shape->count();
    const int64_t size = count < 0 ? -1 : dtype_bytes(out.type.dtype, count);
    if (size < 0 || static_cast<uint64_t>(size) > max_bytes - bytes) return false;
    bytes += static_cast<size_t>(size);
  }
  std::vector<Value> values(c.output_count());
  std::vector<Value*> outputs(c.output_count(), nullptr);
  for (size_t o = 0; o < c.output_count(); ++o) {
    if (!c.wants(o)) continue;
    Inference::Output& out = c.output_slot(o);
    if (out.value.defined()) {
      values[o] = std::move(out.value);
      continue;
    }
    if (out.type.dtype != DType::String) {
      if (const auto view = op.view(c, o)) {
        values[o] = take_view(*inputs[view->input]->tensor(), *view, out.type.dtype, *out.shape);
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
      if (c.wants(o) && outputs[o] == nullptr) {
        const Inference::Output& out = c.output_slot(o);
        NM_ASSIGN(Tensor t, Tensor::create(out.type.dtype, *out.shape));
        values[o] = std::move(t);
        outputs[o] = &values[o];
      }
    }
    Execution execution(scratch, inputs, std::move(outputs));
    NM_TRY(op.run(execution));
  }
  results = std::move(values);
  return true;
}

}  // namespace nm
