#include "engine/op/signature.h"

#include <algorithm>
#include <span>

#include "engine/op/registry.h"

namespace nm {
namespace {

// Without the absent ones at the end.
size_t present(std::span<const ValueId> ids) {
  while (!ids.empty() && ids.back() == kNone) ids = ids.first(ids.size() - 1);
  return ids.size();
}

Status too_many(const Node& node, std::string_view what, size_t given, size_t most) {
  return Status(Code::InvalidModel,
                text("the node has ", given, " ", what, "; ", node.op_type, " of operator set ", node.version,
                     " has at most ", most, ". The file mixes operator sets: export the model again"))
      .at(node.op_type, node.name);
}

// Whether the operator of this version reads the node's attribute.
bool has_attribute(Node node, int version, std::string_view attribute) {
  node.version = version;
  const OperatorEntry* entry = Registry::instance().find(node);
  if (entry == nullptr || entry->make == nullptr) return false;
  const Attribute value = node.attributes.find(attribute)->second;
  node.attributes = {{std::string(attribute), value}};
  Attributes attributes(node, entry->facts.attributes);
  entry->make(attributes);
  return attributes.unread().empty();
}

}  // namespace

Status unread_attribute(const Node& node, std::string_view attribute) {
  constexpr int kNewest = 40;
  const int known = std::clamp(node.version, 0, kNewest);  // a file may name any version
  const std::string domain = node.domain.empty() ? "" : text(" of ", node.domain);
  std::string where;
  for (int v = known - 1; v > 0 && where.empty(); --v) {
    if (has_attribute(node, v, attribute))
      where = text("; it ended with operator set ", v, ", and may be an input now");
  }
  for (int v = known + 1; v < kNewest && where.empty(); ++v) {
    if (has_attribute(node, v, attribute)) where = text("; it came with operator set ", v);
  }
  return Status(Code::InvalidModel, text(node.op_type, " has no attribute '", attribute, "' in operator set ",
                                         node.version, domain, where, ": export the model again"))
      .at(node.op_type, node.name);
}

Status check_signature(const Node& node) {
  const OperatorEntry* entry = Registry::instance().find(node);
  if (entry == nullptr) return {};
  const Facts& facts = entry->facts;
  const size_t inputs = present(std::span(node.inputs).first(std::min(node.explicit_inputs, node.inputs.size())));
  const size_t outputs = present(node.outputs);
  if (facts.inputs != kAny && inputs > facts.inputs) return too_many(node, "inputs", inputs, facts.inputs);
  if (facts.outputs != kAny && outputs > facts.outputs) return too_many(node, "outputs", outputs, facts.outputs);
  return entry->make == nullptr ? Status() : check_attributes(node);
}

}  // namespace nm
