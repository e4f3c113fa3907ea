#include "engine/op/registry.h"
#include "engine/ops/nn/recurrent.h"

namespace nm {
namespace {

// Gates in ONNX's order: update, reset, hidden.
class Gru final : public Recurrent {
 public:
  explicit Gru(Attributes& a)
      : Recurrent(a, 3, {kSigmoidCell, kTanhCell}, false), reset_after_(a.integer("linear_before_reset", 0) != 0) {}

 protected:
  // The reset gate multiplies the hidden state before its product with R, or the product itself.
  std::vector<std::pair<int, int>> packs_of_r() const override {
    if (reset_after_) return {{0, 3}};
    return {{0, 2}, {2, 1}};
  }

  float input_bias(const float* bias, int64_t g, int64_t j) const override {
    const float w = bias[g * hidden_ + j];
    // The recurrent bias of the hidden gate lies inside the reset's product.
    return reset_after_ && g == 2 ? w : w + bias[(3 + g) * hidden_ + j];
  }

  void step(const Direction& d, const Rows& rows) const override { reset_after_ ? after(d, rows) : before(d, rows); }

 private:
  void after(const Direction& d, const Rows& rows) const {
    const int64_t wide = 3 * hidden_;
    add_recurrent(rows, rows.h, d.packed_r, wide, nullptr, rows.gates, wide);
    const bool fast = default_activations(d);
    for (int64_t r = 0; r < rows.count; ++r) {
      float* recurrent = rows.gates + r * wide;
      const float* input = rows.x_gates + r * rows.stride;
      float* h = rows.h + r * hidden_;
      for (int64_t j = 0; d.bias != nullptr && j < hidden_; ++j) recurrent[2 * hidden_ + j] += d.bias[5 * hidden_ + j];
      if (fast) {
        kernels().rows.gru_cell(hidden_, input, recurrent, h);
        continue;
      }
      for (int64_t j = 0; j < hidden_; ++j) {
        const auto sum = [&](int64_t g) { return input[g * hidden_ + j] + recurrent[g * hidden_ + j]; };
        const float z = d.activations[0](clipped(sum(0)));
        const float reset = d.activations[0](clipped(sum(1)));
        const float n = d.activations[1](clipped(input[2 * hidden_ + j] + reset * recurrent[2 * hidden_ + j]));
        h[j] = (1 - z) * n + z * h[j];
      }
    }
  }

  void before(const Direction& d, const Rows& rows) const {
    const int64_t wide = 3 * hidden_;
    float* gates = rows.gates;
    float* reset_h = rows.gates + rows.count * wide;  // r ∘ h, dense
    add_recurrent(rows, rows.h, d.packed_r, 2 * hidden_, rows.x_gates, gates, wide);
    for (int64_t r = 0; r < rows.count; ++r) {
      for (int64_t j = 0; j < hidden_; ++j) {
        float& reset = gates[r * wide + hidden_ + j];
        reset = d.activations[0](clipped(reset));
        reset_h[r * hidden_ + j] = reset * rows.h[r * hidden_ + j];
      }
    }
    add_recurrent(rows, reset_h, d.packed_r + packed_r_size(2), hidden_, rows.x_gates + 2 * hidden_,
                  gates + 2 * hidden_, wide);
    for (int64_t r = 0; r < rows.count; ++r) {
      const float* row = gates + r * wide;
      float* h = rows.h + r * hidden_;
      for (int64_t j = 0; j < hidden_; ++j) {
        const float z = d.activations[0](clipped(row[j]));
        const float n = d.activations[1](clipped(row[2 * hidden_ + j]));
        h[j] = (1 - z) * n + z * h[j];
      }
    }
  }

  bool reset_after_;
};

}  // namespace

constexpr AttributeRange kGRUAttributes[] = {{"layout", 14}, {"linear_before_reset", 3}};

constexpr OperatorEntry kEntries[] = {
    entry<Gru>(
        "GRU", 1,
        {.inputs = 6, .outputs = 2, .layout = layout::opaque, .single_precision = true, .attributes = kGRUAttributes}),
};

NM_OPERATORS(gru, kEntries)

}  // namespace nm
