#include "engine/session/model_warnings.h"

#include <set>
#include <string_view>

#include "engine/base/text.h"

namespace nm {
namespace {

// The newest that operators and reader were written for.
constexpr int64_t kNewestIr = 14;
constexpr int64_t kNewestOperatorSet = 29, kNewestMl = 5;
constexpr size_t kMostNamed = 3;

void warn_of_version(const onnx::OpsetId& id, std::vector<std::string>& out) {
  const bool standard = id.domain.empty() || id.domain == "ai.onnx";
  if (!standard && id.domain != "ai.onnx.ml") return;
  const int64_t newest = standard ? kNewestOperatorSet : kNewestMl;
  if (id.version <= newest) return;
  out.push_back(text("The model uses operator set ", id.version, " of ", standard ? "ai.onnx" : "ai.onnx.ml",
                     "; this build knows those up to ", newest,
                     ". Operators that have changed since are taken for "
                     "what they were: compare results, or export with an older operator set."));
}

// From IR version 4 on, an initialiser that is listed among the inputs too is a default that callers may override.
void warn_of_fixed_inputs(const onnx::ModelProto& model, std::vector<std::string>& out) {
  if (model.ir_version < 4) return;
  std::set<std::string_view> initialisers;
  for (const onnx::TensorProto& t : model.graph.initializers) initialisers.insert(t.name);
  size_t count = 0;
  std::string names;
  for (const onnx::ValueInfoProto& p : model.graph.inputs) {
    if (!initialisers.contains(p.name)) continue;
    if (count++ < kMostNamed) names += text(count == 1 ? "'" : ", '", p.name, "'");
  }
  if (count == 0) return;
  if (count > kMostNamed) names += text(" and ", count - kMostNamed, " more");
  out.push_back(text(count == 1 ? "An input has its value" : "Inputs have their values",
                     " in the file, which is used: ", names,
                     ". To give another, remove the initialiser of that name from the file."));
}

}  // namespace

std::vector<std::string> model_warnings(const onnx::ModelProto& model) {
  std::vector<std::string> out;
  if (model.ir_version > kNewestIr) {
    out.push_back(text("The file has IR version ", model.ir_version, "; this build knows those up to ", kNewestIr,
                       ". Fields that are newer are not read."));
  }
  for (const onnx::OpsetId& id : model.opsets) warn_of_version(id, out);
  warn_of_fixed_inputs(model, out);
  return out;
}

}  // namespace nm
