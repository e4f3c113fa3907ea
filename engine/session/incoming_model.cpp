#include "engine/session/incoming_model.h"

namespace nm {

Status IncomingModel::append(onnx::Bytes piece) {
  if (piece.empty()) return {};
  if (!begun_ && packed::begins_packed(piece[0])) file_.emplace<packed::File>(expected_);
  begun_ = true;
  return packed() != nullptr ? packed()->append(piece) : onnx()->append(piece);
}

}  // namespace nm
