// What this build holds: everything, or, in a reduced build (docs/reduced.md), what the models need that it was made
// for. The build writes selection.inc, a list of NM_SELECTED_… lines; empty: everything.
#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>
#if !defined(__wasm__)
#include <atomic>
#endif

namespace nm::selection {

#define NM_SELECTED_OPERATOR(domain, name) std::array<std::string_view, 2>{domain, name},
inline constexpr std::array<std::string_view, 2> kOperators[] = {
#include "selection.inc"
    {}};

// Without a list everything is there.
inline constexpr bool kWhole = std::size(kOperators) == 1;
// A reduced build reads packed models only, which have the passes behind them.
inline constexpr bool kReadsOnnx = kWhole;
// Nobody could say which custom operators a model's host will have.
inline constexpr bool kCustomOperators = kWhole;

// One bit for each of ONNX's element types.
#define NM_SELECTED_TYPE(number) | uint64_t{1} << number
inline constexpr uint64_t kTypes = 0
#include "selection.inc"
    ;

// What models with the same operators may or may not need. What has no other way round is noted where a model asks for
// it, and not there when it was not; the forms of convolutions, which are there to be fast, give way to others.
enum class Part : uint8_t {
  Winograd,        // the form of a convolution
  Depthwise,       // the form of a convolution of each channel by itself
  TransposedConv,  // with strides; those without are ordinary ones
  States,          // that grow, or are written in place: Operator::growth and rewrites
  OtherValues,     // than tensors
};
#define NM_SELECTED_PART(number) | uint64_t{1} << number
inline constexpr uint64_t kParts = 0
#include "selection.inc"
    ;

// What to do about what is not there.
inline constexpr std::string_view kRemedy =
    "make one with this model among those of './dev build --ops-of MODEL...', or use the whole module";

constexpr bool has_operator(std::string_view domain, std::string_view name) {
  return kWhole || std::any_of(std::begin(kOperators), std::end(kOperators) - 1,
                               [&](const auto& o) { return o[0] == domain && o[1] == name; });
}

constexpr bool has_type(int number) { return kWhole || (kTypes >> number & 1) != 0; }

// The bytes of an element of each type; 0 of strings and of types with several elements in a byte. tensor/dtype.cpp
// makes sure that they are those of its table.
inline constexpr std::array<int, 27> kElementBytes = {0, 4,  1, 1, 2, 2, 4, 8, 0, 1, 2, 8, 4, 8,
                                                      8, 16, 2, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0};

// Whether there are elements of so many bytes.
constexpr bool has_size(int bytes) {
  for (int number = 0; number < static_cast<int>(kElementBytes.size()); ++number) {
    if (kElementBytes[static_cast<size_t>(number)] == bytes && has_type(number)) return true;
  }
  return false;
}

template <Part part>
inline constexpr bool has = kWhole || (kParts >> static_cast<int>(part) & 1) != 0;

// What the models that a native program has loaded have asked for since somebody took these notes, as bits: see
// `neuromancer needs`.
struct Noted {
  uint64_t functions = 0, parts = 0;
};
#if defined(__wasm__)
inline constexpr bool kNotes = false;
inline void note(Part) {}
inline Noted take_notes() { return {}; }
#else
inline constexpr bool kNotes = true;
struct Notes {
  std::atomic<uint64_t> functions = 0, parts = 0;
};
inline Notes notes;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)
inline void note(Part part) { notes.parts.fetch_or(uint64_t{1} << static_cast<int>(part), std::memory_order_relaxed); }
inline Noted take_notes() { return {notes.functions.exchange(0), notes.parts.exchange(0)}; }
#endif

}  // namespace nm::selection
