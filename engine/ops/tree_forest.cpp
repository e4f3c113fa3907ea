#include "engine/ops/tree_forest.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace nm {

bool Forest::goes_true(const Node& n, double x) const {
  switch (static_cast<Mode>(n.mode)) {
    case Mode::Leq:
      return x <= n.split;
    case Mode::Lt:
      return x < n.split;
    case Mode::Gte:
      return x >= n.split;
    case Mode::Gt:
      return x > n.split;
    case Mode::Eq:
      return x == n.split;
    case Mode::Neq:
      return x != n.split;
    case Mode::Member: {
      const auto set = static_cast<size_t>(n.split);
      const auto begin = members_.begin() + (set == 0 ? 0 : set_ends_[set - 1]);
      return std::binary_search(begin, members_.begin() + set_ends_[set], x);
    }
    case Mode::Leaf:
      break;
  }
  return false;
}

// kMode: the mode of all nodes, or -1 when they must be asked.
template <int kMode>
void Forest::walk(const double* rows, int64_t count, int64_t features, Aggregate how, double* scores,
                  int64_t targets) const {
  // A tree's nodes stay in the cache while all rows pass through it.
  for (const uint32_t root : roots_) {
    for (int64_t r = 0; r < count; ++r) {
      const double* row = rows + r * features;
      const Node* node = &nodes_[root];
      while (node->mode != static_cast<uint32_t>(Mode::Leaf)) {
        const double x = row[node->feature];
        bool yes;
        if constexpr (kMode == static_cast<int>(Mode::Leq)) {
          yes = x <= node->split;
        } else if constexpr (kMode == static_cast<int>(Mode::Lt)) {
          yes = x < node->split;
        } else {
          yes = goes_true(*node, x);
        }
        if (std::isnan(x)) yes = node->missing_is_true;
        node = &nodes_[node->next + (yes ? 0 : 1)];
      }
      const Vote* vote = votes_.data() + node->next;
      for (const Vote* end = vote + node->feature; vote != end; ++vote) {
        double& score = scores[r * targets + vote->target];
        if (how == Aggregate::Min) {
          score = std::min(score, vote->weight);
        } else if (how == Aggregate::Max) {
          score = std::max(score, vote->weight);
        } else {
          score += vote->weight;
        }
      }
    }
  }
}

void Forest::score(const double* rows, int64_t count, int64_t features, Aggregate how, double* scores,
                   int64_t targets) const {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const double start = how == Aggregate::Min ? kInfinity : how == Aggregate::Max ? -kInfinity : 0;
  std::fill_n(scores, count * targets, start);
  if (only_mode_ == Mode::Leq) {
    walk<static_cast<int>(Mode::Leq)>(rows, count, features, how, scores, targets);
  } else if (only_mode_ == Mode::Lt) {
    walk<static_cast<int>(Mode::Lt)>(rows, count, features, how, scores, targets);
  } else {
    walk<-1>(rows, count, features, how, scores, targets);
  }
  for (int64_t i = 0; i < count * targets; ++i) {
    if (how == Aggregate::Average) scores[i] /= static_cast<double>(std::max<size_t>(trees(), 1));
    if (start != 0 && scores[i] == start) scores[i] = 0;
  }
}

}  // namespace nm
