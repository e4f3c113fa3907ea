#include "engine/base/thread_pool.h"
#include "tests/ops/operator_test.h"

namespace nm::test {
namespace {

// Values that neither repeat nor grow.
Tensor wave(const Shape& shape, float pace) {
  auto t = Tensor::create(DType::Float32, shape);
  REQUIRE(t.ok());
  for (int64_t i = 0; i < t->count(); ++i) t->data<float>()[i] = std::sin(pace * static_cast<float>(i));
  return std::move(*t);
}

TEST_CASE("LSTM, GRU, RNN: the number of threads changes no bit of either direction", "[ops][lstm][gru][rnn]") {
  const int64_t seq = 9, batch = 2, input = 5, hidden = 12;
  const int before = thread_pool::size();
  for (const auto& [op, gates] : {std::pair{"LSTM", int64_t{4}}, {"GRU", int64_t{3}}, {"RNN", int64_t{1}}}) {
    INFO(op);
    const Node spec = node(op, 22, {{"hidden_size", hidden}, {"direction", std::string("bidirectional")}});
    const std::vector<Value> inputs{wave({seq, batch, input}, 0.7f), wave({2, gates * hidden, input}, 1.3f),
                                    wave({2, gates * hidden, hidden}, 1.7f), wave({2, 2 * gates * hidden}, 2.1f)};
    for (const Feed feed : {Feed::Inputs, Feed::Constants}) {
      thread_pool::set_size(1);
      auto one = run(spec, inputs, 2, feed);
      REQUIRE(one.ok());
      for (const int threads : {2, 3}) {
        thread_pool::set_size(threads);
        auto many = run(spec, inputs, 2, feed);
        REQUIRE(many.ok());
        check_equal((*many)[0], *(*one)[0].tensor(), 0, 0);
        check_equal((*many)[1], *(*one)[1].tensor(), 0, 0);
      }
    }
  }
  thread_pool::set_size(before);
}

}  // namespace
}  // namespace nm::test
