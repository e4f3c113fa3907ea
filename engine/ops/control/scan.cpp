#include "engine/op/check.h"
#include "engine/op/movement.h"
#include "engine/op/registry.h"
#include "engine/ops/control/stack.h"
#include "engine/tensor/element.h"

namespace nm {
namespace {

// Slice `index` of `axis`, without that axis. Of the first axis it lies in one piece and is not copied.
Result<Tensor> slice(const Tensor& t, int axis, int64_t index) {
  Shape shape = t.shape();
  shape.erase(axis);
  Strides strides = row_major(t.shape());
  const int64_t offset = index * strides[axis];
  if (axis == 0 && !is_packed(t.dtype())) {
    auto* data = static_cast<uint8_t*>(const_cast<void*>(t.raw())) + dtype_offset(t.dtype(), offset);
    return Tensor::view(t.dtype(), shape, data, t.owner());
  }
  std::copy(strides.begin() + axis + 1, strides.end(), strides.begin() + axis);
  NM_ASSIGN(Tensor out, Tensor::create(t.dtype(), shape));
  copy_strided(t.dtype(), shape, {t.raw(), offset, strides}, {out.raw(), 0, row_major(shape)});
  return out;
}

// Inputs: the state, then what is scanned. In operator set 8 everything has a batch dimension in front, and the
// sequences' lengths come before all else.
class Scan final : public Movement {
 public:
  explicit Scan(Attributes& a)
      : graph_(a.graph("body")),
        batched_(a.version() < 9),
        scanned_(a.integer("num_scan_inputs", 0)),
        input_axes_(a.integers("scan_input_axes")),
        input_directions_(a.integers(batched_ ? "directions" : "scan_input_directions")),
        output_axes_(a.integers("scan_output_axes")),
        output_directions_(a.integers("scan_output_directions")),
        first_(batched_ ? 1 : 0),
        inputs_(a.input_count() - std::min(a.input_count(), first_)) {
    a.require("body");
    a.require("num_scan_inputs");
    if (graph_ == nullptr) return;
    const auto inputs = static_cast<int64_t>(inputs_);
    if (scanned_ < 1 || scanned_ > inputs || graph_->inputs.size() != inputs_ ||
        static_cast<int64_t>(graph_->outputs.size()) < inputs - scanned_) {
      a.fail(text("the scan's body takes ", graph_->inputs.size(), " values and yields ", graph_->outputs.size(),
                  ", which does not fit the scan's ", inputs, " inputs, ", scanned_, " of them scanned"));
      return;
    }
    states_ = static_cast<size_t>(inputs - scanned_);
    const auto fits = [](const std::vector<int64_t>& list, size_t n) { return list.empty() || list.size() == n; };
    const size_t scanned = static_cast<size_t>(scanned_);
    const size_t collected = graph_->outputs.size() - states_;
    if (!fits(input_axes_, scanned) || !fits(input_directions_, scanned) || !fits(output_axes_, collected) ||
        !fits(output_directions_, collected)) {
      a.fail("the scan's axes and directions must be as many as its scanned inputs and collected outputs");
    }
  }

  Status prepare(Preparation& p) override {
    NM_ASSIGN(body_, p.compile(graph_));
    return {};
  }

  Status infer(Inference& inference) const override {
    for (size_t i = first_; i < first_ + inputs_; ++i) {
      if (!inference.has(i)) return {Code::MissingInput, text("input ", i, " of the scan is missing")};
    }
    if (batched_) NM_TRY(check_type(inference, 0, "the sequences' lengths", {DType::Int64}));
    if (inference.output_count() > graph_->outputs.size()) {
      return {Code::InvalidModel, text("the scan's body yields too little for ", inference.output_count(), " outputs")};
    }
    for (size_t o = 0; o < inference.output_count(); ++o) inference.output(o, graph_->value(graph_->outputs[o]).type);
    return {};
  }

  Status run(Execution& execution) override {
    std::vector<Tensor> inputs;
    for (size_t i = 0; i < inputs_; ++i) {
      const Tensor* t = execution.input_value(first_ + i).tensor();
      if (t == nullptr) return {Code::TypeMismatch, text("input ", first_ + i, " of the scan must be a tensor")};
      inputs.push_back(*t);
    }
    const BoundBody bound(*body_, execution);
    Results results(graph_->outputs.size());
    if (batched_) return run_batches(execution, inputs);
    NM_TRY(iterate(execution, inputs, -1, results));
    for (size_t o = 0; o < results.size(); ++o) {
      if (!execution.wants(o)) continue;
      if (o < states_) {
        NM_TRY(hand_over(execution, o, results[o][0]));
      } else {
        NM_TRY(join(execution, o, results[o], value_at(output_axes_, o - states_),
                    value_at(output_directions_, o - states_) == 1));
      }
    }
    return {};
  }

 private:
  using Results = std::vector<std::vector<Value>>;  // for each output of the body: the last state, or all iterations

  static int64_t value_at(const std::vector<int64_t>& list, size_t i) { return list.empty() ? 0 : list[i]; }

  static Status hand_over(Execution& execution, size_t o, Value& value) {
    if (const Tensor* t = value.tensor()) {
      NM_ASSIGN(value, keep(*t));
    }
    return execution.set_output(o, std::move(value));
  }

  Status join(Execution& execution, size_t o, const std::vector<Value>& items, int64_t axis, bool reverse) const {
    const GraphValue& value = graph_->value(graph_->outputs[o]);
    return items.empty() ? empty_output(execution, o, value.type.dtype, value.shape)
                         : stack_output(execution, o, items, axis, reverse);
  }

  // Scans `length` steps, or, when that is negative, as many as there are.
  Status iterate(Execution& execution, const std::vector<Tensor>& inputs, int64_t length, Results& results) {
    std::vector<int> axes;
    int64_t steps = -1;
    for (size_t i = states_; i < inputs.size(); ++i) {
      NM_ASSIGN(const int axis, check_axis(value_at(input_axes_, i - states_), inputs[i].rank()));
      if (steps >= 0 && inputs[i].dim(axis) != steps) {
        return wrong_shape(text("scanned input ", i), inputs[i].shape(), text(steps, " steps along axis ", axis));
      }
      steps = inputs[i].dim(axis);
      axes.push_back(axis);
    }
    const int64_t count = length < 0 ? steps : length;
    if (count > steps)
      return {Code::InvalidData, text("a sequence's length is ", count, "; there are only ", steps, " steps")};
    std::vector<Value> state(inputs.begin(), inputs.begin() + static_cast<std::ptrdiff_t>(states_));
    for (int64_t step = 0; step < count; ++step) {
      NM_TRY(execution.control().next_round());
      std::vector<Value> fed = state;
      for (size_t i = states_; i < inputs.size(); ++i) {
        const bool backwards = value_at(input_directions_, i - states_) == 1;
        NM_ASSIGN(Tensor part, slice(inputs[i], axes[i - states_], backwards ? count - 1 - step : step));
        fed.emplace_back(std::move(part));
      }
      std::vector<Value> yielded;
      NM_TRY(body_->run(std::move(fed), yielded));
      for (size_t o = 0; o < yielded.size(); ++o) {
        if (o < states_) {
          state[o] = std::move(yielded[o]);
        } else {
          NM_TRY(collect(execution, results[o], std::move(yielded[o])));
        }
      }
    }
    for (size_t o = 0; o < states_; ++o) results[o] = {std::move(state[o])};
    return {};
  }

  // Operator set 8: every batch by itself; shorter sequences are filled up with zeros.
  Status run_batches(Execution& execution, const std::vector<Tensor>& inputs) {
    const int64_t batches = inputs[0].rank() > 0 ? inputs[0].dim(0) : 0;
    for (const Tensor& t : inputs) {
      if (t.rank() < 1 || t.dim(0) != batches)
        return wrong_shape("an input of the scan", t.shape(), text(batches, " batches"));
    }
    const Tensor* lengths = execution.has(0) ? execution.input_value(0).tensor() : nullptr;
    if (lengths != nullptr && (lengths->dtype() != DType::Int64 || lengths->count() != batches)) {
      return wrong_shape("the sequences' lengths", lengths->shape(), text("[", batches, "]"));
    }
    Results all(graph_->outputs.size());
    for (int64_t b = 0; b < batches; ++b) {
      std::vector<Tensor> parts;
      for (const Tensor& t : inputs) {
        NM_ASSIGN(Tensor part, slice(t, 0, b));
        parts.push_back(std::move(part));
      }
      Results results(graph_->outputs.size());
      const int64_t length = lengths != nullptr ? lengths->data<int64_t>()[b] : -1;
      if (lengths != nullptr && length < 0) return {Code::InvalidData, text("a sequence's length is ", length)};
      NM_TRY(iterate(execution, parts, length, results));
      const int64_t steps = parts[states_].rank() > 0 ? parts[states_].dim(0) : 0;
      for (size_t o = 0; o < results.size(); ++o) {
        if (!execution.wants(o)) continue;
        if (o < states_) {
          all[o].push_back(std::move(results[o][0]));
        } else {
          NM_ASSIGN(Tensor sequence, padded(results[o], steps, o));
          all[o].emplace_back(std::move(sequence));
        }
      }
    }
    for (size_t o = 0; o < all.size(); ++o) {
      if (execution.wants(o)) NM_TRY(join(execution, o, all[o], 0, false));
    }
    return {};
  }

  Result<Tensor> padded(const std::vector<Value>& items, int64_t steps, size_t o) const {
    const GraphValue& value = graph_->value(graph_->outputs[o]);
    const Tensor* first = items.empty() ? nullptr : items[0].tensor();
    Shape item = first != nullptr ? first->shape() : value.shape ? *value.shape : Shape{};
    if (!item.known() || item.rank() == kMaxRank) return wrong_shape("a collected output", item, "a known shape");
    const int64_t size = item.count();
    item.insert(0, steps);
    NM_ASSIGN(Tensor out, Tensor::create(first != nullptr ? first->dtype() : value.type.dtype, item));
    if (out.dtype() != DType::String) std::fill_n(static_cast<uint8_t*>(out.raw()), out.bytes(), uint8_t{0});
    for (size_t i = 0; i < items.size(); ++i) {
      const Tensor* t = items[i].tensor();
      if (t == nullptr || t->dtype() != out.dtype() || t->count() != size) {
        return Status(Code::ShapeMismatch, text("iteration ", i, " yields another shape than the first one"));
      }
      copy_run(t->dtype(), t->raw(), 0, out.raw(), static_cast<int64_t>(i) * size, size);
    }
    return out;
  }

  std::shared_ptr<Graph> graph_;
  bool batched_;
  int64_t scanned_;
  std::vector<int64_t> input_axes_;
  std::vector<int64_t> input_directions_;
  std::vector<int64_t> output_axes_;
  std::vector<int64_t> output_directions_;
  size_t first_;   // of the inputs that the body sees
  size_t inputs_;  // how many
  size_t states_ = 0;
  std::unique_ptr<Body> body_;
};

}  // namespace

constexpr AttributeRange kScanAttributes[] = {
    {"scan_input_axes", 9}, {"scan_output_axes", 9}, {"scan_output_directions", 9}};

constexpr OperatorEntry kEntries[] = {
    entry<Scan>("Scan", 8, {.inputs = kAny, .outputs = kAny, .layout = layout::opaque, .attributes = kScanAttributes}),
};

NM_OPERATORS(scan, kEntries)

}  // namespace nm
