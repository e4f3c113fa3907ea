#include "engine/ops/recurrent.h"

namespace nm {
namespace {

class Rnn final : public Recurrent {
 public:
  explicit Rnn(Attributes& a) : Recurrent(a, 1, {CellActivation::Kind::Tanh}, false) {}

 protected:
  void step(const Direction& d, const Rows& rows) const override {
    add_recurrent(rows, rows.h, d.packed_r, hidden_, rows.x_gates, rows.gates, hidden_);
    const CellActivation& f = d.activations[0];
    for (int64_t i = 0; i < rows.count * hidden_; ++i) rows.h[i] = f(clipped(rows.gates[i]));
  }
};

}  // namespace

NM_OPERATORS(rnn) { r.add<Rnn>("RNN", 1); }

}  // namespace nm
