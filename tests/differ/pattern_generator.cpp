#include <algorithm>
#include <cmath>

#include "engine/base/random.h"
#include "tests/differ/generator.h"
#include "tests/differ/pattern_graphs.h"

namespace nm::differ {
namespace {

using test::Draft;
using test::DraftNode;
using test::DraftValue;
using Kind = test::DraftValue::Kind;

struct Changeable {
  Draft draft;
  std::vector<test::Mutation> mutations;
};

const std::vector<Changeable>& all_drafts() {
  static const std::vector<Changeable> all = [] {
    std::vector<Changeable> list;
    for (const auto& [pass, rewrites] : test::all_rewrites()) {
      for (const Rewrite& rewrite : rewrites) {
        for (Draft& draft : test::drafts_of(rewrite, 64)) {
          std::vector<test::Mutation> mutations = test::mutations_of(draft);
          list.push_back({std::move(draft), std::move(mutations)});
        }
      }
    }
    return list;
  }();
  return all;
}

class PatternGenerator {
 public:
  explicit PatternGenerator(uint64_t seed) : random_(seed) {}

  Sketch make() {
    sketch_.set = test::kDraftOperatorSet;
    for (size_t left = 1 + below(3); left > 0; --left) add(changed(), left == 1);
    sketch_.tidy();
    return std::move(sketch_);
  }

 private:
  size_t below(size_t n) { return static_cast<size_t>(random_.next() % n); }
  bool chance(int percent) { return below(100) < static_cast<size_t>(percent); }

  Draft changed() {
    const Changeable& c = all_drafts()[below(all_drafts().size())];
    Draft draft = c.draft;
    for (size_t changes = below(4); changes > 0 && !c.mutations.empty(); --changes) {
      c.mutations[below(c.mutations.size())].apply(draft);
    }
    return draft;
  }

  // What a later draft's input may be instead: computed before, and with luck of a shape that fits.
  const std::string* computed() {
    if (sketch_.floats.empty()) return nullptr;
    auto at = sketch_.floats.begin();
    std::advance(at, static_cast<std::ptrdiff_t>(below(sketch_.floats.size())));
    return &*at;
  }

  void add(const Draft& draft, bool last) {
    const std::string prefix(1, static_cast<char>('a' + drafts_++));
    std::vector<std::string> names;
    std::vector<Tensor> tensors =
        test::contents_of(draft, chance(10) ? test::Data::Special : test::Data::Usual, random_.next());
    for (size_t id = 0; id < draft.values.size(); ++id) {
      const DraftValue& v = draft.values[id];
      names.push_back(prefix + v.name);
      if (v.kind == Kind::Computed) continue;
      const std::string* before = v.dtype == DType::Float32 && v.dims.size() > 1 && chance(50) ? computed() : nullptr;
      if (before != nullptr) {
        names.back() = *before;
      } else if (v.kind == Kind::Constant) {
        sketch_.constants.emplace(names.back(), std::move(tensors[id]));
      } else {
        sketch_.inputs.push_back({names.back(), std::move(tensors[id]), v.hides_shape});
      }
    }
    for (const DraftNode& n : draft.nodes) {
      SketchNode node{n.op, n.domain, {}, {names[n.output]}, {}};
      for (const size_t id : n.inputs) node.inputs.push_back(names[id]);
      for (const auto& [name, values] : n.integers) {
        node.attributes[name] = values.size() == 1 ? Attribute(values[0]) : Attribute(values);
      }
      for (const auto& [name, value] : n.floats) node.attributes[name] = value;
      if (draft.values[n.output].dtype == DType::Float32) sketch_.floats.insert(names[n.output]);
      sketch_.nodes.push_back(std::move(node));
    }
    for (const size_t id : draft.outputs) {
      const bool known = std::find(sketch_.outputs.begin(), sketch_.outputs.end(), names[id]) != sketch_.outputs.end();
      if (!known && (last || chance(30))) sketch_.outputs.push_back(names[id]);
    }
  }

  Random random_;
  Sketch sketch_;
  int drafts_ = 0;
};

}  // namespace

Sketch random_pattern_graph(uint64_t seed) { return PatternGenerator(seed).make(); }

}  // namespace nm::differ
