#include <map>

#include "engine/ops/operator.h"
#include "engine/passes/passes.h"

namespace nm {
namespace {

constexpr size_t kMaxNodesNamed = 3;

// Whole generation loops as one node. onnxruntime's own conversion tool for GPT-2, T5 and Whisper writes them; other
// exporters leave the loop to the program.
bool is_generation(std::string_view op) {
  return op == "BeamSearch" || op == "GreedySearch" || op == "Sampling" || op == "WhisperBeamSearch";
}

// "Foo (com.example 1)" → the nodes that use it.
using Missing = std::map<std::string, std::vector<std::string>>;

void collect(const Graph& graph, Missing& missing) {
  for (const Node& node : graph.nodes) {
    if (Registry::instance().find(node.domain, node.op_type, node.version) == nullptr) {
      const std::string domain = node.domain.empty() ? "ai.onnx" : node.domain;
      missing[text(node.op_type, " (", domain, " ", node.version, ")")].push_back(node.name);
    }
    for (const auto& [name, attribute] : node.attributes) {
      if (const auto* sub = std::get_if<std::shared_ptr<Graph>>(&attribute)) collect(**sub, missing);
    }
  }
}

}  // namespace

Status check_supported(const Graph& graph) {
  Missing missing;
  collect(graph, missing);
  if (missing.empty()) return {};
  std::string list;
  for (const auto& [name, nodes] : missing) {
    list += text(list.empty() ? "" : "; ", name, ", used by ");
    for (size_t i = 0; i < std::min(nodes.size(), kMaxNodesNamed); ++i) {
      list += text(i ? ", " : "", "'", nodes[i], "'");
    }
    if (nodes.size() > kMaxNodesNamed) list += text(" and ", nodes.size() - kMaxNodesNamed, " more");
  }
  for (const auto& [name, nodes] : missing) {
    if (!is_generation(name.substr(0, name.find(' ')))) continue;
    list += "; export the decoder alone and choose the next tokens in a loop in JavaScript";
    break;
  }
  Error error;
  error.code = Code::UnsupportedOperator;
  error.message = text("this build lacks ", missing.size(), missing.size() == 1 ? " operator" : " operators",
                       " that the model needs: ", list);
  error.op = missing.begin()->first.substr(0, missing.begin()->first.find(' '));
  error.node = missing.begin()->second.front();
  return Status(std::move(error));
}

}  // namespace nm
