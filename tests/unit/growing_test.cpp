#include "engine/tensor/growing.h"

#include <algorithm>
#include <cstring>
#include <functional>

#include "catch_amalgamated.hpp"
#include "engine/base/random.h"
#include "engine/base/reserve.h"
#include "engine/tensor/edition.h"
#include "tests/unit/narrow_model.h"
#include "tests/unit/onnx_writer.h"

using namespace nm;
using namespace nm::test;

namespace {

using Grown = std::shared_ptr<const Growing>;

// [2, rows, 2] with numbers from `first` on.
Tensor rows_from(int64_t rows, float first) {
  Tensor t = *Tensor::create(DType::Float32, Shape{2, rows, 2});
  for (float& v : t.span<float>()) v = first++;
  return t;
}

// `past` with the rows of `now` behind it.
Grown append(const Value& past, const Tensor& now) {
  const int64_t before = (*past.shape())[1], rows = now.dim(1);
  auto grown = Growing::lengthen(past, 1, before, before + rows);
  REQUIRE(grown.ok());
  const Strides& s = (*grown)->strides();
  copy_strided(DType::Float32, now.shape(), {now.raw(), 0, row_major(now.shape())},
               {(*grown)->data(), before * s[1], s});
  return *grown;
}

std::vector<float> numbers(const Value& v) {
  auto t = dense(v);
  REQUIRE(t.ok());
  return {t->data<float>(), t->data<float>() + t->count()};
}

}  // namespace

TEST_CASE("a tensor grows in its own memory, and who held it before does not notice") {
  const Grown first = append(rows_from(1, 0), rows_from(1, 10));
  const Grown second = append(first, rows_from(1, 20)), third = append(second, rows_from(2, 30));
  CHECK(first->data() == second->data());
  CHECK(first->data() == third->data());
  CHECK(numbers(first) == std::vector<float>{0, 1, 10, 11, 2, 3, 12, 13});
  CHECK(numbers(second) == std::vector<float>{0, 1, 10, 11, 20, 21, 2, 3, 12, 13, 22, 23});
  CHECK(numbers(third) ==
        std::vector<float>{0, 1, 10, 11, 20, 21, 30, 31, 32, 33, 2, 3, 12, 13, 22, 23, 34, 35, 36, 37});
}

TEST_CASE("who grows from the same rows second is a copy, unless the first has gone") {
  const Grown past = append(rows_from(1, 0), rows_from(1, 10));
  Grown one = append(past, rows_from(1, 20));
  const Grown other = append(past, rows_from(1, 30)), further = append(one, rows_from(1, 40));
  CHECK(one->data() == past->data());
  CHECK(other->data() != past->data());
  CHECK(further->data() == past->data());
  CHECK(numbers(one) == std::vector<float>{0, 1, 10, 11, 20, 21, 2, 3, 12, 13, 22, 23});
  CHECK(numbers(other) == std::vector<float>{0, 1, 10, 11, 30, 31, 2, 3, 12, 13, 32, 33});
  // Rows behind those of one that has gone may be somebody's.
  one.reset();
  const Grown again = append(past, rows_from(1, 50));
  CHECK(again->data() != past->data());
  CHECK(numbers(further) == std::vector<float>{0, 1, 10, 11, 20, 21, 40, 41, 2, 3, 12, 13, 22, 23, 42, 43});
}

TEST_CASE("a longer tensor that is dropped gives its room back") {
  const Grown past = append(rows_from(1, 0), rows_from(1, 10));
  for (int i = 0; i < 3; ++i) CHECK(append(past, rows_from(5, 20))->data() == past->data());
  // Nothing is added: both would have the last rows.
  auto same = Growing::lengthen(past, 1, 2, 2);
  REQUIRE(same.ok());
  CHECK((*same)->data() != past->data());
}

TEST_CASE("a tensor is shortened in its own memory, and grows there once nobody has the rows behind") {
  Grown longer = append(rows_from(2, 0), rows_from(3, 10));
  const Grown shorter = *Growing::shorten(longer, 1, 3);
  CHECK(shorter->data() == longer->data());
  CHECK(numbers(shorter) == std::vector<float>{0, 1, 2, 3, 10, 11, 4, 5, 6, 7, 16, 17});
  const Grown beside = append(shorter, rows_from(1, 20));
  CHECK(beside->data() != longer->data());
  CHECK(numbers(longer)[6] == 12);
  longer.reset();
  const Grown again = append(shorter, rows_from(1, 30));
  CHECK(again->data() == shorter->data());
  CHECK(numbers(again) == std::vector<float>{0, 1, 2, 3, 10, 11, 30, 31, 4, 5, 6, 7, 16, 17, 32, 33});
  // Of a dense tensor, or along another axis, it is a copy with room.
  const Tensor plain = rows_from(4, 0);
  const Grown first = *Growing::shorten(plain, 1, 2);
  CHECK(numbers(first) == std::vector<float>{0, 1, 2, 3, 8, 9, 10, 11});
  CHECK(append(first, rows_from(1, 40))->data() == first->data());
  const Grown narrow = *Growing::shorten(shorter, 2, 1);
  CHECK(numbers(narrow) == std::vector<float>{0, 2, 10, 4, 6, 16});
  CHECK(numbers(*Growing::shorten(shorter, 1, 0)).empty());
}

TEST_CASE("a tensor with too little room, of fewer rows, or along another axis is a copy") {
  const Grown past = append(rows_from(1, 0), rows_from(1, 10));
  const Grown longer = append(past, rows_from(100, 20));
  CHECK(longer->data() != past->data());
  CHECK(numbers(longer).size() == 2 * 102 * 2);
  CHECK(append(longer, rows_from(32, 0))->data() == longer->data());
  CHECK(append(longer, rows_from(33, 0))->data() != longer->data());

  auto shorter = Growing::lengthen(past, 1, 1, 2);
  REQUIRE(shorter.ok());
  CHECK((*shorter)->data() != past->data());
  CHECK(numbers(*shorter)[0] == 0);
  CHECK(numbers(*shorter)[5] == 3);
  auto wider = Growing::lengthen(past, 2, 2, 3);
  REQUIRE(wider.ok());
  CHECK((*wider)->data() != past->data());
  CHECK(numbers(*wider)[9] == 12);
}

TEST_CASE("a tensor grows from nothing, and of no rows") {
  const Grown first = append(rows_from(0, 0), rows_from(1, 10));
  CHECK(numbers(first) == std::vector<float>{10, 11, 12, 13});
  auto nothing = Growing::lengthen(*Tensor::create(DType::Float32, Shape{0, 3, 2}), 1, 3, 4);
  REQUIRE(nothing.ok());
  CHECK(numbers(*nothing).empty());
}

TEST_CASE("a tensor that is written in place is shortened as a copy") {
  const auto edition = Edition::of(rows_from(3, 0));
  REQUIRE(edition.ok());
  const auto shorter = Growing::shorten(Value(*edition), 1, 2);
  REQUIRE(shorter.ok());
  CHECK(numbers(Value(*shorter)) == std::vector<float>{0, 1, 2, 3, 6, 7, 8, 9});
}

TEST_CASE("a tensor that cannot grow for want of memory stays as it is") {
  const Grown past = append(rows_from(40, 0), rows_from(1, 500));
  const size_t before = memory_counts().current;
  const size_t exactly = 2 * 141 * 2 * sizeof(float);
  limit_memory(before + exactly - 1);
  auto refused = Growing::lengthen(past, 1, 41, 141);
  CHECK(refused.status().code() == Code::LimitExceeded);
  REQUIRE(refill_reserve().ok());
  // What has no room for more is better than nothing.
  limit_memory(before + exactly);
  auto tight = Growing::lengthen(past, 1, 41, 141);
  limit_memory(UINT64_MAX);
  REQUIRE(tight.ok());
  CHECK(numbers(past)[0] == 0);
  CHECK(numbers(past)[81] == 501);
  CHECK(append(past, rows_from(1, 0))->data() == past->data());
}

namespace {

constexpr int64_t kBatch = 2, kHeads = 2, kSize = 4;
const std::string kB = "2", kH = "2", kD = "4";

Tensor random_tensor(const Shape& shape, Random& random) {
  Tensor t = *Tensor::create(DType::Float32, shape);
  for (float& v : t.span<float>()) v = static_cast<float>(random.normal());
  return t;
}

// A model whose first inputs and outputs are its state, and what else a run of `rows` behind `past` takes.
struct Decoder {
  std::string name;
  std::string model;
  std::vector<Shape> empty;
  int axis = 2;
  std::function<std::vector<Tensor>(int64_t past, int64_t rows, Random&)> feeds;
};

using Nodes = std::vector<Message>;

const std::vector<std::string> kPastShape{kB, kH, "past", kD}, kAllShape{kB, kH, "all", kD},
    kNowShape{kB, kH, "now", kD};

Decoder with_heads_outside(std::string name, Nodes nodes, int opset) {
  GraphParts g;
  g.nodes = std::move(nodes);
  for (const char* past : {"past_k", "past_v"}) g.inputs.push_back(value_info(past, DType::Float32, kPastShape));
  for (const char* now : {"q", "k", "v"}) g.inputs.push_back(value_info(now, DType::Float32, kNowShape));
  for (const char* all : {"all_k", "all_v"}) g.outputs.push_back(value_info(all, DType::Float32, kAllShape));
  g.outputs.push_back(value_info("y", DType::Float32, kNowShape));
  const Shape empty{kBatch, kHeads, 0, kSize};
  return {
      std::move(name), model_bytes(g, opset), {empty, empty}, 2, [](int64_t, int64_t rows, Random& random) {
        const Shape now{kBatch, kHeads, rows, kSize};
        return std::vector<Tensor>{random_tensor(now, random), random_tensor(now, random), random_tensor(now, random)};
      }};
}

Decoder joined(std::string name, Nodes attention, int opset) {
  Nodes nodes{node_proto("Concat", {"past_k", "k"}, {"all_k"}, {int_attribute("axis", -2)}),
              node_proto("Concat", {"past_v", "v"}, {"all_v"}, {int_attribute("axis", 2)})};
  nodes.insert(nodes.end(), attention.begin(), attention.end());
  return with_heads_outside(std::move(name), std::move(nodes), opset);
}

// Joined in a branch of an If, which sees all but its condition from outside, as exports with one graph for the first
// token and another for the rest have it.
Decoder branching() {
  GraphParts branch;
  branch.nodes = {node_proto("Concat", {"past_k", "k"}, {"then_k"}, {int_attribute("axis", 2)}),
                  node_proto("Concat", {"past_v", "v"}, {"then_v"}, {int_attribute("axis", 2)}),
                  node_proto("Attention", {"q", "then_k", "then_v"}, {"then_y"})};
  branch.outputs = {value_info("then_k", DType::Float32, kAllShape), value_info("then_v", DType::Float32, kAllShape),
                    value_info("then_y", DType::Float32, kNowShape)};
  return with_heads_outside(
      "a branch",
      {node_proto("ReduceMin", {"q"}, {"least"}, {int_attribute("keepdims", 0)}),
       node_proto("ReduceMax", {"q"}, {"most"}, {int_attribute("keepdims", 0)}),
       node_proto("LessOrEqual", {"least", "most"}, {"condition"}),
       node_proto("If", {"condition"}, {"all_k", "all_v", "y"},
                  {graph_attribute("then_branch", branch), graph_attribute("else_branch", branch)})},
      23);
}

// Grouped heads of com.microsoft; with lengths of their own the samples are not always as long as the buffer.
Decoder grouped(bool ragged) {
  GraphParts g;
  g.nodes = {node_proto("Shape", {"mask"}, {"extent"}), node_proto("Gather", {"extent", "one"}, {"long_total"}),
             node_proto("Cast", {"long_total"}, {"total"}, {int_attribute("to", 6)}),
             node_proto("GroupQueryAttention", {"q", "k", "v", "past_k", "past_v", "lengths", "total"},
                        {"y", "all_k", "all_v"}, {int_attribute("num_heads", 4), int_attribute("kv_num_heads", 2)},
                        "com.microsoft")};
  g.initializers = {tensor_proto<int64_t>("one", {}, {1})};
  for (const char* past : {"past_k", "past_v"}) g.inputs.push_back(value_info(past, DType::Float32, kPastShape));
  g.inputs.push_back(value_info("q", DType::Float32, {kB, "now", "16"}));
  for (const char* now : {"k", "v"}) g.inputs.push_back(value_info(now, DType::Float32, {kB, "now", "8"}));
  g.inputs.push_back(value_info("mask", DType::Float32, {kB, "all"}));
  g.inputs.push_back(value_info("lengths", DType::Int32, {kB}));
  for (const char* all : {"all_k", "all_v"}) g.outputs.push_back(value_info(all, DType::Float32, kAllShape));
  g.outputs.push_back(value_info("y", DType::Float32, {kB, "now", "16"}));
  const Shape empty{kBatch, kHeads, 0, kSize};
  return {ragged ? "ragged GroupQueryAttention" : "GroupQueryAttention",
          model_bytes(g, 17, true),
          {empty, empty},
          2,
          [ragged](int64_t past, int64_t rows, Random& random) {
            Tensor lengths = *Tensor::create(DType::Int32, Shape{kBatch});
            for (int32_t& length : lengths.span<int32_t>()) {
              const auto missing = static_cast<int64_t>(random.uniform() * static_cast<double>(past + 1));
              length = static_cast<int32_t>(past + rows - 1 - (ragged && random.uniform() < 0.1 ? missing : 0));
            }
            return std::vector<Tensor>{
                random_tensor({kBatch, rows, 16}, random), random_tensor({kBatch, rows, 8}, random),
                random_tensor({kBatch, rows, 8}, random), random_tensor({kBatch, past + rows}, random), lengths};
          }};
}

Decoder multi_head() {
  GraphParts g;
  g.nodes = {node_proto("MultiHeadAttention", {"q", "k", "v", "bias", "", "", "past_k", "past_v"},
                        {"y", "all_k", "all_v"}, {int_attribute("num_heads", 2), int_attribute("unidirectional", 1)},
                        "com.microsoft")};
  g.initializers = {tensor_proto<float>("bias", {24}, std::vector<float>(24, 0.25f))};
  for (const char* past : {"past_k", "past_v"}) g.inputs.push_back(value_info(past, DType::Float32, kPastShape));
  for (const char* now : {"q", "k", "v"}) g.inputs.push_back(value_info(now, DType::Float32, {kB, "now", "8"}));
  for (const char* all : {"all_k", "all_v"}) g.outputs.push_back(value_info(all, DType::Float32, kAllShape));
  g.outputs.push_back(value_info("y", DType::Float32, {kB, "now", "8"}));
  const Shape empty{kBatch, kHeads, 0, kSize};
  return {
      "MultiHeadAttention", model_bytes(g, 17, true), {empty, empty}, 2, [](int64_t, int64_t rows, Random& random) {
        const Shape now{kBatch, rows, 8};
        return std::vector<Tensor>{random_tensor(now, random), random_tensor(now, random), random_tensor(now, random)};
      }};
}

// Keys and values in one state, [2, batch, heads, rows, size].
Decoder fused() {
  Random random(3);
  const Tensor w = random_tensor({8, 24}, random);
  GraphParts g;
  g.nodes = {node_proto("Attention", {"x", "w", "", "", "past"}, {"y", "all"},
                        {int_attribute("num_heads", 2), int_attribute("unidirectional", 1)}, "com.microsoft")};
  g.initializers = {tensor_proto<float>("w", {8, 24}, {w.data<float>(), w.data<float>() + w.count()})};
  g.inputs = {value_info("past", DType::Float32, {"2", kB, kH, "past", kD}),
              value_info("x", DType::Float32, {kB, "now", "8"})};
  g.outputs = {value_info("all", DType::Float32, {"2", kB, kH, "all", kD}),
               value_info("y", DType::Float32, {kB, "now", "8"})};
  return {"com.microsoft.Attention",
          model_bytes(g, 17, true),
          {{2, kBatch, kHeads, 0, kSize}},
          3,
          [](int64_t, int64_t rows, Random& random) {
            return std::vector<Tensor>{random_tensor({kBatch, rows, 8}, random)};
          }};
}

std::vector<Decoder> decoders() {
  return {
      joined("Concat", {node_proto("Attention", {"q", "all_k", "all_v"}, {"y"})}, 23),
      joined("Concat behind Expand",
             {node_proto("Shape", {"all_k"}, {"shape"}), node_proto("Expand", {"all_k", "shape"}, {"wide_k"}),
              node_proto("Expand", {"all_v", "shape"}, {"wide_v"}),
              node_proto("Attention", {"q", "wide_k", "wide_v"}, {"y"})},
             23),
      joined("Concat and a softmax",
             {node_proto("Transpose", {"all_k"}, {"kt"},
                         {Message()
                              .text(schema::AttributeProto::name, "perm")
                              .integer(schema::AttributeProto::ints, 0)
                              .integer(schema::AttributeProto::ints, 1)
                              .integer(schema::AttributeProto::ints, 3)
                              .integer(schema::AttributeProto::ints, 2)
                              .integer(schema::AttributeProto::type, schema::AttributeProto::AttributeType::INTS)}),
              node_proto("MatMul", {"q", "kt"}, {"scores"}),
              node_proto("Softmax", {"scores"}, {"weights"}, {int_attribute("axis", -1)}),
              node_proto("MatMul", {"weights", "all_v"}, {"y"})},
             17),
      with_heads_outside("Attention",
                         {node_proto("Attention", {"q", "k", "v", "", "past_k", "past_v"}, {"y", "all_k", "all_v"},
                                     {int_attribute("is_causal", 1)})},
                         23),
      branching(),
      grouped(false),
      grouped(true),
      multi_head(),
      fused(),
  };
}

// A text under way, its state kept in a session and copied each time beside it.
struct Branch {
  std::vector<Value> kept;
  std::vector<Tensor> copied;

  int64_t length(int axis) const { return copied[0].dim(axis); }
};

std::unique_ptr<Session> session_of(const Decoder& d, bool keeps, Stored stored = Stored::F32) {
  auto session = load(d.model);
  INFO(d.name << ": " << session.status().message());
  REQUIRE(session.ok());
  for (size_t i = 0; keeps && i < d.empty.size(); ++i) (*session)->keep_output(i, stored);
  return std::move(*session);
}

bool same(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && (a.bytes() == 0 || std::memcmp(a.raw(), b.raw(), a.bytes()) == 0);
}

// Both are numbers of about 1.
bool close(const Tensor& a, const Tensor& b, float error) {
  return a.shape() == b.shape() && std::equal(a.data<float>(), a.data<float>() + a.count(), b.data<float>(),
                                              [&](float x, float y) { return std::abs(x - y) <= error; });
}

// As rows of heads, narrowed at once.
Tensor rounded(const Tensor& t, Stored stored) {
  if (stored == Stored::F32) return t;
  Tensor copy = *Tensor::create(t.dtype(), t.shape());
  const auto all = narrowed(stored, {t.data<float>(), t.data<float>() + t.count()}, kSize);
  std::copy(all.begin(), all.end(), copy.data<float>());
  return copy;
}

Tensor copy_of(const Value& v) {
  const Tensor from = *dense(v);
  Tensor copy = *Tensor::create(from.dtype(), from.shape());
  copy_all(from, copy);
  return copy;
}

Status start(Session& session, const std::vector<Value>& state, const std::vector<Tensor>& feeds) {
  for (size_t i = 0; i < state.size(); ++i) REQUIRE(session.set_input(i, state[i]).ok());
  for (size_t i = 0; i < feeds.size(); ++i) REQUIRE(session.set_input(state.size() + i, feeds[i]).ok());
  return session.run();
}

void step(Session& session, const Branch& from, const std::vector<Tensor>& feeds, std::vector<Value>& next, Tensor& y) {
  const Status s = start(session, from.kept, feeds);
  INFO(s.message());
  REQUIRE(s.ok());
  for (size_t i = 0; i < from.kept.size(); ++i) next.push_back(*session.take_output(i));
  y = copy_of(session.output(from.kept.size()));
}

const void* address(const Value& v) { return v.growing() != nullptr ? v.growing()->data() : v.tensor()->raw(); }

}  // namespace

namespace {

// Moves of a caller who has up to four texts, beside copies that are narrowed as a whole at each step.
void move_at_random(const Decoder& d, Stored stored) {
  CAPTURE(d.name, static_cast<int>(stored));
  Random random(7);
  const auto kept = session_of(d, true, stored), copying = session_of(d, false);
  // What attention sees is exactly known where keys and values are inputs.
  const bool inside = d.name == "MultiHeadAttention" || d.name == "com.microsoft.Attention";
  const float error = !inside ? 1e-5f : stored == Stored::F16 ? 0.03f : 0.25f;
  std::vector<Tensor> empty;
  for (const Shape& shape : d.empty) empty.push_back(*Tensor::create(DType::Float32, shape));
  const Branch beginning{{empty.begin(), empty.end()}, empty};
  std::vector<Branch> branches{beginning};
  const auto any = [&](size_t n) { return static_cast<size_t>(random.uniform() * static_cast<double>(n)); };
  int steps = 0, in_place = 0;
  for (int i = 0; i < 400; ++i) {
    const size_t at = any(branches.size());
    const double what = random.uniform();
    if (what < 0.05 && branches.size() < 4) {
      branches.push_back(branches[at]);
    } else if (what < 0.08 && branches.size() > 1) {
      branches.erase(branches.begin() + static_cast<std::ptrdiff_t>(at));
    } else if (what < 0.1) {
      for (Value& v : branches[at].kept) v = copy_of(v);
    } else if (what < 0.12) {
      // The first half of the rows.
      Branch& b = branches[at];
      for (size_t k = 0; k < b.kept.size(); ++k) {
        Shape half = b.copied[k].shape();
        half[d.axis] /= 2;
        Tensor shorter = *Tensor::create(DType::Float32, half);
        const Tensor& from = b.copied[k];
        copy_strided(DType::Float32, half, {from.raw(), 0, row_major(from.shape())},
                     {shorter.raw(), 0, row_major(half)});
        b.copied[k] = shorter;
        b.kept[k] = *Growing::shorten(b.kept[k], d.axis, half[d.axis]);
      }
    } else if (what < 0.13) {
      branches[at] = beginning;
    } else {
      const int64_t rows = random.uniform() < 0.7 ? 1 : 1 + static_cast<int64_t>(any(5));
      std::vector<Tensor> feeds = d.feeds(branches[at].length(d.axis), rows, random);
      for (size_t k = 1; k < 3 && !inside; ++k) feeds[k] = rounded(feeds[k], stored);
      Branch next;
      Tensor y, expected;
      step(*kept, branches[at], feeds, next.kept, y);
      std::vector<Value> copies;
      step(*copying, {{branches[at].copied.begin(), branches[at].copied.end()}, {}}, feeds, copies, expected);
      REQUIRE((stored == Stored::F32 ? same(y, expected) : close(y, expected, error)));
      for (size_t k = 0; k < copies.size(); ++k) {
        next.copied.push_back(rounded(copy_of(copies[k]), stored));
        REQUIRE(close(*dense(next.kept[k]), next.copied[k], 0));
      }
      ++steps;
      if (address(next.kept[0]) == address(branches[at].kept[0])) ++in_place;
      if (random.uniform() < 0.1 && branches.size() < 4) branches.push_back(branches[at]);
      branches[at] = std::move(next);
    }
  }
  for (const Branch& b : branches) {
    for (size_t k = 0; k < b.kept.size(); ++k) CHECK(close(*dense(b.kept[k]), b.copied[k], 0));
  }
  CAPTURE(steps, in_place);
  CHECK(3 * in_place > steps);
}

}  // namespace

TEST_CASE("state that grows in place, is forked, read, shortened and dropped has the numbers of copies") {
  for (const Decoder& d : decoders()) {
    for (const Stored stored : {Stored::F32, Stored::F16, Stored::I8}) move_at_random(d, stored);
  }
}

TEST_CASE("state that is stored narrower takes half or a quarter of the memory") {
  size_t bytes[3];
  for (const Stored stored : {Stored::F32, Stored::F16, Stored::I8}) {
    GraphParts g;
    g.nodes = {node_proto("Concat", {"past", "x"}, {"all"}, {int_attribute("axis", 2)})};
    g.inputs = {value_info("past", DType::Float32, {"1", "8", "past", "64"}),
                value_info("x", DType::Float32, {"1", "8", "now", "64"})};
    g.outputs = {value_info("all", DType::Float32, {"1", "8", "all", "64"})};
    auto session = load(model_bytes(g, 17));
    REQUIRE(session.ok());
    (*session)->keep_output(0, stored);
    Random random(2);
    const Tensor empty = *Tensor::create(DType::Float32, Shape{1, 8, 0, 64});
    REQUIRE(start(**session, {empty}, {random_tensor({1, 8, 400, 64}, random)}).ok());
    const size_t before = memory_counts().current;
    Value state = *(*session)->take_output(0);
    REQUIRE(start(**session, {empty}, {random_tensor({1, 8, 0, 64}, random)}).ok());
    const size_t with = memory_counts().current;
    state = Value();
    bytes[static_cast<int>(stored)] = with - memory_counts().current;
    CHECK(before > 0);
  }
  // 400 rows and room for 100 more, of 8 heads.
  CHECK(bytes[0] == 8 * 500 * 64 * 4);
  CHECK(bytes[1] == 8 * 500 * (64 * 2 + 4));
  CHECK(bytes[2] == 8 * 500 * (64 + 4));
}

TEST_CASE("rows without elements grow, however they are to be stored") {
  GraphParts g;
  g.nodes = {node_proto("Concat", {"past", "x"}, {"all"}, {int_attribute("axis", 1)})};
  g.inputs = {value_info("past", DType::Float32, {"2", "past", "size"}),
              value_info("x", DType::Float32, {"2", "now", "size"})};
  g.outputs = {value_info("all", DType::Float32, {"2", "all", "size"})};
  for (const Stored stored : {Stored::F16, Stored::I8}) {
    auto session = load(model_bytes(g, 17));
    REQUIRE(session.ok());
    (*session)->keep_output(0, stored);
    Value state = *Tensor::create(DType::Float32, Shape{2, 0, 0});
    for (int64_t rows = 3; rows < 10; rows += 3) {
      REQUIRE(start(**session, {state}, {*Tensor::create(DType::Float32, Shape{2, 3, 0})}).ok());
      state = *(*session)->take_output(0);
      CHECK(*state.shape() == Shape{2, rows, 0});
    }
  }
}

TEST_CASE("state that was stored in one way goes on in another") {
  const Decoder d = decoders()[0];
  Random random(1);
  for (const Stored first : {Stored::F32, Stored::F16, Stored::I8}) {
    for (const Stored then : {Stored::F32, Stored::F16, Stored::I8}) {
      CAPTURE(static_cast<int>(first), static_cast<int>(then));
      const auto session = session_of(d, true, first);
      Branch b{{*Tensor::create(DType::Float32, d.empty[0]), *Tensor::create(DType::Float32, d.empty[1])}, {}};
      Tensor y;
      std::vector<Value> next;
      step(*session, b, d.feeds(0, 5, random), next, y);
      b.kept = std::exchange(next, {});
      const Tensor before = copy_of(b.kept[0]);
      for (size_t i = 0; i < 2; ++i) session->keep_output(i, then);
      const std::vector<Tensor> feeds = d.feeds(5, 1, random);
      step(*session, b, feeds, next, y);
      CHECK(same(*dense(b.kept[0]), before));
      Tensor all = *Tensor::create(DType::Float32, Shape{kBatch, kHeads, 6, kSize});
      Strides s = row_major(all.shape());
      copy_strided(DType::Float32, before.shape(), {before.raw(), 0, row_major(before.shape())}, {all.raw(), 0, s});
      copy_strided(DType::Float32, feeds[1].shape(), {feeds[1].raw(), 0, row_major(feeds[1].shape())},
                   {all.raw(), 5 * s[2], s});
      CHECK(close(*dense(next[0]), rounded(all, then), 0));
      CHECK((next[0].growing()->data() == b.kept[0].growing()->data()) == (first == then));
    }
  }
}

TEST_CASE("state grows through a session of another plan, and into one that takes it dense") {
  const Decoder d = decoders()[0];
  const auto kept = session_of(d, true), other = session_of(d, false);
  Random random(1);
  std::vector<Value> state{*Tensor::create(DType::Float32, d.empty[0]), *Tensor::create(DType::Float32, d.empty[1])};
  for (int64_t past = 0; past < 3; ++past) {
    std::vector<Value> next;
    Tensor y, again;
    const auto feeds = d.feeds(past, 1, random);
    step(*kept, {state, {}}, feeds, next, y);
    REQUIRE(next[0].growing() != nullptr);
    std::vector<Value> copies;
    step(*other, {state, {}}, feeds, copies, again);
    CHECK(copies[0].growing() == nullptr);
    CHECK(same(y, again));
    state = std::move(next);
  }
}

TEST_CASE("a run that has no memory for a longer state leaves it as it was") {
  for (const Decoder& d : {decoders()[0], grouped(false)}) {
    for (const Stored stored : {Stored::F32, Stored::F16, Stored::I8}) {
      CAPTURE(d.name, static_cast<int>(stored));
      const auto session = session_of(d, true, stored);
      Random random(1);
      std::vector<Value> state{*Tensor::create(DType::Float32, d.empty[0]),
                               *Tensor::create(DType::Float32, d.empty[1])};
      int refused = 0;
      for (int64_t past = 0; past < 80; ++past) {
        const auto feeds = d.feeds(past, 1, random);
        const size_t before = memory_counts().current;
        // Nothing but the arena, whose size has been seen before, fits.
        if (past > 2) limit_memory(before + (stored == Stored::F32 ? 4096 : 1024));
        Status s = start(*session, state, feeds);
        limit_memory(UINT64_MAX);
        if (!s.ok()) {
          CHECK(s.code() == Code::LimitExceeded);
          REQUIRE(refill_reserve().ok());
          ++refused;
          const std::vector<Tensor> copies{copy_of(state[0]), copy_of(state[1])};
          CHECK(copies[0].dim(2) == past);
          s = start(*session, state, feeds);
          REQUIRE(s.ok());
          const Tensor y = copy_of(session->output(2));
          REQUIRE(start(*session, {copies[0], copies[1]}, feeds).ok());
          CHECK(same(y, copy_of(session->output(2))));
          REQUIRE(start(*session, state, feeds).ok());
        }
        state = {*session->take_output(0), *session->take_output(1)};
      }
      CHECK(refused > 0);
    }
  }
}

TEST_CASE("state that others read is dense for them, and goes on growing where it can") {
  // Someone reads all of it: nothing grows.
  GraphParts g;
  g.nodes = {node_proto("Concat", {"past", "x"}, {"all"}, {int_attribute("axis", 1)}),
             node_proto("Attention", {"x", "all", "all"}, {"y"},
                        {int_attribute("q_num_heads", 1), int_attribute("kv_num_heads", 1)}),
             node_proto("ReduceSum", {"all"}, {"sum"})};
  g.inputs = {value_info("past", DType::Float32, {"2", "past", "2"}),
              value_info("x", DType::Float32, {"2", "now", "2"})};
  g.outputs = {value_info("all", DType::Float32, {"2", "all", "2"}), value_info("y", DType::Float32, {"2", "now", "2"}),
               value_info("sum", DType::Float32, {"1", "1", "1"})};
  auto read = load(model_bytes(g, 23));
  g.nodes.pop_back();
  g.outputs.pop_back();
  auto unread = load(model_bytes(g, 23));
  REQUIRE((read.ok() && unread.ok()));
  for (Session* s : {read->get(), unread->get()}) s->keep_output(0);
  Value state = rows_from(3, 0);
  for (int i = 0; i < 4; ++i) {
    std::vector<float> results[2];
    Value next;
    for (Session* s : {read->get(), unread->get()}) {
      REQUIRE(start(*s, {state}, {rows_from(1, 4)}).ok());
      results[s == unread->get()] = numbers(s->output(1));
      CHECK((s->output(0).growing() != nullptr) == (s == unread->get()));
      next = *s->take_output(0);
    }
    CHECK(results[0] == results[1]);
    state = next;
  }
}
