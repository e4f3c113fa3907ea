#include "engine/tensor/broadcast.h"

#include <algorithm>

#include "engine/base/text.h"

namespace nm {
namespace {

std::optional<int64_t> broadcast_dim(int64_t a, int64_t b) {
  if (a == b) return a;
  if (a == 1) return b;
  if (b == 1) return a;
  if (a >= 0 && b >= 0) return std::nullopt;
  // An unknown dimension beside a known one other than 1 is that one, or 1.
  return a >= 0 ? a : b >= 0 ? b : kUnknownDim;
}

}  // namespace

std::optional<Shape> broadcast_shape(const Shape& a, const Shape& b) {
  const int rank = std::max(a.rank(), b.rank());
  Shape out = Shape::filled(rank, 1);
  for (int i = 0; i < rank; ++i) {
    const int64_t da = i < a.rank() ? a[a.rank() - 1 - i] : 1;
    const int64_t db = i < b.rank() ? b[b.rank() - 1 - i] : 1;
    const auto dim = broadcast_dim(da, db);
    if (!dim) return std::nullopt;
    out[rank - 1 - i] = *dim;
  }
  return out;
}

Result<Shape> broadcast_or_fail(const Shape& a, const Shape& b) {
  if (auto shape = broadcast_shape(a, b)) return *shape;
  return Status(Code::ShapeMismatch, text("the shapes ", to_string(a), " and ", to_string(b),
                                          " do not broadcast; dimensions, from the last on, must be equal or 1"));
}

std::optional<Shape> align_at_axis(const Shape& a, const Shape& b, int64_t axis) {
  if (axis < 0) axis += a.rank();
  if (axis < 0 || axis > a.rank() - b.rank()) return std::nullopt;
  Shape aligned = b;
  while (axis + aligned.rank() < a.rank()) aligned.push_back(1);
  return aligned;
}

Broadcast::Broadcast(const Shape& out, std::span<const Shape* const> inputs) : count_(out.count()) {
  Steps next{};  // elements of each input between neighbours of the dimension at hand
  next.fill(1);
  int merged = 0;  // dimensions so far, innermost first; entry 0 is the run
  std::array<int64_t, kMaxRank> dims{};
  std::array<Steps, kMaxRank> steps{};
  for (int i = 1; i <= out.rank(); ++i) {
    const int64_t dim = out[out.rank() - i];
    Steps step{};
    size_t k = 0;
    for (const Shape* shape : inputs) {
      const int64_t own = i <= shape->rank() ? (*shape)[shape->rank() - i] : 1;
      step[k] = own == 1 ? 0 : next[k];
      next[k] *= own;
      ++k;
    }
    if (dim == 1) continue;
    bool fits = merged > 0;
    for (size_t j = 0; fits && j < inputs.size(); ++j) {
      fits = step[j] == steps[merged - 1][j] * dims[merged - 1];
    }
    if (fits) {
      dims[merged - 1] *= dim;
    } else {
      dims[merged] = dim;
      steps[merged++] = step;
    }
  }
  if (merged == 0) return;
  inner_ = dims[0];
  inner_step_ = steps[0];
  outer_rank_ = merged - 1;
  for (int i = 0; i < outer_rank_; ++i) {
    outer_[i] = dims[merged - 1 - i];
    outer_step_[i] = steps[merged - 1 - i];
  }
}

void Broadcast::walk(int64_t begin, int64_t end, function_ref<void(const Run&)> body) const {
  if (begin >= end) return;
  std::array<int64_t, kMaxRank> index{};
  Run run{};
  int64_t rest = begin / inner_;
  for (int d = outer_rank_ - 1; d >= 0; --d) {
    index[d] = rest % outer_[d];
    rest /= outer_[d];
    for (int k = 0; k < kMaxInputs; ++k) run.in[k] += index[d] * outer_step_[d][k];
  }
  Steps base = run.in;  // where the whole run begins
  int64_t within = begin % inner_;
  for (int64_t at = begin; at < end;) {
    run.out = at;
    run.count = std::min(inner_ - within, end - at);
    for (int k = 0; k < kMaxInputs; ++k) run.in[k] = base[k] + within * inner_step_[k];
    body(run);
    at += run.count;
    within = 0;
    for (int d = outer_rank_ - 1; d >= 0; --d) {
      for (int k = 0; k < kMaxInputs; ++k) base[k] += outer_step_[d][k];
      if (++index[d] < outer_[d]) break;
      for (int k = 0; k < kMaxInputs; ++k) base[k] -= outer_[d] * outer_step_[d][k];
      index[d] = 0;
    }
  }
}

}  // namespace nm
