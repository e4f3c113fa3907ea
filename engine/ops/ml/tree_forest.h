// Decision trees in the form they are walked in: nodes of 16 bytes, a node's two children side by side.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "engine/op/operator.h"

namespace nm {

enum class Aggregate : uint8_t { Average, Sum, Min, Max };  // in the order of TreeEnsemble's numbers

// Since version 3 of the domain, numbers may come as the tensor `name`_as_tensor instead of the list `name`.
std::vector<double> numbers_or_tensor(Attributes& a, const std::string& name);

class Forest {
 public:
  struct Vote {
    uint32_t target;
    double weight;
  };

  // Both report to `a` what is wrong: lists of different lengths, nodes or targets that do not exist, circles.
  // TreeEnsembleClassifier and TreeEnsembleRegressor: lists of nodes with ids; `prefix` is "class" or "target".
  static Forest from_ids(Attributes& a, const std::string& prefix, int64_t targets);
  // TreeEnsemble: positions in lists of inner nodes and of leaves.
  static Forest from_positions(Attributes& a, int64_t targets);

  size_t trees() const { return roots_.size(); }
  int64_t features() const { return features_; }  // that a row must have
  const std::vector<Vote>& votes() const { return votes_; }

  // Adds up (or what `how` says) the votes of the leaves that each row reaches. `rows` and `scores` are dense, with
  // `features` and `targets` columns. A target that nobody votes for scores 0.
  void score(const double* rows, int64_t count, int64_t features, Aggregate how, double* scores, int64_t targets) const;

 private:
  enum class Mode : uint8_t { Leq, Lt, Gte, Gt, Eq, Neq, Member, Leaf };
  struct Node {
    double split;  // of a Member: the number of its set; of a leaf: NaN, which no value is on either side of
    uint32_t feature : 28;
    uint32_t mode : 3;
    uint32_t missing_is_true : 1;
    uint32_t next;  // the child for "true", which the one for "false" follows; a leaf's own position
  };
  static_assert(sizeof(Node) == 16);

  class Packer;
  static Mode mode_named(Attributes& a, const std::string& name);

  bool goes_true(const Node& n, double x) const;
  uint32_t leaf(uint32_t root, const double* row) const;
  template <bool kLess>
  void leaves(const double* const* rows, uint32_t* found) const;

  std::vector<Node> nodes_;
  std::vector<uint32_t> first_vote_;  // of each node; those of node i end where node i + 1's begin
  std::vector<Vote> votes_;
  std::vector<double> members_;     // of all sets, each ascending
  std::vector<uint32_t> set_ends_;  // where set i ends among the members
  std::vector<uint32_t> roots_;
  int64_t features_ = 0;
  Mode only_mode_ = Mode::Leaf;  // what every inner node has; Leaf: they differ
};

}  // namespace nm
