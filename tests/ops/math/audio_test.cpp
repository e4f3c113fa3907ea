#include "tests/ops/operator_test.h"

using namespace nm;
using namespace nm::test;

namespace {

Tensor integer(int64_t v) { return tensor<int64_t>({}, {v}); }
Tensor number(float v) { return tensor<float>({}, {v}); }

}  // namespace

TEST_CASE("Window functions", "[ops][audio]") {
  const AttributeMap symmetric{{"periodic", int64_t{0}}};
  check(node("HannWindow", 17), {integer(4)}, {tensor<float>({4}, {0, 0.5f, 1, 0.5f})});
  check(node("HannWindow", 17, symmetric), {tensor<int32_t>({}, {5})}, {tensor<float>({5}, {0, 0.5f, 1, 0.5f, 0})});
  check(node("HammingWindow", 17), {integer(2)}, {tensor<float>({2}, {0.0869565f, 1})});
  check(node("HammingWindow", 17, symmetric), {integer(3)}, {tensor<float>({3}, {0.0869565f, 1, 0.0869565f})});
  check(node("BlackmanWindow", 17, {{"output_datatype", int64_t{11}}}), {integer(4)},
        {tensor<double>({4}, {0, 0.34, 1, 0.34})});
  check(node("BlackmanWindow", 17, symmetric), {integer(3)}, {tensor<float>({3}, {0, 1, 0})});
  check(node("HannWindow", 17, {{"output_datatype", int64_t{7}}}), {integer(4)}, {tensor<int64_t>({4}, {0, 0, 1, 0})});
  check(node("HannWindow", 17, symmetric), {integer(1)}, {tensor<float>({1}, {1})});
  check(node("HannWindow", 17), {integer(0)}, {tensor<float>({0}, {})});
  check_fails(node("HannWindow", 17), {integer(-1)}, Code::InvalidData);
  check_fails(node("HannWindow", 17), {number(4)}, Code::TypeMismatch);
  check_fails(node("HannWindow", 17, {{"output_datatype", int64_t{8}}}), {integer(4)}, Code::TypeMismatch);
}

TEST_CASE("MelWeightMatrix makes triangles over the spectrum", "[ops][audio]") {
  check(node("MelWeightMatrix", 17), {integer(2), integer(8), integer(8000), number(0), number(4000)},
        {tensor<float>({5, 2}, {1, 0, 0, 1, 0, 0, 0, 0, 0, 0})});
  check(node("MelWeightMatrix", 17, {{"output_datatype", int64_t{11}}}),
        {tensor<int32_t>({1}, {1}), integer(16), integer(8000), number(0), tensor<double>({}, {4000})},
        {tensor<double>({9, 1}, {0, 1, 0.5, 0, 0, 0, 0, 0, 0})});
  check_fails(node("MelWeightMatrix", 17), {integer(2), integer(8), integer(8000), number(0), number(60000)},
              Code::InvalidData);
  check_fails(node("MelWeightMatrix", 17), {integer(2), integer(8), integer(8000), number(-500), number(4000)},
              Code::InvalidData);
  check_fails(node("MelWeightMatrix", 17), {integer(2), integer(8), integer(0), number(0), number(4000)},
              Code::InvalidData);
  check_fails(node("MelWeightMatrix", 17), {integer(2), integer(8), integer(8000), integer(0), number(4000)},
              Code::TypeMismatch);
}
