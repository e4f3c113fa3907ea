#include "tests/hostile/models.h"

#include "tests/unit/onnx_writer.h"

namespace nm::hostile {
namespace {

using namespace test;
using Ints = std::vector<int64_t>;
namespace Type = schema::AttributeProto::AttributeType;

constexpr int64_t kMin = INT64_MIN, kMax = INT64_MAX;

Message any(std::string_view name) { return Message().text(schema::ValueInfoProto::name, name); }
Message list(std::string_view name, const Ints& v) {
  return tensor_proto<int64_t>(name, {static_cast<int64_t>(v.size())}, v);
}
Message number(std::string_view name, int64_t v) { return tensor_proto<int64_t>(name, {}, {v}); }
Message ints_attribute(std::string_view name, const Ints& v) {
  Message m;
  m.text(schema::AttributeProto::name, name).integer(schema::AttributeProto::type, Type::INTS);
  for (const int64_t i : v) m.integer(schema::AttributeProto::ints, i);
  return m;
}
Message text_attribute(std::string_view name, std::string_view v) {
  return Message()
      .text(schema::AttributeProto::name, name)
      .text(schema::AttributeProto::s, v)
      .integer(schema::AttributeProto::type, Type::STRING);
}
Message strings(std::string_view name, const std::vector<std::string>& v) {
  Message m;
  m.integer(schema::TensorProto::dims, static_cast<int64_t>(v.size()));
  m.integer(schema::TensorProto::data_type, static_cast<int>(DType::String)).text(schema::TensorProto::name, name);
  for (const std::string& s : v) m.text(schema::TensorProto::string_data, s);
  return m;
}

// An operator on constants and, if `x` is not empty, on an input of these dims; its output is the model's.
std::string one(std::string_view op, const std::vector<Message>& constants, const std::vector<std::string>& inputs,
                const std::vector<Message>& attributes = {}, const std::vector<std::string>& x = {}, int set = 18) {
  GraphParts g;
  g.initializers = constants;
  if (!x.empty()) g.inputs = {value_info("x", DType::Float32, x)};
  g.nodes = {node_proto(op, inputs, {"y"}, attributes)};
  g.outputs = {any("y")};
  return model_bytes(g, set);
}

// Numbers that inference cannot see become a shape: the output of Mul with an input.
std::string hidden(std::string_view op, const Ints& target, std::string_view data_op = "") {
  GraphParts g;
  g.inputs = {value_info("one", DType::Int64, {"1"}), value_info("x", DType::Float32, {"2", "2"})};
  g.initializers = {list("target", target)};
  g.nodes = {node_proto("Max", {"target", "one"}, {"shape"})};
  if (data_op.empty()) {
    g.nodes.push_back(node_proto(op, {"shape"}, {"y"}));
  } else {
    g.nodes.push_back(node_proto(op, {"x", "shape"}, {"y"}));
  }
  g.outputs = {any("y")};
  return model_bytes(g);
}

std::string gather_behind_overflow() {
  GraphParts g;
  g.inputs = {value_info("x", DType::Float32, {"1"}), value_info("i", DType::Int64, {"1"})};
  g.initializers = {list("shape", {int64_t{1} << 31, int64_t{1} << 31, 4})};
  g.nodes = {node_proto("Expand", {"x", "shape"}, {"large"}), node_proto("Gather", {"large", "i"}, {"y"})};
  g.outputs = {any("y")};
  return model_bytes(g);
}

std::string outer_sum() {
  GraphParts g;
  g.inputs = {value_info("a", DType::Float32, {"65536", "1"}), value_info("b", DType::Float32, {"1", "65536"})};
  g.nodes = {node_proto("Add", {"a", "b"}, {"sum"}), node_proto("ReduceMax", {"sum"}, {"y"})};
  g.outputs = {any("y")};
  return model_bytes(g);
}

std::string doubled_strings(int times) {
  GraphParts g;
  g.initializers = {strings("s0", {std::string(64, 'a')})};
  for (int i = 0; i < times; ++i) {
    const std::string s = "s" + std::to_string(i);
    g.nodes.push_back(node_proto("StringConcat", {s, s}, {"s" + std::to_string(i + 1)}));
  }
  g.outputs = {any("s" + std::to_string(times))};
  return model_bytes(g, 20);
}

std::string chain(int length) {
  GraphParts g;
  g.inputs = {value_info("x0", DType::Float32, {"2"})};
  for (int i = 0; i < length; ++i) {
    g.nodes.push_back(node_proto("Identity", {"x" + std::to_string(i)}, {"x" + std::to_string(i + 1)}));
  }
  g.outputs = {any("x" + std::to_string(length))};
  return model_bytes(g);
}

std::string ring() {
  GraphParts g;
  g.nodes = {node_proto("Relu", {"b"}, {"a"}), node_proto("Relu", {"a"}, {"b"})};
  g.outputs = {any("b")};
  return model_bytes(g);
}

std::string nested_ifs(int depth) {
  GraphParts inner;
  inner.nodes = {node_proto("Relu", {"x"}, {"leaf"})};
  inner.outputs = {any("leaf")};
  for (int i = 0; i < depth; ++i) {
    GraphParts outer;
    const std::string y = "y" + std::to_string(i);
    outer.nodes = {
        node_proto("If", {"c"}, {y}, {graph_attribute("then_branch", inner), graph_attribute("else_branch", inner)})};
    outer.outputs = {any(y)};
    // One branch is deep, the other flat, or the file would double with every level.
    GraphParts flat;
    flat.nodes = {node_proto("Neg", {"x"}, {"f" + std::to_string(i)})};
    flat.outputs = {any("f" + std::to_string(i))};
    outer.nodes = {
        node_proto("If", {"c"}, {y}, {graph_attribute("then_branch", inner), graph_attribute("else_branch", flat)})};
    inner = outer;
  }
  inner.inputs = {value_info("x", DType::Float32, {"2"}), value_info("c", DType::Bool, {})};
  return model_bytes(inner);
}

Message function(std::string_view name, const std::vector<Message>& nodes) {
  Message f;
  f.text(schema::FunctionProto::name, name).text(schema::FunctionProto::domain, "own");
  f.text(schema::FunctionProto::input, "x").text(schema::FunctionProto::output, "y");
  for (const Message& n : nodes) f.message(schema::FunctionProto::node, n);
  for (const std::string_view domain : {"", "own"}) {
    f.message(
        schema::FunctionProto::opset_import,
        Message().text(schema::OperatorSetIdProto::domain, domain).integer(schema::OperatorSetIdProto::version, 17));
  }
  return f;
}

std::string with_functions(const std::vector<Message>& functions, std::string_view called) {
  GraphParts g;
  g.inputs = {value_info("x", DType::Float32, {"2"})};
  g.nodes = {node_proto(called, {"x"}, {"out"}, {}, "own")};
  g.outputs = {any("out")};
  Message m;
  m.integer(schema::ModelProto::ir_version, 9).message(schema::ModelProto::graph, graph_proto(g));
  for (const std::string_view domain : {"", "own"}) {
    m.message(
        schema::ModelProto::opset_import,
        Message().text(schema::OperatorSetIdProto::domain, domain).integer(schema::OperatorSetIdProto::version, 17));
  }
  for (const Message& f : functions) m.message(schema::ModelProto::functions, f);
  return m.bytes();
}

// Each function calls the one below it ten times.
std::string laughs() {
  std::vector<Message> functions{function("f0", {node_proto("Relu", {"x"}, {"y"})})};
  for (int level = 1; level < 10; ++level) {
    std::vector<Message> calls;
    for (int i = 0; i < 10; ++i) {
      const std::string from = i == 0 ? "x" : "t" + std::to_string(i - 1);
      calls.push_back(
          node_proto("f" + std::to_string(level - 1), {from}, {i == 9 ? "y" : "t" + std::to_string(i)}, {}, "own"));
    }
    functions.push_back(function("f" + std::to_string(level), calls));
  }
  return with_functions(functions, "f9");
}

std::string calls_itself() { return with_functions({function("f", {node_proto("f", {"x"}, {"y"}, {}, "own")})}, "f"); }

std::string calls_itself_in_if() {
  GraphParts branch;
  branch.nodes = {node_proto("f", {"x"}, {"b"}, {}, "own")};
  branch.outputs = {any("b")};
  const Message condition = node_proto("ReduceMax", {"x"}, {"m"}, {int_attribute("keepdims", 0)});
  const Message cast = node_proto("Cast", {"m"}, {"c"}, {int_attribute("to", 9)});
  const Message choice =
      node_proto("If", {"c"}, {"y"}, {graph_attribute("then_branch", branch), graph_attribute("else_branch", branch)});
  return with_functions({function("f", {condition, cast, choice})}, "f");
}

std::string tokens(std::string_view pattern, size_t length) {
  GraphParts g;
  g.initializers = {strings("s", {std::string(length, 'a')})};
  g.nodes = {node_proto("Tokenizer", {"s"}, {"y"},
                        {text_attribute("tokenexp", pattern), text_attribute("pad_value", "#"),
                         int_attribute("mark", 0), int_attribute("mincharnum", 1)},
                        "com.microsoft")};
  g.outputs = {any("y")};
  Message m;
  m.integer(schema::ModelProto::ir_version, 9).message(schema::ModelProto::graph, graph_proto(g));
  for (const auto& [domain, version] : {std::pair<std::string_view, int>{"", 17}, {"com.microsoft", 1}}) {
    m.message(schema::ModelProto::opset_import, Message()
                                                    .text(schema::OperatorSetIdProto::domain, domain)
                                                    .integer(schema::OperatorSetIdProto::version, version));
  }
  return m.bytes();
}

// Tensors without elements, as many as the input has rows.
std::string split_of_nothing(int64_t rows) {
  GraphParts g;
  g.inputs = {value_info("x", DType::Float32, {std::to_string(rows), "0"})};
  g.nodes = {node_proto("SplitToSequence", {"x"}, {"s"}), node_proto("SequenceLength", {"s"}, {"y"})};
  g.outputs = {any("y")};
  return model_bytes(g);
}

std::string mean_of_bytes(std::string_view op, size_t inputs, const std::vector<std::string>& dims) {
  GraphParts g;
  g.inputs = {value_info("x", DType::UInt8, dims)};
  g.nodes = {node_proto(op, std::vector<std::string>(inputs, "x"), {"y"})};
  g.outputs = {any("y")};
  return model_bytes(g);
}

// An attribute that Add lacks, in an operator set that there may be some day.
std::string attribute_in_set(int64_t set) {
  GraphParts g;
  g.inputs = {value_info("x", DType::Float32, {"2"})};
  g.nodes = {node_proto("Add", {"x", "x"}, {"y"}, {int_attribute("broadcast", 1)})};
  g.outputs = {any("y")};
  return model_bytes(g, static_cast<int>(set));
}

std::string bare_initializer(const Ints& dims, DType type, std::string_view raw) {
  GraphParts g;
  g.initializers = {tensor_proto("w", type, dims, raw)};
  g.nodes = {node_proto("Identity", {"w"}, {"y"})};
  g.outputs = {any("y")};
  return model_bytes(g);
}

std::string division(int64_t a, int64_t b) {
  GraphParts g;
  g.inputs = {value_info("n", DType::Int64, {"1"})};
  g.initializers = {list("a", {a}), list("b", {b})};
  g.nodes = {node_proto("Concat", {"n", "a"}, {"na"}, {int_attribute("axis", 0)}),
             node_proto("Concat", {"b", "b"}, {"bb"}, {int_attribute("axis", 0)}),
             node_proto("Div", {"na", "bb"}, {"q"}), node_proto("Mod", {"na", "bb"}, {"r"})};
  g.outputs = {any("q"), any("r")};
  return model_bytes(g);
}

}  // namespace

std::vector<Hostile> models() {
  const int64_t huge = int64_t{1} << 40;
  return {
      // Sizes that do not fit 64 bits, or no memory.
      {"pad_overflow", one("Pad", {list("p", {kMax, 0, 0, kMax})}, {"x", "p"}, {}, {"2", "2"}), "out_of_memory", 1, 1},
      {"pad_negative_overflow", one("Pad", {list("p", {kMin, 0, 0, kMin})}, {"x", "p"}, {}, {"2", "2"}),
       "shape_mismatch", 1, 1},
      {"expand_huge", one("Expand", {list("s", {huge, huge})}, {"x", "s"}, {}, {"1"}), "out_of_memory", 1, 1},
      {"expand_terabyte", one("Expand", {list("s", {huge})}, {"x", "s"}, {}, {"1"}), "out_of_memory", 1, 1},
      {"gather_behind_overflow", gather_behind_overflow(), "out_of_memory", 1, 1},
      {"tile_huge", one("Tile", {list("r", {kMax, 2})}, {"x", "r"}, {}, {"2", "2"}), "shape_mismatch", 1, 1},
      {"constant_of_huge_shape", one("ConstantOfShape", {list("s", {huge, 4})}, {"s"}), "out_of_memory", 1, 1},
      {"constant_of_overflow", one("ConstantOfShape", {list("s", {huge, huge})}, {"s"}), "out_of_memory", 1, 1},
      {"constant_of_negative_shape", one("ConstantOfShape", {list("s", {-3})}, {"s"}), "invalid_data", 1, 1},
      {"hidden_shape", hidden("ConstantOfShape", {huge, huge}), "out_of_memory", 1, 1},
      {"hidden_expand", hidden("Expand", {huge, 1, 1}, "x"), "out_of_memory", 1, 1},
      {"hidden_reshape", hidden("Reshape", {kMax, 2, 2}, "x"), "shape_mismatch", 1, 1},
      {"range_huge", one("Range", {number("a", 0), number("b", kMax), number("c", 1)}, {"a", "b", "c"}), "invalid_data",
       1, 1},
      {"range_terabytes", one("Range", {number("a", 0), number("b", huge), number("c", 1)}, {"a", "b", "c"}),
       "out_of_memory", 1, 1},
      {"range_of_extremes", one("Range", {number("a", kMin), number("b", kMax), number("c", kMax)}, {"a", "b", "c"}),
       "ok", 1, 1},
      {"outer_sum", outer_sum(), "limit_exceeded", 1, 1},
      {"one_hot_depth", one("OneHot", {list("i", {1}), number("d", kMax), list("v", {0, 1})}, {"i", "d", "v"}),
       "out_of_memory", 1, 1},
      {"resize_scale", one("Resize", {tensor_proto<float>("s", {2}, {1e18f, 1e18f})}, {"x", "", "s"}, {}, {"2", "2"}),
       "invalid_data", 1, 1},
      {"eye_far", one("EyeLike", {}, {"x"}, {int_attribute("k", kMin)}, {"2", "2"}), "ok", 1, 1},
      {"random_huge", one("RandomNormal", {}, {}, {ints_attribute("shape", {huge, huge})}), "out_of_memory", 1, 1},
      {"window_extremes",
       one("MaxPool", {}, {"x"}, {ints_attribute("kernel_shape", {kMax, kMax})}, {"1", "1", "4", "4"}), "invalid_model",
       1, 1},
      {"dilated_far",
       one("MaxPool", {}, {"x"}, {ints_attribute("kernel_shape", {2, 2}), ints_attribute("dilations", {1 << 30, 1})},
           {"1", "1", "4", "4"}),
       "shape_mismatch", 1, 1},
      {"hann_huge", one("HannWindow", {number("n", kMax)}, {"n"}), "out_of_memory", 1, 1},

      // Indices and axes at the ends of their types.
      {"gather_lowest", one("Gather", {list("i", {kMin})}, {"x", "i"}, {}, {"4"}), "invalid_data", 1, 1},
      {"gather_highest", one("Gather", {list("i", {kMax})}, {"x", "i"}, {}, {"4"}), "invalid_data", 1, 1},
      {"gather_elements", one("GatherElements", {list("i", {kMin})}, {"x", "i"}, {}, {"4"}), "invalid_data", 1, 1},
      {"scatter",
       one("ScatterElements", {list("i", {kMax}), tensor_proto<float>("u", {1}, {1})}, {"x", "i", "u"}, {}, {"4"}),
       "invalid_data", 1, 1},
      {"axis_lowest", one("Softmax", {}, {"x"}, {int_attribute("axis", kMin)}, {"4"}), "shape_mismatch", 1, 1},
      {"slice_extremes",
       one("Slice", {list("s", {kMin}), list("e", {kMax}), list("a", {0}), list("t", {kMin})},
           {"x", "s", "e", "a", "t"}, {}, {"4"}),
       "ok", 1, 1},
      {"top_k_highest", one("TopK", {list("k", {kMax})}, {"x", "k"}, {}, {"4"}), "invalid_data", 1, 1},
      {"trilu_lowest", one("Trilu", {number("k", kMin)}, {"x", "k"}, {}, {"2", "2"}), "ok", 1, 1},
      {"shape_between_extremes",
       one("Shape", {}, {"x"}, {int_attribute("start", kMin), int_attribute("end", kMax)}, {"2", "3"}), "ok", 1, 1},
      {"division_of_lowest", division(kMin, -1), "ok", 1, 1},
      {"division_by_zero", division(1, 0), "invalid_data", 1, 1},
      {"mean_of_256_bytes", mean_of_bytes("ReduceMean", 1, {"256"}), "ok", 1, 1},
      {"mean_of_256_inputs", mean_of_bytes("Mean", 256, {"2"}), "ok", 1, 1},

      // Weights that are not what they say.
      {"weights_without_data", bare_initializer({huge, huge}, DType::Float32, ""), "out_of_memory", 1, 1},
      {"weights_too_short", bare_initializer({1000}, DType::Float32, "abc"), "invalid_model", 1, 1},
      {"weights_negative", bare_initializer({-1, -4}, DType::Float32, "abcdefghijklmnop"), "invalid_model", 1, 1},
      {"weights_empty_and_huge", bare_initializer({0, kMax, kMax}, DType::Float32, ""), "out_of_memory", 1, 1},
      {"strings_without_data", bare_initializer({huge}, DType::String, ""), "out_of_memory", 1, 1},

      // What grows.
      {"laughs", laughs(), "limit_exceeded", 400, 20},
      {"calls_itself", calls_itself(), "limit_exceeded", 8, 2},
      {"calls_itself_in_if", calls_itself_in_if(), "limit_exceeded", 64, 5},
      {"nested_ifs", nested_ifs(300), "invalid_model", 64, 5},
      {"doubled_strings", doubled_strings(40), "limit_exceeded", 600, 5},
      {"ring", ring(), "invalid_model", 1, 1},
      {"split_of_nothing", split_of_nothing(1 << 26), "limit_exceeded", 1, 1},

      // What takes time.
      {"identity_chain", chain(40000), "ok", 200, 10},
      {"attribute_in_far_set", attribute_in_set(INT16_MAX), "invalid_model", 1, 1},
      {"nearly_matching", tokens("(a*)*b", 20000), "ok", 64, 10},
      {"long_lookahead", tokens("a|a*b", 20000), "ok", 64, 10},
  };
}

}  // namespace nm::hostile
