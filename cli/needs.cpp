// What a reduced build must hold for some models: their operators and element types behind the passes, as the lines
// that engine/base/selection.h reads.
#include <cstdio>
#include <set>
#include <string>
#include <utility>

#include "cli/commands.h"
#include "cli/files.h"

namespace nm::cli {
namespace {

struct Needs {
  std::set<std::pair<std::string, std::string>> operators;
  // Shapes and positions are int64 in every model.
  std::set<int> types = {static_cast<int>(DType::Int64)};
  bool unknown_types = false;

  void add(const ValueType& type) {
    if (type.element) add(*type.element);
    if (type.kind != ValueType::Kind::Tensor && type.kind != ValueType::Kind::Map) return;
    if (type.dtype == DType::Undefined) unknown_types = true;
    types.insert(static_cast<int>(type.dtype));
  }

  void add(const Graph& graph) {
    for (const GraphValue& v : graph.values) {
      if (v.is_constant()) types.insert(static_cast<int>(v.constant.dtype()));
    }
    for (const ValueId id : graph.inputs) add(graph.value(id).type);
    for (const Node& node : graph.nodes) {
      operators.emplace(node.domain, node.op_type);
      for (const ValueId id : node.outputs) {
        if (id != kNone) add(graph.value(id).type);
      }
      for (const auto& [name, attribute] : node.attributes) {
        if (const auto* body = std::get_if<std::shared_ptr<Graph>>(&attribute)) add(**body);
      }
    }
  }
};

Status print_needs(const Arguments& arguments) {
  if (arguments.empty()) return {Code::InvalidArgument, "give the models: neuromancer needs MODEL..."};
  Needs needs;
  for (const std::string& path : arguments) {
    NM_ASSIGN(const std::unique_ptr<Session> session, load_model(path));
    needs.add(session->program().graph());
  }
  for (const auto& [domain, name] : needs.operators) {
    std::printf("NM_SELECTED_OPERATOR(\"%s\", \"%s\")\n", domain.c_str(), name.c_str());
  }
  for (int t = 1; t < kDTypeCount; ++t) {
    if (needs.unknown_types || needs.types.contains(t)) std::printf("NM_SELECTED_TYPE(%d)\n", t);
  }
  return {};
}

}  // namespace

int needs(const Arguments& arguments) {
  const Status s = print_needs(arguments);
  return s.ok() ? 0 : report(s);
}

}  // namespace nm::cli
