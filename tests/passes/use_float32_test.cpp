#include "tests/passes/pass_test.h"

using namespace nm;
using namespace nm::test;

namespace {

AttributeMap to(DType type) { return {{"to", static_cast<int64_t>(type)}}; }

}  // namespace

TEST_CASE("float64 is computed in float32 where there is no other code", "[passes]") {
  GraphBuilder g;
  const auto x = g.input({1, 2, 3, 3});
  const auto w = g.random({2, 2, 2, 2});
  const auto wide = g.node("Cast", 13, {x}, to(DType::Float64));
  const auto wide_w = g.node("Cast", 13, {w}, to(DType::Float64));
  const auto up = g.node("ConvTranspose", 11, {wide, wide_w});
  g.output(g.node("Neg", 13, {up}));
  g.output(up);
  g.output(g.node("ConvTranspose", 11, {x, w}));
  Graph graph = g.build();
  CHECK(graph.value(graph.outputs[0]).type.dtype == DType::Float64);
  for (const bool optimize : {false, true}) {
    Graph ready = graph;
    const Status s = run_passes(ready, optimize ? kAllPasses : 0);
    INFO(s.message());
    REQUIRE(s.ok());
    const auto outputs = run_graph(ready, {Value(g.random_tensor({1, 2, 3, 3}))});
    const Tensor& expected = *outputs[2].tensor();
    for (const size_t o : {size_t{0}, size_t{1}}) {
      const Tensor& actual = *outputs[o].tensor();
      REQUIRE(describe(actual.dtype(), actual.shape()) == "float64[1,2,4,4]");
      for (int64_t i = 0; i < actual.count(); ++i) {
        const double y = o == 0 ? -actual.data<double>()[i] : actual.data<double>()[i];
        if (std::abs(y - expected.data<float>()[i]) > 1e-5) CHECK(false);
      }
    }
  }
}

TEST_CASE("outputs take after the right one of inputs of several widths", "[passes]") {
  GraphBuilder g;
  const auto x = g.input({1, 1, 2, 2});
  const auto grid = g.node("Cast", 13, {g.random({1, 2, 2, 2})}, to(DType::Float16));
  g.output(g.node("GridSample", 20, {x, grid}));
  const auto half = g.node("Cast", 13, {x}, to(DType::Float16));
  g.output(g.node("GridSample", 20, {half, g.random({1, 2, 2, 2})}));
  g.output(g.node("RMSNormalization", 23, {half, g.random({2})}));
  g.output(g.node("LayerNormalization", 17, {half, g.node("Cast", 13, {g.random({2})}, to(DType::Float16))}));
  Graph graph = g.build();
  REQUIRE(run_passes(graph, kAllPasses).ok());
  const auto outputs = run_graph(graph, {Value(g.random_tensor({1, 1, 2, 2}))});
  constexpr DType kTypes[] = {DType::Float32, DType::Float16, DType::Float32, DType::Float16};
  for (size_t o = 0; o < 4; ++o) CHECK(outputs[o].tensor()->dtype() == kTypes[o]);
}
