// A graph that can be changed node by node and written as an ONNX model with its inputs.
#pragma once
#include <map>
#include <set>
#include <string>
#include <vector>

#include "engine/graph/graph.h"

namespace nm::differ {

struct SketchNode {
  std::string op;
  std::string domain;
  std::vector<std::string> inputs;  // empty: left out
  std::vector<std::string> outputs;
  AttributeMap attributes;  // numbers, lists of numbers, strings
};

struct SketchInput {
  std::string name;
  Tensor value;
  bool open = false;  // dimensions larger than 1 are symbols
};

struct Sketch {
  int set = 17;  // version of the operator set
  std::vector<SketchInput> inputs;
  std::map<std::string, Tensor> constants;
  std::vector<SketchNode> nodes;
  std::vector<std::string> outputs;
  std::set<std::string> floats;  // the nodes' outputs that are float32

  std::string model() const;
  // The same where every element of a float32 that a node computes is off by some last bits: by a random factor near 1.
  Sketch disturbed(uint64_t seed) const;
  // Drops nodes, inputs and constants that no output needs.
  void tidy();
  // Writes model.onnx and test_data_set_0 with `expected` as outputs, in the layout of ONNX's backend tests.
  bool write_case(const std::string& folder, const std::vector<Tensor>& expected) const;
};

}  // namespace nm::differ
