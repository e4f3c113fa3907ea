#include "engine/ops/nn/lstm.h"

#include "engine/op/registry.h"

namespace nm {

void Lstm::recurrent_side(const Direction& d, const Rows& rows) const {
  const int64_t wide = 4 * hidden_;
  add_recurrent(rows, rows.h, d.packed_r, wide, rows.x_gates, rows.gates, wide);
}

void Lstm::step(const Direction& d, const Rows& rows) const {
  recurrent_side(d, rows);
  const int64_t wide = 4 * hidden_;
  const bool fast = default_activations(d) && !input_forget_;
  for (int64_t r = 0; r < rows.count; ++r) {
    const float* gates = rows.gates + r * wide;
    float* cell = rows.c + r * hidden_;
    float* h = rows.h + r * hidden_;
    if (fast) {
      kernels().rows.lstm_cell(hidden_, gates, d.peepholes, cell, h);
    } else {
      any_cell(d, gates, cell, h);
    }
  }
}

void Lstm::any_cell(const Direction& d, const float* gates, float* cell, float* h) const {
  const CellActivation& f = d.activations[0];
  const float* p = d.peepholes;
  for (int64_t j = 0; j < hidden_; ++j) {
    const float before = cell[j];
    const auto gate = [&](int64_t which) { return gates[which * hidden_ + j]; };
    const auto peep = [&](int64_t which, float c) { return p ? p[which * hidden_ + j] * c : 0.0f; };
    const float i = f(clipped(gate(0) + peep(0, before)));
    const float forget = input_forget_ ? 1 - i : f(clipped(gate(2) + peep(2, before)));
    cell[j] = forget * before + i * d.activations[1](clipped(gate(3)));
    const float o = f(clipped(gate(1) + peep(1, cell[j])));
    h[j] = o * d.activations[2](cell[j]);
  }
}

constexpr AttributeRange kLSTMAttributes[] = {{"layout", 14}};

constexpr OperatorEntry kEntries[] = {
    entry<Lstm>(
        "LSTM", 1,
        {.inputs = 8, .outputs = 3, .layout = layout::opaque, .single_precision = true, .attributes = kLSTMAttributes}),
};

NM_OPERATORS(lstm, kEntries)

}  // namespace nm
