#include "tests/ops/operator_test.h"

using namespace nm;
using namespace nm::test;

TEST_CASE("MurmurHash3 gives the published hashes", "[ops][murmur_hash]") {
  check(ms("MurmurHash3"), {tensor<std::string>({3}, {"", "hello", "hello, world"})},
        {tensor<uint32_t>({3}, {0, 0x248bfa47u, 0x149bbb7fu})});
  check(ms("MurmurHash3", {{"positive", int64_t{0}}, {"seed", int64_t{1}}}), {tensor<std::string>({1}, {""})},
        {tensor<int32_t>({1}, {0x514e28b7})});
  check_fails(ms("MurmurHash3"), {tensor<uint8_t>({1}, {1})}, Code::TypeMismatch);
}
