#include "engine/tensor/items.h"

#include <algorithm>
#include <cstdint>

#include "engine/tensor/value.h"

namespace nm {

// Of an AVL tree that is never changed: the heights of a node's two branches differ by one at most.
struct Items::Node {
  Value value;
  Tree left, right;
  size_t size = 1;
  int32_t height = 1;

  static size_t size_of(const Tree& t) { return t ? t->size : 0; }
  static int32_t height_of(const Tree& t) { return t ? t->height : 0; }
};

size_t Items::size() const { return Node::size_of(root_); }

const Value& Items::operator[](size_t i) const {
  const Node* n = root_.get();
  for (;;) {
    const size_t left = Node::size_of(n->left);
    if (i == left) return n->value;
    if (i < left) {
      n = n->left.get();
    } else {
      i -= left + 1;
      n = n->right.get();
    }
  }
}

Items::Tree Items::joined(const Value& value, Tree left, Tree right) {
  auto n = std::make_shared<Node>();
  n->value = value;
  n->size = Node::size_of(left) + Node::size_of(right) + 1;
  n->height = std::max(Node::height_of(left), Node::height_of(right)) + 1;
  n->left = std::move(left);
  n->right = std::move(right);
  return n;
}

// Branches whose heights differ by two at most.
Items::Tree Items::balanced(const Value& value, Tree left, Tree right) {
  const int32_t lean = Node::height_of(right) - Node::height_of(left);
  if (lean > 1) {
    const Tree inner = right->left;
    if (Node::height_of(inner) <= Node::height_of(right->right)) {
      return joined(right->value, joined(value, std::move(left), inner), right->right);
    }
    return joined(inner->value, joined(value, std::move(left), inner->left),
                  joined(right->value, inner->right, right->right));
  }
  if (lean < -1) {
    const Tree inner = left->right;
    if (Node::height_of(inner) <= Node::height_of(left->left)) {
      return joined(left->value, left->left, joined(value, inner, std::move(right)));
    }
    return joined(inner->value, joined(left->value, left->left, inner->left),
                  joined(value, inner->right, std::move(right)));
  }
  return joined(value, std::move(left), std::move(right));
}

Items::Tree Items::with(const Tree& tree, size_t before, Value&& value) {
  if (tree == nullptr) return joined(value, nullptr, nullptr);
  const size_t left = Node::size_of(tree->left);
  if (before <= left) return balanced(tree->value, with(tree->left, before, std::move(value)), tree->right);
  return balanced(tree->value, tree->left, with(tree->right, before - left - 1, std::move(value)));
}

Items::Tree Items::without(const Tree& tree, size_t i) {
  const size_t left = Node::size_of(tree->left);
  if (i < left) return balanced(tree->value, without(tree->left, i), tree->right);
  if (i > left) return balanced(tree->value, tree->left, without(tree->right, i - left - 1));
  if (tree->left == nullptr) return tree->right;
  if (tree->right == nullptr) return tree->left;
  const Node* first = tree->right.get();
  while (first->left != nullptr) first = first->left.get();
  return balanced(first->value, tree->left, without(tree->right, 0));
}

void Items::insert(size_t before, Value value) { root_ = with(root_, before, std::move(value)); }
void Items::push_back(Value value) { insert(size(), std::move(value)); }
void Items::erase(size_t i) { root_ = without(root_, i); }

}  // namespace nm
