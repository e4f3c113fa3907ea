// Graphs that are made of the texts of the rewrites (engine/passes/rewrites.h): the graph that a pattern stands for,
// and its look-alikes. A look-alike has one thing changed (a constant's value or rank, a shape, what else reads a
// value, the order of operands), so that the rewrite must either leave it alone or still say what the nodes say.
//
//   const std::vector<Draft> drafts = drafts_of(rewrite, 8);
//   for (const Mutation& m : mutations_of(drafts[0])) {
//     Draft changed = drafts[0];
//     m.apply(changed);
//     const PatternGraph g = write(changed, Data::Usual, seed);   // an ONNX model and its inputs
//   }
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "engine/passes/rewrites.h"

namespace nm::test {

// Of which drafts' operators are.
inline constexpr int kDraftOperatorSet = 24;

// A graph that can still be changed.
struct DraftValue {
  std::string name;
  enum class Kind { Input, Constant, Computed } kind = Kind::Computed;
  DType dtype = DType::Float32;
  std::vector<int64_t> dims;  // of inputs and constants
  std::vector<float> floats;  // of constants; empty: drawn when the graph is written
  std::vector<int64_t> integers;
  bool is_number = false;    // a number in the pattern
  bool hides_shape = false;  // of inputs: the model says names instead of numbers
};

struct DraftNode {
  std::string op;
  std::string domain;
  std::vector<size_t> inputs;
  size_t output = 0;
  std::map<std::string, std::vector<int64_t>> integers;  // attributes; of one element: an integer
  std::map<std::string, float> floats;
};

struct Draft {
  std::string title;
  std::vector<DraftValue> values;
  std::vector<DraftNode> nodes;
  std::vector<size_t> outputs;
};

// One draft for each way through the pattern's alternatives, at most `limit` of them, spread evenly.
std::vector<Draft> drafts_of(const Rewrite& rewrite, size_t limit);

struct Mutation {
  std::string title;
  std::function<void(Draft&)> apply;
};

// Every single change. Several may be applied one after another: none adds or removes values but at the end.
std::vector<Mutation> mutations_of(const Draft& draft);

enum class Data {
  Usual,    // between -3 and 3
  Special,  // with infinities, NaN, zeros of both signs and large numbers among them
};

struct PatternGraph {
  std::string title;
  std::string model;                                   // the bytes of an ONNX file
  std::vector<std::pair<std::string, Tensor>> inputs;  // by name, in the model's order
};

// What the inputs and the constants hold, by the values' places: drawn where the draft says nothing. Values that nodes
// compute have none; neither has one whose memory could not be had.
std::vector<Tensor> contents_of(const Draft& draft, Data data, uint64_t seed);

// Empty model: the values of some tensor could not be allocated.
PatternGraph write(const Draft& draft, Data data, uint64_t seed);

// The rewrites of all passes, by the passes' names.
std::vector<std::pair<std::string, std::span<const Rewrite>>> all_rewrites();

}  // namespace nm::test
