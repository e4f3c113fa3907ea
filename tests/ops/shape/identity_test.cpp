#include "tests/ops/operator_test.h"

using namespace nm;
using namespace nm::test;

TEST_CASE("Identity hands on what it gets", "[ops][identity]") {
  for (const Tensor& x : {tensor<float>({2}, {1, 2}), tensor<std::string>({}, {"a"}), tensor<bool>({0}, {})}) {
    check(node("Identity", 16), {x}, {x});
  }
}
