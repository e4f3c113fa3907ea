#include <map>

#include "engine/op/registry.h"
#include "engine/op/signature.h"
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

// "Gelu (needs operator set 20; the file imports 13)", "Foo (com.example 1)".
std::string missing_name(const Node& node) {
  int first = 0, last = 0;
  for (const OperatorEntry* e : Registry::instance().rows(node.domain, node.op_type)) {
    if (e->since > node.version && first == 0) first = e->since;
    if (e->until() < node.version) last = std::max(last, e->until());
  }
  const std::string of = node.domain.empty() ? "" : text(" of ", node.domain);
  if (first > 0)
    return text(node.op_type, " (needs operator set ", first, of, "; the file imports ", node.version, ")");
  if (last > 0) {
    return text(node.op_type, " (ended with operator set ", last, of, "; the file imports ", node.version, ")");
  }
  return text(node.op_type, " (", node.domain.empty() ? "ai.onnx" : node.domain, " ", node.version, ")");
}

// `foreign`: of one there is no version at all.
void collect(const Graph& graph, Missing& missing, bool& foreign) {
  for (const Node& node : graph.nodes) {
    if (Registry::instance().find(node) == nullptr) {
      missing[missing_name(node)].push_back(node.name);
      foreign = foreign || Registry::instance().rows(node.domain, node.op_type).empty();
    }
    for (const auto& [name, attribute] : node.attributes) {
      if (const auto* sub = std::get_if<std::shared_ptr<Graph>>(&attribute)) collect(**sub, missing, foreign);
    }
  }
}

Status check_signatures(const Graph& graph) {
  for (const Node& node : graph.nodes) {
    NM_TRY(check_signature(node));
    for (const auto& [name, attribute] : node.attributes) {
      if (const auto* sub = std::get_if<std::shared_ptr<Graph>>(&attribute)) NM_TRY(check_signatures(**sub));
    }
  }
  return {};
}

}  // namespace

Status check_supported(const Graph& graph) {
  NM_TRY(check_operators(graph));
  return check_signatures(graph);
}

Status check_operators(const Graph& graph) {
  Missing missing;
  bool foreign = false;
  collect(graph, missing, foreign);
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
  if (!selection::kWhole) {
    list += text("; it is a reduced build: ", selection::kRemedy);
  } else if (foreign) {
    list += "; the program that loads the model can compute it itself, as a custom operator";
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
