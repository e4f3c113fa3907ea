// Weights that a packed model holds as narrower numbers.
#include <cmath>
#include <random>

#include "cli/files.h"
#include "engine/packed/checksum.h"
#include "engine/packed/reader.h"
#include "engine/packed/writer_weights.h"
#include "tests/ops/operator_test.h"
#include "tests/unit/onnx_writer.h"

namespace nm::test {
namespace {

using packed::Form;
using packed::Weights;

// Normal numbers; those of channel c along the axis times 2^(c % 7).
std::vector<float> weights(const Shape& shape, int axis = 0, uint32_t seed = 1) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  const int64_t inner = shape.count(axis + 1, shape.rank());
  std::vector<float> values;
  for (int64_t i = 0; i < shape.count(); ++i) {
    values.push_back(std::ldexp(normal(random), static_cast<int>(i / inner % shape[axis] % 7)));
  }
  return values;
}

template <class T = float>
Tensor filled(const Shape& shape, const std::vector<T>& values) {
  auto t = Tensor::create(dtype_of<T>, shape);
  REQUIRE(t.ok());
  std::copy(values.begin(), values.end(), t->template data<T>());
  return std::move(*t);
}

packed::NarrowTensor narrowed(const Tensor& t, Weights form, bool exact = false) {
  auto narrow = packed::narrow(t, form, exact);
  REQUIRE(narrow.ok());
  REQUIRE(*narrow);
  return std::move(**narrow);
}

bool stays(const Tensor& t, Weights form) {
  auto narrow = packed::narrow(t, form, false);
  REQUIRE(narrow.ok());
  return !*narrow;
}

std::vector<float> widened(const packed::NarrowTensor& narrow, const Shape& shape) {
  REQUIRE(packed::narrow_bytes(narrow.form, narrow.axis, shape) == Size(narrow.block.size()));
  std::vector<float> to(static_cast<size_t>(shape.count()));
  packed::widen(narrow.form, narrow.axis, shape, narrow.block.data(), to.data());
  return to;
}

// 10·log10 of the signal to noise ratio.
double quality(const std::vector<float>& actual, const std::vector<float>& expected) {
  REQUIRE(actual.size() == expected.size());
  double signal = 0, noise = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    signal += std::pow(expected[i], 2);
    noise += std::pow(double{actual[i]} - expected[i], 2);
  }
  return 10 * std::log10(signal / noise);
}

TEST_CASE("Weights become integers with a scale for each channel, along the axis whose channels differ") {
  const std::vector<Shape> shapes = {{40, 64}, {64, 3, 5, 9}, {3, 3, 16, 40}, {1, 48, 33}};
  for (const Shape& shape : shapes) {
    for (int axis = 0; axis < shape.rank(); ++axis) {
      if (shape[axis] < 7 || shape.count() / shape[axis] < 32) continue;
      CAPTURE(to_string(shape), axis);
      const std::vector<float> x = weights(shape, axis);
      const auto narrow = narrowed(filled(shape, x), Weights::Int8);
      CHECK(narrow.form == Form::Int8);
      CHECK(narrow.axis == axis);
      const std::vector<float> y = widened(narrow, shape);
      const auto* scales = reinterpret_cast<const float*>(narrow.block.data());
      const int64_t inner = shape.count(axis + 1, shape.rank());
      for (size_t i = 0; i < x.size(); ++i) {
        REQUIRE(std::abs(x[i] - y[i]) <= 0.5001f * scales[static_cast<int64_t>(i) / inner % shape[axis]]);
      }
    }
  }
}

TEST_CASE("What is no weight becomes halves, or stays") {
  const Shape shape{40, 64};
  std::vector<float> x = weights(shape);
  CHECK(narrowed(filled(shape, x), Weights::Float16).form == Form::Float16);
  CHECK(narrowed(filled(shape, x), Weights::Int8, true).form == Form::Float16);
  CHECK(narrowed(filled({3, 3, 40}, weights({3, 3, 40}, 2)), Weights::Int8).form == Form::Float16);
  CHECK(quality(widened(narrowed(filled(shape, x), Weights::Float16), shape), x) > 70);
  for (float& v : x) v = std::abs(v);
  CHECK(narrowed(filled(shape, x), Weights::Int8).form == Form::Float16);
  CHECK(narrowed(filled(shape, std::vector<float>(2560, 0.f)), Weights::Int4).form == Form::Float16);
  x[7] = -1;
  CHECK(narrowed(filled(shape, x), Weights::Int8).form == Form::Int8);

  for (const Weights form : {Weights::Float16, Weights::Int8, Weights::Int4}) {
    for (const float large : {70000.f, -70000.f, INFINITY, NAN}) {
      x[7] = large;
      CHECK(stays(filled(shape, x), form));
    }
    CHECK(stays(filled({2560}, x), form));
    CHECK(stays(filled({15, 17}, weights({15, 17})), form));
    CHECK(stays(*Tensor::create(DType::Float32, {0, 64}), form));
    CHECK(stays(*Tensor::create(DType::Float64, shape), form));
  }
  CHECK(stays(filled(shape, weights(shape)), Weights::Float32));
}

TEST_CASE("Channels of zeros, and of the smallest numbers, are those again") {
  const Shape shape{4, 100};
  std::vector<float> x = weights(shape);
  std::fill_n(x.begin(), 100, 0.f);
  for (size_t i = 100; i < 200; ++i) x[i] = i % 2 == 0 ? 1e-40f : -1e-45f;
  const std::vector<float> y = widened(narrowed(filled(shape, x), Weights::Int8), shape);
  for (size_t i = 0; i < 100; ++i) REQUIRE(y[i] == 0);
  for (size_t i = 100; i < 200; ++i) REQUIRE(std::abs(y[i]) <= 2e-40f);
}

// y = Gather(table, indices) · w, Gemm with the bias b, Conv of that as an image.
std::string model() {
  const auto floats = [](const char* name, const std::vector<int64_t>& dims, int axis) {
    Shape shape;
    for (const int64_t d : dims) shape.push_back(d);
    return tensor_proto<float>(name, dims, weights(shape, axis, static_cast<uint32_t>(dims.size())));
  };
  return model_bytes(
      {{node_proto("Gather", {"table", "indices"}, {"rows"}), node_proto("MatMul", {"rows", "w"}, {"p"}),
        node_proto("Gemm", {"p", "v", "b"}, {"y"}, {int_attribute("transB", 1)}),
        node_proto("Reshape", {"y", "image"}, {"i"}), node_proto("Conv", {"i", "k"}, {"z"})},
       {floats("table", {100, 72}, 0), floats("w", {72, 96}, 1), floats("v", {64, 96}, 0), floats("b", {64}, 0),
        floats("k", {16, 4, 3, 3}, 0), tensor_proto<int64_t>("image", {4}, {1, 4, -1, 16})},
       {value_info("indices", DType::Int64, {"n"})},
       {value_info("y", DType::Float32, {"n", "64"}), value_info("z", DType::Float32, {"1", "16", "h", "14"})}},
      17);
}

IncomingModel incoming(const void* bytes, size_t size) {
  IncomingModel file(size);
  REQUIRE(file.append({static_cast<const uint8_t*>(bytes), size}).ok());
  return file;
}

Tensor packed_model(Weights form) {
  const std::string onnx = model();
  auto packed = pack_model(incoming(onnx.data(), onnx.size()), {}, {.weights = form});
  INFO(packed.status().message());
  REQUIRE(packed.ok());
  return std::move(*packed);
}

std::unique_ptr<Session> loaded(const Tensor& packed) {
  auto session = Session::load(incoming(packed.raw(), packed.bytes()), {});
  INFO(session.status().message());
  REQUIRE(session.ok());
  return std::move(*session);
}

std::vector<std::vector<float>> outputs(Session& session) {
  std::vector<int64_t> indices(32);
  for (size_t i = 0; i < indices.size(); ++i) indices[i] = static_cast<int64_t>(i * 7 % 100) - (i % 2 == 0 ? 100 : 0);
  REQUIRE(session.set_input(0, filled<int64_t>({32}, indices)).ok());
  const Status ran = session.run();
  INFO(ran.message());
  REQUIRE(ran.ok());
  std::vector<std::vector<float>> all;
  for (size_t o = 0; o < session.outputs().size(); ++o) {
    const auto values = session.output(o).tensor()->span<float>();
    all.emplace_back(values.begin(), values.end());
  }
  return all;
}

size_t nodes_of(const Session& session, std::string_view op, std::string_view domain = "") {
  size_t count = 0;
  for (const Node& n : session.program().graph().nodes) count += n.is(op, domain) ? 1 : 0;
  return count;
}

TEST_CASE("A model with narrower weights is smaller, and nearly the same") {
  const Tensor plain = packed_model(Weights::Float32);
  const auto expected = outputs(*loaded(plain));
  struct Case {
    Weights form;
    double bytes;    // in parts of the plain file's
    double quality;  // at least, in dB
  };
  for (const auto& [form, bytes, least] :
       {Case{Weights::Float16, 0.55, 60}, {Weights::Int8, 0.33, 36}, {Weights::Int4, 0.30, 17}}) {
    CAPTURE(form);
    const Tensor packed = packed_model(form);
    CHECK(static_cast<double>(packed.bytes()) < bytes * static_cast<double>(plain.bytes()));
    const auto session = loaded(packed);
    const auto actual = outputs(*session);
    for (size_t o = 0; o < expected.size(); ++o) CHECK(quality(actual[o], expected[o]) > least);
    CHECK(outputs(*session) == actual);
    const bool blocks = form == Weights::Int4;
    CHECK(nodes_of(*session, "MatMulNBits", kMicrosoftDomain) == (blocks ? 2 : 0));
    CHECK(nodes_of(*session, "GatherBlockQuantized", kMicrosoftDomain) == (blocks ? 1 : 0));
    CHECK(nodes_of(*session, "Conv") == 1);

    std::vector<int64_t> indices(32, 3);
    indices[31] = 100;
    REQUIRE(session->set_input(0, filled(Shape{32}, indices)).ok());
    const Status outside = session->run();
    CHECK(outside.code() == Code::InvalidData);
    CHECK(outside.message().find("the index 100 is out of range for a dimension of 100") != std::string::npos);
    CHECK(outputs(*session) == actual);
  }
}

TEST_CASE("Blocks of 4 bits are better than the largest number's scale makes them") {
  // x · w of the unit matrix gives the weights as they are after rounding.
  const int64_t k = 72, n = 96;
  const std::vector<float> w = weights({k, n}, 1);
  std::vector<float> unit(static_cast<size_t>(k * k));
  for (int64_t i = 0; i < k; ++i) unit[static_cast<size_t>(i * k + i)] = 1;
  const std::string onnx = model_bytes({{node_proto("MatMul", {"x", "w"}, {"y"})},
                                        {tensor_proto<float>("w", {k, n}, w)},
                                        {value_info("x", DType::Float32, {"m", "72"})},
                                        {value_info("y", DType::Float32, {"m", "96"})}});
  auto packed = pack_model(incoming(onnx.data(), onnx.size()), {}, {.weights = Weights::Int4});
  REQUIRE(packed.ok());
  const auto session = loaded(*packed);
  REQUIRE(session->set_input(0, filled({k, k}, unit)).ok());
  REQUIRE(session->run().ok());
  const auto y = session->output(0).tensor()->span<float>();
  std::vector<float> naive = w;
  for (int64_t column = 0; column < n; ++column) {
    for (int64_t at = 0; at < k; at += 32) {
      float largest = 0;
      for (int64_t i = at; i < std::min(at + 32, k); ++i)
        largest = std::max(largest, std::abs(w[static_cast<size_t>(i * n + column)]));
      for (int64_t i = at; i < std::min(at + 32, k); ++i) {
        float& v = naive[static_cast<size_t>(i * n + column)];
        v = std::nearbyint(v / largest * 7) * largest / 7;
      }
    }
  }
  CHECK(quality({y.begin(), y.end()}, w) > quality(naive, w) + 1);
}

TEST_CASE("Products that blocks of 4 bits would change otherwise stay") {
  const auto refused = [](const std::vector<Message>& attributes, const std::vector<float>& bias,
                          const std::vector<float>& w) {
    const std::string onnx = model_bytes(
        {{node_proto("Gemm", {"x", "w", "b"}, {"y"}, attributes)},
         {tensor_proto<float>("w", {64, 64}, w), tensor_proto<float>("b", {static_cast<int64_t>(bias.size())}, bias)},
         {value_info("x", DType::Float32, {"64", "64"})},
         {value_info("y", DType::Float32, {"64", "64"})}});
    auto packed = pack_model(incoming(onnx.data(), onnx.size()), {}, {.weights = Weights::Int4});
    REQUIRE(packed.ok());
    return nodes_of(*loaded(*packed), "MatMulNBits", kMicrosoftDomain) == 0;
  };
  const std::vector<float> w = weights({64, 64}), b(64, 1.f);
  std::vector<float> infinite = w;
  infinite[5] = INFINITY;
  CHECK_FALSE(refused({}, b, w));
  CHECK(refused({float_attribute("alpha", 2)}, b, w));
  CHECK(refused({float_attribute("beta", 2)}, b, w));
  CHECK(refused({int_attribute("transA", 1)}, b, w));
  CHECK(refused({}, {1.f}, w));
  CHECK(refused({}, b, infinite));
}

TEST_CASE("Whatever byte says how weights are stored, the model loads or is refused") {
  for (const Weights form : {Weights::Float16, Weights::Int8, Weights::Int4}) {
    const Tensor file = packed_model(form);
    packed::Header header;
    std::memcpy(&header, file.raw(), sizeof header);
    size_t loaded = 0;
    for (size_t at = sizeof header; at < sizeof header + header.graph_bytes; ++at) {
      for (const int step : {1, 2, 128, 255}) {
        std::vector<uint8_t> other(file.data<uint8_t>(), file.data<uint8_t>() + file.bytes());
        other[at] = static_cast<uint8_t>(other[at] + step);
        packed::Checksum checksum;
        checksum.add(packed::Bytes(other).first(other.size() - sizeof(uint64_t)));
        const uint64_t sum = checksum.value();
        std::memcpy(&other[other.size() - sizeof sum], &sum, sizeof sum);
        IncomingModel incoming(other.size());
        if (!incoming.append(other).ok()) continue;
        auto session = Session::load(std::move(incoming), {});
        if (!session.ok()) continue;
        ++loaded;
        auto x = cli::random_input((*session)->inputs()[0], 1);
        if (x.ok() && (*session)->set_input(0, *x).ok()) static_cast<void>((*session)->run());
      }
    }
    CHECK(loaded > 0);
  }
}

TEST_CASE("A subgraph shares what the graph around it has as narrower numbers") {
  Model model{std::make_shared<Graph>(), {}};
  Graph& g = *model.graph;
  g.symbols = std::make_shared<SymbolTable>();
  const Tensor w = filled({40, 64}, weights({40, 64}));
  const ValueId outer = g.add_constant("w", w), turned = g.add_constant("turned", w.reshaped({64, 40}));
  auto body = std::make_shared<Graph>();
  body->symbols = g.symbols;
  body->outputs = {body->add_constant("w", w)};
  Node node;
  node.op_type = "Anything";
  node.inputs = {outer, turned};
  node.explicit_inputs = 2;
  node.attributes = {{"body", body}};
  g.nodes.push_back(std::move(node));
  auto bytes = packed::write(model, {.weights = Weights::Int8});
  REQUIRE(bytes.ok());
  packed::File file;
  REQUIRE(file.append({bytes->data<uint8_t>(), bytes->bytes()}).ok());
  auto read = packed::read(file, {});
  INFO(read.status().message());
  REQUIRE(read.ok());
  const Node& again = read->graph->nodes[0];
  const Graph& inner = **std::get_if<std::shared_ptr<Graph>>(&again.attributes.find("body")->second);
  const Tensor* one = read->graph->constant(again.inputs[0]);
  CHECK(one->raw() == inner.constant(inner.outputs[0])->raw());
  CHECK(read->graph->constant(again.inputs[1])->shape() == Shape{64, 40});
  CHECK(one->raw() != read->graph->constant(again.inputs[1])->raw());
}

}  // namespace
}  // namespace nm::test
