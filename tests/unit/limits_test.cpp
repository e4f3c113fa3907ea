// What a model may take of memory and time, and that nothing of a run stays after it.
#include "engine/base/limits.h"

#include <thread>

#include "catch_amalgamated.hpp"
#include "engine/base/reserve.h"
#include "tests/unit/onnx_writer.h"

using namespace nm;
using namespace nm::test;

namespace {

Result<std::unique_ptr<Session>> load_within(const Limits& limits, std::string_view bytes) {
  onnx::ModelFile file(bytes.size());
  NM_TRY(file.append({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}));
  LoadOptions options;
  options.limits = limits;
  return Session::load(std::move(file), std::move(options));
}

// `rounds` rounds of y = y + 1, from y = 0.
std::string counting_loop(int64_t rounds) {
  const GraphParts body{
      {node_proto("Identity", {"go"}, {"go_out"}), node_proto("Add", {"s", "one"}, {"s_out"})},
      {},
      {value_info("i", DType::Int64, {}), value_info("go", DType::Bool, {}), value_info("s", DType::Float32, {})},
      {value_info("go_out", DType::Bool, {}), value_info("s_out", DType::Float32, {})}};
  return model_bytes({{node_proto("Loop", {"rounds", "", "zero"}, {"y"}, {graph_attribute("body", body)})},
                      {tensor_proto<int64_t>("rounds", {}, {rounds}), tensor_proto<float>("zero", {}, {0}),
                       tensor_proto<float>("one", {}, {1})},
                      {},
                      {value_info("y", DType::Float32, {})}});
}

// A model of functions "f0" … "f(levels-1)", each of which calls the next `width` times; the last one adds.
std::string function_tower(int levels, int width) {
  Message model;
  model.integer(schema::ModelProto::ir_version, 8);
  const auto opset = [](std::string_view domain, int64_t version) {
    return Message()
        .text(schema::OperatorSetIdProto::domain, domain)
        .integer(schema::OperatorSetIdProto::version, version);
  };
  model.message(schema::ModelProto::opset_import, opset("", 17));
  model.message(schema::ModelProto::opset_import, opset("own", 1));
  model.message(schema::ModelProto::graph, graph_proto({{node_proto("f0", {"x"}, {"y"}, {}, "own")},
                                                        {},
                                                        {value_info("x", DType::Float32, {"2"})},
                                                        {value_info("y", DType::Float32, {"2"})}}));
  for (int level = 0; level < levels; ++level) {
    Message f;
    f.text(schema::FunctionProto::name, "f" + std::to_string(level)).text(schema::FunctionProto::domain, "own");
    f.text(schema::FunctionProto::input, "a").text(schema::FunctionProto::output, "v" + std::to_string(width));
    f.message(schema::FunctionProto::opset_import, opset("", 17));
    f.message(schema::FunctionProto::opset_import, opset("own", 1));
    for (int i = 1; i <= width; ++i) {
      const std::string from = i == 1 ? "a" : "v" + std::to_string(i - 1), to = "v" + std::to_string(i);
      f.message(schema::FunctionProto::node, level + 1 < levels
                                                 ? node_proto("f" + std::to_string(level + 1), {from}, {to}, {}, "own")
                                                 : node_proto("Add", {from, from}, {to}));
    }
    model.message(schema::ModelProto::functions, f);
  }
  return model.bytes();
}

float number(const Session& session) { return *session.output(0).tensor()->data<float>(); }

}  // namespace

TEST_CASE("functions that multiply end in limit_exceeded, in bounded time") {
  const auto session = load(function_tower(9, 10));  // 10^9 nodes
  CHECK(session.status().code() == Code::LimitExceeded);
  CHECK(session.status().message().find("'nodes'") != std::string::npos);
  CHECK(load(function_tower(3, 10)).ok());
  Limits few;
  few.nodes = 1110;
  CHECK(load_within(few, function_tower(3, 10)).status().code() == Code::LimitExceeded);
  few.nodes = 1111;
  CHECK(load_within(few, function_tower(3, 10)).ok());
}

TEST_CASE("nesting is limited, of functions and of subgraphs together") {
  CHECK(load(function_tower(40, 1)).ok());
  const auto deep = load(function_tower(60, 1));
  CHECK(deep.status().code() == Code::LimitExceeded);
  CHECK(deep.status().message().find("'nesting'") != std::string::npos);
  Limits flat;
  flat.nesting = 0;
  CHECK(load_within(flat, counting_loop(3)).status().code() == Code::LimitExceeded);
  flat.nesting = 1;
  CHECK(load_within(flat, counting_loop(3)).ok());
}

TEST_CASE("a loop's rounds can be limited, and the session goes on") {
  Limits limits;
  limits.rounds = 100;
  auto session = load_within(limits, counting_loop(101));
  REQUIRE(session.ok());
  CHECK((*session)->run().code() == Code::LimitExceeded);
  auto fits = load_within(limits, counting_loop(100));
  REQUIRE(fits.ok());
  for (int i = 0; i < 2; ++i) {  // counted anew in each run
    REQUIRE((*fits)->run().ok());
    CHECK(number(**fits) == 100);
  }
}

#if !defined(__wasm__)  // where no threads are; the package's tests cancel through shared memory
TEST_CASE("an endless loop ends when it is cancelled from another thread") {
  auto session = load(counting_loop(INT64_MAX));
  REQUIRE(session.ok());
  std::thread other([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    (*session)->cancel_flag().store(1);
  });
  CHECK((*session)->run().code() == Code::Cancelled);
  other.join();
}
#endif

TEST_CASE("an endless loop returns to its caller after each slice") {
  auto session = load(counting_loop(INT64_MAX));
  REQUIRE(session.ok());
  REQUIRE((*session)->begin().ok());
  for (int i = 0; i < 100; ++i) {
    const auto left = (*session)->advance(7);
    REQUIRE(left.ok());
    CHECK(*left > 0);
  }
  REQUIRE((*session)->begin().ok());  // drops it
}

TEST_CASE("a loop gives the same whatever the slices") {
  for (const size_t slice : {1, 2, 3, 5, 1000}) {
    auto session = load(counting_loop(50));
    REQUIRE(session.ok());
    for (int run = 0; run < 2; ++run) {
      REQUIRE((*session)->begin().ok());
      size_t left = 1;
      while (left > 0) {
        const auto advanced = (*session)->advance(slice);
        REQUIRE(advanced.ok());
        left = *advanced;
      }
      CHECK(number(**session) == 50);
    }
  }
}

TEST_CASE("a dimension that no host can address is out_of_memory and names the value") {
  const auto session =
      load(model_bytes({{node_proto("Expand", {"x", "shape"}, {"huge"}), node_proto("ReduceSum", {"huge"}, {"y"})},
                        {tensor_proto<int64_t>("shape", {2}, {int64_t{1} << 40, int64_t{1} << 40})},
                        {value_info("x", DType::Float32, {"1"})},
                        {value_info("y", DType::Float32, {"1", "1"})}}));
  CHECK(session.status().code() == Code::OutOfMemory);

  auto later =
      load(model_bytes({{node_proto("Expand", {"x", "shape"}, {"huge"}), node_proto("Add", {"huge", "huge"}, {"y"})},
                        {},
                        {value_info("x", DType::Float32, {"1"}), value_info("shape", DType::Int64, {"2"})},
                        {value_info("y", DType::Float32, {"a", "b"})}}));
  REQUIRE(later.ok());
  const auto run = [&](int64_t a, int64_t b) {
    auto x = (*later)->input(0, DType::Float32, {1});
    auto shape = (*later)->input(1, DType::Int64, {2});
    REQUIRE((x.ok() && shape.ok()));
    (*x)->data<float>()[0] = 1;
    (*shape)->data<int64_t>()[0] = a;
    (*shape)->data<int64_t>()[1] = b;
    return (*later)->run();
  };
  CHECK(run(int64_t{1} << 62, 4).code() == Code::OutOfMemory);
  CHECK(run(int64_t{1} << 32, int64_t{1} << 32).code() == Code::OutOfMemory);
  CHECK(run(2, 3).ok());
}

TEST_CASE("nothing of earlier runs stays, however many lengths there have been") {
  auto session = load(model_bytes({{node_proto("Add", {"x", "one"}, {"t"}), node_proto("ReduceSum", {"t"}, {"y"})},
                                   {tensor_proto<float>("one", {1}, {1})},
                                   {value_info("x", DType::Float32, {"n"})},
                                   {value_info("y", DType::Float32, {"1"})}}));
  REQUIRE(session.ok());
  constexpr int64_t kLength = 1 << 20;
  const auto run = [&](int64_t length) {
    auto x = (*session)->input(0, DType::Float32, {length});
    REQUIRE(x.ok());
    std::fill_n((*x)->data<float>(), length, 1.0F);
    REQUIRE((*session)->run().ok());
  };
  run(kLength + 8);
  const size_t once = memory_counts().current;
  for (int i = 0; i < 8; ++i) run(kLength + i);
  CHECK(memory_counts().current <= once);
}

TEST_CASE("names of any length are cut in messages, between characters") {
  std::string name;
  for (int i = 0; i < 100000; ++i) name += "é";
  const Status s(Code::InvalidModel, name);
  CHECK(s.message().size() < 17000);
  CHECK(s.message().ends_with("é…"));
  const auto session = load(model_bytes({{node_proto("NoSuchOperator", {name}, {name})}, {}, {}, {}}));
  CHECK(session.status().message().size() < 17000);
}

TEST_CASE("strings that double in a loop end in limit_exceeded") {
  const GraphParts body{
      {node_proto("Identity", {"go"}, {"go_out"}), node_proto("StringConcat", {"s", "s"}, {"s_out"})},
      {},
      {value_info("i", DType::Int64, {}), value_info("go", DType::Bool, {}), value_info("s", DType::String, {"1"})},
      {value_info("go_out", DType::Bool, {}), value_info("s_out", DType::String, {"1"})}};
  Message word;
  word.integer(schema::TensorProto::dims, 1)
      .integer(schema::TensorProto::data_type, static_cast<int>(DType::String))
      .text(schema::TensorProto::name, "word")
      .text(schema::TensorProto::string_data, "abcd");
  Limits limits;
  limits.text_bytes = 1 << 20;
  auto session = load_within(
      limits, model_bytes({{node_proto("Loop", {"rounds", "", "word"}, {"y"}, {graph_attribute("body", body)})},
                           {tensor_proto<int64_t>("rounds", {}, {60}), word},
                           {},
                           {value_info("y", DType::String, {"1"})}},
                          20));
  REQUIRE(session.ok());
  const Status s = (*session)->run();
  CHECK(s.code() == Code::LimitExceeded);
  CHECK(s.message().find("'textBytes'") != std::string::npos);
}
