// What is fuzzed. A target takes any bytes and must come back, whatever they are; the sanitizers say whether it came
// back in order. The same functions are driven by libFuzzer (fuzzer.cpp) and by a plain program that replays a corpus
// (replay.cpp), natively and in WebAssembly.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace nm::fuzz {

using Bytes = std::span<const uint8_t>;

struct Target {
  std::string_view name;  // of its folder in tests/fuzz/corpus
  void (*run)(Bytes bytes);
  // Changes `size` bytes at `data` in place, to at most `capacity` of them, and returns how many there are then;
  // nullptr where libFuzzer's own mutations do.
  size_t (*mutate)(uint8_t* data, size_t size, size_t capacity, uint32_t seed);
};

// The reader of ONNX files and of test data, on any bytes, in pieces of any size.
void run_reader(Bytes bytes);
// Load, plan and run of any bytes.
void run_model(Bytes bytes);
// One to four nodes that the bytes describe (see operator_model.h), loaded and run with and without the passes.
void run_operator(Bytes bytes);
// Packed models with a checksum that is right: the bytes are a file, or a graph section to which the rest is made.
void run_packed(Bytes bytes);

size_t mutate_protobuf(uint8_t* data, size_t size, size_t capacity, uint32_t seed);

inline constexpr Target kTargets[] = {
    {"reader", run_reader, nullptr},
    {"model", run_model, mutate_protobuf},
    {"operator", run_operator, nullptr},
    {"packed", run_packed, nullptr},
};

constexpr const Target* find_target(std::string_view name) {
  for (const Target& t : kTargets) {
    if (t.name == name) return &t;
  }
  return nullptr;
}

}  // namespace nm::fuzz
