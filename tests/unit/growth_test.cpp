// Work that must grow with the model or the text and not with its square: at twice the size it may take at most 2.5
// times as long. Time is the processor's, the shortest of several. Other programs disturb even that, through the cache,
// so a comparison may be tried again; what grows with the square fails every time.
#include <algorithm>
#include <ctime>

#include "catch_amalgamated.hpp"
#include "engine/base/regex.h"
#include "tests/unit/onnx_writer.h"

using namespace nm;
using namespace nm::test;

namespace {

template <class F>
double seconds(F&& work) {
  double best = 1e9;
  for (int i = 0; i < 5; ++i) {
    const std::clock_t start = std::clock();
    work();
    best = std::min(best, static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC);
  }
  return best;
}

constexpr int kTries = 8;

template <class F>
bool grows_linearly(F&& time_at, int size) {
  for (int i = 0; i < kTries; ++i) {
    if (time_at(2 * size) <= 2.5 * time_at(size)) return true;
  }
  return false;
}

std::string identity_chain(int length) {
  GraphParts g;
  g.inputs = {value_info("x0", DType::Float32, {"2"})};
  for (int i = 0; i < length; ++i) {
    g.nodes.push_back(node_proto("Identity", {"x" + std::to_string(i)}, {"x" + std::to_string(i + 1)}));
  }
  g.outputs = {value_info("x" + std::to_string(length), DType::Float32, {"2"})};
  return model_bytes(g);
}

// A loop that makes a list with the nodes given: they read "list" and "item" and yield "grown".
std::string list_loop(std::vector<Message> nodes) {
  GraphParts body;
  body.inputs = {value_info("round", DType::Int64, {}), value_info("go_on", DType::Bool, {}),
                 Message().text(schema::ValueInfoProto::name, "list")};
  body.nodes = std::move(nodes);
  body.outputs = {value_info("go_on", DType::Bool, {}), Message().text(schema::ValueInfoProto::name, "grown")};
  GraphParts g;
  g.inputs = {value_info("rounds", DType::Int64, {}), value_info("item", DType::Float32, {"1"})};
  g.initializers = {tensor_proto<int64_t>("start", {}, {0})};
  g.nodes = {node_proto("SequenceEmpty", {}, {"empty"}),
             node_proto("Loop", {"rounds", "", "empty"}, {"all"}, {graph_attribute("body", body)}),
             node_proto("SequenceLength", {"all"}, {"length"})};
  g.outputs = {value_info("length", DType::Int64, {})};
  return model_bytes(g);
}

}  // namespace

TEST_CASE("loading a chain of identities takes time that grows with its length", "[growth]") {
  const auto load_chain = [](int length) {
    const std::string model = identity_chain(length);
    return seconds([&] { CHECK(load(model).ok()); });
  };
  CHECK(grows_linearly(load_chain, 4000));
}

TEST_CASE("making a list in a loop takes time that grows with the list", "[growth]") {
  const Message append = node_proto("SequenceInsert", {"list", "item"}, {"grown"});
  const Message prepend = node_proto("SequenceInsert", {"list", "item", "start"}, {"grown"});
  const std::vector<Message> replace = {node_proto("SequenceInsert", {"list", "item"}, {"more"}),
                                        node_proto("SequenceInsert", {"more", "item", "start"}, {"most"}),
                                        node_proto("SequenceErase", {"most", "start"}, {"grown"})};
  GraphParts branch;
  branch.nodes = {node_proto("SequenceInsert", {"list", "item"}, {"longer"})};
  branch.outputs = {Message().text(schema::ValueInfoProto::name, "longer")};
  const Message in_branches = node_proto(
      "If", {"go_on"}, {"grown"}, {graph_attribute("then_branch", branch), graph_attribute("else_branch", branch)});
  for (const auto& nodes : {std::vector{append}, std::vector{prepend}, replace, std::vector{in_branches}}) {
    auto session = load(list_loop(nodes));
    INFO((session.ok() ? "" : session.status().message()));
    REQUIRE(session.ok());
    CHECK(grows_linearly(
        [&](int rounds) {
          auto n = Tensor::create(DType::Int64, Shape{}), item = Tensor::create(DType::Float32, Shape{1});
          *n->data<int64_t>() = rounds;
          *item->data<float>() = 1;
          const double taken = seconds([&] {
            REQUIRE((*session)->set_input(0, *n).ok());
            REQUIRE((*session)->set_input(1, *item).ok());
            REQUIRE((*session)->run().ok());
          });
          CHECK(*(*session)->output(0).tensor()->data<int64_t>() == rounds);
          return taken;
        },
        4000));
  }
}

TEST_CASE("finding all matches of a pattern takes time that grows with the text", "[growth]") {
  const auto search = [](const char* pattern, int n) {
    const std::string text(static_cast<size_t>(n), 'a');
    auto regex = Regex::compile(pattern);
    return seconds([&] { static_cast<void>(regex->all_matches(text)); });
  };
  // Nowhere a match, a short match everywhere with a long one in sight, one match in all.
  for (const char* pattern : {"(a*)*b", "a|a*b", "a+"}) {
    INFO("/" << pattern << "/");
    CHECK(grows_linearly([&](int n) { return search(pattern, n); }, 100000));
  }
}
