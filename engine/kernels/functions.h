// The functions of one number that this build holds: see engine/base/selection.h.
#pragma once
#include "engine/base/selection.h"
#include "engine/kernels/elementwise.h"

namespace nm::selection {

// The build adds those that code calls by name to what the models need.
#define NM_SELECTED_FUNCTION(f) | uint64_t{1} << static_cast<int>(f)
inline constexpr uint64_t kFunctions = 0
#include "selection.inc"
    ;

constexpr bool has_function(Unary f) { return kWhole || (kFunctions >> static_cast<int>(f) & 1) != 0; }

#if defined(__wasm__)
inline void note(Unary) {}
#else
inline void note(Unary f) { notes.functions.fetch_or(uint64_t{1} << static_cast<int>(f), std::memory_order_relaxed); }
#endif

}  // namespace nm::selection
