#include "engine/session/incoming_model.h"

#include "engine/base/selection.h"

namespace nm {

Status IncomingModel::append(onnx::Bytes piece) {
  if (piece.empty()) return {};
  if (!begun_ && packed::begins_packed(piece[0])) file_.emplace<packed::File>(expected_);
  begun_ = true;
  if (packed() != nullptr) return packed()->append(piece);
  if constexpr (selection::kReadsOnnx) {
    return onnx()->append(piece);
  } else {
    return {Code::InvalidModel,
            "this reduced build reads packed models only: make one with 'neuromancer pack', or use the whole module"};
  }
}

}  // namespace nm
