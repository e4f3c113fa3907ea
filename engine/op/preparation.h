#pragma once
#include <cstddef>
#include <memory>
#include <vector>

#include "engine/base/function_ref.h"
#include "engine/graph/graph.h"
#include "engine/op/body.h"

namespace nm {

// Once per session, before the first run: pack weights, transform constants, compile subgraphs.
class Preparation {
 public:
  using Compile = function_ref<Result<std::unique_ptr<Body>>(const std::shared_ptr<Graph>&)>;

  Preparation(const Graph& graph, const Node& node, Compile compile)
      : graph_(graph), node_(node), compile_(compile), consumed_(node.inputs.size()) {}

  Result<std::unique_ptr<Body>> compile(const std::shared_ptr<Graph>& subgraph) const { return compile_(subgraph); }

  // The contents of a constant input, or nullptr. They stay valid after preparation unless `consume` is called.
  const Tensor* constant(size_t i) const { return graph_.constant(node_.input(i)); }
  const Graph& graph() const { return graph_; }
  const Node& node() const { return node_; }
  // The operator keeps its own form of constant input i and will not read it again, so its memory can go. At plan and
  // run time only its type and shape are then known.
  void consume(size_t i) { consumed_[i] = true; }
  bool consumed(size_t i) const { return consumed_[i]; }
  // Bytes of packed weights the operator keeps.
  void keeps(size_t bytes) { kept_bytes_ += bytes; }
  size_t kept_bytes() const { return kept_bytes_; }

 private:
  const Graph& graph_;
  const Node& node_;
  Compile compile_;
  std::vector<bool> consumed_;
  size_t kept_bytes_ = 0;
};

}  // namespace nm
