#include "tests/passes/pass_test.h"

namespace nm::test {
namespace {

struct Writer {
  GraphBuilder g;
  std::vector<int64_t> axes{-1};
  int version = 17;  // from 18 on axes are an input

  ValueId op(const char* name, std::vector<ValueId> inputs) { return g.node(name, version, std::move(inputs)); }
  ValueId mean(ValueId x) {
    if (version < 18) return g.node("ReduceMean", version, {x}, {{"axes", axes}});
    auto list = Tensor::from<int64_t>({static_cast<int64_t>(axes.size())}, axes);
    REQUIRE(list.ok());
    return op("ReduceMean", {x, g.constant(std::move(*list))});
  }
  ValueId square(ValueId d) { return op("Pow", {d, g.scalar(2)}); }
  ValueId deviation(ValueId squares) { return op("Sqrt", {op("Add", {mean(squares), g.scalar(1e-5f)})}); }
  ValueId centered(ValueId x) { return op("Sub", {x, mean(x)}); }
  ValueId layer_norm(ValueId x) {
    const ValueId d = centered(x);
    return op("Div", {d, deviation(square(d))});
  }
};

Result<bool> functions_and_norms(Graph& graph) {
  NM_TRY(fuse_functions(graph).take_status());
  return fuse_norms(graph);
}

struct Case {
  const char* after;
  ValueId (*chain)(Writer&, ValueId);
};

const Case kCases[] = {
    // torch.nn.LayerNorm before operator set 17
    {"LayerNormalization",
     [](Writer& w, ValueId x) {
       return w.op("Add", {w.op("Mul", {w.layer_norm(x), w.g.random({8})}), w.g.random({8})});
     }},
    {"LayerNormalization",
     [](Writer& w, ValueId x) {
       w.version = 18;
       return w.op("Add", {w.g.random({1, 8}), w.op("Mul", {w.g.random({8}), w.layer_norm(x)})});
     }},
    {"LayerNormalization",
     [](Writer& w, ValueId x) {
       return w.op("Mul", {w.layer_norm(x), w.g.random({8})});
     }},
    {"LayerNormalization", [](Writer& w, ValueId x) { return w.layer_norm(x); }},
    {"LayerNormalization",
     [](Writer& w, ValueId x) {
       w.axes = {-2, -1};
       return w.op("Add", {w.op("Mul", {w.layer_norm(x), w.g.random({4, 8})}), w.g.random({4, 8})});
     }},
    // adaptive: what multiplies is an image of its own
    {"LayerNormalization Abs Mul",
     [](Writer& w, ValueId x) {
       return w.op("Mul", {w.layer_norm(x), w.op("Abs", {w.g.input({2, 1, 8})})});
     }},
    // Keras by tf2onnx: x·k + (beta - mean·k), k = gamma / deviation
    {"LayerNormalization",
     [](Writer& w, ValueId x) {
       const ValueId mean = w.mean(x), d = w.op("Sub", {x, mean});
       const ValueId inverse = w.op("Reciprocal", {w.deviation(w.op("Mul", {d, d}))});
       const ValueId k = w.op("Mul", {inverse, w.g.random({8})});
       return w.op("Add", {w.op("Mul", {x, k}), w.op("Sub", {w.g.random({8}), w.op("Mul", {mean, k})})});
     }},
    // Llama's: weight * (x * rsqrt(mean(x²) + eps))
    {"RMSNormalization",
     [](Writer& w, ValueId x) {
       const ValueId inverse = w.op("Div", {w.g.scalar(1), w.deviation(w.square(x))});
       return w.op("Mul", {w.g.random({8}), w.op("Mul", {x, inverse})});
     }},
    {"RMSNormalization",
     [](Writer& w, ValueId x) {
       w.version = 18;
       return w.op("Mul", {w.op("Mul", {x, w.op("Reciprocal", {w.deviation(w.square(x))})}), w.g.random({8})});
     }},
    {"RMSNormalization",
     [](Writer& w, ValueId x) {
       return w.op("Div", {x, w.deviation(w.square(x))});
     }},
    // channels, not the last dimensions
    {"ReduceMean Sub Mul ReduceMean Add Sqrt Div",
     [](Writer& w, ValueId x) {
       w.axes = {1};
       return w.layer_norm(x);
     }},
    // the mean of other dimensions
    {"ReduceMean Sub RMSNormalization",
     [](Writer& w, ValueId x) {
       const ValueId d = w.centered(x);
       w.axes = {1, 2};
       return w.op("Div", {d, w.deviation(w.square(d))});
     }},
};

TEST_CASE("Norms out of arithmetic", "[passes]") {
  const size_t which = GENERATE(range(size_t{0}, std::size(kCases)));
  CAPTURE(which);
  Writer w;
  w.g.output(kCases[which].chain(w, w.g.input({2, 4, 8})));
  const bool fuses = std::string(kCases[which].after).find("Norm") != std::string::npos;
  CHECK(listing(check_pass(functions_and_norms, w.g, fuses)) == kCases[which].after);
}

ValueId group_norm(GraphBuilder& g, ValueId x, const Tensor& ones, ValueId gamma) {
  const ValueId inner = g.node("Reshape", 14, {x, g.constant(tensor<int64_t>({3}, {0, 2, -1}))});
  const ValueId norm =
      g.node("InstanceNormalization", 6, {inner, g.constant(ones), g.constant(tensor<float>({2}, {0, 0}))});
  const ValueId outer = g.node("Reshape", 14, {norm, g.node("Shape", 13, {x})});
  return g.node("Add", 14, {g.node("Mul", 14, {outer, gamma}), g.random({6, 1, 1})});
}

TEST_CASE("torch.nn.GroupNorm", "[passes]") {
  GraphBuilder g;
  g.output(group_norm(g, g.input({2, 6, 3, 5}), tensor<float>({2}, {1, 1}), g.random({6, 1, 1})));
  CHECK(listing(check_pass(fuse_norms, g)) == "GroupNormalization");
}

TEST_CASE("An instance norm with weights of its own is no group norm", "[passes]") {
  GraphBuilder g;
  g.output(group_norm(g, g.input({2, 6, 3, 5}), tensor<float>({2}, {1, 2}), g.random({6, 1, 1})));
  g.output(group_norm(g, g.input({2, 6, 3, 6}), tensor<float>({2}, {1, 1}), g.random({6, 1, 6})));
  check_pass(fuse_norms, g, false);
}

}  // namespace
}  // namespace nm::test
