#include <cstdio>
#include <map>

#include "cli/commands.h"
#include "cli/files.h"
#include "engine/base/json.h"
#include "engine/graph/build.h"
#include "engine/passes/passes.h"
#include "engine/session/model_warnings.h"

namespace nm::cli {
namespace {

void print_session(const Session& session, int64_t nodes) {
  const SymbolTable& symbols = *session.program().graph().symbols;
  const auto print = [&](const char* what, const std::vector<Port>& ports) {
    for (const Port& p : ports) {
      std::printf("%s %s: %s%s\n", what, p.name.c_str(), to_string(p.type).c_str(),
                  p.shape ? to_string(*p.shape, symbols).c_str() : "");
    }
  };
  print("input ", session.inputs());
  print("output", session.outputs());
  std::printf("%lld nodes, %zu after optimisation, %zu bytes of packed weights\n", static_cast<long long>(nodes),
              session.program().graph().nodes.size(), session.program().packed_bytes());
}

Status print_packed(const Session& session) {
  const ModelFacts& facts = session.facts();
  std::printf("%s, written by %s, packed\n", facts.name.c_str(), facts.producer.c_str());
  for (const auto& [domain, version] : facts.opsets) {
    std::printf("operator set %s %lld\n", domain.c_str(), static_cast<long long>(version));
  }
  print_session(session, facts.nodes);
  for (const std::string& warning : facts.warnings) std::printf("%s\n", warning.c_str());
  for (const auto& [name, count] : facts.operators)
    std::printf("%6lld  %s\n", static_cast<long long>(count), name.c_str());
  return {};
}

// Works on the graph, not on a session, so that a model that cannot run can still be looked at. External data are
// not needed for that, but a graph is built of whole tensors; load_model's rules hold when they are missing.
Status inspect_model(Arguments arguments) {
  const bool as_json = take_flag(arguments, "--json");
  if (arguments.size() != 1) return {Code::InvalidArgument, "give one model file: neuromancer inspect MODEL"};
  auto session = load_model(arguments[0]);
  if (session.ok() && as_json) {
    std::printf("%s\n", (*session)->description().c_str());
    return {};
  }
  NM_ASSIGN(IncomingModel file, read_model_file(arguments[0]));
  if (file.onnx() == nullptr) {
    NM_TRY(session.take_status());
    return print_packed(**session);
  }
  NM_ASSIGN(const onnx::ModelProto model, onnx::read_model(file.onnx()->rest()));
  std::map<std::string, int64_t> operators;
  for (const onnx::NodeProto& n : model.graph.nodes) {
    ++operators[n.domain.empty() ? std::string(n.op_type) : text(n.domain, ".", n.op_type)];
  }
  if (as_json) {
    JsonWriter json;
    json.begin_object().member("error", session.status().message()).key("operators").begin_object();
    for (const auto& [name, count] : operators) json.member(name, count);
    std::printf("%s\n", json.end_object().end_object().take().c_str());
    return {};
  }
  std::printf("%s, written by %s %s\n", std::string(model.graph.name).c_str(), std::string(model.producer_name).c_str(),
              std::string(model.producer_version).c_str());
  for (const onnx::OpsetId& o : model.opsets) {
    std::printf("operator set %s %lld\n", o.domain.empty() ? "ai.onnx" : std::string(o.domain).c_str(),
                static_cast<long long>(o.version));
  }
  if (session.ok()) {
    print_session(**session, static_cast<int64_t>(model.graph.nodes.size()));
  } else {
    std::printf("not supported: %s\n", session.status().message().c_str());
  }
  for (const std::string& warning : model_warnings(model)) std::printf("%s\n", warning.c_str());
  for (const auto& [name, count] : operators) std::printf("%6lld  %s\n", static_cast<long long>(count), name.c_str());
  return {};
}

}  // namespace

int inspect(const Arguments& arguments) {
  const Status s = inspect_model(arguments);
  return s.ok() ? 0 : report(s);
}

}  // namespace nm::cli
