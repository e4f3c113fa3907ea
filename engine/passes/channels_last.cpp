// The layout pass: images become channels-last where convolutions and pools want them so and stay so for as long as
// what follows can do without their order. Every value has up to two forms, the one of the file and the channels-last
// one; walking the nodes in order, each takes the forms it wants, and a Transpose is made only when a form is asked for
// that nobody has computed. Which forms an operator can work on its registry entry says (op/layout.h). Transposes of
// the file itself become forms too, so inverse pairs vanish.
#include <algorithm>

#include "engine/op/registry.h"
#include "engine/passes/passes.h"
#include "engine/passes/rewrite.h"

namespace nm {
namespace {

using Axes = LayoutChange::Axes;

// Output axis i is input axis axes[i].
Axes to_last(int rank) {
  Axes axes{0};
  for (int i = 2; i < rank; ++i) axes.push_back(i);
  axes.push_back(1);
  return axes;
}
Axes to_first(int rank) { return LayoutChange::to_first(rank); }

bool is_identity(const Axes& axes) {
  for (size_t i = 0; i < axes.size(); ++i) {
    if (axes[i] != static_cast<int64_t>(i)) return false;
  }
  return true;
}

bool wants_channels_last(const Node& node) { return layout::wants_channels_last(facts_of(node).layout); }

class LayoutPass {
 public:
  explicit LayoutPass(Graph& graph) : graph_(graph), forms_(graph) {}

  Result<bool> run() {
    if (std::none_of(graph_.nodes.begin(), graph_.nodes.end(), wants_channels_last)) return false;
    const size_t before = graph_.nodes.size();
    std::vector<Node> nodes = std::move(graph_.nodes);
    graph_.nodes.clear();
    is_output_ = PerValue<bool>(graph_);
    for (const ValueId id : graph_.outputs) is_output_[id] = true;
    for (Node& node : nodes) {
      for (ValueId& id : node.inputs) id = resolved(id);
      const size_t explicit_inputs = node.explicit_inputs;
      if (node.inputs.size() != explicit_inputs || !follow(node)) stay(std::move(node));
    }
    for (const ValueId id : graph_.outputs) first(id);
    remove_dead_nodes(graph_);
    return changed_ || graph_.nodes.size() != before;
  }

 private:
  struct Forms {
    ValueId last = kNone;
    bool first = true;       // the file's form is there
    ValueId same = kNone;    // the very same contents under another id
    ValueId source = kNone;  // first form = Transpose(source, axes)
    Axes axes;
  };

  // What an operator's rule sees of the pass.
  class Change final : public LayoutChange {
   public:
    Change(LayoutPass& pass, Node& n) : LayoutChange(pass.graph_, n), pass_(pass) {}
    bool only_last(ValueId id) override { return !pass_.forms(id).first; }
    bool worthwhile(const std::vector<ValueId>& images) override { return pass_.worthwhile(images); }
    ValueId first(ValueId id) override { return pass_.first(id); }
    ValueId last(ValueId id) override { return pass_.last(id); }
    bool push_last() override { return pass_.push_last(std::move(node)); }
    bool push_first() override {
      push(std::move(node));
      pass_.changed_ = true;
      return true;
    }
    void push(Node n) override { pass_.graph_.nodes.push_back(std::move(n)); }
    ValueId add_integers(const Axes& values, std::string name) override {
      return pass_.add_integers(values, std::move(name));
    }
    ValueId with_rank(ValueId constant, int r) override { return pass_.with_rank(constant, r); }

   private:
    LayoutPass& pass_;
  };

  Forms& forms(ValueId id) {
    if (!forms_.contains(id)) forms_.grow(graph_);
    return forms_[id];
  }
  ValueId resolved(ValueId id) { return id != kNone && forms(id).same != kNone ? forms(id).same : id; }
  bool is_output(ValueId id) const { return is_output_.get(id, false); }

  int rank(ValueId id) const {
    const auto& shape = graph_.value(id).shape;
    return id != kNone && shape ? shape->rank() : -1;
  }
  bool has_last(ValueId id) { return forms(id).last != kNone; }
  // What a Transpose of the value costs: nothing where it moves only dimensions of size 1.
  double cost(ValueId id) const {
    const auto& shape = graph_.value(id).shape;
    if (!shape || graph_.value(id).is_constant()) return 0;
    double channels = 1, pixels = 1;
    for (int i = 1; i < shape->rank(); ++i)
      (i == 1 ? channels : pixels) *= (*shape)[i] < 0 ? 64 : static_cast<double>((*shape)[i]);
    return channels == 1 || pixels == 1 ? 0 : channels * pixels;
  }

  static Shape permuted(const Shape& shape, const Axes& axes) {
    Shape out;
    for (const int64_t a : axes) out.push_back(shape[static_cast<int>(a)]);
    return out;
  }

  void push_transpose(ValueId from, ValueId to, Axes axes) {
    Node n;
    n.name = graph_.value(to).name;
    n.op_type = "Transpose";
    n.version = 13;
    n.inputs = {from};
    n.explicit_inputs = 1;
    n.outputs = {to};
    n.attributes["perm"] = std::move(axes);
    graph_.nodes.push_back(std::move(n));
  }

  ValueId add_form(ValueId id) {
    GraphValue v;
    v.name = graph_.value(id).name + ".channels_last";
    v.type = graph_.value(id).type;
    v.shape = permuted(*graph_.value(id).shape, to_last(rank(id)));
    const ValueId last = graph_.add_value(std::move(v));
    forms(last);
    return forms(id).last = last;
  }

  // The forms of a value, computed now if need be.
  ValueId first(ValueId id) {
    if (id == kNone || forms(id).first) return id;
    push_transpose(forms(id).last, id, to_first(rank(id)));
    forms(id).first = true;
    return id;
  }
  ValueId last(ValueId id) {
    if (has_last(id)) return forms(id).last;
    const ValueId to = add_form(id);
    const Forms& of = forms(id);
    Axes axes = to_last(rank(id));
    if (of.source != kNone) {
      for (int64_t& a : axes) a = of.axes[static_cast<size_t>(a)];
    }
    push_transpose(of.source != kNone ? of.source : id, to, std::move(axes));
    changed_ = true;
    return to;
  }

  void stay(Node node) {
    for (ValueId& id : node.inputs) first(id);
    graph_.nodes.push_back(std::move(node));
  }
  // The node computes its outputs channels-last.
  bool push_last(Node node) {
    for (ValueId& id : node.outputs) {
      if (id == kNone) continue;
      forms(id).first = false;
      id = add_form(id);
    }
    graph_.nodes.push_back(std::move(node));
    changed_ = true;
    return true;
  }
  // Does working channels-last on these inputs save more than it costs?
  bool worthwhile(const std::vector<ValueId>& images) {
    bool any = false;
    double follow = 0, stay = 0;
    for (const ValueId id : images) {
      any = any || has_last(id);
      if (!has_last(id)) follow += cost(id);
      if (!forms(id).first) stay += cost(id);
    }
    return any && follow <= stay;
  }

  // Appends the node in its channels-last form, or leaves it and returns false.
  bool follow(Node& node) {
    if (node.outputs.empty() || node.outputs[0] == kNone || node.inputs.empty() || node.inputs[0] == kNone)
      return false;
    if (node.attributes.contains(kChannelsLast)) return false;  // it was written so
    if (node.is("Transpose")) return transpose(node);
    const LayoutRule rule = facts_of(node).layout;
    Change change(*this, node);
    return rule != nullptr && rule(change);
  }

  // A constant with ones in front, for broadcasting by axes.
  ValueId with_rank(ValueId id, int r) {
    const GraphValue& v = graph_.value(id);
    Shape shape = v.constant.shape();
    while (shape.rank() < r) shape.insert(0, 1);
    const std::string name = v.name;
    Tensor reshaped = v.constant.reshaped(shape);
    const ValueId to = graph_.add_constant(name, std::move(reshaped));
    forms(to);
    return to;
  }

  ValueId add_integers(const Axes& values, std::string name) {
    auto t = Tensor::from<int64_t>(Shape{static_cast<int64_t>(values.size())}, values);
    if (!t.ok()) return kNone;
    const ValueId id = graph_.add_constant(std::move(name), std::move(*t));
    forms(id);
    return id;
  }

  bool transpose(Node& node) {
    ValueId in = node.inputs[0];
    const ValueId out = node.outputs[0];
    const int r = rank(in);
    if (r < 2) return false;
    Axes axes;
    if (const auto it = node.attributes.find("perm"); it != node.attributes.end()) {
      const auto* given = std::get_if<Axes>(&it->second);
      if (given == nullptr) return false;
      axes = *given;
    } else {
      for (int i = r; i-- > 0;) axes.push_back(i);
    }
    if (static_cast<int>(axes.size()) != r) return false;
    // What the input is itself a Transpose of.
    const Forms from = forms(in);
    Axes inner;
    if (!from.first) {
      in = from.last;
      inner = to_first(r);
    } else if (from.source != kNone) {
      in = from.source;
      inner = from.axes;
    } else if (from.last != kNone && axes == to_last(r)) {
      in = from.last;
      inner = to_first(r);
    }
    if (!inner.empty()) {
      for (int64_t& a : axes) a = inner[static_cast<size_t>(a)];
    }
    if (is_identity(axes)) {
      if (is_output(out)) {
        node.op_type = "Identity";
        node.version = 13;
        node.attributes.clear();
        node.inputs[0] = in;
        graph_.nodes.push_back(std::move(node));
      } else {
        forms(out).same = in;
      }
      changed_ = true;
      return true;
    }
    if (r >= 3 && axes == to_first(r)) {
      // The output is an image whose channels-last form is there; its own form is made when somebody asks.
      forms(out).last = in;
      forms(out).first = false;
      changed_ = true;
      return true;
    }
    if (inner.empty()) first(in);
    node.inputs[0] = in;
    node.attributes["perm"] = axes;
    forms(out).source = in;
    forms(out).axes = axes;
    if (r >= 3 && axes == to_last(r) && !has_last(in)) forms(in).last = out;
    graph_.nodes.push_back(std::move(node));
    return true;
  }

  Graph& graph_;
  PerValue<Forms> forms_;
  PerValue<bool> is_output_;
  bool changed_ = false;
};

}  // namespace

Result<bool> channels_last(Graph& graph) { return LayoutPass(graph).run(); }

}  // namespace nm
