// What a node of a model's file may have: an attribute, input or output beyond that is one of another version, or of
// another operator, and what it says would be lost.
#pragma once
#include <string_view>

#include "engine/base/status.h"
#include "engine/graph/graph.h"

namespace nm {

// Refuses a node that has attributes, inputs or outputs which its operator lacks in this version, and says which
// versions have the attribute. Of compositions the attributes are checked when they are written.
Status check_signature(const Node& node);
// The refusal of one attribute.
Status unread_attribute(const Node& node, std::string_view attribute);

}  // namespace nm
