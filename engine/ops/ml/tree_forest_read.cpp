// The attributes of the three tree operators become a Forest.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "engine/base/sort_positions.h"
#include "engine/ops/ml/tree_forest.h"
#include "engine/tensor/cast.h"

namespace nm {

namespace {

constexpr std::string_view kModes[] = {"BRANCH_LEQ", "BRANCH_LT",  "BRANCH_GTE",    "BRANCH_GT",
                                       "BRANCH_EQ",  "BRANCH_NEQ", "BRANCH_MEMBER", "LEAF"};
constexpr size_t kMost = (1u << 28) - 1;  // nodes, votes, features: what the packed node has room for

std::vector<double> as_doubles(Attributes& a, const Tensor& t) {
  if (!t.defined()) return {};
  std::vector<double> list(static_cast<size_t>(t.count()));
  Tensor to = Tensor::view(DType::Float64, t.shape(), list.data());
  const Status s = can_cast(t.dtype()) && t.dtype() != DType::String
                       ? cast(t, to)
                       : wrong_type("a tensor attribute", t.dtype(), "numbers");
  if (!s.ok()) a.fail(s.message());
  return list;
}

// Finds nodes by tree and number. Both mostly count up, so that the first guess is right.
class NodeIndex {
 public:
  NodeIndex(const std::vector<int64_t>& trees, const std::vector<int64_t>& ids)
      : trees_(trees), ids_(ids), order_(ids.size()) {
    std::iota(order_.begin(), order_.end(), int64_t{0});
    const auto before = [this](int64_t a, int64_t b) { return key(a) < key(b); };
    if (!std::is_sorted(order_.begin(), order_.end(), before)) sort_positions(order_, before);
  }

  static constexpr uint32_t kNone = UINT32_MAX;
  // `near`: a node of the same tree, if one is known.
  uint32_t find(int64_t tree, int64_t id, uint32_t near) const {
    const uint64_t guess = near + static_cast<uint64_t>(id) - static_cast<uint64_t>(ids_[near]);
    if (guess < ids_.size() && trees_[guess] == tree && ids_[guess] == id) return static_cast<uint32_t>(guess);
    const auto at = std::lower_bound(order_.begin(), order_.end(), std::pair(tree, id),
                                     [this](int64_t a, const auto& wanted) { return key(a) < wanted; });
    return at != order_.end() && key(*at) == std::pair(tree, id) ? static_cast<uint32_t>(*at) : kNone;
  }
  // A node whose number another one of its tree has, or kNone.
  uint32_t duplicate() const {
    for (size_t i = 1; i < order_.size(); ++i) {
      if (key(order_[i - 1]) == key(order_[i])) return static_cast<uint32_t>(order_[i]);
    }
    return kNone;
  }

 private:
  std::pair<int64_t, int64_t> key(int64_t i) const {
    return {trees_[static_cast<size_t>(i)], ids_[static_cast<size_t>(i)]};
  }

  const std::vector<int64_t>& trees_;
  const std::vector<int64_t>& ids_;
  std::vector<int64_t> order_;
};

}  // namespace

std::vector<double> numbers_or_tensor(Attributes& a, const std::string& name) {
  if (a.has(name + "_as_tensor")) return as_doubles(a, a.tensor(name + "_as_tensor"));
  const std::vector<float> list = a.numbers(name);
  return {list.begin(), list.end()};
}

// Lays out trees whose nodes are known by any numbering. Every inner node is placed once, which rules out circles and
// keeps the result as small as the model; leaves that several nodes share are copied.
class Forest::Packer {
 public:
  // A node as the model has it: its children, or a leaf's votes, by their positions in the lists.
  struct Source {
    Node node{};
    uint32_t yes = 0;
    uint32_t no = 0;
    uint32_t first_vote = 0;
    uint32_t vote_count = 0;
  };

  Packer(Forest& forest, const std::vector<Source>& sources) : forest_(forest), sources_(sources) {}

  // False when an inner node is reached twice.
  bool add_tree(uint32_t root) {
    uint32_t slot = reserve(1);
    forest_.roots_.push_back(slot);
    source_of_[slot] = root;
    std::vector<uint32_t> open = {slot};
    while (!open.empty()) {
      slot = open.back();
      open.pop_back();
      const uint32_t from = source_of_[slot];
      const Source& s = sources_[from];
      forest_.nodes_[slot] = s.node;
      if (s.node.mode == static_cast<uint32_t>(Mode::Leaf)) {
        forest_.nodes_[slot] = leaf_at(slot);
        continue;
      }
      if (placed_[from]) return false;
      placed_[from] = true;
      const Mode mode = static_cast<Mode>(s.node.mode);
      forest_.only_mode_ = inner_ == 0 || forest_.only_mode_ == mode ? mode : Mode::Leaf;
      ++inner_;
      forest_.features_ = std::max<int64_t>(forest_.features_, s.node.feature + 1);
      const uint32_t next = reserve(2);
      forest_.nodes_[slot].next = next;
      source_of_[next] = s.yes;
      source_of_[next + 1] = s.no;
      open.push_back(next + 1);
      open.push_back(next);
    }
    return true;
  }
  size_t inner() const { return inner_; }

  // After the last tree: the votes in the order of the leaves.
  void add_votes(const std::vector<Vote>& votes) {
    for (size_t slot = 0; slot < source_of_.size(); ++slot) {
      forest_.first_vote_.push_back(static_cast<uint32_t>(forest_.votes_.size()));
      const Source& s = sources_[source_of_[slot]];
      const auto first = votes.begin() + s.first_vote;
      forest_.votes_.insert(forest_.votes_.end(), first, first + s.vote_count);
    }
    forest_.first_vote_.push_back(static_cast<uint32_t>(forest_.votes_.size()));
  }

 private:
  static Node leaf_at(uint32_t slot) {
    Node leaf{};
    leaf.split = std::numeric_limits<double>::quiet_NaN();
    leaf.mode = static_cast<uint32_t>(Mode::Leaf);
    leaf.missing_is_true = 1;
    leaf.next = slot;
    return leaf;
  }
  uint32_t reserve(size_t count) {
    const size_t first = forest_.nodes_.size();
    forest_.nodes_.resize(first + count);
    source_of_.resize(first + count);
    return static_cast<uint32_t>(first);
  }

  Forest& forest_;
  const std::vector<Source>& sources_;
  std::vector<uint32_t> source_of_;  // of each slot
  std::vector<bool> placed_ = std::vector<bool>(sources_.size());
  size_t inner_ = 0;
};

Forest::Mode Forest::mode_named(Attributes& a, const std::string& name) {
  const auto* mode = std::find(std::begin(kModes), std::end(kModes), name);
  if (mode != std::end(kModes) && name != "BRANCH_MEMBER") return static_cast<Mode>(mode - std::begin(kModes));
  a.fail(text("the node mode '", name, "' is not one of ONNX's"));
  return Mode::Leaf;
}

Forest Forest::from_ids(Attributes& a, const std::string& prefix, int64_t targets) {
  Forest forest;
  a.ignore({"nodes_hitrates", "nodes_hitrates_as_tensor"});  // statistics
  const auto trees = a.integers("nodes_treeids");
  const auto ids = a.integers("nodes_nodeids");
  const auto features = a.integers("nodes_featureids");
  const auto yes = a.integers("nodes_truenodeids");
  const auto no = a.integers("nodes_falsenodeids");
  const auto missing = a.integers("nodes_missing_value_tracks_true");
  const auto modes = a.strings("nodes_modes");
  const auto values = numbers_or_tensor(a, "nodes_values");
  const size_t count = ids.size();
  if (trees.size() != count || features.size() != count || yes.size() != count || no.size() != count ||
      modes.size() != count || values.size() != count || (!missing.empty() && missing.size() != count) ||
      count > kMost) {
    a.fail("the lists that describe the trees' nodes differ in length");
    return forest;
  }
  const NodeIndex index(trees, ids);
  if (const uint32_t twice = index.duplicate(); twice != NodeIndex::kNone) {
    a.fail(text("tree ", trees[twice], " has two nodes ", ids[twice]));
    return forest;
  }
  std::vector<Packer::Source> sources(count);
  std::vector<bool> is_child(count);
  size_t inner = 0;
  for (size_t i = 0; i < count; ++i) {
    Packer::Source& s = sources[i];
    const Mode mode = mode_named(a, modes[i]);
    s.node.mode = static_cast<uint32_t>(mode);
    if (mode == Mode::Leaf) continue;
    ++inner;
    s.yes = index.find(trees[i], yes[i], static_cast<uint32_t>(i));
    s.no = index.find(trees[i], no[i], static_cast<uint32_t>(i));
    if (s.yes == NodeIndex::kNone || s.no == NodeIndex::kNone || features[i] < 0 ||
        features[i] > static_cast<int64_t>(kMost)) {
      a.fail(text("node ", ids[i], " of tree ", trees[i], " names a node or a feature that does not exist"));
      return forest;
    }
    s.node.split = values[i];
    s.node.feature = static_cast<uint32_t>(features[i]);
    s.node.missing_is_true = !missing.empty() && missing[i] != 0;
    is_child[s.yes] = is_child[s.no] = true;
  }

  const auto voted = a.integers(prefix + "_ids");
  const auto vote_nodes = a.integers(prefix + "_nodeids");
  const auto vote_trees = a.integers(prefix + "_treeids");
  const auto weights = numbers_or_tensor(a, prefix + "_weights");
  if (vote_nodes.size() != voted.size() || vote_trees.size() != voted.size() || weights.size() != voted.size() ||
      voted.size() > kMost) {
    a.fail("the lists that describe the leaves differ in length");
    return forest;
  }
  std::vector<uint32_t> leaf_of(voted.size());
  uint32_t near = 0;
  for (size_t i = 0; i < voted.size(); ++i) {
    const uint32_t at = count == 0 ? NodeIndex::kNone : index.find(vote_trees[i], vote_nodes[i], near);
    if (at == NodeIndex::kNone || voted[i] < 0 || voted[i] >= targets) {
      a.fail(text("a leaf of tree ", vote_trees[i], " does not exist or votes for target ", voted[i], " of ", targets));
      return forest;
    }
    leaf_of[i] = near = at;
    if (sources[at].node.mode == static_cast<uint32_t>(Mode::Leaf)) ++sources[at].vote_count;
  }
  uint32_t first = 0;
  for (Packer::Source& s : sources) {
    s.first_vote = first;
    first += s.vote_count;
    s.vote_count = 0;
  }
  std::vector<Vote> votes(first);
  for (size_t i = 0; i < voted.size(); ++i) {
    Packer::Source& s = sources[leaf_of[i]];
    if (s.node.mode != static_cast<uint32_t>(Mode::Leaf)) continue;  // nothing ends there
    votes[s.first_vote + s.vote_count++] = {static_cast<uint32_t>(voted[i]), weights[i]};
  }

  Packer packer(forest, sources);
  bool trees_only = true;
  for (uint32_t i = 0; i < count && trees_only; ++i) {
    if (!is_child[i]) trees_only = packer.add_tree(i);
  }
  // Nodes that no root leads to stand in a circle.
  if (!trees_only || packer.inner() != inner) a.fail("a tree's nodes lead in a circle or meet again");
  packer.add_votes(votes);
  return forest;
}

Forest Forest::from_positions(Attributes& a, int64_t targets) {
  Forest forest;
  a.ignore({"nodes_hitrates"});  // statistics
  const auto roots = a.integers("tree_roots");
  const auto features = a.integers("nodes_featureids");
  const auto yes = a.integers("nodes_truenodeids");
  const auto no = a.integers("nodes_falsenodeids");
  const auto yes_leaf = a.integers("nodes_trueleafs");
  const auto no_leaf = a.integers("nodes_falseleafs");
  const auto missing = a.integers("nodes_missing_value_tracks_true");
  const auto splits = as_doubles(a, a.tensor("nodes_splits"));
  const auto modes = as_doubles(a, a.tensor("nodes_modes"));
  const auto members = as_doubles(a, a.tensor("membership_values"));
  const auto voted = a.integers("leaf_targetids");
  const auto weights = as_doubles(a, a.tensor("leaf_weights"));
  const size_t count = features.size();
  if (yes.size() != count || no.size() != count || yes_leaf.size() != count || no_leaf.size() != count ||
      splits.size() != count || modes.size() != count || (!missing.empty() && missing.size() != count) ||
      voted.size() != weights.size() || count > kMost || weights.size() > kMost) {
    a.fail("the lists that describe the trees' nodes or leaves differ in length");
    return forest;
  }
  std::vector<Vote> votes;
  for (size_t i = 0; i < voted.size(); ++i) {
    if (voted[i] < 0 || voted[i] >= targets) {
      a.fail(text("leaf ", i, " votes for target ", voted[i], " of ", targets));
      return forest;
    }
    votes.push_back({static_cast<uint32_t>(voted[i]), weights[i]});
  }
  for (const double m : members) {
    if (std::isnan(m)) {
      forest.set_ends_.push_back(static_cast<uint32_t>(forest.members_.size()));
    } else {
      forest.members_.push_back(m);
    }
  }
  if (!members.empty() && !std::isnan(members.back())) {
    forest.set_ends_.push_back(static_cast<uint32_t>(forest.members_.size()));
  }
  for (size_t i = 0; i < forest.set_ends_.size(); ++i) {
    std::sort(forest.members_.begin() + (i == 0 ? 0 : forest.set_ends_[i - 1]),
              forest.members_.begin() + forest.set_ends_[i]);
  }

  // Inner nodes first, then the leaves.
  std::vector<Packer::Source> sources(count + weights.size());
  for (size_t i = 0; i < weights.size(); ++i) {
    Packer::Source& leaf = sources[count + i];
    leaf.node.mode = static_cast<uint32_t>(Mode::Leaf);
    leaf.first_vote = static_cast<uint32_t>(i);
    leaf.vote_count = 1;
  }
  size_t sets = 0;
  for (size_t i = 0; i < count; ++i) {
    const auto exists = [&](int64_t to, int64_t is_leaf) {
      return to >= 0 && static_cast<uint64_t>(to) < (is_leaf != 0 ? weights.size() : count);
    };
    const bool member = modes[i] == static_cast<double>(Mode::Member);
    if (!exists(yes[i], yes_leaf[i]) || !exists(no[i], no_leaf[i]) || features[i] < 0 ||
        features[i] > static_cast<int64_t>(kMost) || (member && sets == forest.set_ends_.size())) {
      a.fail(text("node ", i, " names a node, a leaf, a feature or a set of members that does not exist"));
      return forest;
    }
    if (!(modes[i] >= 0 && modes[i] <= static_cast<double>(Mode::Member))) {
      a.fail(text("node ", i, " has the mode ", modes[i], "; there are 0 to 6"));
      return forest;
    }
    Packer::Source& s = sources[i];
    s.node.mode = static_cast<uint32_t>(modes[i]);
    s.node.split = member ? static_cast<double>(sets++) : splits[i];
    s.node.feature = static_cast<uint32_t>(features[i]);
    s.node.missing_is_true = !missing.empty() && missing[i] != 0;
    s.yes = static_cast<uint32_t>(yes[i] + (yes_leaf[i] != 0 ? static_cast<int64_t>(count) : 0));
    s.no = static_cast<uint32_t>(no[i] + (no_leaf[i] != 0 ? static_cast<int64_t>(count) : 0));
  }
  Packer packer(forest, sources);
  for (const int64_t root : roots) {
    if (root < 0 || static_cast<uint64_t>(root) >= count) {
      a.fail(text("the root ", root, " is none of the ", count, " nodes"));
      return forest;
    }
    if (!packer.add_tree(static_cast<uint32_t>(root))) {
      a.fail("a tree's nodes lead in a circle or meet again");
      return forest;
    }
  }
  packer.add_votes(votes);
  return forest;
}

}  // namespace nm
