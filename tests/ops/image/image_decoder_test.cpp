#include "tests/ops/operator_test.h"

using namespace nm;
using namespace nm::test;

TEST_CASE("ImageDecoder says who decodes", "[ops][image_decoder]") {
  check_fails(node("ImageDecoder", 20), {tensor<uint8_t>({1}, {0})}, Code::UnsupportedOperator);
}
