// GroupQueryAttention whose past and present are one buffer, as onnxruntime-genai runs it: it is written in place.
#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "catch_amalgamated.hpp"
#include "engine/base/random.h"
#include "engine/tensor/growing.h"
#include "tests/unit/onnx_writer.h"

using namespace nm;
using namespace nm::test;

namespace {

constexpr int64_t kBatch = 2, kHeads = 2, kRows = 16, kSize = 4;
using Lengths = std::array<int64_t, kBatch>;

Tensor random_tensor(const Shape& shape, Random& random) {
  Tensor t = *Tensor::create(DType::Float32, shape);
  for (float& v : t.span<float>()) v = static_cast<float>(random.normal());
  return t;
}

// The attention's output goes through a Gather, which fails for a `pick` that is out of range.
std::string model() {
  GraphParts g;
  g.nodes = {node_proto("Shape", {"mask"}, {"extent"}), node_proto("Gather", {"extent", "one"}, {"long_total"}),
             node_proto("Cast", {"long_total"}, {"total"}, {int_attribute("to", 6)}),
             node_proto("GroupQueryAttention", {"q", "k", "v", "past_k", "past_v", "lengths", "total"},
                        {"seen", "all_k", "all_v"}, {int_attribute("num_heads", 4), int_attribute("kv_num_heads", 2)},
                        "com.microsoft"),
             node_proto("Gather", {"seen", "pick"}, {"y"}, {int_attribute("axis", 1)})};
  g.initializers = {tensor_proto<int64_t>("one", {}, {1})};
  for (const char* past : {"past_k", "past_v"}) {
    g.inputs.push_back(value_info(past, DType::Float32, {"2", "2", "capacity", "4"}));
  }
  g.inputs.push_back(value_info("q", DType::Float32, {"2", "now", "16"}));
  for (const char* now : {"k", "v"}) g.inputs.push_back(value_info(now, DType::Float32, {"2", "now", "8"}));
  g.inputs.push_back(value_info("mask", DType::Float32, {"2", "all"}));
  g.inputs.push_back(value_info("lengths", DType::Int32, {"2"}));
  g.inputs.push_back(value_info("pick", DType::Int64, {"1"}));
  for (const char* all : {"all_k", "all_v"}) {
    g.outputs.push_back(value_info(all, DType::Float32, {"2", "2", "rows", "4"}));
  }
  g.outputs.push_back(value_info("y", DType::Float32, {"2", "1", "16"}));
  return model_bytes(g, 17, true);
}

std::unique_ptr<Session> session_of(bool keeps) {
  auto session = load(model());
  INFO(session.status().message());
  REQUIRE(session.ok());
  for (size_t i = 0; keeps && i < 2; ++i) (*session)->keep_output(i);
  return std::move(*session);
}

struct Text {
  std::array<Value, 2> kept;
  std::array<Tensor, 2> copied;
  Lengths lengths{};
};

// What a run takes beside the two caches, behind texts of these lengths.
std::vector<Tensor> feeds_of(const Lengths& after, int64_t rows, int64_t pick, Random& random) {
  const int64_t total = *std::max_element(after.begin(), after.end());
  Tensor lengths = *Tensor::create(DType::Int32, Shape{kBatch});
  for (size_t b = 0; b < kBatch; ++b) lengths.data<int32_t>()[b] = static_cast<int32_t>(after[b] - 1);
  Tensor picked = *Tensor::create(DType::Int64, Shape{1});
  picked.data<int64_t>()[0] = pick;
  return {random_tensor({kBatch, rows, 16}, random),
          random_tensor({kBatch, rows, 8}, random),
          random_tensor({kBatch, rows, 8}, random),
          random_tensor({kBatch, total}, random),
          lengths,
          picked};
}

Status start(Session& session, std::array<Value, 2> past, const std::vector<Tensor>& feeds) {
  for (size_t i = 0; i < 2; ++i) REQUIRE(session.set_input(i, std::move(past[i])).ok());
  for (size_t i = 0; i < feeds.size(); ++i) REQUIRE(session.set_input(2 + i, feeds[i]).ok());
  return session.run();
}

Tensor copy_of(const Tensor& from) {
  Tensor copy = *Tensor::create(from.dtype(), from.shape());
  copy_all(from, copy);
  return copy;
}

// The rows of each sample's text alone: what lies behind them is nobody's.
bool same_rows(const Tensor& a, const Tensor& b, const Lengths& lengths) {
  REQUIRE(a.shape() == b.shape());
  for (int64_t i = 0; i < kBatch * kHeads; ++i) {
    const int64_t count = lengths[static_cast<size_t>(i / kHeads)] * kSize, at = i * kRows * kSize;
    if (!std::equal(a.data<float>() + at, a.data<float>() + at + count, b.data<float>() + at)) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("a buffer that GroupQueryAttention shares is written in place, forked, read and dropped as copies are") {
  Random random(13);
  const auto kept = session_of(true), copying = session_of(false);
  const Tensor noise = random_tensor({kBatch, kHeads, kRows, kSize}, random);
  const Text beginning{{noise, noise}, {noise, noise}};
  std::vector<Text> texts{beginning};
  const auto any = [&](size_t n) { return static_cast<size_t>(random.uniform() * static_cast<double>(n)); };
  int steps = 0, in_place = 0, failed = 0;
  for (int i = 0; i < 600; ++i) {
    const size_t at = any(texts.size());
    const double what = random.uniform();
    if (what < 0.06 && texts.size() < 4) {
      texts.push_back(texts[at]);
    } else if (what < 0.09 && texts.size() > 1) {
      texts.erase(texts.begin() + static_cast<std::ptrdiff_t>(at));
    } else if (what < 0.11) {
      for (Value& v : texts[at].kept) v = *dense(v);  // as nm_value_tensor leaves it
    } else {
      Text& text = texts[at];
      const int64_t longest = *std::max_element(text.lengths.begin(), text.lengths.end());
      const int64_t rows = 1 + static_cast<int64_t>(any(3));
      if (longest + rows > kRows || what < 0.14) text.lengths = {};
      const bool first = text.lengths == Lengths{};
      Lengths after = text.lengths;
      for (int64_t& length : after) length += rows;
      if (first && rows > 1) after[1] -= 1;  // its last row is padding
      const std::vector<Tensor> feeds = feeds_of(after, rows, rows - 1, random);
      if (random.uniform() < 0.15) {  // in the attention, and behind it
        std::vector<Tensor> wrong = feeds;
        if (random.uniform() < 0.5) {
          wrong[4] = copy_of(feeds[4]);
          wrong[4].data<int32_t>()[1] = -1;
        } else {
          wrong[5] = feeds_of(after, rows, rows, random)[5];
        }
        CHECK(start(*kept, text.kept, wrong).code() == Code::InvalidData);
        ++failed;
      }
      REQUIRE(start(*copying, {text.copied[0], text.copied[1]}, feeds).ok());
      const void* before = dense(text.kept[0])->raw();
      std::array<Value, 2> past = text.kept;
      if (random.uniform() < 0.4) text.kept = {};
      const Status status = start(*kept, std::move(past), feeds);
      INFO(status.message());
      REQUIRE(status.ok());
      const Tensor &y = *kept->output(2).tensor(), &expected = *copying->output(2).tensor();
      REQUIRE(std::memcmp(y.raw(), expected.raw(), y.bytes()) == 0);
      for (size_t k = 0; k < 2; ++k) {
        text.kept[k] = *kept->take_output(k);
        text.copied[k] = copy_of(*copying->output(k).tensor());
      }
      text.lengths = after;
      ++steps;
      in_place += dense(text.kept[0])->raw() == before;
    }
    for (const Text& text : texts) {
      for (size_t k = 0; k < 2; ++k) REQUIRE(same_rows(*dense(text.kept[k]), text.copied[k], text.lengths));
    }
  }
  CAPTURE(steps, in_place, failed);
  CHECK(failed > 20);
  CHECK(3 * in_place > steps);
}

TEST_CASE("a shared buffer that becomes too small grows, and what lies behind a text stays in one that does not") {
  Random random(3);
  const auto kept = session_of(true), copying = session_of(false);
  const Tensor noise = random_tensor({kBatch, kHeads, kRows, kSize}, random);
  REQUIRE(start(*kept, {noise, noise}, feeds_of({4, 3}, 4, 0, random)).ok());
  const std::array<Value, 2> state{*kept->take_output(0), *kept->take_output(1)};
  const Tensor now = copy_of(*dense(state[0]));
  for (int64_t head = 0; head < kBatch * kHeads; ++head) {
    const int64_t at = (head * kRows + 4) * kSize;
    CHECK(std::equal(now.data<float>() + at, now.data<float>() + at + (kRows - 4) * kSize, noise.data<float>() + at));
  }
  const auto feeds = feeds_of({17, 16}, 13, 0, random);
  CHECK(start(*kept, state, feeds_of({17, 5}, 13, 0, random)).code() == Code::InvalidData);
  REQUIRE(start(*kept, state, feeds).ok());
  REQUIRE(start(*copying, {now, copy_of(*dense(state[1]))}, feeds).ok());
  CHECK(kept->output(0).shape()->operator[](2) == 17);
  for (size_t o = 0; o < 3; ++o) {
    const Tensor y = *dense(kept->output(o)), expected = *copying->output(o).tensor();
    REQUIRE(y.shape() == expected.shape());
    CHECK(std::memcmp(y.raw(), expected.raw(), y.bytes()) == 0);
  }
}

TEST_CASE("a token in a long shared buffer takes no memory for another one") {
  Random random(4);
  const auto kept = session_of(true);
  const Tensor zeros = random_tensor({kBatch, kHeads, 1 << 14, kSize}, random);
  std::array<Value, 2> state{copy_of(zeros), copy_of(zeros)};
  size_t before = 0;
  for (int64_t length = 1; length < 20; ++length) {
    REQUIRE(start(*kept, std::exchange(state, {}), feeds_of({length, length}, 1, 0, random)).ok());
    state = {*kept->take_output(0), *kept->take_output(1)};
    if (length == 10) before = memory_counts().current;
  }
  CHECK(memory_counts().current < before + zeros.bytes() / 2);
  CHECK(memory_counts().current < 4 * zeros.bytes());
}
