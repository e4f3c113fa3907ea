#include "engine/ops/nn/recurrent.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "engine/op/check.h"
#include "engine/ops/math/scalar_function.h"

namespace nm {
namespace {

// Multiply-adds of a step from which on more than two threads share it: about 50 microseconds of one.
constexpr int64_t long_step = 1 << 20;

struct ActivationRow {
  std::string_view name;
  Unary function;
  int parameters;  // that a node may give
};
constexpr ActivationRow kActivations[] = {
    {"sigmoid", Unary::Sigmoid, 0},
    {"tanh", Unary::Tanh, 0},
    {"relu", Unary::Relu, 0},
    {"affine", Unary::Affine, 2},
    {"leakyrelu", Unary::LeakyRelu, 1},
    {"thresholdedrelu", Unary::ThresholdedRelu, 1},
    {"scaledtanh", Unary::Tanh, 2},
    {"hardsigmoid", Unary::HardSigmoid, 2},
    {"elu", Unary::Elu, 1},
    {"softsign", Unary::Softsign, 0},
    {"softplus", Unary::Softplus, 0},
};

// activation_alpha and activation_beta hold values only for the functions that take them, in order.
std::vector<CellActivation> read_activations(Attributes& a, std::vector<std::string> names) {
  const std::vector<float> alphas = a.numbers("activation_alpha");
  const std::vector<float> betas = a.numbers("activation_beta");
  std::vector<CellActivation> list;
  size_t alpha = 0;
  size_t beta = 0;
  for (std::string& name : names) {
    std::transform(name.begin(), name.end(), name.begin(), [](char ch) { return static_cast<char>(std::tolower(ch)); });
    const auto row = std::find_if(std::begin(kActivations), std::end(kActivations),
                                  [&](const ActivationRow& r) { return r.name == name; });
    if (row == std::end(kActivations)) {
      a.unsupported(text("the activation '", name, "' is not one of ONNX's"));
      return list;
    }
    CellActivation f = kTanhCell;
    if (row->function != Unary::Tanh) {
      const UnaryParameters usual = usual_parameters(row->function);
      f = {row->function, usual.a, usual.b};
    }
    if (row->parameters > 0 && alpha < alphas.size()) f.a = alphas[alpha++];
    if (row->parameters > 1 && beta < betas.size()) f.b = betas[beta++];
    list.push_back(f);
  }
  return list;
}

}  // namespace

Status Recurrent::check_dims(const Inference& inference, size_t i, std::string_view what,
                             std::initializer_list<int64_t> dims) {
  if (!inference.has_shape(i)) return {};
  const Shape expected(dims);
  const Shape& shape = inference.shape(i);
  bool fits = shape.rank() == expected.rank();
  for (int d = 0; fits && d < shape.rank(); ++d) {
    fits = shape[d] < 0 || expected[d] < 0 || shape[d] == expected[d];
  }
  return fits ? Status() : wrong_shape(what, shape, to_string(expected));
}

float CellActivation::operator()(float x) const {
  return function == Unary::Tanh ? a * std::tanh(b * x) : apply_unary(function, x, a, b);
}

Recurrent::Recurrent(Attributes& a, int gates, const std::vector<CellActivation>& defaults, bool has_cell)
    : gates_(gates),
      hidden_(a.integer("hidden_size", 0)),
      clip_(a.number("clip", 0)),
      batch_first_(a.integer("layout", 0) != 0),
      has_cell_(has_cell),
      per_direction_(defaults.size()) {
  a.ignore({"activation_alpha", "activation_beta"});   // read for the functions that take them, which may be none
  if (a.version() < 7) a.ignore({"output_sequence"});  // outputs are there or not
  const std::string direction = a.string("direction", "forward");
  if (direction == "bidirectional") {
    directions_ = 2;
  } else if (direction == "reverse") {
    reverse_ = true;
  } else if (direction != "forward") {
    a.fail(text("the direction '", direction, "' is none of forward, reverse, bidirectional"));
  }
  const std::vector<std::string> names = a.strings("activations");
  if (names.empty()) {
    for (int d = 0; d < directions_; ++d) {
      activations_.insert(activations_.end(), defaults.begin(), defaults.end());
    }
  } else {
    activations_ = read_activations(a, names);
    if (activations_.size() != per_direction_ * static_cast<size_t>(directions_)) {
      a.fail(text("there are ", activations_.size(), " activations where ",
                  per_direction_ * static_cast<size_t>(directions_), " are needed"));
    }
  }
  a.require("hidden_size");
  if (hidden_ <= 0 || hidden_ > (1 << 20)) a.fail("hidden_size is out of range");
}

Status Recurrent::infer(Inference& inference) const {
  NM_TRY(check_tensors(inference, 3));
  for (const size_t i : {size_t{0}, size_t{3}, size_t{5}, size_t{6}, size_t{7}}) {
    NM_TRY(check_type(inference, i, i == 0 ? "the input" : "a bias, state or peephole", {DType::Float32}));
  }
  NM_TRY(check_type(inference, 4, "sequence_lens", {DType::Int32}));
  int64_t seq = kUnknownDim;
  int64_t batch = kUnknownDim;
  int64_t input = kUnknownDim;
  if (inference.has_shape(0)) {
    const Shape& x = inference.shape(0);
    if (x.rank() != 3) return wrong_shape("the input", x, "three dimensions: sequence, batch, input");
    seq = x[batch_first_ ? 1 : 0];
    batch = x[batch_first_ ? 0 : 1];
    input = x[2];
  }
  const int64_t d = directions_;
  const int64_t h = hidden_;
  NM_TRY(infer_weights(inference, input));
  NM_TRY(check_dims(inference, 3, "the bias", {d, 2 * gates_ * h}));
  NM_TRY(check_dims(inference, 4, "sequence_lens", {batch}));
  const Shape state = batch_first_ ? Shape{batch, d, h} : Shape{d, batch, h};
  for (const size_t i : {size_t{5}, size_t{6}}) {
    if (i == 6 && !has_cell_) break;
    NM_TRY(check_dims(inference, i, "an initial state", {state[0], state[1], state[2]}));
  }
  if (has_cell_) NM_TRY(check_dims(inference, 7, "the peephole weights", {d, 3 * h}));
  inference.output(0, DType::Float32, batch_first_ ? Shape{batch, seq, d, h} : Shape{seq, d, batch, h});
  inference.output(1, DType::Float32, state);
  if (has_cell_) inference.output(2, DType::Float32, state);
  return {};
}

Status Recurrent::infer_weights(const Inference& inference, int64_t input) const {
  for (const size_t i : {1, 2}) NM_TRY(check_type(inference, i, "a weight", {DType::Float32}));
  NM_TRY(check_dims(inference, 1, "the input weights", {directions_, gates_ * hidden_, input}));
  return check_dims(inference, 2, "the recurrence weights", {directions_, gates_ * hidden_, hidden_});
}

double Recurrent::flops(const Inference& inference) const {
  const Shape& x = inference.shape(0);
  const double steps = static_cast<double>(x[0]) * static_cast<double>(x[1]);
  return 2.0 * steps * directions_ * gates_ * static_cast<double>(hidden_) * static_cast<double>(x[2] + hidden_);
}

int64_t Recurrent::r_floats() const {
  int64_t floats = 0;
  for (const auto& [first, count] : packs_of_r()) floats += packed_r_size(count);
  return floats;
}

void Recurrent::pack(const float* w, const float* r, int64_t input, float* packed_w, float* packed_r) const {
  const GemmKernels& gemm = kernels().gemm;
  gemm.pack_b(input, gates_ * hidden_, w, SourceType::F32, 1, input, 1, packed_w);
  for (const auto& [first, count] : packs_of_r()) {
    gemm.pack_b(hidden_, count * hidden_, r + first * hidden_ * hidden_, SourceType::F32, 1, hidden_, 1, packed_r);
    packed_r += packed_r_size(count);
  }
}

Status Recurrent::prepare(Preparation& preparation) {
  const Tensor* w = preparation.constant(1);
  const Tensor* r = preparation.constant(2);
  if (w == nullptr || r == nullptr || w->dtype() != DType::Float32 || r->dtype() != DType::Float32) return {};
  // Shapes were checked by infer, which has seen these constants.
  const int64_t input = w->dim(2);
  for (int d = 0; d < directions_; ++d) {
    const Size w_bytes = Size(kernels().gemm.packed_size(input, gates_ * hidden_)) * sizeof(float);
    const Size r_bytes = Size(r_floats()) * sizeof(float);
    Packed p{Buffer(w_bytes), Buffer(r_bytes)};
    if (!p.w.ok() || !p.r.ok()) return no_memory("packed weights", w_bytes + r_bytes);
    pack(w->data<float>() + d * gates_ * hidden_ * input, r->data<float>() + d * gates_ * hidden_ * hidden_, input,
         reinterpret_cast<float*>(p.w.data()), reinterpret_cast<float*>(p.r.data()));
    preparation.keeps(p.w.size() + p.r.size());
    packed_.push_back(std::move(p));
  }
  preparation.consume(1);
  preparation.consume(2);
  return {};
}

bool Recurrent::default_activations(const Direction& d) const {
  if (clip_ > 0) return false;
  for (size_t i = 0; i < per_direction_; ++i) {
    if (d.activations[i] != (i == 0 ? kSigmoidCell : kTanhCell)) return false;
  }
  return true;
}

void Recurrent::add_recurrent(const Rows& rows, const float* h, const float* packed, int64_t columns,
                              const float* x_gates, float* out, int64_t ldo) const {
  Gemm g;
  g.m = rows.count;
  g.n = columns;
  g.k = hidden_;
  g.a = h;
  g.lda = hidden_;
  g.packed_b = packed;
  g.c = out;
  g.ldc = ldo;
  g.epilogue.residual = x_gates;
  g.epilogue.ldr = rows.stride;
  kernels().gemm.run(g);
}

Status Recurrent::run(Execution& execution) {
  const Tensor& x = execution.input(0);
  const int64_t seq = x.dim(batch_first_ ? 1 : 0), batch = x.dim(batch_first_ ? 0 : 1);
  const int32_t* lengths = execution.has(4) ? execution.data<int32_t>(4) : nullptr;
  for (int64_t b = 0; lengths != nullptr && b < batch; ++b) {
    if (lengths[b] < 0 || lengths[b] > seq) {
      return {Code::InvalidData, text("sequence_lens has ", lengths[b], " where the sequence is ", seq, " long")};
    }
  }
  Work work[2];
  for (int d = 0; d < directions_; ++d) {
    NM_ASSIGN(work[d], allocate(execution, d));
  }
  // Steps are short, and many: threads are better off with a direction each than with a share of every step.
  thread_pool::parallel_for(directions_, thread_pool::size() > directions_ && steps_are_long(batch) ? directions_ : 1,
                            [&](int64_t begin, int64_t end, int) {
                              for (int64_t d = begin; d < end; ++d)
                                run_direction(execution, static_cast<int>(d), work[d]);
                            });
  return {};
}

bool Recurrent::steps_are_long(int64_t batch) const { return batch * gates_ * hidden_ * hidden_ > long_step; }

Result<Recurrent::Work> Recurrent::allocate(Execution& execution, int index) const {
  const Tensor& x = execution.input(0);
  const int64_t wide = gates_ * hidden_;
  const int64_t seq = x.dim(batch_first_ ? 1 : 0), batch = x.dim(batch_first_ ? 0 : 1);
  Work work;
  work.direction.index = index;
  NM_TRY(set_weights(execution, work.direction));
  NM_ASSIGN(work.bias, execution.scratch<float>(Size(wide)));
  NM_ASSIGN(work.x_gates, execution.scratch<float>(Size(seq) * batch * wide));
  NM_ASSIGN(work.h, execution.scratch<float>(Size(batch) * hidden_));
  NM_ASSIGN(work.cell, execution.scratch<float>(Size(batch) * hidden_));
  NM_ASSIGN(work.gates, execution.scratch<float>(Size(2) * batch * wide));
  return work;
}

Status Recurrent::set_weights(Execution& execution, Direction& d) const {
  if (!packed_.empty()) {
    d.packed_w = reinterpret_cast<const float*>(packed_[static_cast<size_t>(d.index)].w.data());
    d.packed_r = reinterpret_cast<const float*>(packed_[static_cast<size_t>(d.index)].r.data());
    return {};
  }
  const int64_t input = execution.input(0).dim(2), wide = gates_ * hidden_;
  NM_ASSIGN(float* w, execution.scratch<float>(Size(kernels().gemm.packed_size(input, wide))));
  NM_ASSIGN(float* r, execution.scratch<float>(Size(r_floats())));
  pack(execution.data<float>(1) + d.index * wide * input, execution.data<float>(2) + d.index * wide * hidden_, input, w,
       r);
  d.packed_w = w;
  d.packed_r = r;
  return {};
}

void Recurrent::input_side(Execution& execution, const Direction& d, int64_t rows, const float* bias,
                           float* gates) const {
  Gemm g;
  g.m = rows;
  g.n = gates_ * hidden_;
  g.k = execution.input(0).dim(2);
  g.a = execution.data<float>(0);
  g.lda = g.k;
  g.packed_b = d.packed_w;
  g.c = gates;
  g.ldc = g.n;
  g.epilogue.bias = bias;
  kernels().gemm.run(g);
}

void Recurrent::run_direction(Execution& execution, int index, const Work& work) const {
  const Tensor& x = execution.input(0);
  const int64_t seq = x.dim(batch_first_ ? 1 : 0);
  const int64_t batch = x.dim(batch_first_ ? 0 : 1);
  const int64_t wide = gates_ * hidden_;
  const bool backwards = reverse_ || index == 1;
  const int32_t* lengths = execution.has(4) ? execution.data<int32_t>(4) : nullptr;
  const float* bias = execution.has(3) ? execution.data<float>(3) + index * 2 * wide : nullptr;
  for (int64_t g = 0; g < gates_; ++g) {
    for (int64_t j = 0; j < hidden_; ++j) work.bias[g * hidden_ + j] = bias ? input_bias(bias, g, j) : 0;
  }
  input_side(execution, work.direction, seq * batch, work.bias, work.x_gates);

  float *h = work.h, *cell = work.cell;
  const auto state_at = [&](int64_t b) {
    return (batch_first_ ? b * directions_ + index : index * batch + b) * hidden_;
  };
  const size_t row_bytes = static_cast<size_t>(hidden_) * sizeof(float);
  for (int64_t b = 0; b < batch; ++b) {
    const auto initial = [&](size_t i, float* to) {
      if (execution.has(i)) {
        std::memcpy(to + b * hidden_, execution.data<float>(i) + state_at(b), row_bytes);
      } else {
        std::memset(to + b * hidden_, 0, row_bytes);
      }
    };
    initial(5, h);
    if (has_cell_) initial(6, cell);
  }

  Direction direction = work.direction;
  direction.bias = bias;
  direction.peepholes = has_cell_ && execution.has(7) ? execution.data<float>(7) + index * 3 * hidden_ : nullptr;
  direction.activations = &activations_[static_cast<size_t>(index) * per_direction_];
  float* y = execution.wants(0) ? execution.out<float>(0) : nullptr;
  const auto y_at = [&](int64_t t, int64_t b) {
    return y + (batch_first_ ? (b * seq + t) * directions_ + index : (t * directions_ + index) * batch + b) * hidden_;
  };
  const int64_t time_stride = batch_first_ ? wide : batch * wide;
  const int64_t batch_stride = batch_first_ ? seq * wide : wide;

  // Rows of equal length go together; otherwise one by one.
  const bool together =
      lengths == nullptr || std::all_of(lengths, lengths + batch, [&](int32_t n) { return n == lengths[0]; });
  const int64_t group = together ? batch : 1;
  for (int64_t b = 0; b < batch; b += group) {
    const int64_t length = lengths ? lengths[b] : seq;
    for (int64_t s = 0; s < length; ++s) {
      const int64_t t = backwards ? length - 1 - s : s;
      const Rows rows{group,
                      work.x_gates + t * time_stride + b * batch_stride,
                      batch_stride,
                      h + b * hidden_,
                      cell + b * hidden_,
                      work.gates};
      step(direction, rows);
      for (int64_t i = b; y != nullptr && i < b + group; ++i) std::memcpy(y_at(t, i), h + i * hidden_, row_bytes);
    }
    for (int64_t t = length; y != nullptr && t < seq; ++t) {
      for (int64_t i = b; i < b + group; ++i) std::memset(y_at(t, i), 0, row_bytes);
    }
  }
  for (int64_t b = 0; b < batch; ++b) {
    if (execution.wants(1)) std::memcpy(execution.out<float>(1) + state_at(b), h + b * hidden_, row_bytes);
    if (has_cell_ && execution.wants(2))
      std::memcpy(execution.out<float>(2) + state_at(b), cell + b * hidden_, row_bytes);
  }
}

}  // namespace nm
