#include "tests/differ/sketch.h"

#include <algorithm>
#include <filesystem>

#include "cli/files.h"
#include "engine/base/random.h"
#include "engine/tensor/integers.h"
#include "tests/unit/onnx_writer.h"

namespace nm::differ {
namespace {

using test::Message;
namespace schema = onnx::schema;

Message proto(std::string_view name, const Tensor& t) {
  return test::tensor_proto(name, t.dtype(), {t.shape().begin(), t.shape().end()},
                            {static_cast<const char*>(t.raw()), t.bytes()});
}

Message attribute(std::string_view name, const Attribute& value) {
  namespace Type = schema::AttributeProto::AttributeType;
  Message a;
  a.text(schema::AttributeProto::name, name);
  const auto type = [&a](int t) { a.integer(schema::AttributeProto::type, t); };
  if (const auto* i = std::get_if<int64_t>(&value)) {
    a.integer(schema::AttributeProto::i, *i);
    type(Type::INT);
  } else if (const auto* f = std::get_if<float>(&value)) {
    a.fixed32(schema::AttributeProto::f, *f);
    type(Type::FLOAT);
  } else if (const auto* s = std::get_if<std::string>(&value)) {
    a.text(schema::AttributeProto::s, *s);
    type(Type::STRING);
  } else if (const auto* t = std::get_if<Tensor>(&value)) {
    a.message(schema::AttributeProto::t, proto("", *t));
    type(Type::TENSOR);
  } else if (const auto* ints = std::get_if<std::vector<int64_t>>(&value)) {
    for (const int64_t v : *ints) a.integer(schema::AttributeProto::ints, v);
    type(Type::INTS);
  } else if (const auto* floats = std::get_if<std::vector<float>>(&value)) {
    for (const float v : *floats) a.fixed32(schema::AttributeProto::floats, v);
    type(Type::FLOATS);
  }
  return a;
}

}  // namespace

std::string Sketch::model() const {
  test::GraphParts parts;
  for (const SketchNode& n : nodes) {
    std::vector<Message> attributes;
    for (const auto& [name, value] : n.attributes) attributes.push_back(attribute(name, value));
    parts.nodes.push_back(test::node_proto(n.op, n.inputs, n.outputs, attributes, n.domain));
  }
  for (const auto& [name, tensor] : constants) parts.initializers.push_back(proto(name, tensor));
  for (const SketchInput& i : inputs) {
    std::vector<std::string> dims;
    for (const int64_t d : i.value.shape()) {
      dims.push_back(i.open && d > 1 ? "d" + std::to_string(d) : std::to_string(d));
    }
    parts.inputs.push_back(test::value_info(i.name, i.value.dtype(), dims));
  }
  for (const std::string& o : outputs) parts.outputs.push_back(Message().text(schema::ValueInfoProto::name, o));
  Message model;
  model.integer(schema::ModelProto::ir_version, 10).message(schema::ModelProto::graph, test::graph_proto(parts));
  const auto import = [&](std::string_view domain, int version) {
    model.message(schema::ModelProto::opset_import, Message()
                                                        .text(schema::OperatorSetIdProto::domain, domain)
                                                        .integer(schema::OperatorSetIdProto::version, version));
  };
  import("", set);
  import("com.microsoft", 1);
  return model.bytes();
}

Sketch Sketch::disturbed(uint64_t seed) const {
  Random random(seed);
  Sketch s = *this;
  s.nodes.clear();
  // By more than a rounding, which adds up, and by about one, which leaves a difference of equal numbers zero here and
  // there.
  const float by = seed % 2 == 0 ? 5e-7f : 1e-7f;
  for (SketchNode n : nodes) {
    std::vector<SketchNode> factors;
    for (std::string& o : n.outputs) {
      if (!floats.contains(o)) continue;
      const std::string exact = o + "~", factor = o + "*";
      const auto own = static_cast<float>(random.uniform() * 1e6);
      factors.push_back(
          {"RandomUniformLike", "", {exact}, {factor}, {{"low", 1 - by}, {"high", 1 + by}, {"seed", own}}});
      // Winograd's products mix neighbouring windows: one of zeros alone comes out as a rounding of the largest.
      const bool mixes = n.op == "Conv";
      factors.push_back({"Mul", "", {exact, factor}, {mixes ? o + "/" : o}, {}});
      if (mixes) {
        factors.push_back(
            {"RandomUniformLike", "", {exact}, {o + "u"}, {{"low", -by}, {"high", by}, {"seed", own + 1}}});
        factors.push_back({"Abs", "", {exact}, {o + "a"}, {}});
        factors.push_back({"ReduceMax", "", {o + "a"}, {o + "m"}, {}});
        factors.push_back({"Mul", "", {o + "u", o + "m"}, {o + "n"}, {}});
        factors.push_back({"Add", "", {o + "/", o + "n"}, {o}, {}});
      }
      o = exact;
    }
    s.nodes.push_back(std::move(n));
    s.nodes.insert(s.nodes.end(), factors.begin(), factors.end());
  }
  return s;
}

void Sketch::tidy() {
  std::set<std::string> needed(outputs.begin(), outputs.end());
  std::vector<SketchNode> kept;
  for (auto n = nodes.rbegin(); n != nodes.rend(); ++n) {
    const bool used =
        std::any_of(n->outputs.begin(), n->outputs.end(), [&](const auto& o) { return needed.contains(o); });
    if (!used) continue;
    needed.insert(n->inputs.begin(), n->inputs.end());
    kept.push_back(*n);
  }
  nodes.assign(kept.rbegin(), kept.rend());
  std::erase_if(inputs, [&](const SketchInput& i) { return !needed.contains(i.name); });
  std::erase_if(constants, [&](const auto& c) { return !needed.contains(c.first); });
}

bool Sketch::write_case(const std::string& folder, const std::vector<Tensor>& expected) const {
  namespace fs = std::filesystem;
  const fs::path data = fs::path(folder) / "test_data_set_0";
  std::error_code error;
  fs::create_directories(data, error);
  const auto write = [](const fs::path& path, const std::string& bytes) {
    return cli::write_file(path.string(), bytes.data(), bytes.size()).ok();
  };
  bool written = !error && write(fs::path(folder) / "model.onnx", model());
  for (size_t i = 0; i < inputs.size(); ++i) {
    const std::string bytes = proto(inputs[i].name, inputs[i].value).bytes();
    written = written && write(data / ("input_" + std::to_string(i) + ".pb"), bytes);
  }
  for (size_t i = 0; i < expected.size(); ++i) {
    const std::string bytes = proto(outputs[i], expected[i]).bytes();
    written = written && write(data / ("output_" + std::to_string(i) + ".pb"), bytes);
  }
  return written;
}

}  // namespace nm::differ
