// TreeEnsembleClassifier and TreeEnsembleRegressor of ai.onnx.ml, as scikit-learn's, XGBoost's and LightGBM's exporters
// write them.
#include <algorithm>
#include <cmath>
#include <map>

#include "engine/ops/check.h"
#include "engine/ops/ml_scores.h"

namespace nm {
namespace {

enum class Mode : uint8_t { Leq, Lt, Gte, Gt, Eq, Neq, Leaf };
constexpr std::string_view kModes[] = {"BRANCH_LEQ", "BRANCH_LT",  "BRANCH_GTE", "BRANCH_GT",
                                       "BRANCH_EQ",  "BRANCH_NEQ", "LEAF"};

struct TreeNode {
  Mode mode = Mode::Leaf;
  bool missing_is_true = false;
  int32_t feature = 0;
  float value = 0;
  uint32_t yes = 0;  // index of the next node
  uint32_t no = 0;
  uint32_t first_weight = 0;  // of a leaf
  uint32_t weight_count = 0;
};

struct LeafWeight {
  uint32_t target = 0;
  float weight = 0;
};

class Forest {
 public:
  // `prefix` is "class" or "target".
  Forest(Attributes& a, const std::string& prefix);

  const std::vector<LeafWeight>& weights() const { return weights_; }
  const std::vector<uint32_t>& roots() const { return roots_; }
  int64_t features() const { return features_; }

  // The leaf that a row reaches; nullptr when the tree's nodes lead in a circle.
  const TreeNode* leaf(uint32_t root, std::span<const float> row) const {
    const TreeNode* node = &nodes_[root];
    for (size_t hops = 0; node->mode != Mode::Leaf; ++hops) {
      if (hops == nodes_.size()) return nullptr;
      node = &nodes_[goes_yes(*node, row[static_cast<size_t>(node->feature)]) ? node->yes : node->no];
    }
    return node;
  }

 private:
  static bool goes_yes(const TreeNode& n, float x) {
    if (std::isnan(x)) return n.missing_is_true;
    switch (n.mode) {
      case Mode::Leq:
        return x <= n.value;
      case Mode::Lt:
        return x < n.value;
      case Mode::Gte:
        return x >= n.value;
      case Mode::Gt:
        return x > n.value;
      case Mode::Eq:
        return x == n.value;
      case Mode::Neq:
        return x != n.value;
      case Mode::Leaf:
        break;
    }
    return false;
  }

  std::vector<TreeNode> nodes_;
  std::vector<LeafWeight> weights_;
  std::vector<uint32_t> roots_;
  int64_t features_ = 0;
};

// Since version 3 of the domain numbers may come as a tensor instead.
std::vector<float> numbers_or_tensor(Attributes& a, const std::string& name) {
  std::vector<float> list = a.numbers(name);
  const Tensor t = a.tensor(name + "_as_tensor");
  if (t.dtype() == DType::Float32) {
    list.assign(t.data<float>(), t.data<float>() + t.count());
  } else if (t.dtype() == DType::Float64) {
    list.assign(t.data<double>(), t.data<double>() + t.count());
  }
  return list;
}

Forest::Forest(Attributes& a, const std::string& prefix) {
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
      modes.size() != count || values.size() != count || (!missing.empty() && missing.size() != count)) {
    a.fail("the lists that describe the trees' nodes differ in length");
    return;
  }
  std::map<std::pair<int64_t, int64_t>, uint32_t> index;
  for (size_t i = 0; i < count; ++i) {
    if (!index.emplace(std::pair(trees[i], ids[i]), static_cast<uint32_t>(i)).second) {
      a.fail(text("tree ", trees[i], " has two nodes ", ids[i]));
      return;
    }
  }
  std::vector<bool> is_child(count);
  for (size_t i = 0; i < count; ++i) {
    TreeNode n;
    const auto* mode = std::find(std::begin(kModes), std::end(kModes), modes[i]);
    if (mode == std::end(kModes)) {
      a.fail(text("the node mode '", modes[i], "' is not one of ONNX's"));
      return;
    }
    n.mode = static_cast<Mode>(mode - std::begin(kModes));
    n.missing_is_true = !missing.empty() && missing[i] != 0;
    n.value = values[i];
    if (n.mode != Mode::Leaf) {
      const auto y = index.find({trees[i], yes[i]});
      const auto f = index.find({trees[i], no[i]});
      if (y == index.end() || f == index.end() || features[i] < 0 || features[i] > INT32_MAX) {
        a.fail(text("node ", ids[i], " of tree ", trees[i], " names a node or a feature that does not exist"));
        return;
      }
      n.feature = static_cast<int32_t>(features[i]);
      features_ = std::max(features_, features[i] + 1);
      n.yes = y->second;
      n.no = f->second;
      is_child[n.yes] = is_child[n.no] = true;
    }
    nodes_.push_back(n);
  }
  for (uint32_t i = 0; i < count; ++i) {
    if (!is_child[i]) roots_.push_back(i);
  }
  const auto targets = a.integers(prefix + "_ids");
  const auto target_nodes = a.integers(prefix + "_nodeids");
  const auto target_trees = a.integers(prefix + "_treeids");
  const auto weights = numbers_or_tensor(a, prefix + "_weights");
  if (target_nodes.size() != targets.size() || target_trees.size() != targets.size() ||
      weights.size() != targets.size()) {
    a.fail("the lists that describe the leaves differ in length");
    return;
  }
  std::map<uint32_t, std::vector<LeafWeight>> of_leaf;
  for (size_t i = 0; i < targets.size(); ++i) {
    const auto at = index.find({target_trees[i], target_nodes[i]});
    if (at == index.end() || targets[i] < 0 || targets[i] > (1 << 20)) {
      a.fail("a leaf's weight names a node or a target that does not exist");
      return;
    }
    of_leaf[at->second].push_back({static_cast<uint32_t>(targets[i]), weights[i]});
  }
  for (const auto& [leaf, list] : of_leaf) {
    nodes_[leaf].first_weight = static_cast<uint32_t>(weights_.size());
    nodes_[leaf].weight_count = static_cast<uint32_t>(list.size());
    weights_.insert(weights_.end(), list.begin(), list.end());
  }
}

class TreeEnsemble : public Operator {
 protected:
  TreeEnsemble(Attributes& a, const std::string& prefix)
      : forest_(a, prefix), base_(numbers_or_tensor(a, "base_values")), transform_(read_post_transform(a)) {}

  // Fails a model whose leaves name more targets than there are.
  void check_targets(Attributes& a, size_t targets) const {
    for (const LeafWeight& w : forest_.weights()) {
      if (w.target >= targets) return a.fail(text("a leaf names target ", w.target, " of ", targets));
    }
  }

  Status check_row(const Inference& c, int64_t& rows) const {
    NM_TRY(check_features(c, rows));
    if (c.has_shape(0) && c.shape(0).back() >= 0 && c.shape(0).back() < forest_.features()) {
      return wrong_shape("the input", c.shape(0), text("at least ", forest_.features(), " features"));
    }
    return {};
  }

  // Calls visit(leaf weights) for each tree.
  template <class Visit>
  Status walk(std::span<const float> row, Visit visit) const {
    for (const uint32_t root : forest_.roots()) {
      const TreeNode* leaf = forest_.leaf(root, row);
      if (leaf == nullptr) return {Code::InvalidModel, "a tree's nodes lead in a circle; export the model again"};
      visit(std::span(forest_.weights()).subspan(leaf->first_weight, leaf->weight_count));
    }
    return {};
  }

  Forest forest_;
  std::vector<float> base_;
  PostTransform transform_;
};

class Classifier final : public TreeEnsemble {
 public:
  explicit Classifier(Attributes& a) : TreeEnsemble(a, "class"), labels_(a, "classlabels_int64s") {
    check_targets(a, labels_.size());
    const auto& weights = forest_.weights();
    one_column_ =
        labels_.size() == 2 && !weights.empty() &&
        std::all_of(weights.begin(), weights.end(), [&](const LeafWeight& w) { return w.target == weights[0].target; });
    positive_ = std::all_of(weights.begin(), weights.end(), [](const LeafWeight& w) { return w.weight >= 0; });
  }

  Status infer(Inference& c) const override {
    int64_t rows = 0;
    NM_TRY(check_row(c, rows));
    c.output(0, labels_.dtype(), {rows});
    c.output(1, DType::Float32, {rows, static_cast<int64_t>(labels_.size())});
    return {};
  }

  Status run(Execution& c) override {
    const Tensor& x = c.input(0);
    const size_t classes = labels_.size();
    std::vector<float> row(static_cast<size_t>(feature_count(x)));
    std::vector<float> scores(classes);
    for (int64_t r = 0; r < row_count(x); ++r) {
      read_features(x, r, row);
      std::fill(scores.begin(), scores.end(), 0.0f);
      for (size_t i = 0; i < std::min(base_.size(), classes); ++i) scores[i] = base_[i];
      size_t target = 0;
      NM_TRY(walk(row, [&](std::span<const LeafWeight> weights) {
        for (const LeafWeight& w : weights) scores[target = w.target] += w.weight;
      }));
      size_t winner = 0;
      if (one_column_) {
        // A single base value belongs to the one column there is.
        const float score = scores[target] + (base_.size() == 1 && target == 1 ? base_[0] : 0);
        winner = expand_binary(transform_, positive_, score, scores.data());
      } else {
        winner = static_cast<size_t>(std::max_element(scores.begin(), scores.end()) - scores.begin());
        transform_scores(transform_, scores);
      }
      if (c.wants(0)) labels_.write(c.output(0), r, winner);
      if (c.wants(1)) std::copy(scores.begin(), scores.end(), c.out<float>(1) + r * static_cast<int64_t>(classes));
    }
    return {};
  }

 private:
  ClassLabels labels_;
  bool one_column_ = false;
  bool positive_ = false;
};

class Regressor final : public TreeEnsemble {
 public:
  explicit Regressor(Attributes& a) : TreeEnsemble(a, "target"), targets_(a.integer("n_targets", 1)) {
    const std::string name = a.string("aggregate_function", "SUM");
    constexpr std::string_view kNames[] = {"SUM", "AVERAGE", "MIN", "MAX"};
    const auto* found = std::find(std::begin(kNames), std::end(kNames), name);
    if (found == std::end(kNames)) a.fail(text("the aggregate_function '", name, "' is not one of ONNX's"));
    aggregate_ = static_cast<Aggregate>(found - std::begin(kNames));
    if (targets_ < 1 || targets_ > (1 << 20)) {
      a.fail("n_targets is out of range");
      targets_ = 1;
    }
    check_targets(a, static_cast<size_t>(targets_));
  }

  Status infer(Inference& c) const override {
    int64_t rows = 0;
    NM_TRY(check_row(c, rows));
    c.output(0, DType::Float32, {rows, targets_});
    return {};
  }

  Status run(Execution& c) override {
    const Tensor& x = c.input(0);
    std::vector<float> row(static_cast<size_t>(feature_count(x)));
    const auto targets = static_cast<size_t>(targets_);
    std::vector<bool> seen(targets);
    for (int64_t r = 0; r < row_count(x); ++r) {
      read_features(x, r, row);
      const std::span<float> y(c.out<float>(0) + r * targets_, targets);
      std::fill(y.begin(), y.end(), 0.0f);
      std::fill(seen.begin(), seen.end(), false);
      NM_TRY(walk(row, [&](std::span<const LeafWeight> weights) {
        for (const LeafWeight& w : weights) add(y[w.target], w, seen);
      }));
      for (size_t t = 0; t < targets; ++t) {
        if (aggregate_ == Aggregate::Average) y[t] /= static_cast<float>(forest_.roots().size());
        if (t < base_.size()) y[t] += base_[t];
      }
      transform_scores(transform_, y);
    }
    return {};
  }

 private:
  enum class Aggregate : uint8_t { Sum, Average, Min, Max };

  void add(float& y, const LeafWeight& w, std::vector<bool>& seen) const {
    const bool first = !seen[w.target];
    seen[w.target] = true;
    if (aggregate_ == Aggregate::Min) {
      y = first ? w.weight : std::min(y, w.weight);
    } else if (aggregate_ == Aggregate::Max) {
      y = first ? w.weight : std::max(y, w.weight);
    } else {
      y += w.weight;
    }
  }

  int64_t targets_;
  Aggregate aggregate_ = Aggregate::Sum;
};

}  // namespace

NM_OPERATORS(tree_ensemble) {
  r.add_in<Classifier>(kMlDomain, "TreeEnsembleClassifier", 1);
  r.add_in<Regressor>(kMlDomain, "TreeEnsembleRegressor", 1);
}

}  // namespace nm
