#include "engine/op/layout.h"

#include <algorithm>

#include "engine/tensor/integers.h"

namespace nm {

int LayoutChange::rank(ValueId id) const {
  return id != kNone && graph.value(id).shape ? graph.value(id).shape->rank() : -1;
}

bool LayoutChange::outputs_have_rank(int r) const {
  return std::all_of(node.outputs.begin(), node.outputs.end(),
                     [&](ValueId id) { return id == kNone || rank(id) == r; });
}

bool LayoutChange::is_single(ValueId id) const {
  const auto& shape = graph.value(id).shape;
  return shape && shape->known() && shape->count() == 1;
}

LayoutChange::Axes LayoutChange::to_first(int rank) {
  Axes axes{0, rank - 1};
  for (int i = 1; i + 1 < rank; ++i) axes.push_back(i);
  return axes;
}

void LayoutChange::first_from(size_t i) {
  for (; i < node.inputs.size(); ++i) first(node.inputs[i]);
}

std::optional<LayoutChange::Axes> LayoutChange::integers(ValueId id) const {
  const Tensor* t = graph.constant(id);
  if (t == nullptr || t->raw() == nullptr || t->rank() != 1) return std::nullopt;
  return nm::integers(*t);
}

bool LayoutChange::move_axis(int r, int64_t fallback) {
  const auto it = node.attributes.find("axis");
  const int64_t* given = it == node.attributes.end() ? nullptr : std::get_if<int64_t>(&it->second);
  if (it != node.attributes.end() && given == nullptr) return false;
  const int axis = normalize_axis(given ? *given : fallback, r);
  if (axis < 0) return false;
  node.attributes["axis"] = in_last(axis, r);
  return true;
}

std::optional<LayoutChange::Axes> LayoutChange::axes(size_t input, int r, const Axes& fallback) const {
  Axes axes = fallback;
  if (node.input(input) != kNone) {
    const auto given = integers(node.inputs[input]);
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

bool LayoutChange::set_axes(size_t input, bool as_input, const Axes& axes) {
  if (!as_input) {
    node.attributes["axes"] = axes;
    return true;
  }
  const ValueId id = add_integers(axes, node.name + ".axes");
  if (id == kNone) return false;
  while (node.inputs.size() <= input) node.inputs.push_back(kNone);
  node.explicit_inputs = node.inputs.size();
  node.inputs[input] = id;
  return true;
}

bool LayoutChange::keeps_dims() const {
  const auto it = node.attributes.find("keepdims");
  const int64_t* keep = it == node.attributes.end() ? nullptr : std::get_if<int64_t>(&it->second);
  return keep == nullptr || *keep != 0;
}

bool LayoutChange::order_survives(int r, const Axes& axes) const {
  const auto has = [&](int64_t a) { return std::find(axes.begin(), axes.end(), a) != axes.end(); };
  if (keeps_dims() || has(1)) return true;
  for (int64_t a = 2; a < r; ++a) {
    if (!has(a)) return false;
  }
  return true;
}

namespace layout {
namespace {

bool push_image(LayoutChange& change) {
  change.node.inputs[0] = change.last(change.node.inputs[0]);
  change.node.attributes[kChannelsLast] = int64_t{1};
  return change.push_last();
}

}  // namespace

bool opaque(LayoutChange&) { return false; }

bool elementwise(LayoutChange& change) {
  Node& node = change.node;
  if (node.attributes.contains("broadcast") || node.attributes.contains("axis")) return false;  // before version 7
  const int r = change.rank(node.outputs[0]);
  if (r < 3 || !change.outputs_have_rank(r)) return false;
  std::vector<ValueId> images;
  for (const ValueId id : node.inputs) {
    if (id == kNone || change.is_single(id)) continue;
    const int own = change.rank(id);
    if (own < 1 || own > r || (own < r && !change.graph.value(id).is_constant())) return false;
    if (own == r) images.push_back(id);
  }
  if (!change.worthwhile(images)) return false;
  for (ValueId& id : node.inputs) {
    if (id == kNone) continue;
    if (change.is_single(id)) {
      change.first(id);
    } else {
      id = change.last(change.rank(id) < r ? change.with_rank(id, r) : id);
    }
  }
  return change.push_last();
}

namespace {

bool take_image(LayoutChange& change, size_t residual) {
  Node& node = change.node;
  const int r = change.rank(node.inputs[0]);
  if (r < 3 || !change.outputs_have_rank(r)) return false;
  // Indices of MaxPool count in the file's order: what reads them will want the same of the values.
  if (node.outputs.size() > 1 && node.outputs[1] != kNone) return false;
  for (size_t i = 1; i < node.inputs.size(); ++i) {
    if (i == residual && node.inputs[i] != kNone) {
      node.inputs[i] = change.last(node.inputs[i]);
    } else {
      change.first(node.inputs[i]);
    }
  }
  return push_image(change);
}

}  // namespace

bool image(LayoutChange& change) { return take_image(change, SIZE_MAX); }

bool image_and_residual(LayoutChange& change) { return take_image(change, 3); }

bool wants_channels_last(LayoutRule rule) { return rule == image || rule == image_and_residual; }

bool image_when_given(LayoutChange& change) {
  Node& node = change.node;
  const int r = change.rank(node.inputs[0]);
  if (r < 3 || !change.worthwhile({node.inputs[0]}) || !change.outputs_have_rank(r)) return false;
  for (size_t o = 1; o < node.outputs.size(); ++o) {
    if (node.outputs[o] != kNone) return false;  // a BatchNormalization that trains
  }
  change.first_from(1);
  return push_image(change);
}

bool along_axis(LayoutChange& change, int64_t fallback) {
  Node& node = change.node;
  const int r = change.rank(node.inputs[0]);
  if (r < 3 || !change.outputs_have_rank(r) || !change.worthwhile({node.inputs[0]}) || !change.move_axis(r, fallback))
    return false;
  change.first_from(1);
  node.inputs[0] = change.last(node.inputs[0]);
  return change.push_last();
}

}  // namespace layout
}  // namespace nm
