// What a reduced build must hold for some models: their operators and element types behind the passes, and what these
// operators asked for when the packed models were loaded, as the lines that engine/base/selection.h reads.
#include <cstdio>
#include <set>
#include <string>
#include <utility>

#include "cli/commands.h"
#include "cli/files.h"
#include "engine/base/selection.h"

namespace nm::cli {
namespace {

// As a reduced module meets the model, which sees nothing of what passes have replaced. Adds what is noted meanwhile.
Result<std::unique_ptr<Session>> load_as_packed(const std::string& path, selection::Noted& noted) {
  NM_ASSIGN(IncomingModel file, read_model_file(path));
  Tensor packed;
  if (file.onnx() != nullptr) {
    NM_ASSIGN(packed, pack_file(path));
  }
  selection::take_notes();
  NM_ASSIGN(std::unique_ptr<Session> session, file.onnx() != nullptr ? load_packed(packed) : load_model(path));
  const selection::Noted now = selection::take_notes();
  noted.functions |= now.functions;
  noted.parts |= now.parts;
  return session;
}

struct Needs {
  std::set<std::pair<std::string, std::string>> operators;
  // Shapes and positions are int64 in every model.
  std::set<int> types = {static_cast<int>(DType::Int64)};
  bool unknown_types = false;
  selection::Noted noted;

  void add(const ValueType& type) {
    if (!type.is_tensor()) noted.parts |= uint64_t{1} << static_cast<int>(selection::Part::OtherValues);
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
  if (!selection::kNotes)
    return {Code::InvalidArgument, "the native program knows what models need; build the preset 'native'"};
  Needs needs;
  for (const std::string& path : arguments) {
    NM_ASSIGN(const std::unique_ptr<Session> session, load_as_packed(path, needs.noted));
    needs.add(session->program().graph());
  }
  for (const auto& [domain, name] : needs.operators) {
    std::printf("NM_SELECTED_OPERATOR(\"%s\", \"%s\")\n", domain.c_str(), name.c_str());
  }
  for (int t = 1; t < kDTypeCount; ++t) {
    if (needs.unknown_types || needs.types.contains(t)) std::printf("NM_SELECTED_TYPE(%d)\n", t);
  }
  for (int bit = 0; bit < 64; ++bit) {
    if (needs.noted.functions >> bit & 1) std::printf("NM_SELECTED_FUNCTION(%d)\n", bit);
    if (needs.noted.parts >> bit & 1) std::printf("NM_SELECTED_PART(%d)\n", bit);
  }
  return {};
}

}  // namespace

int needs(const Arguments& arguments) {
  const Status s = print_needs(arguments);
  return s.ok() ? 0 : report(s);
}

}  // namespace nm::cli
