#include "engine/session/fix_dimensions.h"

#include <set>

#include "engine/base/text.h"

namespace nm {
namespace {

using Names = std::set<std::string_view>;

// `names`: all that shapes have.
Status fix(Graph& graph, const Dimensions& dimensions, Names& names) {
  for (GraphValue& value : graph.values) {
    if (!value.shape || value.is_constant()) continue;
    for (int i = 0; i < value.shape->rank(); ++i) {
      const std::string_view name = graph.symbols->name((*value.shape)[i]);
      if (name.empty()) continue;
      names.insert(name);
      if (const auto at = dimensions.find(name); at != dimensions.end()) (*value.shape)[i] = at->second;
    }
    NM_TRY(check_addressable(text("the value '", value.name, "',"), value.type.dtype, *value.shape));
  }
  for (Node& node : graph.nodes) {
    for (auto& [name, attribute] : node.attributes) {
      if (auto* sub = std::get_if<std::shared_ptr<Graph>>(&attribute)) NM_TRY(fix(**sub, dimensions, names));
    }
  }
  return {};
}

}  // namespace

Status fix_dimensions(Graph& graph, const Dimensions& dimensions) {
  if (dimensions.empty()) return {};
  Names names;
  NM_TRY(fix(graph, dimensions, names));
  for (const auto& [name, number] : dimensions) {
    if (names.contains(name)) continue;
    std::string known;
    for (const std::string_view other : names) known += text(known.empty() ? "'" : ", '", other, "'");
    return {Code::InvalidArgument, text("the model has no dimension '", name, "'; ",
                                        known.empty() ? "it names none" : text("those that it names are ", known))};
  }
  return {};
}

}  // namespace nm
