// The layout pass: images become channels-last where convolutions and pools want them so and stay so for as long as
// what follows can do without their order. Every value has up to two forms, the one of the file and the channels-last
// one; walking the nodes in order, each takes the forms it wants, and a Transpose is made only when a form is asked for
// that nobody has computed. Transposes of the file itself become forms too, so inverse pairs vanish.
#include <algorithm>
#include <map>

#include "engine/ops/image.h"
#include "engine/passes/passes.h"
#include "engine/passes/rewrite.h"

namespace nm {
namespace {

using Axes = std::vector<int64_t>;

// Output axis i is input axis axes[i].
Axes to_last(int rank) {
  Axes axes{0};
  for (int i = 2; i < rank; ++i) axes.push_back(i);
  axes.push_back(1);
  return axes;
}
Axes to_first(int rank) {
  Axes axes{0, rank - 1};
  for (int i = 1; i + 1 < rank; ++i) axes.push_back(i);
  return axes;
}
// Where axis `axis` of the file's form lies in the channels-last form.
int64_t axis_in_last(int64_t axis, int rank) { return axis == 0 ? 0 : axis == 1 ? rank - 1 : axis - 1; }

bool is_identity(const Axes& axes) {
  for (size_t i = 0; i < axes.size(); ++i) {
    if (axes[i] != static_cast<int64_t>(i)) return false;
  }
  return true;
}

class LayoutPass {
 public:
  explicit LayoutPass(Graph& graph) : graph_(graph), forms_(graph.values.size()) {}

  Result<bool> run() {
    if (std::none_of(graph_.nodes.begin(), graph_.nodes.end(), [&](const Node& n) { return is_image_node(n); })) {
      return false;
    }
    const size_t before = graph_.nodes.size();
    std::vector<Node> nodes = std::move(graph_.nodes);
    graph_.nodes.clear();
    is_output_.assign(graph_.values.size(), false);
    for (const ValueId id : graph_.outputs) is_output_[static_cast<size_t>(id)] = true;
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

  Forms& forms(ValueId id) {
    if (static_cast<size_t>(id) >= forms_.size()) forms_.resize(graph_.values.size());
    return forms_[static_cast<size_t>(id)];
  }
  ValueId resolved(ValueId id) { return id != kNone && forms(id).same != kNone ? forms(id).same : id; }
  bool is_output(ValueId id) const {
    return static_cast<size_t>(id) < is_output_.size() && is_output_[static_cast<size_t>(id)];
  }

  int rank(ValueId id) const {
    const auto& shape = graph_.value(id).shape;
    return id != kNone && shape ? shape->rank() : -1;
  }
  bool has_last(ValueId id) { return forms(id).last != kNone; }
  // A tensor of one element takes part in any layout.
  bool is_single(ValueId id) const {
    const auto& shape = graph_.value(id).shape;
    return shape && shape->known() && shape->count() == 1;
  }
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
  bool outputs_have_rank(const Node& node, int r) const {
    return std::all_of(node.outputs.begin(), node.outputs.end(),
                       [&](ValueId id) { return id == kNone || rank(id) == r; });
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

  static bool is_image_node(const Node& n) {
    return n.is("Conv") || n.is("ConvTranspose") || n.is("MaxPool") || n.is("AveragePool") || n.is("LpPool") ||
           n.is("ConvInteger") || n.is("QLinearConv") || n.is("FusedConv", "com.microsoft");
  }

  using Handler = bool (LayoutPass::*)(Node&);

  // Appends the node in its channels-last form, or leaves it and returns false.
  bool follow(Node& node) {
    if (node.outputs.empty() || node.outputs[0] == kNone || node.inputs.empty() || node.inputs[0] == kNone)
      return false;
    if (node.attributes.contains(kChannelsLast)) return false;  // it was written so
    if (is_image_node(node)) return image(node);
    static const std::map<std::string_view, Handler> handlers = {
        {"GlobalAveragePool", &LayoutPass::image_if_last},
        {"GlobalMaxPool", &LayoutPass::image_if_last},
        {"GlobalLpPool", &LayoutPass::image_if_last},
        {"BatchNormalization", &LayoutPass::image_if_last},
        {"InstanceNormalization", &LayoutPass::image_if_last},
        {"QuantizeLinear", &LayoutPass::quantize},
        {"DequantizeLinear", &LayoutPass::quantize},
        {"Resize", &LayoutPass::image_if_last},
        {"Upsample", &LayoutPass::image_if_last},
        {"Transpose", &LayoutPass::transpose},
        {"Reshape", &LayoutPass::reshape},
        {"Shape", &LayoutPass::shape},
        {"Concat", &LayoutPass::concat},
        {"Split", &LayoutPass::one_axis},
        {"Softmax", &LayoutPass::softmax},
        {"LogSoftmax", &LayoutPass::softmax},
        {"Hardmax", &LayoutPass::softmax},
        {"Slice", &LayoutPass::slice},
        {"Pad", &LayoutPass::pad},
        {"ArgMax", &LayoutPass::arg},
        {"ArgMin", &LayoutPass::arg},
    };
    if (node.domain.empty()) {
      if (const auto it = handlers.find(node.op_type); it != handlers.end()) return (this->*it->second)(node);
      if (node.op_type.starts_with("Reduce")) return reduce(node);
    }
    return is_elementwise(node) && elementwise(node);
  }

  static bool is_elementwise(const Node& n) {
    static constexpr std::string_view kStandard[] = {"Abs",         "Acos",
                                                     "Acosh",       "Add",
                                                     "And",         "Asin",
                                                     "Asinh",       "Atan",
                                                     "Atanh",       "BitShift",
                                                     "BitwiseAnd",  "BitwiseNot",
                                                     "BitwiseOr",   "BitwiseXor",
                                                     "Cast",        "Ceil",
                                                     "Celu",        "Clip",
                                                     "Cos",         "Cosh",
                                                     "Div",         "Dropout",
                                                     "Elu",         "Equal",
                                                     "Erf",         "Exp",
                                                     "Floor",       "Gelu",
                                                     "Greater",     "GreaterOrEqual",
                                                     "HardSigmoid", "HardSwish",
                                                     "Identity",    "IsInf",
                                                     "IsNaN",       "LeakyRelu",
                                                     "Less",        "LessOrEqual",
                                                     "Log",         "Max",
                                                     "Mean",        "Min",
                                                     "Mish",        "Mod",
                                                     "Mul",         "Neg",
                                                     "Not",         "Or",
                                                     "PRelu",       "Pow",
                                                     "Reciprocal",  "Relu",
                                                     "Round",       "Selu",
                                                     "Shrink",      "Sigmoid",
                                                     "Sign",        "Sin",
                                                     "Sinh",        "Softplus",
                                                     "Softsign",    "Sqrt",
                                                     "Sub",         "Sum",
                                                     "Swish",       "Tan",
                                                     "Tanh",        "ThresholdedRelu",
                                                     "Where",       "Xor"};
    static constexpr std::string_view kMicrosoft[] = {"FastGelu", "Gelu", "QuickGelu"};
    if (n.domain.empty()) return std::binary_search(std::begin(kStandard), std::end(kStandard), n.op_type);
    return n.domain == "com.microsoft" && n.inputs.size() == 1 &&
           std::binary_search(std::begin(kMicrosoft), std::end(kMicrosoft), n.op_type);
  }

  bool image(Node& node) {
    const int r = rank(node.inputs[0]);
    if (r < 3 || !outputs_have_rank(node, r)) return false;
    // Indices of MaxPool count in the file's order: what reads them will want the same of the values.
    if (node.outputs.size() > 1 && node.outputs[1] != kNone) return false;
    node.inputs[0] = last(node.inputs[0]);
    if ((node.is("Conv") || node.is("FusedConv", "com.microsoft")) && node.input(3) != kNone) {
      node.inputs[3] = last(node.inputs[3]);
    }
    for (size_t i = 1; i < node.inputs.size(); ++i) first(node.inputs[i]);
    node.attributes[std::string(kChannelsLast)] = int64_t{1};
    return push_last(std::move(node));
  }

  bool image_if_last(Node& node) {
    const int r = rank(node.inputs[0]);
    if (r < 3 || !worthwhile({node.inputs[0]})) return false;
    for (size_t o = 1; o < node.outputs.size(); ++o) {
      if (node.outputs[o] != kNone) return false;  // a BatchNormalization that trains
    }
    if (!outputs_have_rank(node, r)) return false;
    for (size_t i = 1; i < node.inputs.size(); ++i) first(node.inputs[i]);
    node.inputs[0] = last(node.inputs[0]);
    node.attributes[std::string(kChannelsLast)] = int64_t{1};
    return push_last(std::move(node));
  }

  bool elementwise(Node& node) {
    if (node.attributes.contains("broadcast") || node.attributes.contains("axis")) return false;  // before version 7
    const int r = rank(node.outputs[0]);
    if (r < 3 || !outputs_have_rank(node, r)) return false;
    std::vector<ValueId> images;
    for (const ValueId id : node.inputs) {
      if (id == kNone || is_single(id)) continue;
      if (rank(id) < 1 || rank(id) > r || (rank(id) < r && !graph_.value(id).is_constant())) return false;
      if (rank(id) == r) images.push_back(id);
    }
    if (!worthwhile(images)) return false;
    for (ValueId& id : node.inputs) {
      if (id == kNone) continue;
      if (is_single(id)) {
        first(id);
      } else {
        id = last(rank(id) < r ? with_rank(id, r) : id);
      }
    }
    return push_last(std::move(node));
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

  // The node's axis attribute in the channels-last form; false when there is none that fits.
  bool remap_axis(Node& node, int r, int64_t fallback) {
    const auto it = node.attributes.find("axis");
    const int64_t* given = it == node.attributes.end() ? nullptr : std::get_if<int64_t>(&it->second);
    if (it != node.attributes.end() && given == nullptr) return false;
    const int axis = normalize_axis(given ? *given : fallback, r);
    if (axis < 0) return false;
    node.attributes["axis"] = axis_in_last(axis, r);
    return true;
  }

  bool concat(Node& node) {
    const int r = rank(node.outputs[0]);
    if (r < 3) return false;
    for (const ValueId id : node.inputs) {
      if (id == kNone || rank(id) != r) return false;
    }
    if (!worthwhile(node.inputs) || !remap_axis(node, r, 1)) return false;
    for (ValueId& id : node.inputs) id = last(id);
    return push_last(std::move(node));
  }

  // Split and its like: the first input is an image with an axis, the others have no layout.
  bool one_axis_or(Node& node, int64_t fallback) {
    const int r = rank(node.inputs[0]);
    if (r < 3 || !outputs_have_rank(node, r) || !worthwhile({node.inputs[0]}) || !remap_axis(node, r, fallback)) {
      return false;
    }
    for (size_t i = 1; i < node.inputs.size(); ++i) first(node.inputs[i]);
    node.inputs[0] = last(node.inputs[0]);
    return push_last(std::move(node));
  }
  // One scale, or one for each index of an axis.
  bool quantize(Node& node) { return !node.attributes.contains("block_size") && one_axis_or(node, 1); }
  bool one_axis(Node& node) { return one_axis_or(node, 0); }
  // Before version 13 the axis split the shape in two.
  bool softmax(Node& node) { return node.version >= 13 && one_axis_or(node, -1); }

  std::optional<Axes> constant_integers(ValueId id) const {
    const Tensor* t = graph_.constant(id);
    if (t == nullptr || t->raw() == nullptr || t->rank() != 1) return std::nullopt;
    if (t->dtype() == DType::Int64) return Axes(t->data<int64_t>(), t->data<int64_t>() + t->count());
    if (t->dtype() == DType::Int32) return Axes(t->data<int32_t>(), t->data<int32_t>() + t->count());
    return std::nullopt;
  }
  ValueId add_integers(const Axes& values, std::string name) {
    auto t = Tensor::from<int64_t>(Shape{static_cast<int64_t>(values.size())}, values);
    if (!t.ok()) return kNone;
    const ValueId id = graph_.add_constant(std::move(name), std::move(*t));
    forms(id);
    return id;
  }

  // Axes given as an attribute or, from some version on, as input `input`. nullopt: not known, or not sensible.
  std::optional<Axes> axes_of(const Node& node, size_t input, int r, const Axes& fallback) const {
    Axes axes = fallback;
    if (node.input(input) != kNone) {
      const auto given = constant_integers(node.inputs[input]);
      if (!given) return std::nullopt;
      axes = *given;
    } else if (const auto it = node.attributes.find("axes"); it != node.attributes.end()) {
      const auto* given = std::get_if<Axes>(&it->second);
      if (given == nullptr) return std::nullopt;
      axes = *given;
    }
    for (int64_t& a : axes) {
      a = normalize_axis(a, r);
      if (a < 0) return std::nullopt;
    }
    return axes;
  }
  // Writes axes where the node's version has them.
  bool set_axes(Node& node, size_t input, bool as_input, const Axes& axes) {
    if (!as_input) {
      node.attributes["axes"] = axes;
      return true;
    }
    while (node.inputs.size() <= input) node.inputs.push_back(kNone);
    node.explicit_inputs = node.inputs.size();
    return (node.inputs[input] = add_integers(axes, node.name + ".axes")) != kNone;
  }

  bool slice(Node& node) {
    const int r = rank(node.inputs[0]);
    if (r < 3 || !worthwhile({node.inputs[0]})) return false;
    const bool as_input = node.version >= 10;
    // Without axes there is one start for each of the first dimensions.
    int count = r;
    if (as_input) {
      const auto& starts = graph_.value(node.inputs[1]).shape;
      if (!starts || starts->rank() != 1 || (*starts)[0] < 0) return false;
      count = static_cast<int>((*starts)[0]);
    } else if (const auto it = node.attributes.find("starts"); it != node.attributes.end()) {
      if (const auto* starts = std::get_if<Axes>(&it->second)) count = static_cast<int>(starts->size());
    }
    if (count > r) return false;
    Axes all;
    for (int i = 0; i < count; ++i) all.push_back(i);
    auto axes = axes_of(node, 3, r, all);
    if (!axes) return false;
    for (int64_t& a : *axes) a = axis_in_last(a, r);
    for (size_t i = 1; i < node.inputs.size(); ++i) first(node.inputs[i]);
    if (!set_axes(node, 3, as_input, *axes)) return false;
    node.inputs[0] = last(node.inputs[0]);
    return push_last(std::move(node));
  }

  bool pad(Node& node) {
    const int r = rank(node.inputs[0]);
    if (r < 3 || node.version < 2 || node.input(3) != kNone || !worthwhile({node.inputs[0]})) return false;
    Axes pads;
    if (node.version >= 11) {
      const auto given = constant_integers(node.input(1));
      if (!given) return false;
      pads = *given;
    } else if (const auto it = node.attributes.find("pads"); it != node.attributes.end()) {
      if (const auto* given = std::get_if<Axes>(&it->second)) pads = *given;
    }
    const auto size = static_cast<size_t>(r);
    if (pads.size() != 2 * size) return false;
    Axes moved(2 * size);
    for (size_t i = 0; i < size; ++i) {
      const auto to = static_cast<size_t>(axis_in_last(static_cast<int64_t>(i), r));
      moved[to] = pads[i];
      moved[to + size] = pads[i + size];
    }
    if (node.version >= 11) {
      node.inputs[1] = add_integers(moved, node.name + ".pads");
    } else {
      node.attributes["pads"] = moved;
    }
    first(node.input(2));
    node.inputs[0] = last(node.inputs[0]);
    return push_last(std::move(node));
  }

  static bool keeps_dims(const Node& node) {
    const auto it = node.attributes.find("keepdims");
    const int64_t* keep = it == node.attributes.end() ? nullptr : std::get_if<int64_t>(&it->second);
    return keep == nullptr || *keep != 0;
  }

  bool push_reduced(Node node) {
    if (keeps_dims(node)) return push_last(std::move(node));
    graph_.nodes.push_back(std::move(node));
    changed_ = true;
    return true;
  }
  // Reductions that drop dimensions give the same in either form when channels go, or all of the pixels.
  bool order_survives(const Node& node, int r, const Axes& axes) const {
    if (keeps_dims(node) || std::find(axes.begin(), axes.end(), 1) != axes.end()) return true;
    for (int64_t a = 2; a < r; ++a) {
      if (std::find(axes.begin(), axes.end(), a) == axes.end()) return false;
    }
    return true;
  }

  bool reduce(Node& node) {
    const int r = rank(node.inputs[0]);
    if (r < 3 || !worthwhile({node.inputs[0]})) return false;
    auto axes = axes_of(node, 1, r, {});
    if (!axes || axes->empty() || !order_survives(node, r, *axes)) return false;
    const bool as_input = node.input(1) != kNone;
    for (int64_t& a : *axes) a = axis_in_last(a, r);
    std::sort(axes->begin(), axes->end());
    if (!set_axes(node, 1, as_input, *axes)) return false;
    node.inputs[0] = last(node.inputs[0]);
    return push_reduced(std::move(node));
  }

  bool arg(Node& node) {
    const int r = rank(node.inputs[0]);
    const auto it = node.attributes.find("axis");
    const int64_t* given = it == node.attributes.end() ? nullptr : std::get_if<int64_t>(&it->second);
    const int axis = normalize_axis(given ? *given : 0, std::max(r, 0));
    if (r < 3 || axis < 0 || !worthwhile({node.inputs[0]}) || !order_survives(node, r, {axis})) return false;
    if (!remap_axis(node, r, 0)) return false;
    node.inputs[0] = last(node.inputs[0]);
    return push_reduced(std::move(node));
  }

  // Shape asks only for dimensions: those of the channels-last form, put back in order.
  bool shape(Node& node) {
    const ValueId id = node.inputs[0];
    if (forms(id).first || node.attributes.contains("start") || node.attributes.contains("end")) return false;
    const int r = rank(id);
    GraphValue dims;
    dims.name = graph_.value(node.outputs[0]).name + ".channels_last";
    dims.type = ValueType::tensor(DType::Int64);
    dims.shape = Shape{r};
    const ValueId out = node.outputs[0];
    node.inputs[0] = forms(id).last;
    node.outputs[0] = graph_.add_value(std::move(dims));
    const ValueId order = add_integers(to_first(r), node.name + ".order");
    if (order == kNone) return false;
    Node gather;
    gather.name = node.name;
    gather.op_type = "Gather";
    gather.version = 13;
    gather.inputs = {node.outputs[0], order};
    gather.explicit_inputs = 2;
    gather.outputs = {out};
    graph_.nodes.push_back(std::move(node));
    graph_.nodes.push_back(std::move(gather));
    return true;
  }

  // [N, C, …pixels] to [N, C, …pixels otherwise].
  bool reshape(Node& node) {
    const ValueId in = node.inputs[0], out = node.outputs[0];
    const int r = rank(in), to = rank(out);
    if (r < 3 || to < 3 || !worthwhile({in})) return false;
    const Shape &a = *graph_.value(in).shape, &b = *graph_.value(out).shape;
    if (a[0] != b[0] || a[1] != b[1] || a[0] == kUnknownDim || a[1] < 0) return false;
    const auto allow = node.attributes.find("allowzero");
    if (allow != node.attributes.end() || node.version < 5) return false;
    const auto target = constant_integers(node.input(1));
    if (!target || static_cast<int>(target->size()) != to) return false;
    // A zero copies the dimension at its own place, which moves by one together with the pixels.
    Axes moved{(*target)[0]};
    for (size_t i = 2; i < target->size(); ++i) moved.push_back((*target)[i]);
    moved.push_back(a[1]);
    node.inputs[1] = add_integers(moved, node.name + ".shape");
    if (node.inputs[1] == kNone) return false;
    node.inputs[0] = last(in);
    return push_last(std::move(node));
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
  std::vector<Forms> forms_;
  std::vector<bool> is_output_;
  bool changed_ = false;
};

}  // namespace

Result<bool> channels_last(Graph& graph) { return LayoutPass(graph).run(); }

}  // namespace nm
