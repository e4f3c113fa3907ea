#include "engine/graph/node_order.h"

#include <unordered_map>

namespace nm {
namespace {

using Producers = std::unordered_map<std::string_view, size_t>;

void add_producer(const Producers& producers, std::string_view name, std::vector<size_t>& found) {
  if (const auto it = producers.find(name); it != producers.end()) found.push_back(it->second);
}

// Names that a subgraph defines itself are defined nowhere else, so asking for all of its names finds the outer ones.
void add_producers(const Producers& producers, const onnx::NodeProto& node, std::vector<size_t>& found) {
  for (const std::string_view name : node.inputs) add_producer(producers, name, found);
  for (const onnx::AttributeProto& attribute : node.attributes) {
    for (const onnx::GraphProto& graph : attribute.graphs) {
      for (const onnx::NodeProto& inner : graph.nodes) add_producers(producers, inner, found);
      for (const onnx::ValueInfoProto& output : graph.outputs) add_producer(producers, output.name, found);
    }
  }
}

}  // namespace

std::vector<size_t> node_order(const std::vector<onnx::NodeProto>& nodes) {
  Producers producers;
  for (size_t i = 0; i < nodes.size(); ++i) {
    for (const std::string_view name : nodes[i].outputs) {
      if (!name.empty()) producers.emplace(name, i);
    }
  }
  enum class State : uint8_t { New, Waiting, Placed };
  std::vector<State> states(nodes.size(), State::New);
  std::vector<size_t> order;
  std::vector<size_t> stack;  // not recursion: a chain may be as long as the file
  order.reserve(nodes.size());
  for (size_t root = 0; root < nodes.size(); ++root) {
    stack.push_back(root);
    while (!stack.empty()) {
      const size_t i = stack.back();
      if (states[i] == State::New) {
        states[i] = State::Waiting;
        add_producers(producers, nodes[i], stack);
        continue;
      }
      stack.pop_back();
      if (states[i] == State::Placed) continue;  // several nodes wanted it
      states[i] = State::Placed;
      order.push_back(i);
    }
  }
  return order;
}

}  // namespace nm
