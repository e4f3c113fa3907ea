#include "engine/base/limits.h"

#include "engine/base/text.h"

namespace nm {

uint64_t* limit_by_name(Limits& limits, std::string_view name) {
  if (name == "nodes") return &limits.nodes;
  if (name == "nesting") return &limits.nesting;
  if (name == "rounds") return &limits.rounds;
  if (name == "textBytes") return &limits.text_bytes;
  if (name == "bytes") return &limits.bytes;
  return nullptr;
}

Status limit_exceeded(std::string_view name, uint64_t limit, std::string_view what) {
  return {Code::LimitExceeded, text(what, ", more than the limit '", name, "' of ", limit,
                                    "; raise that limit when loading the model if the model is to be trusted")};
}

}  // namespace nm
