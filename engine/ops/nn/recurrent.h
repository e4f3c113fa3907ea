// What RNN, GRU and LSTM share: inputs X, W, R, B, sequence_lens, initial_h; directions, layouts, activations; the
// input-side product of the whole sequence, made at once; the walk over time steps.
#pragma once
#include <string>
#include <vector>

#include "engine/base/memory.h"
#include "engine/kernels/kernels.h"
#include "engine/op/operator.h"

namespace nm {

// One of the activation functions ONNX lists for recurrent operators. Tanh is ScaledTanh, a·tanh(b·x), with factors
// of 1.
struct CellActivation {
  Unary function = Unary::Tanh;
  float a = 1;
  float b = 1;

  float operator()(float x) const;
  bool operator==(const CellActivation&) const = default;
};
inline constexpr CellActivation kSigmoidCell{Unary::Sigmoid, 0, 0};
inline constexpr CellActivation kTanhCell{Unary::Tanh, 1, 1};

class Recurrent : public Operator {
 public:
  // Gates per unit: 1, 3, 4; activations per direction with their defaults; whether there is a cell state (Y_c).
  Recurrent(Attributes& a, int gates, const std::vector<CellActivation>& defaults, bool has_cell);

  Status infer(Inference& inference) const override;
  Status prepare(Preparation& preparation) override;
  Status run(Execution& execution) override;
  double flops(const Inference& inference) const override;

 protected:
  // Rows of the batch that go through time together: states are [rows, hidden], dense; the pre-activations of the
  // input side lie `stride` floats apart.
  struct Rows {
    int64_t count = 0;
    const float* x_gates = nullptr;
    int64_t stride = 0;
    float* h = nullptr;
    float* c = nullptr;
    float* gates = nullptr;  // scratch for [rows, gates·hidden], twice
  };
  // What a direction's steps need besides the rows.
  struct Direction {
    int index = 0;
    const float* packed_w = nullptr;
    const float* packed_r = nullptr;  // as `packs_of_r` arranged it
    void* own = nullptr;              // of a class that multiplies in its own way
    const float* bias = nullptr;      // Wb, then Rb; null = zero
    const float* peepholes = nullptr;
    const CellActivation* activations = nullptr;
  };

  // Refuses a shape that differs from the dimensions that are known (not negative).
  static Status check_dims(const Inference& inference, size_t i, std::string_view what,
                           std::initializer_list<int64_t> dims);
  // Checks what is known of W and R, for rows of `input` elements.
  virtual Status infer_weights(const Inference& inference, int64_t input) const;
  // Sets the weights of a direction for the products below.
  virtual Status set_weights(Execution& execution, Direction& direction) const;
  // gates = x·W^T + bias for `rows` rows of the input.
  virtual void input_side(Execution& execution, const Direction& direction, int64_t rows, const float* bias,
                          float* gates) const;
  // One time step: updates h (and c) of the rows from their pre-activations.
  virtual void step(const Direction& direction, const Rows& rows) const = 0;
  // Which rows of R (gate indices) are packed as one matrix each: {0, gates} for one product with all of R.
  virtual std::vector<std::pair<int, int>> packs_of_r() const { return {{0, gates_}}; }
  // The bias that the input side takes for gate `g`, unit `j`: usually both biases, so that a step adds none.
  virtual float input_bias(const float* bias, int64_t g, int64_t j) const {
    return bias[g * hidden_ + j] + bias[(gates_ + g) * hidden_ + j];
  }

  float clipped(float x) const { return clip_ > 0 ? std::min(std::max(x, -clip_), clip_) : x; }
  bool default_activations(const Direction& d) const;
  // gates = x_gates + h·R^T for the pack at `packed`, `columns` wide.
  void add_recurrent(const Rows& rows, const float* h, const float* packed, int64_t columns, const float* x_gates,
                     float* out, int64_t ldo) const;
  int64_t packed_r_size(int64_t gate_count) const { return kernels().gemm.packed_size(hidden_, gate_count * hidden_); }

  int gates_;
  int64_t hidden_;
  float clip_;
  int directions_ = 1;
  bool batch_first_ = false;

 private:
  struct Packed {
    Buffer w;
    Buffer r;
  };
  int64_t r_floats() const;
  void pack(const float* w, const float* r, int64_t input, float* packed_w, float* packed_r) const;
  // One direction's memory.
  struct Work {
    Direction direction;
    float* bias = nullptr;     // of the input side
    float* x_gates = nullptr;  // the input side of all steps: [seq·batch, gates·hidden]
    float* h = nullptr;
    float* cell = nullptr;
    float* gates = nullptr;
  };
  bool steps_are_long(int64_t batch) const;
  Result<Work> allocate(Execution& execution, int index) const;
  void run_direction(Execution& execution, int index, const Work& work) const;

  bool reverse_ = false;
  bool has_cell_;
  std::vector<CellActivation> activations_;  // of all directions
  size_t per_direction_;
  std::vector<Packed> packed_;
};

}  // namespace nm
