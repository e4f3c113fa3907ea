// What a node may have in its operator's version: attributes, inputs and outputs.
#include "engine/op/signature.h"

#include "engine/op/registry.h"
#include "tests/ops/operator_test.h"
#include "tests/unit/onnx_writer.h"

namespace nm::test {
namespace {

Node with_counts(Node n, size_t inputs, size_t outputs) {
  for (size_t i = 0; i < inputs; ++i) n.inputs.push_back(static_cast<ValueId>(i));
  for (size_t o = 0; o < outputs; ++o) n.outputs.push_back(static_cast<ValueId>(inputs + o));
  n.explicit_inputs = inputs;
  return n;
}

void check_refused(const Node& n, const std::string& sentence) {
  const Status s = check_signature(n);
  INFO(n.op_type << " " << n.version << ": " << s.message());
  CHECK(s.code() == Code::InvalidModel);
  CHECK(s.message() == sentence);
  CHECK(s.error().op == n.op_type);
}

TEST_CASE("An attribute that an operator lacks is refused, whichever the operator is") {
  for (const OperatorEntry* each : Registry::instance().entries()) {
    const OperatorEntry& entry = *each;
    if (entry.make == nullptr || entry.domain == kInternalDomain) continue;
    for (const int version : {int{entry.since}, std::min(entry.until(), 29)}) {
      Node n = node(std::string(entry.name), std::max(version, int{entry.since}), {{"no_such_attribute", int64_t{1}}},
                    std::string(entry.domain));
      INFO(entry.domain << "." << entry.name << " " << n.version);
      CHECK(!check_signature(n).ok());
    }
  }
}

TEST_CASE("Attributes that have become inputs, or are not there yet, are refused with the version") {
  check_refused(
      node("Clip", 13, {{"min", 0.f}}),
      "Clip has no attribute 'min' in operator set 13; it ended with operator set 10, and may be an input now: "
      "export the model again");
  check_refused(node("ReduceMean", 18, {{"axes", std::vector<int64_t>{0}}}),
                "ReduceMean has no attribute 'axes' in operator set 18; it ended with operator set 17, and may be an "
                "input now: export the model again");
  check_refused(
      node("Squeeze", 13, {{"axes", std::vector<int64_t>{0}}}),
      "Squeeze has no attribute 'axes' in operator set 13; it ended with operator set 12, and may be an input "
      "now: export the model again");
  check_refused(node("Transpose", 13, {{"permutation", std::vector<int64_t>{0}}}),
                "Transpose has no attribute 'permutation' in operator set 13: export the model again");
  check_refused(
      node("TopK", 9, {{"k", int64_t{1}}, {"sorted", int64_t{0}}}),
      "TopK has no attribute 'sorted' in operator set 9; it came with operator set 11: export the model again");
  check_refused(node("MatMul", 13, {{"transA", int64_t{1}}}),
                "MatMul has no attribute 'transA' in operator set 13: export the model again");
  for (const int any : {41, 1000, INT16_MAX}) {  // at once, and not by way of all versions
    check_refused(node("Add", any, {{"broadcast", int64_t{1}}}),
                  text("Add has no attribute 'broadcast' in operator set ", any,
                       "; it ended with operator set 6, and may be an input now: export the model again"));
  }
  CHECK(check_signature(node("Clip", 6, {{"min", 0.f}, {"max", 1.f}})).ok());
  CHECK(check_signature(node("Relu", 13, {{"__exporter", int64_t{1}}})).ok());
}

TEST_CASE("More inputs or outputs than an operator has are refused") {
  check_refused(
      with_counts(node("Conv", 11), 4, 1),
      "the node has 4 inputs; Conv of operator set 11 has at most 3. The file mixes operator sets: export the "
      "model again");
  check_refused(with_counts(node("Clip", 6), 3, 1),
                "the node has 3 inputs; Clip of operator set 6 has at most 1. The file mixes operator sets: export the "
                "model again");
  check_refused(
      with_counts(node("Relu", 13), 1, 2),
      "the node has 2 outputs; Relu of operator set 13 has at most 1. The file mixes operator sets: export the "
      "model again");
  CHECK(check_signature(with_counts(node("Clip", 11), 3, 1)).ok());
  Node absent = with_counts(node("Relu", 13), 3, 1);  // absent ones do not count
  absent.inputs[1] = absent.inputs[2] = kNone;
  CHECK(check_signature(absent).ok());
}

TEST_CASE("A model with such a node is refused when it is loaded, subgraphs included") {
  const std::vector<Message> unknown{int_attribute("sense", 1)};
  const auto x = value_info("x", DType::Float32, {"2"}), y = value_info("y", DType::Float32, {"2"});
  auto flat = load(model_bytes({{node_proto("Relu", {"x"}, {"y"}, unknown)}, {}, {x}, {y}}));
  REQUIRE(!flat.ok());
  CHECK(flat.status().code() == Code::InvalidModel);
  CHECK(flat.status().error().node == "Relu_of_y");
  const GraphParts branch{
      {node_proto("Relu", {"x"}, {"inner"}, unknown)}, {}, {}, {value_info("inner", DType::Float32, {"2"})}};
  auto nested =
      load(model_bytes({{node_proto("If", {"c"}, {"y"},
                                    {graph_attribute("then_branch", branch), graph_attribute("else_branch", branch)})},
                        {},
                        {value_info("c", DType::Bool, {}), x},
                        {y}}));
  REQUIRE(!nested.ok());
  CHECK(nested.status().code() == Code::InvalidModel);
}

TEST_CASE("An operator of another operator set is named with the set that has it") {
  const auto x = value_info("x", DType::Float32, {"2"}), y = value_info("y", DType::Float32, {"2"});
  auto early = load(model_bytes({{node_proto("Gelu", {"x"}, {"y"})}, {}, {x}, {y}}, 13));
  REQUIRE(!early.ok());
  CHECK(early.status().message() ==
        "this build lacks 1 operator that the model needs: Gelu (needs operator set 20; the file imports 13), used by "
        "'Gelu_of_y'");
}

}  // namespace
}  // namespace nm::test
