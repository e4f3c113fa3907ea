#include "engine/op/registry.h"
#include "engine/ops/nn/recurrent.h"

namespace nm {
namespace {

class Rnn final : public Recurrent {
 public:
  explicit Rnn(Attributes& a) : Recurrent(a, 1, {kTanhCell}, false) {}

 protected:
  void step(const Direction& d, const Rows& rows) const override {
    add_recurrent(rows, rows.h, d.packed_r, hidden_, rows.x_gates, rows.gates, hidden_);
    const CellActivation& f = d.activations[0];
    for (int64_t i = 0; i < rows.count * hidden_; ++i) rows.h[i] = f(clipped(rows.gates[i]));
  }
};

}  // namespace

constexpr AttributeRange kRNNAttributes[] = {{"layout", 14}};

constexpr OperatorEntry kEntries[] = {
    entry<Rnn>(
        "RNN", 1,
        {.inputs = 6, .outputs = 2, .layout = layout::opaque, .single_precision = true, .attributes = kRNNAttributes}),
};

NM_OPERATORS(rnn, kEntries)

}  // namespace nm
