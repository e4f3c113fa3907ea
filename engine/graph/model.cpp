#include "engine/graph/model.h"

namespace nm {

size_t constant_bytes(const Graph& graph) {
  size_t bytes = 0;
  for (const GraphValue& v : graph.values) {
    if (v.is_constant() && v.constant.raw() != nullptr) bytes += v.constant.bytes();
  }
  return bytes;
}

}  // namespace nm
