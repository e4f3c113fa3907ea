// A list with an entry for each value of a graph, by the value's id.
#pragma once
#include <vector>

#include "engine/graph/graph.h"

namespace nm {

template <class T>
class PerValue {
 public:
  using reference = typename std::vector<T>::reference;
  using const_reference = typename std::vector<T>::const_reference;

  PerValue() = default;
  explicit PerValue(const Graph& graph) : entries_(graph.values.size()) {}
  PerValue(const Graph& graph, const T& initial) : entries_(graph.values.size(), initial) {}

  reference operator[](ValueId id) { return entries_[static_cast<size_t>(id)]; }
  const_reference operator[](ValueId id) const { return entries_[static_cast<size_t>(id)]; }
  size_t size() const { return entries_.size(); }
  auto begin() { return entries_.begin(); }
  auto end() { return entries_.end(); }

  // Values that a graph gets later have no entry,
  bool contains(ValueId id) const { return static_cast<size_t>(id) < entries_.size(); }
  // count as `absent`,
  T get(ValueId id, T absent) const { return contains(id) ? T((*this)[id]) : absent; }
  // or get one each.
  void grow(const Graph& graph) { entries_.resize(graph.values.size()); }

 private:
  std::vector<T> entries_;
};

}  // namespace nm
