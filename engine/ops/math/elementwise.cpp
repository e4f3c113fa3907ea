#include "engine/ops/math/elementwise.h"

#include <algorithm>
#include <array>

#include "engine/base/thread_pool.h"
#include "engine/kernels/kernels.h"
#include "engine/op/check.h"
#include "engine/op/registry.h"
#include "engine/ops/math/binary.h"
#include "engine/tensor/broadcast.h"

namespace nm {
namespace {

// Elements that go through all steps before the next ones do. With fewer the calls show (256 take a third longer), with
// more they leave the first cache (4096 take a third longer); 2048 are no better.
constexpr int64_t kPiece = 1024;
// Runs of a stretched input from this length on end a piece, so that nothing is written out: a quarter faster where
// inputs are columns. Shorter pieces would cost as much as they save.
constexpr int64_t kLongRun = 512;

constexpr size_t kMaxInputs = kMaxElementwiseSteps + 1;
constexpr int64_t kFirstBinary = 256;  // in `nm_steps`, above all functions of one operand

// Packed files are numbers that anybody may have written.
bool is_kernel(int64_t number) {
  if (number < kFirstBinary) return number >= 0 && number <= static_cast<int64_t>(Unary::Atanh);
  return number - kFirstBinary <= static_cast<int64_t>(Binary::SquaredDifference);
}

bool is_binary(const Pointwise& p) { return std::holds_alternative<Binary>(p.f); }

// Elements in a row, or one that stands for all.
struct Operand {
  const float* data = nullptr;
  int64_t step = 0;
};

class Elementwise final : public Operator {
 public:
  explicit Elementwise(Attributes& a) : inputs_(a.input_count()) {
    a.require("nm_steps");
    const std::vector<int64_t> numbers = a.integers("nm_steps");
    const std::vector<float> params = a.numbers("nm_params");
    const size_t steps = numbers.size() / 3;
    if (steps == 0 || steps > kMaxElementwiseSteps || inputs_ == 0 || inputs_ > kMaxInputs ||
        numbers.size() != 3 * steps || params.size() != 2 * steps) {
      a.fail("the attribute 'nm_steps' does not fit the node");
      return;
    }
    for (size_t i = 0; i < steps; ++i) {
      const int64_t* n = &numbers[3 * i];
      const int64_t operands = static_cast<int64_t>(inputs_ + i);  // inputs, and results so far
      if (n[1] < 0 || n[1] >= operands || n[2] < 0 || n[2] >= operands || !is_kernel(n[0])) {
        steps_.clear();
        a.fail("the attribute 'nm_steps' names an operand or a function that is not there");
        return;
      }
      Pointwise kernel{static_cast<Unary>(n[0]), params[2 * i], params[2 * i + 1]};
      if (n[0] < kFirstBinary) a.function(static_cast<Unary>(n[0]), n[0]);
      if (n[0] >= kFirstBinary) kernel.f = static_cast<Binary>(n[0] - kFirstBinary);
      steps_.push_back({kernel, static_cast<size_t>(n[1]), static_cast<size_t>(n[2])});
    }
    assign_registers();
  }

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, inputs_));
    inference.output(0, DType::Float32);
    Shape shape;
    for (size_t i = 0; i < inputs_; ++i) {
      NM_TRY(check_type(inference, i, text("input ", i), {DType::Float32}));
      if (!inference.has_shape(i)) return {};
      NM_ASSIGN(shape, broadcast_or_fail(shape, inference.shape(i)));
    }
    inference.output(0, DType::Float32, shape);
    return {};
  }

  // Functions of elements do not mind where on the way their operands are stretched: here it is at the start.
  Status run(Execution& execution) override {
    Tensor& out = execution.output(0);
    walks_.clear();
    int64_t run = out.count();  // no piece goes over its end
    for (size_t i = 0; i < inputs_; ++i) {
      if (!stretched(execution, i)) continue;
      walks_.push_back(Broadcast(out.shape(), {&execution.input(i).shape()}));
      if (walks_.back().run() >= kLongRun) run = std::min(run, walks_.back().run());
    }
    const auto pieces = static_cast<int64_t>(registers_ + walks_.size());
    NM_ASSIGN(float* const scratch, execution.scratch<float>(Size(thread_pool::size()) * pieces * kPiece));
    float* const to = out.data<float>();
    const int64_t chunk = std::max(kPiece, thread_pool::chunk(out.count(), static_cast<int64_t>(steps_.size())));
    thread_pool::parallel_for(out.count(), chunk, [&](int64_t begin, int64_t end, int thread) {
      float* const own = scratch + thread * pieces * kPiece;
      for (int64_t at = begin, n = 0; at < end; at += n) {
        n = std::min({kPiece, end - at, run - at % run});
        run_piece(execution, at, n, own, to + at);
      }
    });
    return {};
  }

  bool in_place(size_t) const override { return true; }
  double flops(const Inference& inference) const override {
    Shape shape;
    for (size_t i = 0; i < inputs_; ++i) shape = broadcast_shape(shape, inference.shape(i)).value_or(shape);
    return static_cast<double>(steps_.size()) * static_cast<double>(shape.count());
  }
  std::string kernel(const Inference&) const override { return text(steps_.size(), " operations"); }

 private:
  // A result's register is free again after the last step that reads it, for that step's own result already.
  void assign_registers() {
    std::vector<size_t> last_use(inputs_ + steps_.size());
    for (size_t s = 0; s < steps_.size(); ++s) {
      last_use[steps_[s].x] = s;
      if (is_binary(steps_[s].kernel)) last_use[steps_[s].y] = s;
    }
    std::vector<size_t> free;
    for (size_t s = 0; s + 1 < steps_.size(); ++s) {
      for (size_t r = 0; r < s; ++r) {
        if (last_use[inputs_ + r] == s) free.push_back(register_[r]);
      }
      if (free.empty()) free.push_back(registers_++);
      register_.push_back(free.back());
      free.pop_back();
    }
  }

  static bool is_whole(const Execution& execution, size_t i) {
    return execution.input(i).count() == execution.output(0).count();
  }
  static bool stretched(const Execution& execution, size_t i) {
    return !is_whole(execution, i) && execution.input(i).count() != 1;
  }

  // Elements [at, at + n) of the result, at `to`. `own`: the registers, and room for the stretched inputs.
  void run_piece(const Execution& execution, int64_t at, int64_t n, float* own, float* to) const {
    std::array<Operand, kMaxInputs + kMaxElementwiseSteps> operands;
    float* room = own + static_cast<int64_t>(registers_) * kPiece;
    auto walk = walks_.begin();
    for (size_t i = 0; i < inputs_; ++i) {
      const float* data = execution.data<float>(i);
      if (stretched(execution, i)) {
        operands[i] = stretch(*walk++, data, at, n, room);
        room += kPiece;
      } else if (is_whole(execution, i)) {
        operands[i] = {data + at, 1};
      } else {
        operands[i] = {data, 0};
      }
    }
    const ElementwiseKernels& k = kernels().elementwise;
    for (size_t s = 0; s < steps_.size(); ++s) {
      const ElementwiseStep& step = steps_[s];
      const Operand x = operands[step.x];
      float* const result = s + 1 == steps_.size() ? to : own + static_cast<int64_t>(register_[s]) * kPiece;
      int64_t moves = x.step;
      if (const Binary* f = std::get_if<Binary>(&step.kernel.f)) {
        const Operand y = operands[step.y];
        moves |= y.step;
        apply_run(*f, x.data, x.step, y.data, y.step, result, moves ? n : 1);
      } else {
        k.unary(std::get<Unary>(step.kernel.f), x.data, result, moves ? n : 1, step.kernel.a, step.kernel.b);
      }
      operands[inputs_ + s] = {result, moves};
    }
    if (operands[inputs_ + steps_.size() - 1].step == 0) std::fill_n(to + 1, n - 1, *to);
  }

  // As they are where one run covers them, written out in `room` otherwise.
  static Operand stretch(const Broadcast& walk, const float* data, int64_t at, int64_t n, float* room) {
    Operand operand{room, 1};
    walk.walk(at, at + n, [&](const Broadcast::Run& r) {
      const float* from = data + r.in[0];
      if (r.count == n) {
        operand = {from, walk.step(0)};
      } else if (walk.step(0) == 0) {
        std::fill_n(room + (r.out - at), r.count, *from);
      } else {
        std::copy_n(from, r.count, room + (r.out - at));
      }
    });
    return operand;
  }

  size_t inputs_;
  std::vector<ElementwiseStep> steps_;
  std::vector<size_t> register_;  // of each result but the last
  size_t registers_ = 0;
  std::vector<Broadcast> walks_;  // over the stretched inputs of this run, in order
};

}  // namespace

void write_steps(const std::vector<ElementwiseStep>& steps, AttributeMap& attributes) {
  std::vector<int64_t> numbers;
  std::vector<float> params;
  for (const ElementwiseStep& s : steps) {
    const Binary* f = std::get_if<Binary>(&s.kernel.f);
    numbers.push_back(f != nullptr ? kFirstBinary + static_cast<int64_t>(*f)
                                   : static_cast<int64_t>(std::get<Unary>(s.kernel.f)));
    numbers.push_back(static_cast<int64_t>(s.x));
    numbers.push_back(static_cast<int64_t>(s.y));
    params.push_back(s.kernel.a);
    params.push_back(s.kernel.b);
  }
  attributes["nm_steps"] = std::move(numbers);
  attributes["nm_params"] = std::move(params);
}

constexpr OperatorEntry kEntries[] = {
    entry_in<Elementwise>(kInternalDomain, "Elementwise", 1,
                          {.inputs = kAny, .outputs = kAny, .layout = layout::elementwise}),
};

NM_OPERATORS(elementwise, kEntries)

}  // namespace nm
