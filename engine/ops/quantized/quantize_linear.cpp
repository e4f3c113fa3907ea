// QuantizeLinear and DynamicQuantizeLinear.
#include <cmath>

#include "engine/kernels/kernels.h"
#include "engine/op/registry.h"
#include "engine/ops/quantized/byte_product.h"
#include "engine/ops/quantized/quantization.h"
#include "engine/tensor/cast.h"
#include "engine/tensor/element.h"

namespace nm {
namespace {

constexpr int64_t kBlock = 256;

struct Limits {
  float low;
  float high;
};

Limits limits_of(DType t) {
  switch (t) {
    case DType::UInt8:
      return {0, 255};
    case DType::Int8:
      return {-128, 127};
    case DType::UInt16:
      return {0, 65535};
    case DType::Int16:
      return {-32768, 32767};
    case DType::UInt4:
      return {0, 15};
    case DType::Int4:
      return {-8, 7};
    case DType::UInt2:
      return {0, 3};
    default:  // Int2
      return {-2, 1};
  }
}

bool is_quantized_integer(DType t) {
  return t == DType::UInt8 || t == DType::Int8 || t == DType::UInt16 || t == DType::Int16 || t == DType::UInt4 ||
         t == DType::Int4 || t == DType::UInt2 || t == DType::Int2;
}

bool is_quantized(DType t) { return is_quantized_integer(t) || (is_small_float(t) && t != DType::Float8E8M0); }

// Rounds halves to even; adding and taking away 1.5·2^23 does it for magnitudes below 2^22, in any instruction set.
float round_even(float x) { return (x + 12582912.0f) - 12582912.0f; }

// y = round(x / scale) + zero point, within the limits; NaN becomes the lowest value.
void quantize_run(const float* x, int64_t n, const float* scale, int64_t step, const float* zero, int64_t zero_step,
                  Limits limits, float* y) {
  for (int64_t i = 0; i < n; ++i) {
    float v = x[i] / scale[i * step];
    v = v > -131072.0f ? v : -131072.0f;
    v = v < 131072.0f ? v : 131072.0f;
    v = round_even(v) + zero[i * zero_step];
    v = v > limits.low ? v : limits.low;
    y[i] = v < limits.high ? v : limits.high;
  }
}

void store(const float* from, int64_t n, Tensor& to, int64_t at) {
  switch (to.dtype()) {
    case DType::UInt8:
      for (int64_t i = 0; i < n; ++i) to.data<uint8_t>()[at + i] = static_cast<uint8_t>(static_cast<int32_t>(from[i]));
      return;
    case DType::Int8:
      for (int64_t i = 0; i < n; ++i) to.data<int8_t>()[at + i] = static_cast<int8_t>(static_cast<int32_t>(from[i]));
      return;
    case DType::UInt16:
      for (int64_t i = 0; i < n; ++i)
        to.data<uint16_t>()[at + i] = static_cast<uint16_t>(static_cast<int32_t>(from[i]));
      return;
    case DType::Int16:
      for (int64_t i = 0; i < n; ++i) to.data<int16_t>()[at + i] = static_cast<int16_t>(static_cast<int32_t>(from[i]));
      return;
    default: {
      const int bits = dtype_bits(to.dtype());
      for (int64_t i = 0; i < n; ++i) {
        packed_set(to.raw(), at + i, bits, static_cast<uint8_t>(static_cast<int32_t>(from[i])));
      }
    }
  }
}

// A view of `count` floats in scratch memory, converted from any number type.
Result<const float*> as_floats(const Execution& execution, const Tensor& t) {
  if (t.dtype() == DType::Float32) return t.data<float>();
  NM_ASSIGN(float* memory, execution.scratch<float>(Size(t.count())));
  Tensor view = Tensor::view(DType::Float32, t.shape(), memory);
  NM_TRY(cast(t, view));
  return static_cast<const float*>(memory);
}

class QuantizeLinear final : public Operator {
 public:
  explicit QuantizeLinear(Attributes& a)
      : axis_(a.integer("axis", 1)),
        block_(a.integer("block_size", 0)),
        saturate_(a.flag("saturate", true)),
        output_(a.integer("output_dtype", 0) == 0 ? DType::Undefined
                                                  : type_attribute(a, "output_dtype", DType::UInt8)) {
    if (a.version() >= 23) a.ignore({"precision"});  // always float32
  }

  Status infer(Inference& inference) const override {
    NM_TRY(QuantizationGrid::check(inference, axis_, block_));
    NM_TRY(check_type(inference, 0, "the input", {DType::Float32, DType::Float16, DType::BFloat16, DType::Int32}));
    NM_TRY(check_type(inference, 1, "the scale",
                      {DType::Float32, DType::Float16, DType::BFloat16, DType::Int32, DType::Float8E8M0}));
    DType to = inference.has(2) ? inference.type(2) : output_ == DType::Undefined ? DType::UInt8 : output_;
    if (inference.has(2) && to == DType::Undefined) to = output_;
    if (inference.has(2) && output_ != DType::Undefined && to != output_)
      return wrong_type("the zero point", to, dtype_name(output_));
    if (to != DType::Undefined && !is_quantized(to)) {
      return wrong_type("the zero point", to, "an integer of up to 16 bits, float8 or float4e2m1");
    }
    inference.output(0, to);
    if (inference.has_shape(0)) inference.output(0, to, inference.shape(0));
    return {};
  }

  Status run(Execution& execution) override {
    Tensor& out = execution.output(0);
    const Tensor& scales = execution.input(1);
    NM_ASSIGN(const float* x, as_floats(execution, execution.input(0)));
    NM_ASSIGN(const float* scale, as_floats(execution, scales));
    const float none = 0;
    const float* zero = &none;
    if (execution.has(2)) {
      NM_ASSIGN(zero, as_floats(execution, execution.input(2)));
    }
    const int64_t zero_step = execution.has(2) ? 1 : 0;  // without a zero point the same 0 serves all
    const QuantizationGrid grid(out.shape(), scales.shape(), axis_, block_);
    const DType to = out.dtype();
    const int bits = dtype_bits(to);
    if (bits < 8 && out.count() > 0) static_cast<uint8_t*>(out.raw())[out.bytes() - 1] = 0;
    const auto body = [&](int64_t first, int64_t count, int64_t parameter, int64_t step) {
      if (step == 0 && (to == DType::Int8 || to == DType::UInt8)) {
        return kernels().integer.quantize(x + first, static_cast<uint8_t*>(out.raw()) + first, count, scale[parameter],
                                          static_cast<int32_t>(zero[parameter * zero_step]), to == DType::Int8);
      }
      float block[kBlock];
      for (int64_t i = 0; i < count; i += kBlock) {
        const int64_t n = std::min(kBlock, count - i);
        const int64_t p = parameter + i * step;
        if (is_quantized_integer(to)) {
          quantize_run(x + first + i, n, scale + p, step, zero + p * zero_step, step * zero_step, limits_of(to), block);
          store(block, n, out, first + i);
          continue;
        }
        for (int64_t j = 0; j < n; ++j) {
          const float v = x[first + i + j] / scale[p + j * step] + zero[(p + j * step) * zero_step];
          packed_set(out.raw(), first + i + j, bits, small_from_float(to, v, saturate_, Rounding::Nearest));
        }
      }
    };
    grid.walk(bits >= 8, body);
    return {};
  }

 private:
  int64_t axis_;
  int64_t block_;
  bool saturate_;
  DType output_;
};

class DynamicQuantizeLinear final : public Operator {
 public:
  explicit DynamicQuantizeLinear(Attributes&) {}

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 1));
    NM_TRY(check_type(inference, 0, "the input", {DType::Float32}));
    inference.output(0, DType::UInt8);
    if (inference.has_shape(0)) inference.output(0, DType::UInt8, inference.shape(0));
    inference.output(1, DType::Float32, Shape{});
    inference.output(2, DType::UInt8, Shape{});
    return {};
  }

  Status run(Execution& execution) override {
    const Tensor& in = execution.input(0);
    const float* x = in.data<float>();
    const auto [scale, zero] = byte_scale(x, in.count());
    if (execution.wants(1)) *execution.out<float>(1) = scale;
    if (execution.wants(2)) *execution.out<uint8_t>(2) = zero;
    if (!execution.wants(0)) return {};
    for_elements(in.count(), [&, scale = scale, zero = zero](int64_t begin, int64_t end) {
      kernels().integer.quantize(x + begin, execution.out<uint8_t>(0) + begin, end - begin, scale, zero, false);
    });
    return {};
  }
};

}  // namespace

constexpr AttributeRange kQuantizeLinearAttributes[] = {
    {"axis", 13}, {"block_size", 21}, {"output_dtype", 21}, {"saturate", 19}};

constexpr OperatorEntry kEntries[] = {
    entry<QuantizeLinear>(
        "QuantizeLinear", 10,
        {.inputs = 3, .outputs = 1, .layout = quantization_layout, .attributes = kQuantizeLinearAttributes}),
    entry_in<QuantizeLinear>(kMicrosoftDomain, "QuantizeLinear", 1,
                             {.inputs = 3, .outputs = 1, .layout = layout::opaque}),
    entry<DynamicQuantizeLinear>("DynamicQuantizeLinear", 11, {.inputs = 1, .outputs = 3, .layout = layout::opaque}),
};

NM_OPERATORS(quantize_linear, kEntries)

}  // namespace nm
