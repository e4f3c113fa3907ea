// Seeds for the fuzzers from folders in the layout of ONNX's backend tests: models as they are, and those of up to four
// nodes in the form that operator_model.h describes, with the case's own inputs.
//   nm_seeds OUTPUT CASE...     writes OUTPUT/model/NAME, OUTPUT/reader/NAME, OUTPUT/packed/NAME and
//   OUTPUT/operator/NAME
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <string>

#include "cli/files.h"
#include "engine/graph/decode.h"
#include "onnx_schema.h"
#include "tests/fuzz/numbers.h"
#include "tests/fuzz/operator_model.h"
#include "tests/fuzz/operator_names.h"

namespace {

using namespace nm;
using namespace nm::fuzz;
namespace fs = std::filesystem;

// Larger ones say nothing that a smaller one does not.
constexpr size_t kLargestModel = 4096;
constexpr size_t kLargestOperator = 1024;

class Encoder {
 public:
  Encoder(const onnx::ModelProto& model, std::map<std::string, Value> inputs, unsigned variant)
      : model_(model), inputs_(std::move(inputs)), variant_(variant) {}

  std::optional<std::string> encode() {
    const onnx::GraphProto& g = model_.graph;
    if (g.nodes.empty() || g.nodes.size() > 4) return std::nullopt;
    for (const onnx::OpsetId& o : model_.opsets) {
      if (o.domain.empty() || o.domain == "ai.onnx") set_ = static_cast<int>(o.version);
    }
    if (set_ < 1 || set_ > 27) set_ = 27;
    for (const onnx::TensorProto& t : g.initializers) {
      if (auto tensor = decode_tensor(t, nullptr, {}); tensor.ok()) {
        constants_.emplace(std::string(t.name), std::move(*tensor));
      }
    }
    byte(set_ - 1);
    byte(static_cast<int>(g.nodes.size()) - 1);
    for (const onnx::NodeProto& n : g.nodes) {
      if (!node(n)) return std::nullopt;
    }
    if (out_.size() > kLargestOperator) return std::nullopt;
    return out_;
  }

 private:
  void byte(int v) { out_ += static_cast<char>(v); }
  void number(int64_t v) {
    if (v >= kSmallest && v < kSmallest + kSmallCount) return byte(static_cast<int>(v - kSmallest));
    const auto* const end = std::end(kExtremes);
    if (const auto* const at = std::find(std::begin(kExtremes), end, v); at != end) {
      return byte(kSmallCount + static_cast<int>(at - std::begin(kExtremes)));
    }
    byte(255);
    out_.append(reinterpret_cast<const char*>(&v), 8);
  }
  void fraction(float f) {
    if (f * 8 == static_cast<float>(static_cast<int>(std::clamp(f, -12.f, 11.f) * 8))) {
      return byte(static_cast<int>(f * 8) + 96);
    }
    byte(255);
    out_.append(reinterpret_cast<const char*>(&f), 4);
  }

  bool node(const onnx::NodeProto& n) {
    const bool standard = n.domain.empty() || n.domain == "ai.onnx";
    int version = standard ? set_ : 1;
    if (n.domain == kMlDomain) version = 1 + set_ % 5;
    const OperatorName* op = find_operator(standard ? "" : n.domain, n.op_type, version);
    if (op == nullptr || n.outputs.size() > 5 || n.attributes.size() > 7 || n.inputs.size() > 9) return false;
    byte(op->hash & 255);
    byte(op->hash >> 8);
    int flags = n.outputs.empty() ? 0 : static_cast<int>(n.outputs.size()) - 1;
    for (size_t o = 1; o < n.outputs.size(); ++o) flags |= n.outputs[o].empty() ? 8 << o : 0;
    byte(flags);
    byte(static_cast<int>(n.attributes.size()));
    for (const onnx::AttributeProto& a : n.attributes) {
      if (!attribute(*op, a)) return false;
    }
    byte(static_cast<int>(n.inputs.size()));
    for (const std::string_view i : n.inputs) {
      if (!input(std::string(i))) return false;
    }
    for (const std::string_view o : n.outputs) {
      if (!o.empty()) values_.emplace_back(o);
    }
    return true;
  }

  bool attribute(const OperatorName& op, const onnx::AttributeProto& a) {
    const auto& names = *op.attributes;
    const auto at = std::find_if(names.begin(), names.end(), [&](const AttributeName& n) { return n.name == a.name; });
    if (at == names.end()) return true;  // not read by this engine
    byte(static_cast<int>(at - names.begin()));
    const auto kind = [this](Kind k) { byte(k == Kind::Integer ? kKinds : static_cast<int>(k)); };
    namespace Type = onnx::schema::AttributeProto::AttributeType;
    switch (a.type) {
      case Type::INT:
        kind(Kind::Integer);
        number(a.i);
        return true;
      case Type::FLOAT:
        kind(Kind::Number);
        fraction(a.f);
        return true;
      case Type::STRING:
        kind(Kind::Text);
        word(op, a.s);
        return true;
      case Type::INTS:
        if (a.ints.size() > 63) return false;
        kind(Kind::Integers);
        byte(static_cast<int>(a.ints.size()));
        for (const int64_t v : a.ints) number(v);
        return true;
      case Type::FLOATS:
        if (a.floats.size() > 63) return false;
        kind(Kind::Numbers);
        byte(static_cast<int>(a.floats.size()));
        for (const float v : a.floats) fraction(v);
        return true;
      case Type::STRINGS:
        if (a.strings.size() > 31) return false;
        kind(Kind::Texts);
        byte(static_cast<int>(a.strings.size()));
        for (const std::string_view s : a.strings) word(op, s);
        return true;
      case Type::TENSOR: {
        auto t = decode_tensor(a.tensors[0], nullptr, {});
        if (!t.ok()) return false;
        kind(Kind::Tensor);
        describe(*t);
        return true;
      }
      case Type::GRAPH:
        kind(Kind::Graph);
        return graph(a.graphs[0]);
      default:
        return false;
    }
  }

  void word(const OperatorName& op, std::string_view s) {
    const auto& texts = *op.texts;
    const auto at = std::find(texts.begin(), texts.end(), s);
    if (at != texts.end() && at - texts.begin() < 128) return byte(static_cast<int>(at - texts.begin()));
    const size_t n = std::min<size_t>(s.size(), 31);
    byte(128 + static_cast<int>(n));
    out_ += s.substr(0, n);
  }

  bool graph(const onnx::GraphProto& g) {
    if (g.inputs.size() > 7 || g.outputs.size() > 7 || g.nodes.size() > 3) return false;
    const size_t outer = values_.size();
    byte(static_cast<int>(g.inputs.size()));
    for (const onnx::ValueInfoProto& v : g.inputs) values_.emplace_back(v.name);
    for (const onnx::TensorProto& t : g.initializers) {
      if (auto tensor = decode_tensor(t, nullptr, {}); tensor.ok()) {
        constants_.emplace(std::string(t.name), std::move(*tensor));
      }
    }
    byte(static_cast<int>(g.nodes.size()));
    for (const onnx::NodeProto& n : g.nodes) {
      if (!node(n)) return false;
    }
    byte(static_cast<int>(g.outputs.size()));
    for (const onnx::ValueInfoProto& v : g.outputs) {
      const auto at = std::find(values_.begin(), values_.end(), v.name);
      byte(static_cast<int>(at - values_.begin()));
    }
    values_.resize(outer);
    return true;
  }

  bool input(const std::string& name) {
    if (name.empty()) {
      byte(static_cast<int>(Given::Nothing));
      return true;
    }
    if (const auto at = std::find(values_.rbegin(), values_.rend(), name); at != values_.rend()) {
      byte(static_cast<int>(Given::Earlier));
      byte(static_cast<int>(at - values_.rbegin()));
      return true;
    }
    if (const auto at = constants_.find(name); at != constants_.end()) return tensor(name, at->second, true);
    const auto at = inputs_.find(name);
    if (at == inputs_.end()) return false;
    if (const Tensor* t = at->second.tensor()) return tensor(name, *t, false);
    if (const Sequence* s = at->second.sequence(); s != nullptr && !s->items.empty() && s->items[0].tensor()) {
      byte(static_cast<int>(Given::InSequence));
      describe(*s->items[0].tensor());
      byte(s->items.size() > 1);
      values_.push_back(name + " element");
      return true;
    }
    return false;
  }

  bool tensor(const std::string& name, const Tensor& t, bool constant) {
    static constexpr Given kVariants[] = {Given::Input, Given::Initializer, Given::Hidden, Given::OpenDims};
    const Given how = constant ? Given::Initializer : kVariants[variant_ % 4];
    byte(static_cast<int>(how));
    describe(t);
    values_.push_back(name);
    return true;
  }

  void describe(const Tensor& t) {
    byte(static_cast<int>(std::find(std::begin(kTypes), std::end(kTypes), t.dtype()) - std::begin(kTypes)));
    byte(t.rank());
    for (const int64_t d : t.shape()) number(d);
    if (t.dtype() == DType::String) {
      byte(0);
      const auto n = std::min<int64_t>(t.count(), 7);
      byte(static_cast<int>(n));
      for (int64_t i = 0; i < n; ++i) {
        const std::string s = t.data<std::string>()[i].substr(0, 127);
        byte(128 + static_cast<int>(s.size()));
        out_ += s;
      }
      return;
    }
    if (is_float(t.dtype()) && t.bytes() > 64) {
      byte(static_cast<int>(Contents::Fractions));
      byte(6);  // seven of them
      for (int i = 0; i < 7; ++i) byte(80 + 5 * i);
      return;
    }
    byte(static_cast<int>(Contents::Raw));
    const size_t n = std::min<size_t>(t.bytes(), 255);
    byte(static_cast<int>(n));
    out_.append(static_cast<const char*>(t.raw()), n);
  }

  const onnx::ModelProto& model_;
  std::map<std::string, Value> inputs_;
  std::map<std::string, Tensor> constants_;
  unsigned variant_;
  int set_ = 27;
  std::vector<std::string> values_;
  std::string out_;
};

void write(const fs::path& path, std::string_view bytes) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

std::map<std::string, Value> inputs_of(const onnx::ModelProto& model, const fs::path& folder) {
  std::map<std::string, Value> inputs;
  for (size_t i = 0; i < model.graph.inputs.size(); ++i) {
    const fs::path file = folder / "test_data_set_0" / ("input_" + std::to_string(i) + ".pb");
    auto type = decode_type(model.graph.inputs[i].type);
    if (!type.ok() || !fs::exists(file)) continue;
    if (auto value = cli::read_value(file.string(), *type); value.ok()) {
      inputs.emplace(std::string(model.graph.inputs[i].name), std::move(*value));
    }
  }
  return inputs;
}

// Of the packed model, as the target "packed" takes it.
std::string graph_section(const fs::path& folder, packed::Weights weights) {
  auto packed = cli::pack_file((folder / "model.onnx").string(), {}, {.weights = weights});
  if (!packed.ok()) return {};
  packed::Header header;
  std::memcpy(&header, packed->raw(), sizeof header);
  return {static_cast<const char*>(packed->raw()) + sizeof header, static_cast<size_t>(header.graph_bytes)};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  const fs::path output = argv[1];
  int models = 0, operators = 0;
  for (int i = 2; i < argc; ++i) {
    const fs::path folder = argv[i];
    auto file = cli::read_file((folder / "model.onnx").string());
    if (!file.ok()) continue;
    const std::string name = folder.filename().string();
    const std::string_view bytes(reinterpret_cast<const char*>(file->bytes.data()), file->bytes.size());
    if (bytes.size() <= kLargestModel) {
      write(output / "model" / name, bytes);
      write(output / "reader" / name, std::string(1, static_cast<char>(i)) + std::string(bytes));
      const std::string plain = graph_section(folder, packed::Weights::Float32);
      const std::string narrow = graph_section(folder, packed::Weights::Int8);
      const std::string how(1, static_cast<char>(i << 1));
      if (!plain.empty()) write(output / "packed" / name, how + plain);
      if (!narrow.empty() && narrow != plain) write(output / "packed" / (name + "-int8"), how + narrow);
      ++models;
    }
    auto model = onnx::read_model(file->bytes);
    if (!model.ok()) continue;
    Encoder encoder(*model, inputs_of(*model, folder), static_cast<unsigned>(i));
    if (const auto encoded = encoder.encode()) {
      write(output / "operator" / name, *encoded);
      ++operators;
    }
  }
  std::printf("%d models, %d of operators\n", models, operators);
  return 0;
}
