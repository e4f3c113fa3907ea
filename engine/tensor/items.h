// The values of a sequence. A copy shares all of it, and what is put in or taken out costs a few nodes of a tree, so
// that a model that builds a list item by item takes time in proportion to the list, whoever else holds the lists
// before.
#pragma once
#include <cstddef>
#include <iterator>
#include <memory>

namespace nm {

class Value;

class Items {
 public:
  class Iterator {
   public:
    using iterator_category = std::forward_iterator_tag;
    using value_type = Value;
    using difference_type = std::ptrdiff_t;
    using pointer = const Value*;
    using reference = const Value&;

    Iterator() = default;
    Iterator(const Items* items, size_t at) : items_(items), at_(at) {}
    const Value& operator*() const { return (*items_)[at_]; }
    const Value* operator->() const { return &(*items_)[at_]; }
    Iterator& operator++() {
      ++at_;
      return *this;
    }
    Iterator operator++(int) {
      const Iterator before = *this;
      ++at_;
      return before;
    }
    bool operator==(const Iterator&) const = default;

   private:
    const Items* items_ = nullptr;
    size_t at_ = 0;
  };

  size_t size() const;
  bool empty() const { return root_ == nullptr; }
  // Stays where it is as long as any Items holds it.
  const Value& operator[](size_t i) const;
  Iterator begin() const { return {this, 0}; }
  Iterator end() const { return {this, size()}; }

  void insert(size_t before, Value value);
  void push_back(Value value);
  void erase(size_t i);

 private:
  struct Node;
  using Tree = std::shared_ptr<const Node>;

  static Tree joined(const Value& value, Tree left, Tree right);
  static Tree balanced(const Value& value, Tree left, Tree right);
  static Tree with(const Tree& tree, size_t before, Value&& value);
  static Tree without(const Tree& tree, size_t i);

  Tree root_;
};

}  // namespace nm
