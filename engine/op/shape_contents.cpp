#include "engine/op/shape_contents.h"

#include <algorithm>

#include "engine/base/checked.h"
#include "engine/op/registry.h"
#include "engine/tensor/integers.h"

namespace nm {

std::optional<DimList> ShapeQuery::input(size_t i) const { return known_.contents(graph, node.input(i)); }

std::optional<DimEntry> ShapeQuery::element(size_t i) const {
  const auto list = input(i);
  return list && list->size() == 1 ? std::optional((*list)[0]) : std::nullopt;
}

int64_t ShapeQuery::integer(std::string_view attribute, int64_t fallback) const {
  const auto it = node.attributes.find(attribute);
  const int64_t* value = it == node.attributes.end() ? nullptr : std::get_if<int64_t>(&it->second);
  return value ? *value : fallback;
}

void ShapeQuery::cut(int64_t part, int64_t whole) const { known_.cut_to_[part] = whole; }

bool ShapeQuery::has_cuts() const { return !known_.cut_to_.empty(); }

// Broadcasting s against min(s, n) is only possible where the result is s.
int64_t ShapeQuery::broadcast(int64_t a, int64_t b) const {
  if (a == b || b == 1) return a;
  if (a == 1) return b;
  for (const auto& [part, whole] : {std::pair(a, b), std::pair(b, a)}) {
    const auto it = known_.cut_to_.find(part);
    if (it != known_.cut_to_.end() && it->second == whole) return whole;
  }
  return a > 1 ? a : b > 1 ? b : kUnknownDim;
}

DimEntry ShapeQuery::sum(const DimEntry& a, const DimEntry& b) const {
  if (!a.is_dim && !b.is_dim) return contents::of_sizes(a, b, [](int64_t x, int64_t y) { return x + y; });
  if (!a.is_dim && a.value < 0) return difference(b, DimEntry::number(-a.value));
  if (!b.is_dim && b.value < 0) return difference(a, DimEntry::number(-b.value));
  return graph.symbols ? DimEntry::dim(graph.symbols->sum(a.value, b.value)) : DimEntry::unknown();
}

DimEntry ShapeQuery::difference(const DimEntry& a, const DimEntry& b) const {
  if (!a.is_dim && !b.is_dim) return contents::of_sizes(a, b, [](int64_t x, int64_t y) { return x - y; });
  if ((!a.is_dim && a.value < 0) || (!b.is_dim && b.value < 0)) return DimEntry::unknown();
  return graph.symbols ? DimEntry::dim(graph.symbols->difference(a.value, b.value)) : DimEntry::unknown();
}

std::optional<DimList> ShapeContents::contents(const Graph& graph, ValueId id) const {
  if (id == kNone) return std::nullopt;
  const Tensor* t = graph.constant(id);
  if (t != nullptr && t->raw() != nullptr && t->rank() <= 1 && t->count() <= static_cast<int64_t>(kMostDimEntries)) {
    DimList out;
    for (int64_t i = 0; i < t->count(); ++i) {
      if (t->dtype() == DType::Bool) {
        out.push_back(DimEntry::number(t->data<bool>()[i]));
      } else if (is_index(t->dtype())) {
        out.push_back(DimEntry::number(integer_at(*t, i)));
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
  const ContentsRule rule = facts_of(node).contents;
  if (rule == nullptr || node.outputs.empty() || node.outputs[0] == kNone) return;
  auto found = rule(ShapeQuery(*this, graph, node));
  const GraphValue& out = graph.value(node.outputs[0]);
  if (!found || found->size() > kMostDimEntries || out.is_constant() || !out.shape || out.shape->rank() > 1) return;
  // What 32 bits do not hold has wrapped around there.
  if (out.type.dtype == DType::Int32) {
    for (DimEntry& e : *found) {
      if (!e.is_dim && !checked_cast<int32_t>(e.value)) e = DimEntry::unknown();
    }
  }
  known_[node.outputs[0]] = std::move(*found);
}

std::optional<Shape> ShapeContents::output_shape(const Graph& graph, const Node& node) {
  const ShapeRule rule = facts_of(node).shape;
  return rule != nullptr ? rule(ShapeQuery(*this, graph, node)) : std::nullopt;
}

namespace contents {

std::optional<DimList> same(const ShapeQuery& q) { return q.input(0); }

std::optional<DimList> elementwise(const ShapeQuery& q, EntryRule f) {
  const auto a = q.input(0), b = q.input(1);
  if (!a || !b || q.node.inputs.size() != 2 || a->empty() || b->empty()) return std::nullopt;
  if (a->size() != b->size() && a->size() != 1 && b->size() != 1) return std::nullopt;
  DimList out;
  for (size_t i = 0; i < std::max(a->size(), b->size()); ++i) {
    out.push_back(f(q, (*a)[a->size() == 1 ? 0 : i], (*b)[b->size() == 1 ? 0 : i]));
  }
  return out;
}

std::optional<Shape> to_shape(const DimList& list) {
  if (list.size() > static_cast<size_t>(kMaxRank)) return std::nullopt;
  Shape shape;
  for (const DimEntry& e : list) {
    if (!e.is_dim && e.value < 0) return std::nullopt;
    shape.push_back(e.value);
  }
  return shape;
}

}  // namespace contents
}  // namespace nm
