#include "engine/passes/shape_contents.h"

#include <algorithm>

#include "engine/base/checked.h"
#include "engine/tensor/broadcast.h"
#include "engine/tensor/integers.h"

namespace nm {
namespace {

constexpr size_t kMost = 64;  // elements; shapes are shorter

int64_t integer(const Node& node, std::string_view name, int64_t fallback) {
  const auto it = node.attributes.find(name);
  const int64_t* value = it == node.attributes.end() ? nullptr : std::get_if<int64_t>(&it->second);
  return value ? *value : fallback;
}

bool is_list(const std::optional<Shape>& shape) { return shape && shape->rank() == 1; }

}  // namespace

std::optional<ShapeContents::Contents> ShapeContents::contents(const Graph& graph, ValueId id) const {
  if (id == kNone) return std::nullopt;
  const Tensor* t = graph.constant(id);
  if (t != nullptr && t->raw() != nullptr && t->rank() <= 1 && t->count() <= static_cast<int64_t>(kMost)) {
    Contents out;
    for (int64_t i = 0; i < t->count(); ++i) {
      if (t->dtype() == DType::Bool) {
        out.push_back(Entry::number(t->data<bool>()[i]));
      } else if (is_index(t->dtype())) {
        out.push_back(Entry::number(integer_at(*t, i)));
      } else {
        return std::nullopt;
      }
    }
    return out;
  }
  const auto it = known_.find(id);
  return it == known_.end() ? std::nullopt : std::optional(it->second);
}

void ShapeContents::follow(const Graph& graph, const Node& node) {
  if (!node.domain.empty() || node.outputs.empty() || node.outputs[0] == kNone) return;
  if (node.op_type == "Slice") follow_cut(graph, node);
  const GraphValue& out = graph.value(node.outputs[0]);
  if (out.is_constant() || !out.shape || out.shape->rank() > 1) return;
  auto found = result(graph, node);
  if (found && found->size() <= kMost) known_[node.outputs[0]] = std::move(*found);
}

// What 32 bits do not hold has wrapped around there.
std::optional<ShapeContents::Contents> ShapeContents::result(const Graph& graph, const Node& node) const {
  const DType type = graph.value(node.outputs[0]).type.dtype;
  auto found = exact_result(graph, node, type);
  if (!found || type != DType::Int32) return found;
  for (Entry& e : *found) {
    if (!e.is_dim && !checked_cast<int32_t>(e.value)) e = Entry::unknown();
  }
  return found;
}

std::optional<ShapeContents::Contents> ShapeContents::exact_result(const Graph& graph, const Node& node,
                                                                   DType type) const {
  const std::string& op = node.op_type;
  if (op == "Shape") return shape_of(graph, node);
  if (op == "Gather") return gather(graph, node);
  if (op == "Slice") return slice(graph, node);
  if (op == "Concat") return concat(graph, node);
  if (op == "Where") return select(graph, node);
  if (op == "Add" || op == "Sub" || op == "Mul" || op == "Div" || op == "Max" || op == "Min" || op == "Equal") {
    return elementwise(graph, node);
  }
  const bool same = op == "Identity" || op == "Squeeze" || op == "Unsqueeze" || op == "Reshape";
  if (same || (op == "Cast" && is_index(type))) return contents(graph, node.input(0));
  if (op == "ConstantOfShape" && is_index(type)) {
    const auto shape = contents(graph, node.input(0));
    const auto it = node.attributes.find("value");
    const Tensor* value = it == node.attributes.end() ? nullptr : std::get_if<Tensor>(&it->second);
    const bool sized = shape && shape->size() == 1 && !(*shape)[0].is_dim && (*shape)[0].value >= 0 &&
                       (*shape)[0].value <= static_cast<int64_t>(kMost);
    if (!sized || value == nullptr || value->count() != 1) return std::nullopt;
    return Contents(static_cast<size_t>((*shape)[0].value), Entry::number(integer_at(*value, 0)));
  }
  return std::nullopt;
}

std::optional<ShapeContents::Contents> ShapeContents::shape_of(const Graph& graph, const Node& node) const {
  const auto& shape = graph.value(node.input(0)).shape;
  if (!shape) return std::nullopt;
  const auto place = [&](int64_t at) {
    return std::clamp<int64_t>(at < 0 ? at + shape->rank() : at, 0, shape->rank());
  };
  const int64_t end = place(integer(node, "end", INT64_MAX));
  Contents out;
  for (int64_t i = place(integer(node, "start", 0)); i < end; ++i) {
    out.push_back(Entry::dim((*shape)[static_cast<int>(i)]));
  }
  return out;
}

std::optional<ShapeContents::Contents> ShapeContents::gather(const Graph& graph, const Node& node) const {
  const auto data = contents(graph, node.input(0));
  const auto indices = contents(graph, node.input(1));
  if (!data || !indices || !is_list(graph.value(node.input(0)).shape)) return std::nullopt;
  const auto n = static_cast<int64_t>(data->size());
  Contents out;
  for (const Entry& e : *indices) {
    if (e.is_dim || e.value < -n || e.value >= n) return std::nullopt;
    out.push_back((*data)[static_cast<size_t>(e.value < 0 ? e.value + n : e.value)]);
  }
  return out;
}

std::optional<ShapeContents::Contents> ShapeContents::slice(const Graph& graph, const Node& node) const {
  const auto data = contents(graph, node.input(0));
  const auto start = contents(graph, node.input(1)), end = contents(graph, node.input(2));
  const auto step = contents(graph, node.input(4));
  if (!data || !start || !end || start->size() != 1 || end->size() != 1) return std::nullopt;
  if ((*start)[0].is_dim || (*end)[0].is_dim || (node.input(4) != kNone && !(step && (*step)[0].is(1)))) {
    return std::nullopt;
  }
  const auto n = static_cast<int64_t>(data->size());
  const auto place = [&](int64_t at) { return std::clamp<int64_t>(at < 0 ? at + n : at, 0, n); };
  const int64_t first = place((*start)[0].value);
  return Contents(data->begin() + first, data->begin() + std::max(first, place((*end)[0].value)));
}

std::optional<ShapeContents::Contents> ShapeContents::concat(const Graph& graph, const Node& node) const {
  Contents out;
  for (const ValueId id : node.inputs) {
    if (const auto part = contents(graph, id)) {
      out.insert(out.end(), part->begin(), part->end());
      continue;
    }
    const auto& shape = graph.value(id).shape;
    if (!is_list(shape) || (*shape)[0] < 0 || (*shape)[0] > static_cast<int64_t>(kMost)) return std::nullopt;
    out.insert(out.end(), static_cast<size_t>((*shape)[0]), Entry::unknown());
  }
  return out;
}

ShapeContents::Entry ShapeContents::apply(const Node& node, const Entry& a, const Entry& b) {
  const char op = node.op_type[0];
  if (node.op_type == "Equal") {
    if (a.same(b)) return Entry::number(1);
    // A dimension is never negative.
    const bool differ = a.is_dim ? !b.is_dim && b.value < 0 : b.is_dim ? a.value < 0 : true;
    return differ ? Entry::number(0) : Entry::unknown();
  }
  if (a.is_dim || b.is_dim) {
    if (b.is(0) && (op == 'A' || op == 'S')) return a;
    if (a.is(0) && op == 'A') return b;
    if (b.is(1) && (op == 'D' || node.op_type == "Mul")) return a;
    if (a.is(1) && node.op_type == "Mul") return b;
    return Entry::unknown();
  }
  // Sizes; what is larger is none.
  constexpr int64_t kLimit = int64_t{1} << 31;
  const auto small = [](int64_t v) { return v > -kLimit && v < kLimit; };
  if (!small(a.value) || !small(b.value)) return Entry::unknown();
  if (node.op_type == "Max") return Entry::number(std::max(a.value, b.value));
  if (node.op_type == "Min") return Entry::number(std::min(a.value, b.value));
  switch (op) {
    case 'A':
      return Entry::number(a.value + b.value);
    case 'S':
      return Entry::number(a.value - b.value);
    case 'M':
      return Entry::number(a.value * b.value);
    default:
      return b.value == 0 ? Entry::unknown() : Entry::number(a.value / b.value);
  }
}

std::optional<ShapeContents::Contents> ShapeContents::elementwise(const Graph& graph, const Node& node) const {
  const auto a = contents(graph, node.input(0)), b = contents(graph, node.input(1));
  if (!a || !b || node.inputs.size() != 2 || a->empty() || b->empty()) return std::nullopt;
  if (a->size() != b->size() && a->size() != 1 && b->size() != 1) return std::nullopt;
  Contents out;
  for (size_t i = 0; i < std::max(a->size(), b->size()); ++i) {
    out.push_back(apply(node, (*a)[a->size() == 1 ? 0 : i], (*b)[b->size() == 1 ? 0 : i]));
  }
  return out;
}

std::optional<ShapeContents::Contents> ShapeContents::select(const Graph& graph, const Node& node) const {
  const auto condition = contents(graph, node.input(0));
  const auto yes = contents(graph, node.input(1)), no = contents(graph, node.input(2));
  if (!condition || !yes || !no) return std::nullopt;
  const size_t n = std::max({condition->size(), yes->size(), no->size()});
  for (const auto* part : {&*condition, &*yes, &*no}) {
    if (part->size() != n && part->size() != 1) return std::nullopt;
  }
  const auto at = [](const Contents& c, size_t i) { return c[c.size() == 1 ? 0 : i]; };
  Contents out;
  for (size_t i = 0; i < n; ++i) {
    const Entry e = at(*condition, i), y = at(*yes, i), x = at(*no, i);
    out.push_back(e.is_dim ? (y.same(x) ? y : Entry::unknown()) : e.value != 0 ? y : x);
  }
  return out;
}

std::optional<Shape> ShapeContents::to_shape(const Contents& contents) {
  if (contents.size() > static_cast<size_t>(kMaxRank)) return std::nullopt;
  Shape shape;
  for (const Entry& e : contents) {
    if (!e.is_dim && e.value < 0) return std::nullopt;
    shape.push_back(e.value);
  }
  return shape;
}

std::optional<Shape> ShapeContents::reshape(const Graph& graph, const Node& node, const Contents& target) const {
  const auto& in = graph.value(node.input(0)).shape;
  const bool copies = integer(node, "allowzero", 0) == 0;
  Contents dims = target;
  int rest = -1;
  for (size_t i = 0; i < dims.size(); ++i) {
    if (dims[i].is(0) && copies) {
      dims[i] = in && static_cast<int>(i) < in->rank() ? Entry::dim((*in)[static_cast<int>(i)]) : Entry::unknown();
    } else if (dims[i].is(-1) && rest < 0) {
      rest = static_cast<int>(i);
      dims[i] = Entry::unknown();
    }
  }
  auto shape = to_shape(dims);
  if (!shape || rest < 0 || !in) return shape;
  // What is left of the input's elements once equal dimensions have been taken away on both sides.
  std::vector<int64_t> left(in->begin(), in->end());
  int64_t product = 1;
  for (int i = 0; i < shape->rank(); ++i) {
    const int64_t dim = (*shape)[i];
    if (i == rest) continue;
    if (const auto it = std::find(left.begin(), left.end(), dim); dim != kUnknownDim && it != left.end()) {
      left.erase(it);
    } else if (dim > 0 && dim <= INT32_MAX && product <= INT32_MAX) {
      product *= dim;
    } else {
      return shape;
    }
  }
  int64_t symbol = 1;
  int64_t number = 1;
  for (const int64_t dim : left) {
    if (dim == kUnknownDim || (dim < 0 && symbol != 1) || dim > INT32_MAX || number > INT32_MAX) return shape;
    (dim < 0 ? symbol : number) *= dim;
  }
  if (symbol == 1 && number % product == 0) (*shape)[rest] = number / product;
  if (symbol != 1 && number == product) (*shape)[rest] = symbol;
  return shape;
}

// As many rows of a table of positions as there are tokens.
void ShapeContents::follow_cut(const Graph& graph, const Node& node) {
  const auto &in = graph.value(node.input(0)).shape, &out = graph.value(node.outputs[0]).shape;
  const auto start = contents(graph, node.input(1)), end = contents(graph, node.input(2));
  const auto axes = contents(graph, node.input(3)), steps = contents(graph, node.input(4));
  if (!in || !out || !start || !end || !axes || start->size() != axes->size() || end->size() != axes->size()) return;
  for (size_t i = 0; i < axes->size(); ++i) {
    const int axis = (*axes)[i].is_dim ? -1 : normalize_axis((*axes)[i].value, out->rank());
    const bool stepless = node.input(4) == kNone || (steps && i < steps->size() && (*steps)[i].is(1));
    if (axis < 0 || !stepless || !(*start)[i].is(0) || !(*end)[i].is_dim || (*end)[i].value == kUnknownDim) continue;
    if ((*out)[axis] < kUnknownDim && (*out)[axis] != (*in)[axis]) cut_to_[(*out)[axis]] = (*end)[i].value;
  }
}

// Broadcasting s against min(s, n) is only possible where the result is s.
int64_t ShapeContents::broadcast(int64_t a, int64_t b) const {
  if (a == b || b == 1) return a;
  if (a == 1) return b;
  for (const auto& [cut, whole] : {std::pair(a, b), std::pair(b, a)}) {
    const auto it = cut_to_.find(cut);
    if (it != cut_to_.end() && it->second == whole) return whole;
  }
  return a > 1 ? a : b > 1 ? b : kUnknownDim;
}

std::optional<Shape> ShapeContents::broadcast(const Graph& graph, const Node& node) const {
  const auto &a = graph.value(node.input(0)).shape, &b = graph.value(node.input(1)).shape;
  if (node.version < 7 || cut_to_.empty() || !a || !b) return std::nullopt;
  Shape out = a->rank() > b->rank() ? *a : *b;
  for (int i = 1; i <= std::min(a->rank(), b->rank()); ++i) {
    out[out.rank() - i] = broadcast((*a)[a->rank() - i], (*b)[b->rank() - i]);
  }
  return out;
}

std::optional<Shape> ShapeContents::output_shape(const Graph& graph, const Node& node) const {
  if (!node.domain.empty()) return std::nullopt;
  const std::string& op = node.op_type;
  if (op == "Range") {
    const auto start = contents(graph, node.input(0)), end = contents(graph, node.input(1));
    const auto step = contents(graph, node.input(2));
    if (!start || !end || !step || start->size() != 1 || end->size() != 1 || step->size() != 1) return std::nullopt;
    if (!(*start)[0].is(0) || !(*step)[0].is(1)) return std::nullopt;
    return to_shape(*end);
  }
  if (op == "Add" || op == "Mul") return broadcast(graph, node);
  const size_t from = op == "ConstantOfShape" ? 0 : 1;
  if (op != "ConstantOfShape" && op != "Reshape" && op != "Expand" && op != "Tile") return std::nullopt;
  const auto target = contents(graph, node.input(from));
  if (!target) return std::nullopt;
  if (op == "Reshape") return reshape(graph, node, *target);
  auto shape = to_shape(*target);
  if (op == "ConstantOfShape" || !shape) return shape;
  const auto& in = graph.value(node.input(0)).shape;
  if (!in) return std::nullopt;
  if (op == "Expand") return broadcast_shape(*in, *shape);
  if (shape->rank() != in->rank()) return std::nullopt;  // Tile
  for (int i = 0; i < shape->rank(); ++i) {
    const int64_t dim = (*in)[i], times = (*shape)[i];
    const bool small = dim >= 0 && dim <= INT32_MAX && times >= 0 && times <= INT32_MAX;
    (*shape)[i] = times == 1 ? dim : dim == 1 ? times : small ? dim * times : kUnknownDim;
  }
  return shape;
}

}  // namespace nm
