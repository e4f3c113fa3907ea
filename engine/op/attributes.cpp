#include "engine/op/attributes.h"

#include <algorithm>

namespace nm {

bool Attributes::is_of_other_versions(std::string_view name) const {
  const auto range = std::find_if(ranges_.begin(), ranges_.end(), [&](const auto& r) { return r.name == name; });
  if (range == ranges_.end()) return false;
  const int within = std::min(version(), INT16_MAX - 1);  // a file may name any version
  return within < range->first || within > range->last;
}

std::string_view Attributes::unread() const {
  for (const auto& [name, value] : node_.attributes) {
    // Ours, those that ONNX's own checker lets pass, and a hint of the first versions which inputs may be overwritten.
    if (name.starts_with(kInternalPrefix) || name.starts_with("__") || name == "consumed_inputs") continue;
    if (std::find(read_.begin(), read_.end(), name) == read_.end() || is_of_other_versions(name)) return name;
  }
  return {};
}

}  // namespace nm
