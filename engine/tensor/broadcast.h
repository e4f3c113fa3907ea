// Broadcasting by NumPy's rules: the shape of the result, and a walk over it by runs in which every input either
// advances by one element or stands still.
#pragma once
#include <array>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>

#include "engine/base/function_ref.h"
#include "engine/base/status.h"
#include "engine/tensor/shape.h"

namespace nm {

// The shape that a and b have together, unknown dimensions allowed; nullopt when they do not go together.
std::optional<Shape> broadcast_shape(const Shape& a, const Shape& b);
// The same, with the failure as a sentence.
Result<Shape> broadcast_or_fail(const Shape& a, const Shape& b);

// Operator sets 1 to 6: b's first dimension stands at a's dimension `axis`. Returns b with ones appended so that the
// rules above apply; nullopt when it does not lie within a.
std::optional<Shape> align_at_axis(const Shape& a, const Shape& b, int64_t axis);

// Offsets are in elements. At most three inputs.
//
//   const Broadcast b(out_shape, {&x_shape, &y_shape});
//   b.walk(0, b.count(), [&](const Broadcast::Run& r) {
//     // out[r.out + i] = f(x[r.in[0] + i * b.step(0)], y[r.in[1] + i * b.step(1)]) for i < r.count
//   });
class Broadcast {
 public:
  static constexpr int kMaxInputs = 3;

  struct Run {
    int64_t out;
    std::array<int64_t, kMaxInputs> in;
    int64_t count;
  };

  // All dimensions known; every input broadcasts to `out`.
  Broadcast(const Shape& out, std::span<const Shape* const> inputs);
  Broadcast(const Shape& out, std::initializer_list<const Shape*> inputs)
      : Broadcast(out, std::span(inputs.begin(), inputs.size())) {}

  int64_t count() const { return count_; }  // elements of the result
  int64_t run() const { return inner_; }    // the length of a whole run; 1 for a scalar result
  int64_t step(int input) const { return inner_step_[static_cast<size_t>(input)]; }  // 0 or 1 within a run

  // Result elements [begin, end), in order. Ranges need not begin or end with a run, so any split over threads will do.
  void walk(int64_t begin, int64_t end, function_ref<void(const Run&)> body) const;

 private:
  using Steps = std::array<int64_t, kMaxInputs>;

  int64_t count_ = 0;
  int64_t inner_ = 1;
  Steps inner_step_{};
  int outer_rank_ = 0;  // dimensions outside the run, outermost first, neighbours merged where all inputs allow it
  std::array<int64_t, kMaxRank> outer_{};
  std::array<Steps, kMaxRank> outer_step_{};
};

}  // namespace nm
