#include <array>

#include "engine/kernels/kernels.h"
#include "engine/op/registry.h"
#include "engine/ops/quantized/quantization.h"
#include "engine/tensor/cast.h"
#include "engine/tensor/element.h"

namespace nm {
namespace {

constexpr int64_t kBlock = 256;

// The numbers behind all codes of a type of at most 8 bits.
void fill_table(DType t, std::array<float, 256>& table) {
  const int bits = dtype_bits(t);
  const int sign = t == DType::Int8 || t == DType::Int4 || t == DType::Int2 ? 1 << (bits - 1) : 0;
  for (int code = 0; code < 1 << bits; ++code) {
    table[static_cast<size_t>(code)] =
        is_small_float(t) ? small_to_float(t, static_cast<uint8_t>(code)) : static_cast<float>((code ^ sign) - sign);
  }
}

// Numbers of the input's types, as floats.
class Reader {
 public:
  explicit Reader(const Tensor& t) : data_(t.raw()), dtype_(t.dtype()) {
    if (dtype_bits(dtype_) <= 8) fill_table(dtype_, table_);
  }

  void read(int64_t at, int64_t n, float* to) const {
    switch (dtype_) {
      case DType::UInt16:
        return convert<uint16_t>(at, n, to);
      case DType::Int16:
        return convert<int16_t>(at, n, to);
      case DType::Int32:
        return convert<int32_t>(at, n, to);
      default:
        break;
    }
    const int bits = dtype_bits(dtype_);
    if (bits == 8) {
      for (int64_t i = 0; i < n; ++i) to[i] = table_[static_cast<const uint8_t*>(data_)[at + i]];
    } else {
      for (int64_t i = 0; i < n; ++i) to[i] = table_[packed_get(data_, at + i, bits)];
    }
  }

  float one(int64_t at) const {
    float value = 0;
    read(at, 1, &value);
    return value;
  }

 private:
  template <class T>
  void convert(int64_t at, int64_t n, float* to) const {
    for (int64_t i = 0; i < n; ++i) to[i] = static_cast<float>(static_cast<const T*>(data_)[at + i]);
  }

  const void* data_;
  DType dtype_;
  std::array<float, 256> table_{};
};

bool can_dequantize(DType t) {
  return t == DType::Int32 || t == DType::Int16 || t == DType::UInt16 || t == DType::Int8 || t == DType::UInt8 ||
         is_packed(t) || is_small_float(t);
}

// y = (x - zero point) · scale
class DequantizeLinear final : public Operator {
 public:
  explicit DequantizeLinear(Attributes& a)
      : axis_(a.integer("axis", 1)),
        block_(a.integer("block_size", 0)),
        output_(a.integer("output_dtype", 0) == 0 ? DType::Undefined
                                                  : type_attribute(a, "output_dtype", DType::Float32)) {
    if (output_ != DType::Undefined && !is_float(output_)) a.fail("the attribute 'output_dtype' must be a float type");
  }

  Status infer(Inference& inference) const override {
    NM_TRY(QuantizationGrid::check(inference, axis_, block_));
    if (inference.type(0) != DType::Undefined && !can_dequantize(inference.type(0))) {
      return wrong_type("the input", inference.type(0), "an integer of up to 32 bits, float8 or float4e2m1");
    }
    if (inference.has(2) && inference.type(2) != DType::Undefined && inference.type(0) != DType::Undefined &&
        inference.type(2) != inference.type(0)) {
      return wrong_type("the zero point", inference.type(2), dtype_name(inference.type(0)));
    }
    NM_TRY(check_type(inference, 1, "the scale", {DType::Float32, DType::Float16, DType::BFloat16, DType::Float8E8M0}));
    DType to = output_ != DType::Undefined ? output_ : inference.type(1);
    if (to == DType::Float8E8M0) to = DType::Float32;
    inference.output(0, to);
    if (inference.has_shape(0)) inference.output(0, to, inference.shape(0));
    return {};
  }

  bool native_float16() const override { return true; }

  Status run(Execution& execution) override {
    const Tensor& in = execution.input(0);
    const Tensor& scales = execution.input(1);
    Tensor& out = execution.output(0);
    const float* scale = nullptr;
    if (scales.dtype() == DType::Float32) {
      scale = scales.data<float>();
    } else {
      NM_ASSIGN(float* memory, execution.scratch<float>(Size(scales.count())));
      Tensor view = Tensor::view(DType::Float32, scales.shape(), memory);
      NM_TRY(cast(scales, view));
      scale = memory;
    }
    const Reader x(in);
    const Tensor no_zero = Tensor::view(in.dtype(), Shape{0}, nullptr);
    const Reader zero(execution.has(2) ? execution.input(2) : no_zero);
    const bool has_zero = execution.has(2);
    const QuantizationGrid grid(out.shape(), scales.shape(), axis_, block_);
    grid.walk(true, [&](int64_t first, int64_t count, int64_t parameter, int64_t step) {
      if (out.dtype() == DType::Float32) {
        float* to = out.data<float>() + first;
        if (step == 0 && quick(in, first, count, scale[parameter], has_zero ? zero.one(parameter) : 0, to)) return;
        return dequantize(x, zero, has_zero, first, count, scale, parameter, step, to);
      }
      float block[kBlock];
      for (int64_t i = 0; i < count; i += kBlock) {
        const int64_t n = std::min(kBlock, count - i);
        dequantize(x, zero, has_zero, first + i, n, scale, parameter + i * step, step, block);
        const Tensor from = Tensor::view(DType::Float32, Shape{n}, block);
        Tensor to = Tensor::view(out.dtype(), Shape{n},
                                 static_cast<uint8_t*>(out.raw()) + dtype_offset(out.dtype(), first + i));
        (void)cast(from, to);  // between floats, which cannot fail
      }
    });
    return {};
  }

 private:
  static bool quick(const Tensor& in, int64_t first, int64_t n, float scale, float zero, float* to) {
    const ConvertKernels& k = kernels().convert;
    const auto z = static_cast<int32_t>(zero);
    if (in.dtype() == DType::UInt8) {
      k.dequantize_u8(in.data<uint8_t>() + first, to, n, scale, z);
    } else if (in.dtype() == DType::Int8) {
      k.dequantize_i8(in.data<int8_t>() + first, to, n, scale, z);
    } else {
      return false;
    }
    return true;
  }

  static void dequantize(const Reader& x, const Reader& zero, bool has_zero, int64_t first, int64_t n,
                         const float* scale, int64_t parameter, int64_t step, float* to) {
    x.read(first, n, to);
    if (step == 0) {
      const float z = has_zero ? zero.one(parameter) : 0;
      const float s = scale[parameter];
      for (int64_t i = 0; i < n; ++i) to[i] = (to[i] - z) * s;
      return;
    }
    float zeros[kBlock] = {};
    for (int64_t i = 0; i < n; i += kBlock) {
      const int64_t m = std::min(kBlock, n - i);
      if (has_zero) zero.read(parameter + i, m, zeros);
      for (int64_t j = 0; j < m; ++j) to[i + j] = (to[i + j] - zeros[j]) * scale[parameter + i + j];
    }
  }

  int64_t axis_;
  int64_t block_;
  DType output_;
};

}  // namespace

constexpr AttributeRange kDequantizeLinearAttributes[] = {{"axis", 13}, {"block_size", 21}, {"output_dtype", 23}};

constexpr OperatorEntry kEntries[] = {
    entry<DequantizeLinear>(
        "DequantizeLinear", 10,
        {.inputs = 3, .outputs = 1, .layout = quantization_layout, .attributes = kDequantizeLinearAttributes}),
    entry_in<DequantizeLinear>(kMicrosoftDomain, "DequantizeLinear", 1,
                               {.inputs = 3, .outputs = 1, .layout = layout::opaque}),
};

NM_OPERATORS(dequantize_linear, kEntries)

}  // namespace nm
