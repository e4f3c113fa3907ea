// What this build holds: everything, or, in a reduced build (docs/reduced.md), what the models need that it was made
// for. The build writes selection.inc, a list of NM_SELECTED_OPERATOR and NM_SELECTED_TYPE lines; empty: everything.
#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

namespace nm::selection {

#define NM_SELECTED_OPERATOR(domain, name) std::array<std::string_view, 2>{domain, name},
#define NM_SELECTED_TYPE(number)
inline constexpr std::array<std::string_view, 2> kOperators[] = {
#include "selection.inc"
    {}};
#undef NM_SELECTED_OPERATOR
#undef NM_SELECTED_TYPE

// Without a list everything is there.
inline constexpr bool kWhole = std::size(kOperators) == 1;
// A reduced build reads packed models only, which have the passes behind them.
inline constexpr bool kReadsOnnx = kWhole;

// One bit for each of ONNX's element types.
#define NM_SELECTED_OPERATOR(domain, name)
#define NM_SELECTED_TYPE(number) | uint64_t{1} << number
inline constexpr uint64_t kTypes = 0
#include "selection.inc"
    ;
#undef NM_SELECTED_OPERATOR
#undef NM_SELECTED_TYPE

// What to do about what is not there.
inline constexpr std::string_view kRemedy =
    "make one with this model among those of './dev build --ops-of MODEL...', or use the whole module";

constexpr bool has_operator(std::string_view domain, std::string_view name) {
  return kWhole || std::any_of(std::begin(kOperators), std::end(kOperators) - 1,
                               [&](const auto& o) { return o[0] == domain && o[1] == name; });
}

constexpr bool has_type(int number) { return kWhole || (kTypes >> number & 1) != 0; }

}  // namespace nm::selection
