// Operators that the caller computes, through the C ABI.
#include "engine/op/custom.h"

#include <nlohmann/json.hpp>

#include "catch_amalgamated.hpp"
#include "engine/c_api.h"
#include "tests/unit/onnx_writer.h"

using namespace nm;
using namespace nm::test;

namespace {

namespace A = schema::AttributeProto;

constexpr int32_t kFloat = NM_DTYPE_FLOAT32;

struct Declared {
  const char* domain;
  const char* name;
  std::vector<int32_t> types;
  std::vector<int32_t> like;
};

int32_t declare(nm_model* model, const Declared& d) {
  return nm_custom_operator(model, d.domain, d.name, d.types.data(), d.like.data(),
                            static_cast<uint32_t>(d.types.size()));
}

nm_model* model_of(std::string_view bytes, const std::vector<Declared>& operators) {
  nm_model* model = nm_new_model(bytes.size());
  REQUIRE(nm_model_bytes(model, reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()) == 0);
  for (const Declared& d : operators) REQUIRE(declare(model, d) == 0);
  return model;
}

nm_session* open(std::string_view bytes, const std::vector<Declared>& operators, uint32_t flags = 0) {
  return nm_load(model_of(bytes, operators), flags);
}

nlohmann::json last_error() { return nlohmann::json::parse(nm_last_error()); }

nm_value* numbers(const std::vector<int64_t>& dims, const std::vector<float>& values) {
  nm_value* value = nm_new_tensor(kFloat, dims.data(), static_cast<uint32_t>(dims.size()));
  nm_tensor t;
  REQUIRE(nm_value_tensor(value, 0, &t) == 0);
  REQUIRE(t.byte_length == values.size() * sizeof(float));
  std::copy(values.begin(), values.end(), static_cast<float*>(t.data));
  return value;
}

nm_value* numbers(const std::vector<float>& values) { return numbers({static_cast<int64_t>(values.size())}, values); }

std::vector<float> read(const nm_value* value) {
  nm_tensor t;
  REQUIRE(nm_value_tensor(value, 0, &t) == 0);
  REQUIRE(t.dtype == kFloat);
  const auto* data = static_cast<const float*>(t.data);
  return {data, data + t.byte_length / sizeof(float)};
}

// Computes a pending "Twice", whatever its node.
void give_twice(nm_session* session) {
  std::vector<float> values = read(nm_waiting_input(session, 0));
  for (float& v : values) v *= 2;
  REQUIRE(nm_give_output(session, 0, numbers(values)) == 0);
}

// Runs to the end, all custom nodes being "Twice", and returns how often they were called.
int run_twices(nm_session* session, uint32_t slice = UINT32_MAX) {
  REQUIRE(nm_run_begin(session) == 0);
  int calls = 0;
  for (int32_t left = 1; left > 0;) {
    left = nm_run_steps(session, slice);
    REQUIRE(left >= 0);
    if (nm_waiting(session) == nullptr) continue;
    ++calls;
    give_twice(session);
  }
  CHECK(nm_waiting(session) == nullptr);
  return calls;
}

const Declared kTwice{"", "Twice", {}, {}};

// y = Twice(Twice(x) + 1) over float32[n], both nodes alike in all but their inputs.
std::string two_twices() {
  return model_bytes({{node_proto("Twice", {"x"}, {"a"}), node_proto("Add", {"a", "one"}, {"b"}),
                       node_proto("Twice", {"b"}, {"c"}), node_proto("Neg", {"c"}, {"y"})},
                      {tensor_proto<float>("one", {1}, {1})},
                      {value_info("x", DType::Float32, {"n"})},
                      {value_info("y", DType::Float32, {"n"})}});
}

// `rounds` rounds of s = Twice(s), from s = x.
std::string loop_of_twices(int64_t rounds) {
  const GraphParts body{
      {node_proto("Identity", {"go"}, {"go_out"}), node_proto("Twice", {"s"}, {"s_out"})},
      {},
      {value_info("i", DType::Int64, {}), value_info("go", DType::Bool, {}), value_info("s", DType::Float32, {"1"})},
      {value_info("go_out", DType::Bool, {}), value_info("s_out", DType::Float32, {"1"})}};
  return model_bytes({{node_proto("Loop", {"rounds", "", "x"}, {"y"}, {graph_attribute("body", body)})},
                      {tensor_proto<int64_t>("rounds", {}, {rounds})},
                      {value_info("x", DType::Float32, {"1"})},
                      {value_info("y", DType::Float32, {"1"})}});
}

Message list_attribute(std::string_view name, int type) { return Message().text(A::name, name).integer(A::type, type); }

}  // namespace

TEST_CASE("a run waits for each custom operator, and goes on with what it is given", "[custom]") {
  const size_t before = memory_counts().current;
  for (const uint32_t flags : {0u, NM_LOAD_UNOPTIMIZED}) {
    for (const std::vector<int32_t>& like : {std::vector<int32_t>{}, {-1}, {0}}) {
      const Declared twice{"", "Twice", std::vector<int32_t>(like.size(), 0), like};
      nm_session* session = open(two_twices(), {twice}, flags);
      REQUIRE(session != nullptr);
      for (const float x : {1.0f, 3.0f}) {
        REQUIRE(nm_input_value(session, 0, numbers({x, -x})) == 0);
        CHECK(run_twices(session, x == 1 ? 1 : UINT32_MAX) == 2);
        CHECK(read(nm_output(session, 0)) == std::vector<float>{-(4 * x + 2), -(-4 * x + 2)});
      }
      nm_release(session);
    }
  }
  CHECK(memory_counts().current == before);
}

TEST_CASE("a custom operator's node says what it is, with attributes of every kind", "[custom]") {
  const Message floats =
      list_attribute("floats", A::AttributeType::FLOATS).number(A::floats, 1.5f).number(A::floats, -2);
  const Message ints = list_attribute("ints", A::AttributeType::INTS).integer(A::ints, 3).integer(A::ints, -4);
  const Message strings =
      list_attribute("strings", A::AttributeType::STRINGS).text(A::strings, "a").text(A::strings, "ä");
  const Message text = list_attribute("string", A::AttributeType::STRING).text(A::s, "über");
  const Message tensor =
      list_attribute("tensor", A::AttributeType::TENSOR).message(A::t, tensor_proto<float>("t", {2, 1}, {5, 6}));
  nm_session* session =
      open(model_bytes({{node_proto("Fancy", {"x", "", "c"}, {"y", "", "z"},
                                    {int_attribute("int", int64_t{1} << 60), float_attribute("float", 0.25f), text,
                                     tensor, floats, ints, strings},
                                    "com.microsoft")},
                        {tensor_proto<float>("c", {1}, {9})},
                        {value_info("x", DType::Float32, {"2"})},
                        {value_info("y", DType::Float32, {"2"}), value_info("z", DType::Int64, {"k"})}},
                       17, true),
           {{"com.microsoft", "Fancy", {0, 0, NM_DTYPE_INT64}, {0, 0, -1}}});
  REQUIRE(session != nullptr);
  CHECK(nm_waiting(session) == nullptr);
  CHECK(nm_waiting_input(session, 0) == nullptr);
  CHECK(nm_waiting_attribute(session, 0) == nullptr);
  REQUIRE(nm_input_value(session, 0, numbers({1, 2})) == 0);
  REQUIRE(nm_run_begin(session) == 0);
  CHECK(nm_run_steps(session, UINT32_MAX) == 1);
  CHECK(nm_run_steps(session, UINT32_MAX) == 1);  // gets no further
  REQUIRE(nm_waiting(session) != nullptr);
  const auto said = nlohmann::json::parse(nm_waiting(session));
  CHECK(said["domain"] == "com.microsoft");
  CHECK(said["operator"] == "Fancy");
  CHECK(said["node"] == "Fancy_of_y");
  CHECK(said["inputs"] == 3);
  CHECK(said["outputs"] == 3);
  std::vector<std::string> kinds;
  for (size_t i = 0; i < said["attributes"].size(); ++i) {
    const auto& a = said["attributes"][i];
    CHECK(a["name"] == a["kind"]);
    const nm_value* value = nm_waiting_attribute(session, static_cast<uint32_t>(i));
    const std::string kind = a["kind"];
    kinds.push_back(kind);
    nm_tensor t;
    REQUIRE(nm_value_tensor(value, 0, &t) == 0);
    const char* string = nullptr;
    if (kind == "int") CHECK(*static_cast<const int64_t*>(t.data) == int64_t{1} << 60);
    if (kind == "ints") CHECK(static_cast<const int64_t*>(t.data)[1] == -4);
    if (kind == "float") CHECK(read(value) == std::vector<float>{0.25f});
    if (kind == "floats") CHECK(read(value) == std::vector<float>{1.5f, -2});
    if (kind == "tensor") CHECK((read(value) == std::vector<float>{5, 6} && t.rank == 2));
    if (kind == "string") CHECK((nm_value_string(value, 0, 0, &string) == 5 && std::string(string, 5) == "über"));
    if (kind == "strings") CHECK((nm_value_string(value, 0, 1, &string) == 2 && std::string(string, 2) == "ä"));
    CHECK(t.rank == (kind.ends_with('s') ? 1 : kind == "tensor" ? 2 : 0));
  }
  CHECK(kinds == std::vector<std::string>{"float", "floats", "int", "ints", "string", "strings", "tensor"});
  CHECK(nm_waiting_attribute(session, 7) == nullptr);
  CHECK(read(nm_waiting_input(session, 0)) == std::vector<float>{1, 2});
  CHECK(nm_waiting_input(session, 1) == nullptr);
  CHECK(read(nm_waiting_input(session, 2)) == std::vector<float>{9});
  CHECK(nm_waiting_input(session, 3) == nullptr);

  // What does not fit is refused, and the right thing still taken.
  CHECK(nm_give_output(session, 0, numbers({1, 2, 3})) < 0);
  CHECK(last_error()["code"] == "shape_mismatch");
  CHECK(nm_give_output(session, 2, numbers({1})) < 0);
  CHECK(last_error()["code"] == "type_mismatch");
  CHECK(last_error()["expected"] == "int64");
  CHECK(nm_give_output(session, 0, nullptr) < 0);
  CHECK(nm_give_output(session, 3, numbers({1})) < 0);
  CHECK(nm_give_output(session, 1, nullptr) == 0);  // the node does not name it
  CHECK(nm_give_output(session, 0, numbers({3, 4})) == 0);
  CHECK(nm_run_steps(session, UINT32_MAX) == 1);
  const int64_t dims[] = {3};
  CHECK(nm_give_output(session, 2, nm_new_tensor(NM_DTYPE_INT64, dims, 1)) == 0);
  CHECK(nm_run_steps(session, UINT32_MAX) == 0);
  CHECK(nm_give_output(session, 0, numbers({3, 4})) < 0);  // nobody waits
  CHECK(read(nm_output(session, 0)) == std::vector<float>{3, 4});
  nm_tensor z;
  REQUIRE(nm_value_tensor(nm_output(session, 1), 0, &z) == 0);
  CHECK(z.dims[0] == 3);
  nm_release(session);
}

TEST_CASE("outputs may have types and shapes of their own, strings too", "[custom]") {
  nm_session* session = open(model_bytes({{node_proto("Words", {"x"}, {"w"}), node_proto("Identity", {"w"}, {"y"})},
                                          {},
                                          {value_info("x", DType::Float32, {"1"})},
                                          {value_info("y", DType::String, {"n"})}}),
                             {{"ai.onnx", "Words", {NM_DTYPE_STRING}, {-1}}});
  REQUIRE(session != nullptr);
  REQUIRE(nm_input_value(session, 0, numbers({1})) == 0);
  REQUIRE(nm_run_begin(session) == 0);
  CHECK(nm_run_steps(session, UINT32_MAX) > 0);
  const int64_t two = 2;
  const uint32_t ends[] = {1, 3};
  REQUIRE(nm_give_output(session, 0, nm_new_strings(&two, 1, "abc", ends)) == 0);
  CHECK(nm_run_steps(session, UINT32_MAX) == 0);
  const char* text = nullptr;
  CHECK(nm_value_string(nm_output(session, 0), 0, 1, &text) == 2);
  nm_release(session);
}

TEST_CASE("passes look into no custom operator", "[custom]") {
  // Two that compute the same of a constant: neither is computed beforehand, nor one for both.
  nm_session* session = open(model_bytes({{node_proto("Twice", {"c"}, {"a"}), node_proto("Twice", {"c"}, {"b"}),
                                           node_proto("Add", {"a", "b"}, {"s"}), node_proto("Add", {"s", "x"}, {"y"})},
                                          {tensor_proto<float>("c", {1}, {3})},
                                          {value_info("x", DType::Float32, {"1"})},
                                          {value_info("y", DType::Float32, {"1"})}}),
                             {{"", "Twice", {0}, {0}}});
  REQUIRE(session != nullptr);
  REQUIRE(nm_input_value(session, 0, numbers({1})) == 0);
  CHECK(run_twices(session) == 2);
  CHECK(read(nm_output(session, 0)) == std::vector<float>{13});
  CHECK(std::string(nm_steps(session)).find("\"kernel\":\"custom\"") != std::string::npos);
  nm_release(session);
}

TEST_CASE("a custom operator may be in the bodies of loops and branches", "[custom]") {
  for (const uint32_t slice : {1u, 2u, UINT32_MAX}) {
    nm_session* session = open(loop_of_twices(5), {kTwice});
    REQUIRE(session != nullptr);
    for (int run = 0; run < 2; ++run) {
      REQUIRE(nm_input_value(session, 0, numbers({1})) == 0);
      CHECK(run_twices(session, slice) == 5);
      CHECK(read(nm_output(session, 0)) == std::vector<float>{32});
    }
    nm_release(session);
  }
  const auto branch = [](std::string_view op) {
    return GraphParts{{node_proto(op, {"x"}, {"b"})}, {}, {}, {value_info("b", DType::Float32, {"1"})}};
  };
  nm_session* session = open(model_bytes({{node_proto("If", {"c"}, {"y"},
                                                      {graph_attribute("then_branch", branch("Twice")),
                                                       graph_attribute("else_branch", branch("Neg"))})},
                                          {},
                                          {value_info("c", DType::Bool, {}), value_info("x", DType::Float32, {"1"})},
                                          {value_info("y", DType::Float32, {"1"})}}),
                             {kTwice});
  REQUIRE(session != nullptr);
  for (const bool c : {true, false}) {
    *static_cast<bool*>(nm_input(session, 0, NM_DTYPE_BOOL, nullptr, 0)) = c;
    REQUIRE(nm_input_value(session, 1, numbers({4})) == 0);
    CHECK(run_twices(session) == (c ? 1 : 0));
    CHECK(read(nm_output(session, 0)) == std::vector<float>{c ? 8.0f : -4.0f});
  }
  nm_release(session);
}

TEST_CASE("the body of a Scan cannot wait, and says so when the model is loaded", "[custom]") {
  const GraphParts body{{node_proto("Twice", {"s"}, {"s_out"})},
                        {},
                        {value_info("s", DType::Float32, {"1"})},
                        {value_info("s_out", DType::Float32, {"1"})}};
  const std::string bytes = model_bytes(
      {{node_proto("Scan", {"x"}, {"y"}, {graph_attribute("body", body), int_attribute("num_scan_inputs", 1)})},
       {},
       {value_info("x", DType::Float32, {"3", "1"})},
       {value_info("y", DType::Float32, {"3", "1"})}});
  CHECK(open(bytes, {kTwice}) == nullptr);
  CHECK(last_error()["code"] == "unsupported_operator");
  CHECK(last_error()["node"] == "Twice_of_s_out");
  CHECK(std::string(last_error()["message"]).find("Scan cannot wait for a custom operator in its body") !=
        std::string::npos);
}

TEST_CASE("a run that waits can be cancelled, dropped and released", "[custom]") {
  const size_t before = memory_counts().current;
  for (const std::string& bytes : {two_twices(), loop_of_twices(4)}) {
    nm_session* session = open(bytes, {kTwice});
    REQUIRE(session != nullptr);
    const auto wait = [&] {
      REQUIRE(nm_input_value(session, 0, numbers({1})) == 0);
      REQUIRE(nm_run_begin(session) == 0);
      REQUIRE(nm_run_steps(session, UINT32_MAX) > 0);
      REQUIRE(nm_waiting(session) != nullptr);
    };
    wait();
    give_twice(session);
    REQUIRE(nm_run_steps(session, UINT32_MAX) > 0);  // the second one
    REQUIRE(nm_waiting(session) != nullptr);
    nm_cancel(session);
    CHECK(nm_run_steps(session, 1) == -NM_CODE_CANCELLED);
    CHECK(nm_waiting(session) == nullptr);
    wait();
    wait();  // drops the run before
    CHECK(nm_run(session) < 0);
    REQUIRE(nm_input_value(session, 0, numbers({1})) == 0);
    CHECK(run_twices(session) > 1);
    // nm_run waits for nobody.
    REQUIRE(nm_input_value(session, 0, numbers({1})) == 0);
    CHECK(nm_run(session) == -NM_CODE_INVALID_ARGUMENT);
    CHECK(std::string(last_error()["message"]).find("run it in steps") != std::string::npos);
    CHECK(nm_output(session, 0) == nullptr);
    wait();
    nm_release(session);
  }
  CHECK(memory_counts().current == before);
}

TEST_CASE("the shape that an output was said to have is held to", "[custom]") {
  nm_session* session = open(two_twices(), {{"", "Twice", {0}, {0}}});
  REQUIRE(session != nullptr);
  REQUIRE(nm_input_value(session, 0, numbers({1, 2})) == 0);
  REQUIRE(nm_run_begin(session) == 0);
  REQUIRE(nm_run_steps(session, UINT32_MAX) > 0);
  CHECK(nm_give_output(session, 0, numbers({1})) < 0);
  CHECK(last_error()["actual"] == "[1]");
  nm_release(session);

  // Without it, what follows has to do with what comes.
  session = open(two_twices(), {kTwice});
  REQUIRE(nm_input_value(session, 0, numbers({1, 2})) == 0);
  REQUIRE(nm_run_begin(session) == 0);
  REQUIRE(nm_run_steps(session, UINT32_MAX) > 0);
  REQUIRE(nm_give_output(session, 0, numbers({2, 1}, {5, 6})) == 0);
  REQUIRE(nm_run_steps(session, UINT32_MAX) > 0);
  CHECK(read(nm_waiting_input(session, 0)) == std::vector<float>{6, 7});
  nm_release(session);
}

TEST_CASE("declarations that make no sense are refused", "[custom]") {
  nm_model* model = model_of(two_twices(), {kTwice});
  CHECK(declare(model, kTwice) < 0);
  CHECK(std::string(last_error()["message"]).find("'Twice' is declared twice") != std::string::npos);
  CHECK(declare(model, {"ai.onnx", "Twice", {}, {}}) < 0);
  CHECK(declare(model, {"a", "", {}, {}}) < 0);
  CHECK(declare(model, {"a", "B", {77}, {-1}}) < 0);
  CHECK(declare(model, {"a", "B", {0}, {-2}}) < 0);
  CHECK(declare(model, {"a", "B", {1}, {5}}) == 0);
  nm_free_model(model);

  CHECK(open(two_twices(), {kTwice, {"", "Neg", {}, {}}}) == nullptr);
  CHECK(last_error()["code"] == "invalid_argument");
  CHECK(std::string(last_error()["message"]).find("has this operator itself") != std::string::npos);
  nm_session* other = open(two_twices(), {kTwice, {"", "Relu", {}, {}}});  // which the model does not have
  CHECK(other != nullptr);
  nm_release(other);

  const auto one = [](const std::vector<std::string>& inputs, const std::vector<std::string>& outputs,
                      const std::vector<Message>& attributes = {}) {
    return model_bytes({{node_proto("Twice", inputs, outputs, attributes)},
                        {},
                        {value_info("x", DType::Float32, {"1"})},
                        {value_info("y", DType::Float32, {"1"})}});
  };
  CHECK(open(one({"x"}, {"y", "z"}), {{"", "Twice", {0}, {-1}}}) == nullptr);
  CHECK(std::string(last_error()["message"]).find("without one of the node's outputs") != std::string::npos);
  CHECK(open(one({}, {"y"}), {kTwice}) == nullptr);
  CHECK(std::string(last_error()["message"]).find("without its type") != std::string::npos);
  CHECK(open(one({"x"}, {"y"}), {{"", "Twice", {1}, {1}}}) == nullptr);
  CHECK(open(one({"x"}, {"y"}, {graph_attribute("body", {{}, {}, {}, {}})}), {kTwice}) == nullptr);
  CHECK(last_error()["code"] == "unsupported_operator");
  CHECK(open(two_twices(), {}) == nullptr);
  CHECK(std::string(last_error()["message"]).find("as a custom operator") != std::string::npos);
}

TEST_CASE("a packed model's custom operators are declared again when it is loaded", "[custom]") {
  nm_value* packed = nm_pack(model_of(two_twices(), {{"", "Twice", {0}, {0}}}), 0);
  REQUIRE(packed != nullptr);
  nm_tensor t;
  REQUIRE(nm_value_tensor(packed, 0, &t) == 0);
  const std::string_view bytes(static_cast<const char*>(t.data), t.byte_length);
  nm_session* session = open(bytes, {kTwice});  // the later declaration holds
  REQUIRE(session != nullptr);
  REQUIRE(nm_input_value(session, 0, numbers({1, 2})) == 0);
  CHECK(run_twices(session) == 2);
  CHECK(read(nm_output(session, 0)) == std::vector<float>{-6, -10});
  nm_release(session);
  CHECK(open(bytes, {}) == nullptr);
  CHECK(last_error()["code"] == "unsupported_operator");
  nm_free_value(packed);
}
