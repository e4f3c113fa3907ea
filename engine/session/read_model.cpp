#include "engine/session/read_model.h"

#include <algorithm>

#include "engine/base/selection.h"
#include "engine/base/text.h"
#include "engine/op/custom.h"
#include "engine/op/registry.h"
#include "engine/packed/reader.h"
#include "engine/passes/passes.h"
#include "engine/session/blame_memory.h"
#include "engine/session/read_onnx.h"

namespace nm {
namespace {

// Operators pack the constants that their inference has seen. In a packed model nobody has inferred anything yet, and
// its constants may have any shape.
Status infer_constants(const Graph& graph) {
  for (const Node& node : graph.nodes) {
    for (const auto& [name, attribute] : node.attributes) {
      const auto* body = std::get_if<std::shared_ptr<Graph>>(&attribute);
      if (body != nullptr) NM_TRY(infer_constants(**body));
    }
    const bool any = std::any_of(node.inputs.begin(), node.inputs.end(),
                                 [&](ValueId id) { return id != kNone && graph.value(id).is_constant(); });
    if (!any) continue;
    NM_ASSIGN(const Operator* op, operator_of(node));
    Inference inference(graph, node);
    if (Status s = op->infer_outputs(inference); !s.ok()) return std::move(s).at(node.op_type, node.name);
  }
  return {};
}

Result<Model> read_packed(const packed::File& file, const LoadOptions& options) {
  if (!options.optimize || options.passes != SIZE_MAX) {
    return Status(Code::InvalidArgument,
                  "a packed model has been optimised when it was packed; load the ONNX file to leave passes out");
  }
  if (!options.dimensions.empty()) {
    return Status(
        Code::InvalidArgument,
        "the dimensions of a packed model have been fixed when it was packed; pack the ONNX file with others");
  }
  NM_ASSIGN(Model model, packed::read(file, options.limits));
  if constexpr (selection::kCustomOperators) NM_TRY(mark_custom(*model.graph, options.custom));
  NM_TRY(check_operators(*model.graph));
  NM_TRY(infer_constants(*model.graph));
  return model;
}

}  // namespace

Result<Model> read_model(IncomingModel file, LoadOptions options) {
  if (const packed::File* packed = file.packed()) return read_packed(*packed, options);
  if constexpr (selection::kReadsOnnx) {
    return read_onnx(std::move(*file.onnx()), std::move(options));
  } else {
    return Status(Code::InvalidModel, "the model's file is empty");
  }
}

Result<Tensor> pack_model(IncomingModel file, LoadOptions load, packed::WriteOptions options) {
  NM_TRY(refill_reserve());
  load.quantize_weights = options.weights == packed::Weights::Int4;
  const auto pack = [&]() -> Result<Tensor> {
    if (file.packed() != nullptr) {
      return Status(Code::InvalidArgument, "the model is packed already; to pack it anew, give the ONNX file");
    }
    if constexpr (selection::kReadsOnnx) {
      NM_ASSIGN(const Model model, read_model(std::move(file), std::move(load)));
      return packed::write(model, options);
    } else {
      return Status(Code::InvalidArgument, text("a reduced build packs no models; use the whole module"));
    }
  };
  auto packed = pack();
  if (!packed.ok()) return blame_memory(packed.take_status());
  return packed;
}

}  // namespace nm
