// Runs single operators through the real planner and program, so that a test case is a row: operator, attributes,
// inputs, expected outputs. Where the environment's NM_COVERAGE names a file, successful runs add to it what ran on
// which types (cli/coverage.h).
#pragma once
#include <cmath>
#include <initializer_list>
#include <string>
#include <vector>

#include "catch_amalgamated.hpp"
#include "engine/graph/graph.h"
#include "engine/op/registry.h"
#include "engine/tensor/value.h"

namespace nm::test {

// A tensor from a list: tensor<float>({2, 2}, {1, 2, 3, 4}).
template <class T>
Tensor tensor(const Shape& shape, std::initializer_list<T> values) {
  auto t = Tensor::create(dtype_of<T>, shape);
  REQUIRE(t.ok());
  REQUIRE(t->count() == static_cast<int64_t>(values.size()));
  std::copy(values.begin(), values.end(), t->template data<T>());
  return std::move(*t);
}

// A tensor that holds one number, or 0, step, 2·step, ….
Tensor repeated(const Shape& shape, float value);
Tensor counting(const Shape& shape, float step = 1);

// A node of operator set `version` with attributes: node("Softmax", 13, {{"axis", int64_t{1}}}).
Node node(std::string op_type, int version, AttributeMap attributes = {}, std::string domain = "");

// The same of com.microsoft, version 1.
Node ms(std::string op_type, AttributeMap attributes = {});

enum class Feed {
  Inputs,     // every input is given to the run
  Constants,  // every input is an initialiser: exercises prepare() and folding
  Unknown,    // every input's shape is hidden from the planner: exercises inference while running
};

// `inputs`: an empty Value is an absent optional input. Returns the outputs, or the first failure.
Result<std::vector<Value>> run(const Node& spec, const std::vector<Value>& inputs, size_t outputs = 1,
                               Feed feed = Feed::Inputs);

// Floats within |a-b| <= atol + rtol·|b| (NaN equals NaN), everything else exactly; types and shapes too.
void check_equal(const Value& actual, const Tensor& expected, double rtol = 1e-5, double atol = 1e-6);

// Runs with every Feed and compares each time.
void check(const Node& spec, const std::vector<Value>& inputs, const std::vector<Tensor>& expected, double rtol = 1e-5,
           double atol = 1e-6);

// Runs and expects a failure with this code.
void check_fails(const Node& spec, const std::vector<Value>& inputs, Code code, size_t outputs = 1);

}  // namespace nm::test
