// com.microsoft's DynamicQuantizeLSTM: an LSTM with weights of 8 bits, whose input as a whole, and whose state at every
// step, become bytes of a scale of their own. Weights lie [directions, inputs, 4·hidden]; behind LSTM's inputs come the
// scale and zero point of W and of R, one for each direction or for each column of each.
#include <algorithm>

#include "engine/op/check.h"
#include "engine/op/registry.h"
#include "engine/ops/nn/lstm.h"
#include "engine/ops/quantized/byte_product.h"

namespace nm {
namespace {

struct Factor {
  size_t weights, scale, zero;
};
constexpr Factor kW{1, 8, 9}, kR{2, 10, 11};

// Sums must fit an int32: 2^31 / (255·255) terms.
constexpr int64_t kMaxInner = 33025;

class DynamicQuantizeLstm final : public Lstm {
 public:
  using Lstm::Lstm;

  Status prepare(Preparation& preparation) override {
    for (const auto& [factor, packed] : {std::pair(kW, &packed_w_), std::pair(kR, &packed_r_)}) {
      const Tensor *w = preparation.constant(factor.weights), *zeros = preparation.constant(factor.zero);
      // Shapes were checked by infer, which has seen these constants.
      if (w == nullptr || (zeros == nullptr && preparation.node().input(factor.zero) != kNone)) continue;
      NM_TRY(packed->pack(matrix_shape(1, w->dim(1), wide()), bytes_of(*w, zeros), directions_, w->dim(1) * wide(),
                          zeros != nullptr ? zeros->count() / directions_ : 0));
      preparation.keeps(packed->bytes());
      preparation.consume(factor.weights);
    }
    return {};
  }

 protected:
  Status infer_weights(const Inference& inference, int64_t input) const override {
    for (const auto& [factor, rows] : {std::pair(kW, input), std::pair(kR, hidden_)}) {
      if (!inference.has(factor.scale)) {
        return {Code::MissingInput, text("the scale (input ", factor.scale, ") is missing; the weights are bytes")};
      }
      NM_TRY(check_type(inference, factor.weights, "a weight", {DType::Int8, DType::UInt8}));
      NM_TRY(check_type(inference, factor.scale, "a scale", {DType::Float32}));
      NM_TRY(check_type(inference, factor.zero, "a zero point", {DType::Int8, DType::UInt8}));
      if (inference.has(factor.zero) && inference.type(factor.zero) != inference.type(factor.weights)) {
        return wrong_type(text("the zero point (input ", factor.zero, ")"), inference.type(factor.zero),
                          dtype_name(inference.type(factor.weights)));
      }
      NM_TRY(check_dims(inference, factor.weights, "a weight", {directions_, rows, wide()}));
      if (rows > kMaxInner) {
        return {Code::UnsupportedOperator, text("rows of ", rows, " weights are too long for sums of 32 bits")};
      }
      for (const size_t i : {factor.scale, factor.zero}) {
        if (!inference.has_shape(i) || inference.shape(i).rank() == 1) {
          NM_TRY(check_dims(inference, i, text("input ", i), {directions_}));
        } else {
          NM_TRY(check_dims(inference, i, text("input ", i), {directions_, wide()}));
        }
      }
    }
    return {};
  }

  Status set_weights(Execution& execution, Direction& d) const override {
    NM_ASSIGN(Sides * sides, execution.scratch<Sides>(Size(1)));
    const Shape& x = execution.input(0).shape();
    const int64_t rows = x[0] * x[1], batch = x[batch_first_ ? 0 : 1];
    NM_ASSIGN(sides->w, side(execution, kW, packed_w_, d.index, x[2], rows));
    NM_ASSIGN(sides->r, side(execution, kR, packed_r_, d.index, hidden_, batch));
    d.own = sides;
    return {};
  }

  void input_side(Execution& execution, const Direction& d, int64_t rows, const float* bias,
                  float* gates) const override {
    multiply(static_cast<const Sides*>(d.own)->w, execution.data<float>(0), rows, bias, gates);
  }

  void recurrent_side(const Direction& d, const Rows& rows) const override {
    multiply(static_cast<const Sides*>(d.own)->r, rows.h, rows.count, nullptr, rows.gates);
    for (int64_t r = 0; r < rows.count; ++r) {
      float* gates = rows.gates + r * wide();
      kernels().elementwise.binary(Binary::Add, gates, rows.x_gates + r * rows.stride, gates, wide());
    }
  }

 private:
  // One of the two products of a direction.
  struct Side {
    const uint8_t* packed;
    const float* scales;
    int64_t scale_step;  // 0: one for all columns
    int64_t inner;
    uint8_t* bytes;   // of the other factor
    float* products;  // of both scales
    uint8_t* scratch;
  };
  struct Sides {
    Side w, r;
  };

  int64_t wide() const { return 4 * hidden_; }

  static IntegerWeights bytes_of(const Tensor& w, const Tensor* zeros) {
    IntegerWeights weights;
    weights.w = {w.raw(), w.dtype() == DType::Int8};
    weights.out_stride = 1;
    weights.in_stride = w.dim(2);
    weights.zeros = raw_or_null(zeros);
    weights.zero_step = zeros != nullptr && zeros->rank() == 2 ? 1 : 0;
    return weights;
  }

  Result<Side> side(Execution& execution, const Factor& factor, const PackedBytes& packed, int direction, int64_t inner,
                    int64_t rows) const {
    const IntegerKernels& kernel = kernels().integer;
    const Tensor& scale = execution.input(factor.scale);
    Side s;
    s.scale_step = scale.rank() == 2 ? 1 : 0;
    s.scales = scale.data<float>() + direction * (s.scale_step == 1 ? wide() : 1);
    s.inner = inner;
    const ConvShape shape = matrix_shape(rows, inner, wide());
    if (packed.ok()) {
      s.packed = packed.matrix(direction);
    } else {
      const Tensor& w = execution.input(factor.weights);
      const Tensor* zeros = input_or_null(execution, factor.zero);
      IntegerWeights weights = bytes_of(w, zeros);
      weights.w.data = static_cast<const uint8_t*>(weights.w.data) + direction * inner * wide();
      if (zeros != nullptr) {
        weights.zeros = static_cast<const uint8_t*>(weights.zeros) + direction * (zeros->count() / directions_);
      }
      NM_ASSIGN(uint8_t * now, execution.scratch<uint8_t>(Size(kernel.packed_size(shape))));
      kernel.pack(shape, weights, now);
      s.packed = now;
    }
    NM_ASSIGN(s.bytes, execution.scratch<uint8_t>(Size(rows) * inner));
    NM_ASSIGN(s.products, execution.scratch<float>(Size(wide())));
    // Samples of other lengths go through time one by one.
    const int64_t most = std::max(kernel.scratch_size(shape), kernel.scratch_size(matrix_shape(1, inner, wide())));
    NM_ASSIGN(s.scratch, execution.scratch<uint8_t>(Size(most)));
    return s;
  }

  void multiply(const Side& s, const float* x, int64_t rows, const float* bias, float* y) const {
    if (rows == 0) return;
    const IntegerKernels& kernel = kernels().integer;
    const ByteScale to = byte_scale(x, rows * s.inner);
    kernel.quantize(x, s.bytes, rows * s.inner, to.scale, to.zero, false);
    for (int64_t j = 0; j < wide(); ++j) s.products[j] = to.scale * s.scales[j * s.scale_step];
    IntegerProduct p;
    p.shape = matrix_shape(rows, s.inner, wide());
    p.x.data = s.bytes;
    p.ldx = s.inner;
    p.x_zeros = &to.zero;
    p.packed = s.packed;
    p.y = y;
    p.ldy = wide();
    p.epilogue.to = IntegerEpilogue::To::Float32;
    p.epilogue.scales = s.products;
    p.epilogue.offsets = bias;
    kernel.run(p, s.scratch);
  }

  PackedBytes packed_w_, packed_r_;
};

}  // namespace

constexpr OperatorEntry kEntries[] = {
    entry_in<DynamicQuantizeLstm>(kMicrosoftDomain, "DynamicQuantizeLSTM", 1,
                                  {.inputs = 12, .outputs = 3, .layout = layout::opaque}),
};

NM_OPERATORS(dynamic_quantize_lstm, kEntries)

}  // namespace nm
