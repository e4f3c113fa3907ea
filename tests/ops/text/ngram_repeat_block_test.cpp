#include <limits>

#include "tests/ops/operator_test.h"

using namespace nm;
using namespace nm::test;

TEST_CASE("NGramRepeatBlock hides words that would repeat a run", "[ops][ngram_repeat_block]") {
  const float none = -std::numeric_limits<float>::infinity();
  const Tensor words = tensor<int64_t>({2, 4}, {1, 2, 3, 1, 0, 0, 0, 0}),
               scores = tensor<float>({2, 4}, {1, 1, 1, 1, 2, 2, 2, 2});
  check(ms("NGramRepeatBlock", {{"ngram_size", int64_t{2}}}), {words, scores},
        {tensor<float>({2, 4}, {1, 1, none, 1, none, 2, 2, 2})});
  check(ms("NGramRepeatBlock", {{"ngram_size", int64_t{9}}}), {words, scores}, {scores});
  check_fails(ms("NGramRepeatBlock"), {words, scores}, Code::InvalidModel);
  check_fails(ms("NGramRepeatBlock", {{"ngram_size", int64_t{1}}}), {words, tensor<float>({2, 2}, {0, 0, 0, 0})},
              Code::InvalidData);
}
