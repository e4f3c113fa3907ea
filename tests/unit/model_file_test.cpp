#include "engine/onnx/model_file.h"

#include "catch_amalgamated.hpp"
#include "tests/unit/onnx_writer.h"

using namespace nm;
using namespace nm::test;

namespace {

onnx::Bytes bytes_of(const std::string& s) { return {reinterpret_cast<const uint8_t*>(s.data()), s.size()}; }

template <class Taker>
Status give(Taker& taker, const std::string& bytes, size_t piece) {
  for (size_t at = 0; at < bytes.size(); at += piece) NM_TRY(taker.append(bytes_of(bytes.substr(at, piece))));
  return {};
}

std::string weights(size_t count, float first) {
  std::string raw;
  for (size_t i = 0; i < count; ++i) {
    const float v = first + static_cast<float>(i % 7);
    raw.append(reinterpret_cast<const char*>(&v), sizeof v);
  }
  return raw;
}

constexpr size_t kCount = 300;  // floats: more bytes than are left in the file with everything else
const std::vector<std::string> kDims = {std::to_string(kCount)};

// y = ((x + a + small) · constant) + (sum > 0 ? b : b), with large data in an initialiser whose fields stand in an
// unusual order and come twice, in a second graph field, in an attribute and in a subgraph.
std::string model_with_everything() {
  namespace T = schema::TensorProto;
  const Message first = Message()
                            .text(T::raw_data, weights(kCount, 50))
                            .text(T::raw_data, weights(kCount, 1))
                            .text(T::name, "a")
                            .integer(T::data_type, static_cast<int>(DType::Float32))
                            .integer(T::dims, kCount);
  const Message constant =
      Message()
          .text(schema::AttributeProto::name, "value")
          .message(schema::AttributeProto::t, tensor_proto("", DType::Float32, {kCount}, weights(kCount, 2)))
          .integer(schema::AttributeProto::type, schema::AttributeProto::AttributeType::TENSOR);
  const GraphParts branch{{node_proto("Identity", {"b"}, {"r"})},
                          {tensor_proto("b", DType::Float32, {kCount}, weights(kCount, 3))},
                          {},
                          {value_info("r", DType::Float32, kDims)}};
  const Message choice = node_proto("If", {"yes"}, {"c"},
                                    {graph_attribute("then_branch", branch), graph_attribute("else_branch", branch)});
  const Message graph =
      graph_proto({{node_proto("Add", {"x", "a"}, {"t"}), node_proto("Add", {"t", "small"}, {"u"}),
                    node_proto("Constant", {}, {"k"}, {constant}), node_proto("Mul", {"u", "k"}, {"v"}), choice,
                    node_proto("Add", {"v", "c"}, {"w"})},
                   {first, tensor_proto<float>("small", {1}, {0.5f})},
                   {value_info("x", DType::Float32, kDims), value_info("yes", DType::Bool, {})},
                   {}});
  const Message more = graph_proto({{node_proto("Sub", {"w", "d"}, {"y"})},
                                    {tensor_proto("d", DType::Float32, {kCount}, weights(kCount, 4))},
                                    {},
                                    {value_info("y", DType::Float32, kDims)}});
  const Message opset =
      Message().text(schema::OperatorSetIdProto::domain, "").integer(schema::OperatorSetIdProto::version, 17);
  return Message()
      .integer(schema::ModelProto::ir_version, 8)
      .message(schema::ModelProto::graph, graph)
      .message(schema::ModelProto::graph, more)
      .message(schema::ModelProto::opset_import, opset)
      .bytes();
}

void check_result(Result<std::unique_ptr<Session>> session) {
  INFO(session.status().message());
  REQUIRE(session.ok());
  auto x = (*session)->input(0, DType::Float32, {kCount});
  REQUIRE(x.ok());
  std::fill_n((*x)->data<float>(), kCount, 1.0f);
  auto yes = (*session)->input(1, DType::Bool, {});
  REQUIRE(yes.ok());
  *(*yes)->data<bool>() = true;
  REQUIRE((*session)->run().ok());
  const Tensor& y = *(*session)->output(0).tensor();
  size_t wrong = 0;
  for (size_t i = 0; i < kCount; ++i) {
    const auto n = static_cast<float>(i % 7);
    wrong += y.data<float>()[i] != (1 + (1 + n) + 0.5f) * (2 + n) + (3 + n) - (4 + n);
  }
  CHECK(wrong == 0);
}

std::string message_of(const Result<onnx::ModelProto>& model) { return model.status().message(); }

// Every large tensor's data, in order, where the file has been taken apart and where not.
std::vector<std::string> raw_data(const onnx::ModelProto& model, const onnx::ModelFile& file) {
  std::vector<std::string> all;
  for (const onnx::TensorProto& t : model.graph.initializers) {
    const onnx::Block* block = file.detached(t.raw_data);
    const onnx::Bytes raw = block != nullptr ? block->bytes : t.raw_data;
    all.emplace_back(reinterpret_cast<const char*>(raw.data()), raw.size());
  }
  return all;
}

// What the reader says of the file, whole and in pieces.
void check_same(const std::string& bytes, size_t piece) {
  const auto whole = onnx::read_model(bytes_of(bytes));
  onnx::ModelFile file(bytes.size());
  REQUIRE(give(file, bytes, piece).ok());
  const auto split = onnx::read_model(file.rest());
  if (message_of(whole) != message_of(split))
    FAIL("'" << message_of(whole) << "' became '" << message_of(split) << "'");
  if (whole.ok() && raw_data(*whole, onnx::ModelFile()) != raw_data(*split, file)) FAIL("data differ");
}

}  // namespace

TEST_CASE("a model may come in pieces of any size, whether or not its length is known") {
  const std::string bytes = model_with_everything();
  for (size_t piece = 1; piece < 70; ++piece) {
    onnx::ModelFile file(piece % 2 == 0 ? bytes.size() : 0);
    REQUIRE(give(file, bytes, piece).ok());
    CHECK(file.rest().size() < kCount * sizeof(float));
    check_result(Session::load(std::move(file), {}));
  }
  for (size_t piece = 70; piece <= bytes.size(); piece += 61) check_same(bytes, piece);
  check_result(load(bytes));
}

TEST_CASE("damaged models are refused as they would be in one piece") {
  const std::string good = model_with_everything();
  for (size_t n = 0; n < good.size(); ++n) check_same(good.substr(0, n), 1 + n % 50);
  for (size_t i = 0; i < good.size(); ++i) {
    constexpr int kFlips[] = {1, 2, 8, 0x80, 0xff};
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ kFlips[i % 5]);
    check_same(bad, 1 + i % 50);
  }
}

TEST_CASE("no memory is taken for bytes that do not come") {
  std::string bytes = "\x3a\xff\xff\xff\xff\x7f";               // a graph of 32 GB
  bytes += "\x2a\xff\xff\xff\xff\x7e\x4a\xff\xff\xff\xff\x7d";  // in it a tensor, in that raw data
  for (const uint64_t expected : {uint64_t{0}, uint64_t{10}, uint64_t{bytes.size()}}) {
    const size_t before = memory_counts().current;
    onnx::ModelFile file(expected);
    limit_memory(before + (size_t{1} << 16));
    CHECK(give(file, bytes + std::string(100, 'x'), 7).ok());
    limit_memory(UINT64_MAX);
    const auto session = Session::load(std::move(file), {});
    CHECK(!session.ok());
    CHECK(memory_counts().current == before);
  }
}

TEST_CASE("loading takes the weights and little more") {
  constexpr int64_t kSize = 256;
  constexpr size_t kLayers = 8, kLayerBytes = kSize * kSize * sizeof(float);
  GraphParts parts;
  parts.inputs = {value_info("x0", DType::Float32, {"1", std::to_string(kSize)})};
  for (size_t i = 0; i < kLayers; ++i) {
    const std::string n = std::to_string(i), next = "x" + std::to_string(i + 1);
    parts.initializers.push_back(tensor_proto("w" + n, DType::Float32, {kSize, kSize}, weights(kSize * kSize, 0)));
    parts.nodes.push_back(node_proto("MatMul", {"x" + n, "w" + n}, {next}));
  }
  parts.outputs = {value_info("x" + std::to_string(kLayers), DType::Float32, {"1", std::to_string(kSize)})};
  const std::string bytes = model_bytes(parts);
  const size_t before = memory_counts().current;
  limit_memory(before + (kLayers + 1) * kLayerBytes + kLayerBytes / 4);
  auto session = load(bytes);
  limit_memory(UINT64_MAX);
  REQUIRE(session.ok());
  CHECK(memory_counts().current - before < kLayers * kLayerBytes + kLayerBytes / 4);
}

TEST_CASE("external data come in pieces too, and only what is used stays") {
  struct Tensor {
    const char* name;
    const char* offset;
    const char* length;  // nullptr: to the end
  };
  // Two that overlap, one that ends the file, one that has nothing.
  constexpr Tensor kTensors[] = {{"a", "64", "32"}, {"b", "80", "32"}, {"end", "4000", nullptr}, {"none", "4095", "0"}};
  namespace T = schema::TensorProto;
  namespace E = schema::StringStringEntryProto;
  const auto entry = [](std::string_view key, std::string_view value) {
    return Message().text(E::key, key).text(E::value, value);
  };
  GraphParts parts;
  for (const Tensor& t : kTensors) {
    const int64_t count = t.length != nullptr ? std::stoll(t.length) : 96;
    Message m = Message().integer(T::dims, count).integer(T::data_type, static_cast<int>(DType::UInt8));
    m.text(T::name, t.name).integer(T::data_location, T::DataLocation::EXTERNAL);
    m.message(T::external_data, entry("location", "data.bin")).message(T::external_data, entry("offset", t.offset));
    if (t.length != nullptr) m.message(T::external_data, entry("length", t.length));
    parts.initializers.push_back(m);
    parts.nodes.push_back(node_proto("Identity", {t.name}, {std::string(t.name) + "_out"}));
    parts.outputs.push_back(value_info(std::string(t.name) + "_out", DType::UInt8, {std::to_string(count)}));
  }
  const std::string bytes = model_bytes(parts);
  std::string data;
  for (int i = 0; i < 4096; ++i) data += static_cast<char>(i % 251);

  const auto load_with = [&](const std::string& contents, size_t piece) -> Result<std::unique_ptr<Session>> {
    onnx::ModelFile file;
    NM_TRY(give(file, bytes, bytes.size()));
    NM_ASSIGN(const onnx::ModelProto model, onnx::read_model(file.rest()));
    ExternalFile external(model, "data.bin", piece % 2 == 0 ? contents.size() : 0);
    NM_TRY(give(external, contents, piece));
    LoadOptions options;
    options.external.emplace("data.bin", std::move(external));
    return Session::load(std::move(file), std::move(options));
  };
  for (const size_t piece : {1, 2, 7, 16, 33, 1000, 4096}) {
    auto session = load_with(data, piece);
    INFO(session.status().message());
    REQUIRE(session.ok());
    REQUIRE((*session)->run().ok());
    for (size_t i = 0; i < std::size(kTensors); ++i) {
      const nm::Tensor& t = *(*session)->output(i).tensor();
      const std::string expected = data.substr(std::stoul(kTensors[i].offset), static_cast<size_t>(t.count()));
      CHECK(std::string(static_cast<const char*>(t.raw()), t.bytes()) == expected);
    }
  }
  const auto cut = load_with(data.substr(0, 111), 10);
  CHECK(cut.status().code() == Code::InvalidModel);
  CHECK(cut.status().message() == "the model's tensor 'b' is damaged: its external file 'data.bin' has only 111 bytes");
}
