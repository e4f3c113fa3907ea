#include "engine/tensor/edition.h"

#include <cstring>
#include <functional>
#include <utility>

#include "catch_amalgamated.hpp"
#include "engine/base/random.h"
#include "engine/base/reserve.h"
#include "engine/tensor/growing.h"
#include "tests/unit/onnx_writer.h"

using namespace nm;
using namespace nm::test;

namespace {

Tensor numbers_from(int64_t count, float first) {
  Tensor t = *Tensor::create(DType::Float32, Shape{count});
  for (float& v : t.span<float>()) v = first++;
  return t;
}

std::shared_ptr<Edition> first_of(int64_t count) {
  auto first = Edition::of(numbers_from(count, 0));
  REQUIRE(first.ok());
  return *first;
}

// The edition behind `before`, with `value` at each of `places`.
std::shared_ptr<Edition> write(std::shared_ptr<Edition> before, const std::vector<int64_t>& places, float value) {
  Extents extents;
  for (const int64_t place : places) REQUIRE(extents.add(place, 1).ok());
  auto next = Edition::after(std::move(before), extents);
  REQUIRE(next.ok());
  Tensor t = *(*next)->read();
  for (const int64_t place : places) t.data<float>()[place] = value;
  return *next;
}

std::vector<float> contents(const std::shared_ptr<Edition>& e) {
  auto t = e->read();
  REQUIRE(t.ok());
  return {t->data<float>(), t->data<float>() + t->count()};
}

const void* memory_of(const std::shared_ptr<Edition>& e) { return e->read()->raw(); }

std::vector<float> with(int64_t count, const std::vector<std::pair<int64_t, float>>& changes) {
  const Tensor t = numbers_from(count, 0);
  std::vector<float> v(t.data<float>(), t.data<float>() + count);
  for (const auto& [place, value] : changes) v[static_cast<size_t>(place)] = value;
  return v;
}

}  // namespace

TEST_CASE("places that follow each other are one run") {
  Extents e;
  for (const int64_t place : {3, 4, 5, 9, 2}) REQUIRE(e.add(place, 1).ok());
  REQUIRE(e.add(3, 0).ok());
  REQUIRE(e.add(3, 2).ok());
  REQUIRE(e.runs().size() == 3);
  CHECK(e.runs()[0].count == 3);
  CHECK(e.runs()[2].from == 2);
  CHECK(e.runs()[2].count == 3);
  CHECK(e.count() == 7);
  // Two rows of three in the middle of four by five, and a column.
  Extents box;
  REQUIRE(box.add(Shape{2, 3}, 6, {5, 1}).ok());
  REQUIRE(box.add(Shape{4, 1}, 0, {5, 5}).ok());
  REQUIRE(box.runs().size() == 6);
  CHECK(box.runs()[1].from == 11);
  CHECK(box.runs()[5].from == 15);
  CHECK(box.count() == 10);
}

TEST_CASE("an edition is written over the one before, which reads as before") {
  const auto first = first_of(1000);
  const void* memory = memory_of(first);
  auto second = write(first, {3, 4, 50}, -1);
  auto third = write(second, {4, 99}, -2);
  CHECK(memory_of(third) == memory);
  CHECK(contents(third) == with(1000, {{3, -1}, {4, -2}, {50, -1}, {99, -2}}));
  CHECK(contents(second) == with(1000, {{3, -1}, {4, -1}, {50, -1}}));
  CHECK(contents(first) == with(1000, {}));
  CHECK(memory_of(first) != memory);
  CHECK(memory_of(second) != memory);
  // What came later goes: the memory is the earlier one's again.
  third.reset();
  CHECK(memory_of(second) == memory);
  CHECK(contents(second) == with(1000, {{3, -1}, {4, -1}, {50, -1}}));
  second.reset();
  CHECK(memory_of(first) == memory);
  CHECK(contents(first) == with(1000, {}));
}

TEST_CASE("who writes over an edition second has a memory of its own") {
  const auto first = first_of(1000);
  const auto one = write(first, {7}, -1), other = write(first, {8}, -2), further = write(one, {9}, -3);
  CHECK(memory_of(further) != memory_of(other));
  CHECK(contents(one) == with(1000, {{7, -1}}));
  CHECK(contents(other) == with(1000, {{8, -2}}));
  CHECK(contents(further) == with(1000, {{7, -1}, {9, -3}}));
  CHECK(contents(first) == with(1000, {}));
}

TEST_CASE("an edition that is being read is not written over") {
  const auto first = first_of(1000);
  const Tensor reading = *first->read();
  const auto second = write(first, {7}, -1);
  CHECK(memory_of(second) != reading.raw());
  CHECK(reading.data<float>()[7] == 7);
  CHECK(memory_of(first) == reading.raw());
}

TEST_CASE("an edition that nobody else holds takes no memory to be written over") {
  auto only = first_of(1000);
  const size_t before = memory_counts().current;
  for (int i = 0; i < 100; ++i) only = write(std::move(only), {i, 500}, -1);
  CHECK(memory_counts().current == before);
}

TEST_CASE("an edition that is held for long costs no more than a copy") {
  const auto first = first_of(1000);
  const size_t one = memory_counts().current;
  auto last = first;
  for (int i = 0; i < 1000; ++i) last = write(last, {i % 10, i}, static_cast<float>(-i));
  CHECK(memory_counts().current <= one + 2 * 4000 + 256);
  CHECK(contents(first) == with(1000, {}));
  CHECK(contents(last)[998] == -998);
  CHECK(contents(last)[8] == -998);
}

TEST_CASE("a tensor that somebody else has is copied for its first edition, another one is not") {
  Tensor mine = numbers_from(10, 0);
  const void* memory = mine.raw();
  const std::vector<Tensor> others{mine};
  CHECK(memory_of(*Edition::of(mine)) != memory);
  CHECK(others[0].data<float>()[3] == 3);
  Tensor given = numbers_from(10, 0);
  memory = given.raw();
  const auto of_given = *Edition::of(std::move(given));
  CHECK(memory_of(of_given) == memory);
  // What an edition has given to be read is the edition's.
  const auto first = first_of(10);
  Tensor reading = *first->read();
  memory = reading.raw();
  const auto of_reading = *Edition::of(std::move(reading));
  CHECK(memory_of(of_reading) != memory);
  CHECK(memory_of(first) == memory);
}

namespace {

constexpr int64_t kBatch = 2, kHeads = 2, kLength = 16, kSize = 4;
const Shape kCache{kBatch, kHeads, kLength, kSize};

Tensor random_tensor(const Shape& shape, Random& random) {
  Tensor t = *Tensor::create(DType::Float32, shape);
  for (float& v : t.span<float>()) v = static_cast<float>(random.normal());
  return t;
}

Tensor int64_tensor(const Shape& shape, const std::function<int64_t(int64_t)>& at) {
  Tensor t = *Tensor::create(DType::Int64, shape);
  for (int64_t i = 0; i < t.count(); ++i) t.data<int64_t>()[i] = at(i);
  return t;
}

// A model with a cache of a fixed length: inputs past, pick (an index into two numbers, read behind the cache is
// written) and what `feeds` makes for `rows` from a position on; outputs all and y.
struct Static {
  std::string name;
  std::string model;
  std::function<std::vector<Tensor>(int64_t position, int64_t rows, Random&)> feeds;
  bool in_place = true;
};

using Nodes = std::vector<Message>;

Static static_cache(std::string name, const Nodes& before, const Nodes& scatter, std::vector<Message> inputs,
                    const Nodes& behind,
                    std::function<std::vector<Tensor>(int64_t position, int64_t rows, Random&)> feeds) {
  GraphParts g;
  g.nodes = before;
  g.nodes.insert(g.nodes.end(), scatter.begin(), scatter.end());
  g.nodes.insert(g.nodes.end(), behind.begin(), behind.end());
  g.nodes.push_back(node_proto("MatMul", {"all", "w"}, {"product"}));
  g.nodes.push_back(node_proto("Gather", {"two", "pick"}, {"picked"}));
  const bool more = !before.empty() || !behind.empty();
  g.nodes.push_back(node_proto("Add", {"product", "picked"}, {more ? "sum" : "y"}));
  if (more) g.nodes.push_back(node_proto("Add", {"sum", "more"}, {"y"}));
  g.initializers = {tensor_proto<float>("w", {kSize, 1}, {0.5f, -1, 2, 0.25f}), tensor_proto<float>("two", {2}, {1, 2}),
                    tensor_proto<int64_t>("zero", {1}, {0})};
  const std::vector<std::string> cache{"2", "2", "16", "4"};
  g.inputs = {value_info("past", DType::Float32, cache), value_info("pick", DType::Int64, {})};
  g.inputs.insert(g.inputs.end(), inputs.begin(), inputs.end());
  g.outputs = {value_info("all", DType::Float32, cache), value_info("y", DType::Float32, {"2", "2", "16", "1"})};
  return {std::move(name), model_bytes(g, 24), std::move(feeds)};
}

Message ints_attribute(std::string_view name, const std::vector<int64_t>& values) {
  Message m;
  m.text(schema::AttributeProto::name, name);
  for (const int64_t v : values) m.integer(schema::AttributeProto::ints, v);
  return m.integer(schema::AttributeProto::type, schema::AttributeProto::AttributeType::INTS);
}

Message text_attribute(std::string_view name, std::string_view value) {
  return Message()
      .text(schema::AttributeProto::name, name)
      .text(schema::AttributeProto::s, value)
      .integer(schema::AttributeProto::type, schema::AttributeProto::AttributeType::STRING);
}

Static elements(std::string name, std::vector<Message> attributes = {}, const Nodes& before = {},
                const Nodes& behind = {}) {
  attributes.push_back(int_attribute("axis", 2));
  const std::vector<std::string> rows{"2", "2", "now", "4"};
  return static_cache(std::move(name), before, {node_proto("ScatterElements", {"past", "i", "u"}, {"all"}, attributes)},
                      {value_info("i", DType::Int64, rows), value_info("u", DType::Float32, rows)}, behind,
                      [](int64_t position, int64_t now, Random& random) {
                        const Shape shape{kBatch, kHeads, now, kSize};
                        return std::vector<Tensor>{
                            int64_tensor(shape, [&](int64_t i) { return position + i / kSize % now - kLength; }),
                            random_tensor(shape, random)};
                      });
}

// cache[batch, head, position] = row, each by its own tuple.
Static tuples() {
  return static_cache("ScatterND", {}, {node_proto("ScatterND", {"past", "i", "u"}, {"all"})},
                      {value_info("i", DType::Int64, {"rows", "3"}), value_info("u", DType::Float32, {"rows", "4"})},
                      {}, [](int64_t position, int64_t now, Random& random) {
                        const int64_t rows = kBatch * kHeads * now;
                        return std::vector<Tensor>{int64_tensor({rows, 3},
                                                                [&](int64_t i) {
                                                                  const int64_t row = i / 3;
                                                                  if (i % 3 == 0) return row / now / kHeads;
                                                                  return i % 3 == 1 ? row / now % kHeads
                                                                                    : position + row % now;
                                                                }),
                                                   random_tensor({rows, kSize}, random)};
                      });
}

// As torch's exporter writes cache[:, :, positions] = rows.
Static transposed(const Nodes& before = {}, const Nodes& behind = {}) {
  return static_cache(
      "ScatterND between Transposes", before,
      {node_proto("Transpose", {"past"}, {"first"}, {ints_attribute("perm", {2, 0, 1, 3})}),
       node_proto("ScatterND", {"first", "i", "u"}, {"written"}),
       node_proto("Transpose", {"written"}, {"all"}, {ints_attribute("perm", {1, 2, 0, 3})})},
      {value_info("i", DType::Int64, {"now", "1"}), value_info("u", DType::Float32, {"now", "2", "2", "4"})}, behind,
      [](int64_t position, int64_t now, Random& random) {
        return std::vector<Tensor>{int64_tensor({now, 1}, [&](int64_t i) { return position + i; }),
                                   random_tensor({now, kBatch, kHeads, kSize}, random)};
      });
}

Static tensor_scatter(const std::string& mode) {
  const bool circular = mode == "circular";
  return static_cache("TensorScatter, " + mode, {},
                      {node_proto("TensorScatter", {"past", "u", "at"}, {"all"}, {text_attribute("mode", mode)})},
                      {value_info("u", DType::Float32, {"2", "2", "now", "4"}), value_info("at", DType::Int64, {"2"})},
                      {}, [circular](int64_t position, int64_t now, Random& random) {
                        return std::vector<Tensor>{random_tensor({kBatch, kHeads, now, kSize}, random),
                                                   int64_tensor({kBatch}, [&](int64_t b) {
                                                     return circular ? (position + 7) % 16 : position * b;
                                                   })};
                      });
}

std::vector<Static> static_caches() {
  const Nodes read{node_proto("ReduceMax", {"past"}, {"more"})};
  // The same through a view of the cache.
  const Nodes seen{node_proto("Unsqueeze", {"past", "zero"}, {"higher"}), node_proto("ReduceMax", {"higher"}, {"most"}),
                   node_proto("Squeeze", {"most", "zero"}, {"more"})};
  std::vector<Static> all{elements("ScatterElements"),
                          elements("ScatterElements that adds", {text_attribute("reduction", "add")}),
                          tuples(),
                          transposed(),
                          tensor_scatter("linear"),
                          tensor_scatter("circular"),
                          elements("ScatterElements behind a reader", {}, read),
                          elements("ScatterElements behind a reader of a view", {}, seen),
                          elements("ScatterElements before a reader", {}, {}, read),
                          elements("ScatterElements before a reader of a view", {}, {}, seen),
                          elements("ScatterElements between a view and its reader", {},
                                   Nodes(seen.begin(), seen.begin() + 1), Nodes(seen.begin() + 1, seen.end()))};
  for (size_t i = all.size() - 3; i < all.size(); ++i) all[i].in_place = false;
  return all;
}

struct Branch {
  Value kept;
  Tensor copied;
  int64_t position = 0;
};

std::unique_ptr<Session> session_of(const Static& s, bool keeps) {
  auto session = load(s.model);
  INFO(s.name << ": " << session.status().message());
  REQUIRE(session.ok());
  if (keeps) (*session)->keep_output(0);
  return std::move(*session);
}

Status start(Session& session, Value past, int64_t pick, const std::vector<Tensor>& feeds) {
  const Status given = session.set_input(0, std::move(past));
  REQUIRE(given.ok());
  REQUIRE(session.set_input(1, int64_tensor({}, [&](int64_t) { return pick; })).ok());
  for (size_t i = 0; i < feeds.size(); ++i) REQUIRE(session.set_input(2 + i, feeds[i]).ok());
  return session.run();
}

bool same(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && std::memcmp(a.raw(), b.raw(), a.bytes()) == 0;
}

Tensor copy_of(const Tensor& from) {
  Tensor copy = *Tensor::create(from.dtype(), from.shape());
  copy_all(from, copy);
  return copy;
}

const void* address(const Value& v) { return dense(v)->raw(); }

}  // namespace

TEST_CASE("a cache of a fixed length that is written in place, forked, read and dropped has the numbers of copies") {
  for (const Static& s : static_caches()) {
    CAPTURE(s.name);
    Random random(11);
    const auto kept = session_of(s, true), copying = session_of(s, false);
    const Tensor zeros = random_tensor(kCache, random);
    const Branch beginning{zeros, zeros, 0};
    std::vector<Branch> branches{beginning};
    std::vector<std::pair<Tensor, Tensor>> readings;  // what was read, and what it was
    const auto any = [&](size_t n) { return static_cast<size_t>(random.uniform() * static_cast<double>(n)); };
    int steps = 0, in_place = 0, failed = 0;
    for (int i = 0; i < 500; ++i) {
      const size_t at = any(branches.size());
      const double what = random.uniform();
      if (what < 0.05 && branches.size() < 4) {
        branches.push_back(branches[at]);
      } else if (what < 0.08 && branches.size() > 1) {
        branches.erase(branches.begin() + static_cast<std::ptrdiff_t>(at));
      } else if (what < 0.10) {
        if (branches.size() < 4) branches.push_back(branches[at]);
        branches[at].kept = *dense(branches[at].kept);  // as nm_value_tensor leaves it
      } else if (what < 0.12) {
        readings.emplace_back(*dense(branches[at].kept), branches[at].copied);
      } else if (what < 0.16) {
        readings.clear();
      } else if (what < 0.18) {
        branches[at] = beginning;
      } else {
        Branch& b = branches[at];
        const int64_t rows = 1 + static_cast<int64_t>(any(3));
        if (b.position + rows > kLength) b.position = 0;
        const std::vector<Tensor> feeds = s.feeds(b.position, rows, random);
        if (random.uniform() < 0.1) {  // a run that fails behind the cache was written
          const Status status = start(*kept, b.kept, 7, feeds);
          CHECK(status.code() == Code::InvalidData);
          ++failed;
        }
        REQUIRE(start(*copying, b.copied, 1, feeds).ok());
        const void* before = address(b.kept);
        // As a caller does that gives its state away, and one that has it until the run is over.
        Value past = random.uniform() < 0.4 ? std::exchange(b.kept, Value()) : b.kept;
        const Status status = start(*kept, std::move(past), 1, feeds);
        INFO(status.message());
        REQUIRE(status.ok());
        CHECK(same(*kept->output(1).tensor(), *copying->output(1).tensor()));
        b.kept = *kept->take_output(0);
        b.copied = copy_of(*copying->output(0).tensor());
        b.position += rows;
        ++steps;
        in_place += address(b.kept) == before;
      }
      for (const Branch& b : branches) REQUIRE(same(*dense(b.kept), b.copied));
      for (const auto& [reading, was] : readings) REQUIRE(same(reading, was));
    }
    CAPTURE(steps, in_place, failed);
    CHECK(failed > 10);
    if (s.in_place) CHECK(3 * in_place > steps);
    if (!s.in_place) CHECK(in_place == 0);
  }
}

TEST_CASE("writing a row of a long cache takes no memory for another one") {
  const int64_t length = 1 << 14;
  GraphParts g;
  g.nodes = {node_proto("TensorScatter", {"past", "u", "at"}, {"all"})};
  g.inputs = {value_info("past", DType::Float32, {"1", "8", "length", "16"}),
              value_info("u", DType::Float32, {"1", "8", "now", "16"}), value_info("at", DType::Int64, {"1"})};
  g.outputs = {value_info("all", DType::Float32, {"1", "8", "length", "16"})};
  auto session = load(model_bytes(g, 24));
  REQUIRE(session.ok());
  Session& s = **session;
  s.keep_output(0);
  Random random(5);
  Value state = random_tensor({1, 8, length, 16}, random);
  const Tensor first = copy_of(*dense(state));
  const auto step = [&](int64_t at) {
    REQUIRE(s.set_input(0, state).ok());
    REQUIRE(s.set_input(1, random_tensor({1, 8, 1, 16}, random)).ok());
    REQUIRE(s.set_input(2, int64_tensor({1}, [&](int64_t) { return at; })).ok());
    return s.run();
  };
  REQUIRE(step(0).ok());
  state = *s.take_output(0);
  limit_memory(memory_counts().current + (64 << 10));  // the cache has 8 MiB
  for (int64_t i = 1; i < 100; ++i) {
    const Status status = step(i);
    INFO(status.message());
    REQUIRE(status.ok());
    state = *s.take_output(0);
  }
  // A fork needs a copy, for which there is no memory; both go on from where they are.
  const Value fork = state;
  REQUIRE(step(100).ok());
  state = *s.take_output(0);
  const Value last = state;
  state = fork;
  CHECK(step(101).code() == Code::LimitExceeded);
  limit_memory(UINT64_MAX);
  REQUIRE(refill_reserve().ok());
  REQUIRE(step(101).ok());
  const Tensor forked = *s.output(0).tensor();
  const Tensor other = *dense(last);
  const auto row = [](const Tensor& t, int64_t i) {
    const float* from = t.data<float>() + i * 16;
    return std::vector<float>(from, from + 16);
  };
  CHECK(row(forked, 102) == row(first, 102));
  CHECK(row(forked, 100) == row(first, 100));
  CHECK(row(other, 100) != row(first, 100));
  CHECK(row(other, 101) == row(first, 101));
}

TEST_CASE("two runs of one value at the same time do not see each other") {
  const Static s = elements("ScatterElements");
  const auto one = session_of(s, true), other = session_of(s, true), copying = session_of(s, false);
  Random random(3);
  const Tensor zeros = random_tensor(kCache, random);
  REQUIRE(start(*one, zeros, 0, s.feeds(0, 1, random)).ok());
  const Value state = *one->take_output(0);
  const Tensor before = copy_of(*dense(state));
  const auto feeds = s.feeds(1, 2, random), others = s.feeds(2, 1, random);
  // `one` has begun with the state when `other` runs to its end.
  REQUIRE(one->set_input(0, state).ok());
  REQUIRE(one->set_input(1, int64_tensor({}, [](int64_t) { return 0; })).ok());
  for (size_t i = 0; i < feeds.size(); ++i) REQUIRE(one->set_input(2 + i, feeds[i]).ok());
  REQUIRE(one->begin().ok());
  REQUIRE(start(*other, state, 0, others).ok());
  REQUIRE(one->advance(SIZE_MAX).ok());
  for (const auto& [session, given] : {std::pair(one.get(), &feeds), std::pair(other.get(), &others)}) {
    REQUIRE(start(*copying, before, 0, *given).ok());
    CHECK(same(*session->output(0).tensor(), *copying->output(0).tensor()));
    CHECK(same(*session->output(1).tensor(), *copying->output(1).tensor()));
  }
  CHECK(same(*dense(state), before));
}
