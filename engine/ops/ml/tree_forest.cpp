#include "engine/ops/ml/tree_forest.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace nm {
namespace {

constexpr int kTogether = 8;

}  // namespace

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

uint32_t Forest::leaf(uint32_t root, const double* row) const {
  uint32_t at = root;
  while (nodes_[at].mode != static_cast<uint32_t>(Mode::Leaf)) {
    const Node& n = nodes_[at];
    const double x = row[n.feature];
    const bool yes = std::isnan(x) ? n.missing_is_true != 0 : goes_true(n, x);
    at = n.next + (yes ? 0 : 1);
  }
  return at;
}

// The leaves of kTogether walks in a forest whose nodes all say "less" (kLess) or "at most"; `found` holds the roots at
// first. There is nothing to predict: walks that have arrived go round in their leaf until the last one arrives, and
// none waits for another's loads.
template <bool kLess>
void Forest::leaves(const double* const* rows, uint32_t* found) const {
  uint32_t moved = 1;
  while (moved != 0) {
    moved = 0;
    for (int i = 0; i < kTogether; ++i) {
      const Node& n = nodes_[found[i]];
      const double x = rows[i][n.feature];
      const bool beyond = kLess ? x >= n.split : x > n.split;
      const uint32_t next = n.next + (beyond | ((x != x) & (n.missing_is_true == 0)));
      moved |= next ^ found[i];
      found[i] = next;
    }
  }
}

void Forest::score(const double* rows, int64_t count, int64_t features, Aggregate how, double* scores,
                   int64_t targets) const {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const double start = how == Aggregate::Min ? kInfinity : how == Aggregate::Max ? -kInfinity : 0;
  std::fill_n(scores, count * targets, start);
  const bool simple = (only_mode_ == Mode::Leq || only_mode_ == Mode::Lt) && features > 0;
  // All rows pass through one tree after the other, so that its nodes stay in the cache. Walks go in groups, across the
  // end of a tree too: a single row walks through many trees at a time.
  const int64_t walks = static_cast<int64_t>(trees()) * count;
  const double* of[kTogether];
  uint32_t found[kTogether];
  int64_t tree = 0;
  int64_t row = 0;
  for (int64_t done = 0; done < walks; done += kTogether) {
    const int64_t together = std::min<int64_t>(walks - done, kTogether);
    const int64_t first_row = row;
    for (int64_t i = 0; i < kTogether; ++i) {
      of[i] = i < together ? rows + row * features : of[0];
      found[i] = i < together ? roots_[static_cast<size_t>(tree)] : found[0];
      if (i < together && ++row == count) row = 0, ++tree;
    }
    if (!simple) {
      for (int64_t i = 0; i < together; ++i) found[i] = leaf(found[i], of[i]);
    } else if (only_mode_ == Mode::Lt) {
      leaves<true>(of, found);
    } else {
      leaves<false>(of, found);
    }
    for (int64_t i = 0, r = first_row; i < together; ++i) {
      const Vote* vote = votes_.data() + first_vote_[found[i]];
      for (const Vote* end = votes_.data() + first_vote_[found[i] + 1]; vote != end; ++vote) {
        double& score = scores[r * targets + vote->target];
        if (how == Aggregate::Min) {
          score = std::min(score, vote->weight);
        } else if (how == Aggregate::Max) {
          score = std::max(score, vote->weight);
        } else {
          score += vote->weight;
        }
      }
      if (++r == count) r = 0;
    }
  }
  for (int64_t i = 0; i < count * targets; ++i) {
    if (how == Aggregate::Average) scores[i] /= static_cast<double>(std::max<size_t>(trees(), 1));
    if (start != 0 && scores[i] == start) scores[i] = 0;
  }
}

}  // namespace nm
