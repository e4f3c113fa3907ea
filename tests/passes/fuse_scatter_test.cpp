#include "tests/passes/pass_test.h"

namespace nm::test {
namespace {

using Axes = std::vector<int64_t>;

ValueId transpose(GraphBuilder& g, ValueId x, const Axes& perm) {
  return g.node("Transpose", 13, {x}, {{"perm", perm}});
}

// Two rows of a cache [2, 3, 5, 4] along the axis that `perm` brings to the front.
ValueId scatter(GraphBuilder& g, ValueId x, const Shape& updates, AttributeMap attributes = {}) {
  return g.node("ScatterND", 16, {x, g.constant(tensor<int64_t>({2, 1}, {1, -2})), g.random(updates)},
                std::move(attributes));
}

struct Case {
  const char* after;
  ValueId (*build)(GraphBuilder&, ValueId);
};

const Case kCases[] = {
    {"ScatterND",
     [](GraphBuilder& g, ValueId x) {
       return transpose(g, scatter(g, transpose(g, x, {2, 0, 1, 3}), {2, 2, 3, 4}), {1, 2, 0, 3});
     }},
    // Elements of a row that do not lie side by side.
    {"ScatterND",
     [](GraphBuilder& g, ValueId x) {
       return transpose(g, scatter(g, transpose(g, x, {3, 2, 1, 0}), {2, 5, 3, 2}), {3, 2, 1, 0});
     }},
    {"ScatterND",
     [](GraphBuilder& g, ValueId x) {
       return transpose(g, scatter(g, g.node("Transpose", 13, {x}), {2, 5, 3, 2}), {3, 2, 1, 0});
     }},
    {"ScatterND",
     [](GraphBuilder& g, ValueId x) {
       const ValueId first = transpose(g, x, {1, 3, 0, 2});
       const ValueId places = g.constant(tensor<int64_t>({3, 2}, {0, 1, -1, -1, 1, 0}));
       return transpose(g, g.node("ScatterND", 13, {first, places, g.random({3, 2, 5})}), {2, 0, 3, 1});
     }},
    // Each twice: the second is the first's reader.
    {"ScatterND ScatterND",
     [](GraphBuilder& g, ValueId x) {
       for (int i = 0; i < 2; ++i) {
         x = transpose(g, scatter(g, transpose(g, x, {2, 0, 1, 3}), {2, 2, 3, 4}), {1, 2, 0, 3});
       }
       return x;
     }},
    {"Transpose ScatterND Transpose",  // another way back
     [](GraphBuilder& g, ValueId x) {
       return transpose(g, scatter(g, transpose(g, x, {2, 0, 1, 3}), {2, 2, 3, 4}), {2, 1, 0, 3});
     }},
    {"Transpose ScatterND Transpose",
     [](GraphBuilder& g, ValueId x) {
       return transpose(g, scatter(g, transpose(g, x, {2, 0, 1, 3}), {2, 2, 3, 4}, {{"reduction", std::string("add")}}),
                        {1, 2, 0, 3});
     }},
    {"Transpose ScatterND Transpose Shape Cast Add",  // somebody reads what lies the other way
     [](GraphBuilder& g, ValueId x) {
       const ValueId written = scatter(g, transpose(g, x, {2, 0, 1, 3}), {2, 2, 3, 4});
       const ValueId back = transpose(g, written, {1, 2, 0, 3});
       const ValueId shape = g.node("Cast", 13, {g.node("Shape", 13, {written})}, {{"to", int64_t{1}}});
       return g.node("Add", 13, {back, shape});
     }},
    {"ScatterND Transpose",  // nothing before it
     [](GraphBuilder& g, ValueId x) {
       return transpose(g, scatter(g, x, {2, 3, 5, 4}), {1, 2, 0, 3});
     }},
};

TEST_CASE("A ScatterND between a Transpose and its inverse writes where the data lies", "[passes]") {
  for (const Case& c : kCases) {
    GraphBuilder g;
    const ValueId x = g.input({2, 3, 5, 4});
    g.output(c.build(g, x));
    INFO(c.after << " " << (&c - kCases));
    const bool changes = std::string_view(c.after).starts_with("ScatterND") && c.after != kCases[8].after;
    const Graph after = check_pass(fuse_scatter, g, changes, 0);
    CHECK(listing(after) == c.after);
  }
}

TEST_CASE("A permutation that a packed model says is checked", "[passes]") {
  for (const auto& [perm, says] :
       {std::pair(Axes{0, 2, 1}, "rank"), std::pair(Axes{0, 0, 1, 2}, "permutation"),
        std::pair(Axes{0, 1, 2, 4}, "permutation"), std::pair(Axes{0, 1, 2, -1}, "permutation")}) {
    GraphBuilder g;
    g.output(scatter(g, g.input({2, 3, 5, 4}), {2, 3, 5, 4}, {{"nm_perm", perm}}));
    Graph graph = g.unchecked();
    const Status s = infer_types(graph);
    INFO(s.message());
    CHECK(s.code() == Code::InvalidModel);
    CHECK(s.message().find(says) != std::string::npos);
  }
}

}  // namespace
}  // namespace nm::test
