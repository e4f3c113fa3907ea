#include <cstdlib>
#include <filesystem>

#include "cli/files.h"
#include "engine/packed/checksum.h"
#include "engine/packed/reader.h"
#include "engine/packed/writer.h"
#include "tests/ops/operator_test.h"
#include "tests/unit/onnx_writer.h"

namespace nm::test {
namespace {

using packed::Bytes;
using Contents = std::vector<uint8_t>;

Contents contents(const Tensor& t) { return {t.data<uint8_t>(), t.data<uint8_t>() + t.bytes()}; }

Contents written(const Model& model) {
  auto file = packed::write(model);
  INFO(file.status().message());
  REQUIRE(file.ok());
  return contents(*file);
}

Result<Model> read(Bytes bytes, const Limits& limits = {}) {
  packed::File file;
  NM_TRY(file.append(bytes));
  return packed::read(file, limits);
}

Result<std::unique_ptr<Session>> load_pieces(Bytes bytes, size_t piece, LoadOptions options = {}) {
  IncomingModel file(piece % 2 == 0 ? bytes.size() : 0);
  for (size_t at = 0; at < bytes.size(); at += piece) {
    NM_TRY(file.append(bytes.subspan(at, std::min(piece, bytes.size() - at))));
  }
  return Session::load(std::move(file), std::move(options));
}

Status failure(Bytes bytes) {
  auto session = load_pieces(bytes, bytes.size() + 1);
  return session.ok() ? Status() : session.take_status();
}

// The checksum for what stands before it.
void forge(Contents& file) {
  packed::Checksum checksum;
  checksum.add(Bytes(file).first(file.size() - sizeof(uint64_t)));
  const uint64_t sum = checksum.value();
  std::memcpy(file.data() + file.size() - sizeof sum, &sum, sizeof sum);
}

ValueId add_value(Graph& graph, std::string name, ValueType type, std::optional<Shape> shape = {}) {
  GraphValue v;
  v.name = std::move(name);
  v.type = std::move(type);
  v.shape = shape;
  return graph.add_value(std::move(v));
}

Tensor ramp(int64_t count) {
  auto t = Tensor::create(DType::Float32, Shape{count});
  for (int64_t i = 0; i < count; ++i) t->data<float>()[i] = static_cast<float>(i) / 8;
  return *t;
}

// One of everything that a graph can hold. The node's operator need not exist.
Model everything() {
  Model model{std::make_shared<Graph>(), {}};
  Graph& g = *model.graph;
  g.name = "all of it";
  g.symbols = std::make_shared<SymbolTable>();
  g.symbols->dim("not in any shape");
  const int64_t batch = g.symbols->dim("batch"), nameless = g.symbols->dim("");
  const ValueType f32 = ValueType::tensor(DType::Float32);
  add_value(g, "nobody refers to it", f32);
  const ValueId x = add_value(g, "x", f32, Shape{batch, 3, kUnknownDim, nameless});
  const ValueId list = add_value(g, "list", ValueType::sequence(ValueType::optional(f32)));
  ValueType map{ValueType::Kind::Map, DType::String, std::make_shared<const ValueType>(f32)};
  const ValueId lookup = add_value(g, "lookup", map);
  const ValueId sparse = add_value(g, "sparse", {ValueType::Kind::SparseTensor, DType::Int8, nullptr}, Shape{});
  g.inputs = {x, list, lookup, sparse};
  const Tensor weights = ramp(1000);  // a block
  const ValueId w = g.add_constant("w", weights);
  const ValueId again = g.add_constant("again", weights.reshaped({10, 100}));
  const ValueId words = g.add_constant("words", tensor<std::string>({2}, {"one", ""}));
  const ValueId empty = g.add_constant("empty", *Tensor::create(DType::Float32, {0, 4}));
  const ValueId nibbles = g.add_constant("nibbles", *Tensor::create(DType::Int4, {3}));
  std::memset(g.value(nibbles).constant.raw(), 0x21, 2);
  const ValueId y = add_value(g, "y", f32, Shape{batch}), z = add_value(g, "z", f32);
  g.outputs = {y, x};

  auto body = std::make_shared<Graph>();
  body->name = "body";
  body->symbols = g.symbols;
  const ValueId inner = add_value(*body, "x", f32, g.value(x).shape);
  const ValueId shared = body->add_constant("w", weights);
  body->captures = {{inner, 6}};
  body->inputs = {add_value(*body, "turn", ValueType::tensor(DType::Int64), Shape{})};
  body->outputs = {inner, shared};

  Node node;
  node.name = "n";
  node.op_type = "Everything";
  node.domain = kInternalDomain;
  node.version = 1 << 20;
  node.inputs = {w, kNone, words, empty, nibbles, again, x};
  node.explicit_inputs = 6;
  node.outputs = {y, kNone, z};
  node.attributes = {
      {"integer", int64_t{INT64_MIN}},
      {"number", -0.0f},
      {"text", std::string("a\0b", 3)},
      {"tensor", tensor<double>({2}, {1.5, -2})},
      {"graph", body},
      {"integers", std::vector<int64_t>{0, -1, 1, INT64_MAX, INT64_MIN}},
      {"numbers", std::vector<float>{1, INFINITY}},
      {"texts", std::vector<std::string>{"one", "two"}},
      {"tensors", std::vector<Tensor>{ramp(2), ramp(300)}},
      {"type", ValueType::sequence(f32)},
  };
  g.nodes.push_back(std::move(node));

  model.facts = {"name",
                 "producer 1.0",
                 {{"ai.onnx", 17}, {"com.example", -1}},
                 {{"key", "value"}},
                 {{"x", f32, g.value(x).shape}, {"list", g.value(list).type, {}}, {"l", map, {}}, {"s", f32, Shape{}}},
                 {{"y", f32, Shape{batch}}, {"x", f32, {}}},
                 {{"Everything", 1}},
                 {"a warning"},
                 7,
                 4096};
  return model;
}

TEST_CASE("A packed model holds everything that a graph can") {
  const Model before = everything();
  const Contents file = written(before);
  auto after = read(file);
  INFO(after.status().message());
  REQUIRE(after.ok());
  CHECK(written(*after) == file);

  const Graph& g = *after->graph;
  CHECK(g.values.size() == before.graph->values.size() - 1);  // nobody refers to one
  REQUIRE(g.inputs.size() == 4);
  const GraphValue& x = g.value(g.inputs[0]);
  CHECK(to_string(*x.shape, *g.symbols) == "[batch,3,?,?]");
  CHECK((*x.shape)[2] == kUnknownDim);
  CHECK((*x.shape)[3] < kUnknownDim);
  CHECK(to_string(g.value(g.inputs[1]).type) == "sequence(optional(float32))");
  CHECK(to_string(g.value(g.inputs[2]).type) == "map(string,float32)");
  CHECK(g.value(g.inputs[3]).type.kind == ValueType::Kind::SparseTensor);
  CHECK(g.value(g.inputs[3]).shape == Shape{});

  REQUIRE(g.nodes.size() == 1);
  const Node& n = g.nodes[0];
  CHECK((n.name == "n" && n.op_type == "Everything" && n.domain == kInternalDomain && n.version == 1 << 20));
  REQUIRE(n.inputs.size() == 7);
  CHECK(n.explicit_inputs == 6);
  CHECK((n.inputs[1] == kNone && n.inputs[6] == g.inputs[0]));
  CHECK((n.outputs.size() == 3 && n.outputs[1] == kNone && n.outputs[0] == g.outputs[0]));
  const Tensor &w = *g.constant(n.inputs[0]), &again = *g.constant(n.inputs[5]);
  check_equal(Value(w), ramp(1000));
  CHECK(again.raw() == w.raw());  // one block for both
  CHECK(again.shape() == Shape{10, 100});
  check_equal(Value(*g.constant(n.inputs[2])), tensor<std::string>({2}, {"one", ""}));
  CHECK(g.constant(n.inputs[3])->shape() == Shape{0, 4});
  CHECK(g.constant(n.inputs[4])->dtype() == DType::Int4);

  CHECK(n.attributes.size() == 10);
  const auto a = [&](std::string_view name) -> const Attribute& {
    const auto it = n.attributes.find(name);
    REQUIRE(it != n.attributes.end());
    return it->second;
  };
  CHECK(std::get<int64_t>(a("integer")) == INT64_MIN);
  CHECK(std::signbit(std::get<float>(a("number"))));
  CHECK(std::get<std::string>(a("text")) == std::string("a\0b", 3));
  check_equal(Value(std::get<Tensor>(a("tensor"))), tensor<double>({2}, {1.5, -2}));
  CHECK(std::get<std::vector<int64_t>>(a("integers")) == std::vector<int64_t>{0, -1, 1, INT64_MAX, INT64_MIN});
  CHECK(std::get<std::vector<float>>(a("numbers")) == std::vector<float>{1, INFINITY});
  CHECK(std::get<std::vector<std::string>>(a("texts")) == std::vector<std::string>{"one", "two"});
  check_equal(Value(std::get<std::vector<Tensor>>(a("tensors")).at(1)), ramp(300));
  CHECK(to_string(std::get<ValueType>(a("type"))) == "sequence(float32)");
  const Graph& body = *std::get<std::shared_ptr<Graph>>(a("graph"));
  CHECK(body.symbols == g.symbols);
  REQUIRE(body.captures.size() == 1);
  CHECK((body.captures[0].inner == body.outputs[0] && body.captures[0].input == 6));
  CHECK(body.constant(body.outputs[1])->raw() == w.raw());

  const ModelFacts& f = after->facts;
  CHECK((f.name == "name" && f.producer == "producer 1.0" && f.nodes == 7 && f.weight_bytes == 4096));
  CHECK(f.opsets == before.facts.opsets);
  CHECK(f.metadata == before.facts.metadata);
  CHECK(f.operators == before.facts.operators);
  CHECK(f.warnings == before.facts.warnings);
  CHECK(f.outputs[0].shape->rank() == 1);
}

// Two convolution-like products and a loop of their own weights, as an exporter writes it.
std::string onnx_model() {
  std::vector<float> weights(32 * 16);
  for (size_t i = 0; i < weights.size(); ++i) weights[i] = static_cast<float>(i % 7) - 3;
  return model_bytes({{node_proto("MatMul", {"x", "w"}, {"p"}), node_proto("Add", {"p", "b"}, {"q"}),
                       node_proto("Sigmoid", {"q"}, {"s"}), node_proto("Mul", {"q", "s"}, {"y"})},
                      {tensor_proto<float>("w", {32, 16}, weights), tensor_proto<float>("b", {1}, {0.25f})},
                      {value_info("x", DType::Float32, {"rows", "32"})},
                      {value_info("y", DType::Float32, {"rows", "16"})}});
}

IncomingModel incoming(std::string_view bytes) {
  IncomingModel file(bytes.size());
  REQUIRE(file.append({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}).ok());
  return file;
}

Contents packed_model() {
  auto packed = pack_model(incoming(onnx_model()), {});
  INFO(packed.status().message());
  REQUIRE(packed.ok());
  return contents(*packed);
}

TEST_CASE("A packed model arrives in pieces of any size and computes what the ONNX model does") {
  auto expected = load(onnx_model());
  REQUIRE(expected.ok());
  const auto x = cli::random_tensor(DType::Float32, {5, 32}, 1);
  REQUIRE((*expected)->set_input(0, *x).ok());
  REQUIRE((*expected)->run().ok());
  const Contents file = packed_model();
  for (const size_t piece : {1, 2, 7, 64, 1000, 1 << 20}) {
    auto session = load_pieces(file, piece);
    INFO(session.status().message());
    REQUIRE(session.ok());
    CHECK((*session)->description() == (*expected)->description());
    REQUIRE((*session)->set_input(0, *x).ok());
    REQUIRE((*session)->run().ok());
    const Tensor &a = *(*session)->output(0).tensor(), &e = *(*expected)->output(0).tensor();
    CHECK(a.shape() == e.shape());
    CHECK(std::memcmp(a.raw(), e.raw(), e.bytes()) == 0);
  }
}

TEST_CASE("A packed model that is cut short anywhere, or has a bit flipped anywhere, is refused") {
  const Contents file = packed_model();
  for (size_t size = 1; size < file.size(); ++size) {
    const Status s = failure(Bytes(file).first(size));
    if (s.code() != Code::InvalidModel || s.message().find("cut short") == std::string::npos) {
      FAIL("of " << size << " bytes: " << s.message());
    }
  }
  for (size_t bit = 0; bit < 8 * file.size(); ++bit) {
    Contents damaged = file;
    damaged[bit / 8] = static_cast<uint8_t>(damaged[bit / 8] ^ 1u << bit % 8);
    const Status s = failure(damaged);
    if (s.code() != Code::InvalidModel) FAIL("bit " << bit << ": " << s.message());
  }
  Contents longer = file;
  longer.push_back(0);
  CHECK(failure(longer).message().find("bytes follow its end") != std::string::npos);
}

TEST_CASE("A packed model of another version, byte order or kind is told what to do") {
  const Contents file = packed_model();
  const auto changed = [&](size_t at, Contents bytes) {
    Contents other = file;
    std::copy(bytes.begin(), bytes.end(), other.begin() + static_cast<std::ptrdiff_t>(at));
    forge(other);
    return failure(other).message();
  };
  CHECK(changed(12, {9, 0, 0, 0}) ==
        "the packed model has version 9 where this engine reads version 2; pack the model again with this version of "
        "Neuromancer");
  CHECK(changed(12, {0, 0, 0, 0}).find("pack the model again") != std::string::npos);
  CHECK(changed(8, {0x0a, 0x0b, 0x0c, 0x0d}).find("another byte order") != std::string::npos);
  CHECK(changed(16, {1}).find("parts unknown") != std::string::npos);
  CHECK(changed(1, {'P', 'N', 'G'}).find("not a model") != std::string::npos);
  CHECK(changed(24, {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}).find("damaged") != std::string::npos);
  CHECK(failure(file).ok());
}

TEST_CASE("Whatever byte of a packed model is another, with a checksum to fit, it loads or is refused") {
  const Contents file = packed_model();
  size_t loaded = 0;
  for (size_t at = sizeof(packed::Header); at < file.size() - sizeof(uint64_t); ++at) {
    for (const int step : {1, 2, 64, 128, 255}) {
      Contents other = file;
      other[at] = static_cast<uint8_t>(other[at] + step);
      forge(other);
      auto session = load_pieces(other, other.size());
      if (!session.ok()) continue;
      ++loaded;
      auto x = cli::random_input((*session)->inputs()[0], 1);
      if (x.ok() && (*session)->set_input(0, *x).ok()) static_cast<void>((*session)->run());
    }
  }
  CHECK(loaded > 0);
}

// Operators that read constants before the first run.
std::vector<std::string> models_with_weights() {
  const auto floats = [](const char* name, const std::vector<int64_t>& dims) {
    size_t count = 1;
    for (const int64_t d : dims) count *= static_cast<size_t>(d);
    return tensor_proto<float>(name, dims, std::vector<float>(count, 0.5f));
  };
  const auto bytes = [](const char* name, const std::vector<int64_t>& dims) {
    size_t count = 1;
    for (const int64_t d : dims) count *= static_cast<size_t>(d);
    return tensor_proto<uint8_t>(name, dims, std::vector<uint8_t>(count, 3));
  };
  const auto model = [](std::vector<Message> nodes, std::vector<Message> weights, const std::vector<std::string>& x,
                        DType type = DType::Float32) {
    return model_bytes({std::move(nodes),
                        std::move(weights),
                        {value_info("x", type, x)},
                        {Message().text(schema::ValueInfoProto::name, "y")}},
                       21, true);
  };
  return {
      model({node_proto("MatMul", {"x", "w"}, {"y"})}, {floats("w", {32, 16})}, {"n", "32"}),
      model({node_proto("Gemm", {"x", "w", "b"}, {"y"}, {int_attribute("transB", 1)})},
            {floats("w", {16, 32}), floats("b", {16})}, {"n", "32"}),
      model({node_proto("Conv", {"x", "w", "b"}, {"y"})}, {floats("w", {8, 4, 3, 3}), floats("b", {8})},
            {"n", "4", "9", "9"}),
      model({node_proto("ConvTranspose", {"x", "w"}, {"y"})}, {floats("w", {4, 8, 3, 3})}, {"n", "4", "9", "9"}),
      model({node_proto("LSTM", {"x", "w", "r", "b"}, {"", "y"}, {int_attribute("hidden_size", 8)})},
            {floats("w", {1, 32, 4}), floats("r", {1, 32, 8}), floats("b", {1, 64})}, {"5", "n", "4"}),
      model({node_proto("GRU", {"x", "w", "r"}, {"", "y"}, {int_attribute("hidden_size", 8)})},
            {floats("w", {1, 24, 4}), floats("r", {1, 24, 8})}, {"5", "n", "4"}),
      model({node_proto("MatMulInteger", {"x", "w"}, {"y"})}, {bytes("w", {32, 16})}, {"n", "32"}, DType::UInt8),
      model({node_proto("ConvInteger", {"x", "w"}, {"y"})}, {bytes("w", {8, 4, 3, 3})}, {"n", "4", "9", "9"},
            DType::UInt8),
      model({node_proto("MatMulNBits", {"x", "w", "s"}, {"y"},
                        {int_attribute("K", 64), int_attribute("N", 16), int_attribute("block_size", 32)},
                        "com.microsoft")},
            {bytes("w", {16, 2, 16}), floats("s", {16, 2})}, {"n", "64"}),
      model({node_proto("BatchNormalization", {"x", "s", "b", "m", "v"}, {"y"})},
            {floats("s", {4}), floats("b", {4}), floats("m", {4}), floats("v", {4})}, {"n", "4", "9", "9"}),
      model({node_proto("Einsum", {"x", "w"}, {"y"},
                        {Message()
                             .text(schema::AttributeProto::name, "equation")
                             .text(schema::AttributeProto::s, "ij,jk->ik")
                             .integer(schema::AttributeProto::type, schema::AttributeProto::AttributeType::STRING)})},
            {floats("w", {32, 16})}, {"n", "32"}),
  };
}

TEST_CASE("Weights of a packed model may have any shape: it is refused or runs, and nothing is read past them") {
  size_t refused = 0, tried = 0;
  for (const std::string& onnx : models_with_weights()) {
    auto tensor = pack_model(incoming(onnx), {});
    INFO(tensor.status().message());
    REQUIRE(tensor.ok());
    const Contents file = contents(*tensor);
    auto model = read(file);
    REQUIRE(model.ok());
    Graph& graph = *model->graph;
    for (GraphValue& v : graph.values) {
      if (!v.is_constant()) continue;
      const Tensor original = v.constant;
      const int64_t count = original.count();
      for (const Shape& shape : {Shape{}, Shape{1}, Shape{1, 1}, Shape{1, 1, 1}, Shape{1, 1, 1, 1}, Shape{0, 1},
                                 Shape{count}, Shape{1, count}, Shape{count, 1, 1}}) {
        auto other = Tensor::create(original.dtype(), shape);
        REQUIRE(other.ok());
        std::memset(other->raw(), 0, other->bytes());
        v.constant = *other;
        v.shape = shape;
        auto session = load_pieces(written(*model), 1 << 20);
        ++tried;
        if (session.ok()) {
          auto x = cli::random_input((*session)->inputs()[0], 1);
          if (x.ok() && (*session)->set_input(0, *x).ok()) static_cast<void>((*session)->run());
        } else {
          ++refused;
        }
      }
      v.constant = original;
      v.shape = original.shape();
    }
  }
  CHECK(refused > 0);
  CHECK(tried > 150);
}

TEST_CASE("A packed model keeps to the limits, and its operators must be there") {
  const Contents file = written(everything());
  Limits few;
  few.nodes = 0;
  CHECK(read(file, few).status().code() == Code::LimitExceeded);
  Limits flat;
  flat.nesting = 0;
  CHECK(read(file, flat).status().code() == Code::LimitExceeded);
  const Status s = failure(file);
  CHECK(s.code() == Code::UnsupportedOperator);
  CHECK(s.message().find("Everything") != std::string::npos);
}

TEST_CASE("A packed model is not packed again, nor loaded without passes") {
  const Contents file = packed_model();
  auto again = pack_model(incoming({reinterpret_cast<const char*>(file.data()), file.size()}), {});
  CHECK(again.status().message() == "the model is packed already; to pack it anew, give the ONNX file");
  LoadOptions options;
  options.optimize = false;
  const auto unpassed = load_pieces(file, 64, std::move(options));
  CHECK(unpassed.status().code() == Code::InvalidArgument);
}

TEST_CASE("A packed model may have its dimensions fixed") {
  LoadOptions options;
  options.dimensions = {{"rows", 3}};
  auto packed = pack_model(incoming(onnx_model()), std::move(options));
  REQUIRE(packed.ok());
  auto session = load_pieces(contents(*packed), 64);
  REQUIRE(session.ok());
  CHECK((*session)->inputs()[0].shape == Shape{3, 32});
  CHECK((*session)->outputs()[0].shape == Shape{3, 16});
  CHECK((*session)->set_input(0, *cli::random_tensor(DType::Float32, {5, 32}, 1)).code() == Code::ShapeMismatch);
  LoadOptions others;
  others.dimensions = {{"lines", 3}};
  const auto misnamed = pack_model(incoming(onnx_model()), std::move(others));
  CHECK(misnamed.status().message() == "the model has no dimension 'lines'; those that it names are 'rows'");
  LoadOptions late;
  late.dimensions = {{"rows", 3}};
  const auto fixed_late = load_pieces(contents(*packed), 64, std::move(late));
  CHECK(fixed_late.status().code() == Code::InvalidArgument);
  LoadOptions huge;
  huge.dimensions = {{"rows", int64_t{1} << 52}};
  const auto too_large = pack_model(incoming(onnx_model()), std::move(huge));
  CHECK(too_large.status().code() == Code::OutOfMemory);
}

TEST_CASE("A packed model may go without the names inside, and computes the same") {
  auto named = pack_model(incoming(onnx_model()), {});
  auto stripped = pack_model(incoming(onnx_model()), {}, {.names = false});
  REQUIRE((named.ok() && stripped.ok()));
  const auto graph_bytes = [](const Tensor& file) {
    packed::Header header;
    std::memcpy(&header, file.raw(), sizeof header);
    return header.graph_bytes;
  };
  CHECK(graph_bytes(*stripped) < graph_bytes(*named));
  auto one = load_pieces(contents(*named), 64), other = load_pieces(contents(*stripped), 64);
  REQUIRE((one.ok() && other.ok()));
  CHECK((*one)->description() == (*other)->description());
  const auto x = cli::random_tensor(DType::Float32, {2, 32}, 1);
  for (Session* s : {one->get(), other->get()}) {
    REQUIRE(s->set_input(0, *x).ok());
    REQUIRE(s->run().ok());
  }
  const Tensor &a = *(*one)->output(0).tensor(), &b = *(*other)->output(0).tensor();
  CHECK(std::memcmp(a.raw(), b.raw(), a.bytes()) == 0);
}

TEST_CASE("The fused chain of a packed model names what is there") {
  const auto refused = [](std::vector<int64_t> steps, std::vector<float> params) {
    Model model{std::make_shared<Graph>(), {}};
    Graph& g = *model.graph;
    g.symbols = std::make_shared<SymbolTable>();
    const ValueType f32 = ValueType::tensor(DType::Float32);
    g.inputs = {add_value(g, "x", f32, Shape{4})};
    g.outputs = {add_value(g, "y", f32, Shape{4})};
    Node node;
    node.op_type = "Elementwise";
    node.domain = kInternalDomain;
    node.version = 1;
    node.inputs = g.inputs;
    node.outputs = g.outputs;
    node.explicit_inputs = 1;
    node.attributes = {{"nm_steps", std::move(steps)}, {"nm_params", std::move(params)}};
    g.nodes.push_back(std::move(node));
    model.facts.inputs = {{"x", f32, Shape{4}}};
    model.facts.outputs = {{"y", f32, Shape{4}}};
    return !failure(written(model)).ok();
  };
  CHECK(!refused({3, 0, 0}, {0, 0}));
  CHECK(refused({}, {}));
  CHECK(refused({3, 0}, {0, 0}));
  CHECK(refused({3, 0, 0}, {0}));
  CHECK(refused({3, 1, 0}, {0, 0}));  // its own result
  CHECK(refused({3, 0, -1}, {0, 0}));
  CHECK(refused({255, 0, 0}, {0, 0}));  // no such function
  CHECK(refused({-1, 0, 0}, {0, 0}));
  CHECK(refused({1000, 0, 0}, {0, 0}));
  std::vector<int64_t> many;
  for (int i = 0; i < 33; ++i) many.insert(many.end(), {3, 0, 0});
  CHECK(refused(many, std::vector<float>(66)));
}

TEST_CASE("Kernels keep the numbers that packed models know them by") {
  // Another order is another format: raise packed::kVersion with it.
  CHECK(static_cast<int>(Unary::Exp) == 3);
  CHECK(static_cast<int>(Unary::Tanh) == 11);
  CHECK(static_cast<int>(Unary::Silu) == 23);
  CHECK(static_cast<int>(Unary::Affine) == 30);
  CHECK(static_cast<int>(Unary::Sin) == 35);
  CHECK(static_cast<int>(Unary::Atanh) == 45);
  CHECK(static_cast<int>(Binary::SquaredDifference) == 8);
  CHECK(packed::kVersion == 2);
}

TEST_CASE("Real models compute the same bytes packed and not") {
  namespace fs = std::filesystem;
  const char* folder = std::getenv("NM_MODELS");
  if (folder == nullptr || !fs::exists(folder)) SKIP("NM_MODELS names no folder of models");
  size_t compared = 0;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string model = (entry.path() / "model.onnx").string();
    if (!fs::exists(model)) continue;
    auto plain = cli::load_model(model);
    auto packed = cli::pack_file(model);
    INFO(model);
    REQUIRE(plain.ok());
    REQUIRE(packed.ok());
    auto session = cli::load_packed(*packed);
    INFO(session.status().message());
    REQUIRE(session.ok());
    CHECK((*session)->description() == (*plain)->description());
    bool ran = true;
    for (Session* s : {plain->get(), session->get()}) {
      for (size_t i = 0; i < s->inputs().size(); ++i) {
        auto x = cli::random_input(s->inputs()[i], static_cast<uint32_t>(i + 1));
        ran = ran && x.ok() && s->set_input(i, std::move(*x)).ok();
      }
      ran = ran && s->run().ok();
    }
    if (!ran) continue;  // what fails on random inputs fails either way; the conformance run has the real ones
    for (size_t i = 0; i < (*plain)->outputs().size(); ++i) {
      const Tensor *a = (*session)->output(i).tensor(), *e = (*plain)->output(i).tensor();
      if (e == nullptr || e->dtype() == DType::String) continue;
      REQUIRE(a != nullptr);
      REQUIRE(describe(a->dtype(), a->shape()) == describe(e->dtype(), e->shape()));
      CHECK(std::memcmp(a->raw(), e->raw(), e->bytes()) == 0);
      ++compared;
    }
  }
  CHECK(compared > 30);
}

}  // namespace
}  // namespace nm::test
