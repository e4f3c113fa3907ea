#include "tests/differ/shrink.h"

#include <algorithm>
#include <set>

namespace nm::differ {
namespace {

bool differs(const Sketch& s) { return !s.nodes.empty() && compare(s).kind == Verdict::Kind::Differs; }

// What every value is without passes: the graph hands them all out.
std::map<std::string, Tensor> values_of(Sketch s) {
  s.outputs.clear();
  for (const SketchNode& n : s.nodes) {
    for (const std::string& o : n.outputs) s.outputs.push_back(o);
  }
  const Verdict v = compare(s);
  std::map<std::string, Tensor> values;
  for (size_t i = 0; i < v.reference.size(); ++i) values.emplace(s.outputs[i], v.reference[i]);
  for (const SketchInput& i : s.inputs) values.emplace(i.name, i.value);
  return values;
}

class Shrinker {
 public:
  explicit Shrinker(Sketch s) : s_(std::move(s)) {}

  Sketch run() {
    for (bool smaller = true; smaller;) {
      smaller = one_output() || fewer_nodes() || fewer_attributes() || closed_inputs();
    }
    return std::move(s_);
  }

 private:
  bool take(Sketch candidate) {
    candidate.tidy();
    if (!differs(candidate)) return false;
    s_ = std::move(candidate);
    return true;
  }

  bool one_output() {
    if (s_.outputs.size() < 2) return false;
    for (const std::string& o : s_.outputs) {
      Sketch candidate = s_;
      candidate.outputs = {o};
      if (take(std::move(candidate))) return true;
    }
    for (size_t i = 0; i < s_.outputs.size(); ++i) {
      Sketch candidate = s_;
      candidate.outputs.erase(candidate.outputs.begin() + static_cast<ptrdiff_t>(i));
      if (take(std::move(candidate))) return true;
    }
    return false;
  }

  // A node's outputs become inputs of the graph, or its readers read what it reads.
  bool fewer_nodes() {
    const auto values = values_of(s_);
    for (size_t n = 0; n < s_.nodes.size(); ++n) {
      const SketchNode& node = s_.nodes[n];
      const bool known =
          std::all_of(node.outputs.begin(), node.outputs.end(), [&](const auto& o) { return values.contains(o); });
      if (!known) continue;
      for (const std::string& in : node.inputs) {
        const auto a = values.find(in), b = values.find(node.outputs[0]);
        if (a == values.end() || a->second.dtype() != b->second.dtype() || a->second.shape() != b->second.shape())
          continue;
        Sketch candidate = s_;
        candidate.nodes.erase(candidate.nodes.begin() + static_cast<ptrdiff_t>(n));
        for (SketchNode& other : candidate.nodes)
          std::replace(other.inputs.begin(), other.inputs.end(), node.outputs[0], in);
        if (std::find(candidate.outputs.begin(), candidate.outputs.end(), node.outputs[0]) != candidate.outputs.end())
          continue;
        if (take(std::move(candidate))) return true;
      }
      Sketch candidate = s_;
      candidate.nodes.erase(candidate.nodes.begin() + static_cast<ptrdiff_t>(n));
      for (const std::string& o : node.outputs) {
        candidate.inputs.push_back({o, values.at(o), false});
        std::erase(candidate.outputs, o);
      }
      if (!candidate.outputs.empty() && take(std::move(candidate))) return true;
    }
    return false;
  }

  bool fewer_attributes() {
    for (size_t n = 0; n < s_.nodes.size(); ++n) {
      for (const auto& [name, value] : s_.nodes[n].attributes) {
        Sketch candidate = s_;
        candidate.nodes[n].attributes.erase(name);
        if (take(std::move(candidate))) return true;
      }
    }
    return false;
  }

  bool closed_inputs() {
    for (size_t i = 0; i < s_.inputs.size(); ++i) {
      if (!s_.inputs[i].open) continue;
      Sketch candidate = s_;
      candidate.inputs[i].open = false;
      if (take(std::move(candidate))) return true;
    }
    return false;
  }

  Sketch s_;
};

}  // namespace

Sketch shrink(Sketch sketch) { return Shrinker(std::move(sketch)).run(); }

}  // namespace nm::differ
