#include "tests/fuzz/operator_model.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "tests/fuzz/numbers.h"
#include "tests/fuzz/operator_names.h"
#include "tests/unit/onnx_writer.h"

namespace nm::fuzz {
namespace {

using test::Message;
namespace schema = onnx::schema;

// A tensor that the fuzzer fills has at most so many elements; one with more is declared and has no data.
constexpr int64_t kMostElements = 4096;
constexpr int kDeepest = 3;

class Stream {
 public:
  explicit Stream(Bytes bytes) : bytes_(bytes) {}

  uint8_t byte() { return at_ < bytes_.size() ? bytes_[at_++] : 0; }
  uint16_t pair() {
    const uint8_t low = byte();
    return static_cast<uint16_t>(byte() << 8 | low);
  }
  int below(int n) { return byte() % n; }
  int64_t number() {
    const int first = byte();
    if (first < kSmallCount) return first + kSmallest;
    if (first < kSmallCount + kExtremeCount) return kExtremes[(first - kSmallCount) % std::ssize(kExtremes)];
    uint64_t v = 0;
    for (int i = 0; i < 8; ++i) v |= static_cast<uint64_t>(byte()) << 8 * i;
    return static_cast<int64_t>(v);
  }
  float fraction() {
    static constexpr float kSpecial[] = {INFINITY, -INFINITY, NAN, -0.0f, 1e-40f, 3e38f, -3e38f, 1e-7f};
    const int first = byte();
    if (first < 192) return static_cast<float>(first - 96) / 8;
    if (first < 224) return kSpecial[first % 8];
    uint32_t bits = 0;
    for (int i = 0; i < 4; ++i) bits |= static_cast<uint32_t>(byte()) << 8 * i;
    return std::bit_cast<float>(bits);
  }
  bool done() const { return at_ >= bytes_.size(); }

 private:
  Bytes bytes_;
  size_t at_ = 0;
};

// The tensor that a place in the stream describes.
struct Described {
  DType dtype = DType::Float32;
  std::vector<int64_t> dims;
  bool filled = false;  // it has contents
  std::string raw;
  std::vector<std::string> strings;
};

template <class T>
void put(std::string& raw, T value) {
  raw.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void put_number(std::string& raw, DType t, int64_t v, double f) {
  switch (t) {
    case DType::Float32:
      return put(raw, static_cast<float>(f));
    case DType::Float64:
      return put(raw, f);
    case DType::Float16:
      return put(raw, float16(static_cast<float>(f)));
    case DType::BFloat16:
      return put(raw, bfloat16(static_cast<float>(f)));
    case DType::Complex64:
      put(raw, static_cast<float>(f));
      return put(raw, static_cast<float>(f));
    case DType::Complex128:
      put(raw, f);
      return put(raw, f);
    case DType::Bool:
      return put(raw, static_cast<uint8_t>(v & 1));
    case DType::Int64:
    case DType::UInt64:
      return put(raw, v);
    case DType::Int32:
    case DType::UInt32:
      return put(raw, static_cast<int32_t>(v));
    case DType::Int16:
    case DType::UInt16:
      return put(raw, static_cast<int16_t>(v));
    default:
      return put(raw, static_cast<int8_t>(v));
  }
}

class Decoder {
 public:
  explicit Decoder(Bytes bytes) : s_(bytes) {}

  OperatorModel model() {
    const int set = 1 + s_.below(27);
    test::GraphParts& parts = parts_;
    const int nodes = 1 + s_.below(4);
    for (int i = 0; i < nodes; ++i) node(parts, 0, true);
    if (parts.outputs.empty() && !values_.empty()) parts.outputs.push_back(port(values_.back()));
    Message model;
    model.integer(schema::ModelProto::ir_version, 10).message(schema::ModelProto::graph, test::graph_proto(parts));
    const auto import = [&](std::string_view domain, int64_t version) {
      model.message(schema::ModelProto::opset_import, Message()
                                                          .text(schema::OperatorSetIdProto::domain, domain)
                                                          .integer(schema::OperatorSetIdProto::version, version));
    };
    import("", set);
    import(kMlDomain, 1 + set % 5);
    import(kMicrosoftDomain, 1);
    OperatorModel m;
    m.file = model.bytes();
    m.inputs = std::move(inputs_);
    return m;
  }

 private:
  static Message port(const std::string& name) { return Message().text(schema::ValueInfoProto::name, name); }

  std::string fresh() { return "v" + std::to_string(next_++); }

  void node(test::GraphParts& parts, int depth, bool outermost) {
    const OperatorName& op = operator_at(s_.pair());
    const uint8_t flags = s_.byte();
    Message m;
    m.text(schema::NodeProto::op_type, op.entry->name);
    if (!op.entry->domain.empty()) m.text(schema::NodeProto::domain, op.entry->domain);
    m.text(schema::NodeProto::name, "n" + std::to_string(next_));
    for (int n = s_.below(8); n > 0; --n) m.message(schema::NodeProto::attribute, attribute(op, depth));
    for (int n = s_.below(10); n > 0; --n) m.text(schema::NodeProto::input, input(parts, outermost));
    const int outputs = 1 + (flags & 7) % 5;
    for (int o = 0; o < outputs; ++o) {
      // The first is wanted by somebody, of the others some.
      const bool named = o == 0 || (flags >> 3 >> o & 1) == 0;
      const std::string name = named ? fresh() : "";
      m.text(schema::NodeProto::output, name);
      if (!named) continue;
      values_.push_back(name);
      parts.outputs.push_back(port(name));
    }
    parts.nodes.push_back(m);
  }

  Message attribute(const OperatorName& op, int depth) {
    Message a;
    const auto& names = *op.attributes;
    const uint8_t which = s_.byte();
    const uint8_t how = s_.byte();
    const bool known = which < 250 && !names.empty();
    const AttributeName name = known ? names[which % names.size()] : AttributeName{"unknown", Kind::Integer};
    const Kind kind = how == 0 ? name.kind : static_cast<Kind>(how % kKinds);
    a.text(schema::AttributeProto::name, name.name);
    namespace Type = schema::AttributeProto::AttributeType;
    const auto type = [&a](int t) { a.integer(schema::AttributeProto::type, t); };
    switch (kind) {
      case Kind::Integer:
        a.integer(schema::AttributeProto::i, s_.number());
        type(Type::INT);
        break;
      case Kind::Number:
        a.fixed32(schema::AttributeProto::f, s_.fraction());
        type(Type::FLOAT);
        break;
      case Kind::Text:
        a.text(schema::AttributeProto::s, word(op));
        type(Type::STRING);
        break;
      case Kind::Integers:
        for (int n = s_.below(64); n > 0; --n) a.integer(schema::AttributeProto::ints, s_.number());
        type(Type::INTS);
        break;
      case Kind::Numbers:
        for (int n = s_.below(64); n > 0; --n) a.fixed32(schema::AttributeProto::floats, s_.fraction());
        type(Type::FLOATS);
        break;
      case Kind::Texts:
        for (int n = s_.below(32); n > 0; --n) a.text(schema::AttributeProto::strings, word(op));
        type(Type::STRINGS);
        break;
      case Kind::Tensor:
        a.message(schema::AttributeProto::t, proto(describe(), "t"));
        type(Type::TENSOR);
        break;
      case Kind::Graph:
        a.message(schema::AttributeProto::g, graph(depth + 1));
        type(Type::GRAPH);
        break;
    }
    return a;
  }

  std::string word(const OperatorName& op) {
    const uint8_t which = s_.byte();
    if (which < 128 && !op.texts->empty()) return std::string((*op.texts)[which % op.texts->size()]);
    std::string own;
    for (int n = which % 32; n > 0; --n) own += static_cast<char>(s_.byte());
    return own;
  }

  // A body: inputs without types, nodes that may also use what is outside, outputs among all of these.
  Message graph(int depth) {
    test::GraphParts parts;
    const size_t outer = values_.size();
    for (int n = s_.below(8); n > 0; --n) {
      values_.push_back(fresh());
      parts.inputs.push_back(port(values_.back()));
    }
    for (int n = depth < kDeepest ? s_.below(4) : 0; n > 0; --n) node(parts, depth, false);
    parts.outputs.clear();
    for (int n = s_.below(8); n > 0; --n) {
      if (!values_.empty()) parts.outputs.push_back(port(values_[s_.byte() % values_.size()]));
    }
    values_.resize(outer);
    return test::graph_proto(parts);
  }

  std::string input(test::GraphParts& parts, bool outermost) {
    auto how = static_cast<Given>(s_.below(kGivens));
    if (how == Given::Nothing) return "";
    if (how == Given::Earlier) {
      const uint8_t which = s_.byte();
      return values_.empty() ? "" : values_[values_.size() - 1 - which % values_.size()];
    }
    const Described d = describe();
    // A body's own inputs are its owner's business; and without data nothing can be given.
    const bool constant = how == Given::Initializer || !outermost || !d.filled;
    std::string name = fresh();
    if (constant) {
      parts.initializers.push_back(proto(d, name));
    } else {
      parts.inputs.push_back(declaration(name, d, how));
      inputs_.push_back(value(d));
    }
    values_.push_back(name);
    if (how != Given::Hidden && how != Given::InSequence) return name;
    std::string sequence = fresh();
    const int copies = how == Given::InSequence ? 1 + s_.below(2) : 1;
    parts.nodes.push_back(
        test::node_proto("SequenceConstruct", std::vector<std::string>(static_cast<size_t>(copies), name), {sequence}));
    if (how == Given::InSequence) return sequence;
    const std::string zero = fresh(), element = fresh();
    parts.initializers.push_back(test::tensor_proto<int64_t>(zero, {}, {0}));
    parts.nodes.push_back(test::node_proto("SequenceAt", {sequence, zero}, {element}));
    return element;
  }

  Described describe() {
    Described d;
    d.dtype = kTypes[s_.below(std::ssize(kTypes))];
    const int rank = s_.below(16);
    for (int i = 0; i < rank; ++i) d.dims.push_back(s_.number());
    const bool negative = std::any_of(d.dims.begin(), d.dims.end(), [](int64_t dim) { return dim < 0; });
    // Ends at one more than there may be; next to a dimension of 0 others may be of any size.
    int64_t count = std::find(d.dims.begin(), d.dims.end(), 0) != d.dims.end() ? 0 : 1;
    for (const int64_t dim : d.dims)
      count = std::min(count * std::clamp<int64_t>(dim, 0, kMostElements + 1), kMostElements + 1);
    const auto contents = static_cast<Contents>(s_.below(kContents));
    d.filled = !negative && count <= kMostElements;
    if (!d.filled) return d;
    if (d.dtype == DType::String) {
      static constexpr std::string_view kWords[] = {"",         "a",      "b",   "cat",  "Dog 1",
                                                    "\xc3\xa4", "(a|b)*", "1e5", "\xff", " "};
      const int own = s_.below(8);
      std::vector<std::string> first;
      for (int i = 0; i < own; ++i) {
        const uint8_t which = s_.byte();
        if (which < 128) {
          first.emplace_back(kWords[which % std::ssize(kWords)]);
          continue;
        }
        std::string& text = first.emplace_back();
        for (int n = which - 128; n > 0 && !s_.done(); --n) text += static_cast<char>(s_.byte());
      }
      for (int64_t i = 0; i < count; ++i) {
        d.strings.push_back(first.empty() ? "" : first[static_cast<size_t>(i) % first.size()]);
      }
      return d;
    }
    const auto bytes = dtype_bytes(d.dtype, Size(count)).value();
    if (contents == Contents::Raw) {
      const size_t own = std::min<size_t>(s_.byte(), bytes);
      for (size_t i = 0; i < own; ++i) d.raw += static_cast<char>(s_.byte());
    } else {
      const int own = contents == Contents::Numbers || contents == Contents::Fractions ? 1 + s_.below(32) : 0;
      std::vector<int64_t> numbers;
      std::vector<double> fractions;
      for (int i = 0; i < own; ++i) {
        if (contents == Contents::Numbers) numbers.push_back(s_.number());
        if (contents == Contents::Fractions) fractions.push_back(s_.fraction());
      }
      for (int64_t i = 0; d.raw.size() < bytes; ++i) {
        int64_t v = 0;
        if (contents == Contents::Count) v = i;
        if (contents == Contents::Ones) v = 1;
        if (contents == Contents::Extremes) v = kExtremes[i % std::ssize(kExtremes)];
        if (contents == Contents::Numbers) v = numbers[static_cast<size_t>(i % own)];
        double f = static_cast<double>(v);
        if (contents == Contents::Fractions) {
          f = fractions[static_cast<size_t>(i % own)];
          v = std::isfinite(f) && std::abs(f) < 1e6 ? static_cast<int64_t>(f) : 0;
        }
        put_number(d.raw, d.dtype, v, f);
      }
    }
    // What is missing is repeated, so that a few bytes fill a large tensor.
    const size_t own = d.raw.size();
    d.raw.resize(bytes);
    for (size_t i = own; i < bytes; ++i) d.raw[i] = own == 0 ? '\0' : d.raw[i - own];
    // Whoever writes bools writes 0 or 1; the others are the reader's business (see the targets for files).
    if (d.dtype == DType::Bool) {
      for (char& c : d.raw) c = static_cast<char>(c & 1);
    }
    return d;
  }

  static Message proto(const Described& d, std::string_view name) {
    if (d.dtype != DType::String) return test::tensor_proto(name, d.dtype, d.dims, d.raw);
    Message m;
    for (const int64_t dim : d.dims) m.integer(schema::TensorProto::dims, dim);
    m.integer(schema::TensorProto::data_type, static_cast<int>(d.dtype)).text(schema::TensorProto::name, name);
    for (const std::string& s : d.strings) m.text(schema::TensorProto::string_data, s);
    return m;
  }

  Message declaration(const std::string& name, const Described& d, Given how) {
    if (how == Given::Input || how == Given::OpenDims) {
      std::vector<std::string> dims;
      for (const int64_t dim : d.dims) {
        dims.push_back(how == Given::Input ? std::to_string(dim) : "d" + std::to_string(dim));
      }
      return test::value_info(name, d.dtype, dims);
    }
    Message tensor;
    tensor.integer(schema::TypeProto::Tensor::elem_type, static_cast<int>(d.dtype));
    return port(name).message(schema::ValueInfoProto::type, Message().message(schema::TypeProto::tensor_type, tensor));
  }

  static Value value(const Described& d) {
    if (d.dims.size() > static_cast<size_t>(kMaxRank)) return {};
    auto t = Tensor::create(d.dtype, Shape(d.dims));
    if (!t.ok()) return {};
    if (d.dtype == DType::String) {
      std::copy(d.strings.begin(), d.strings.end(), t->data<std::string>());
    } else if (!d.raw.empty()) {
      std::memcpy(t->raw(), d.raw.data(), d.raw.size());
    }
    return std::move(*t);
  }

  Stream s_;
  test::GraphParts parts_;
  std::vector<std::string> values_;
  std::vector<Value> inputs_;
  int next_ = 0;
};

}  // namespace

OperatorModel decode_model(Bytes bytes) { return Decoder(bytes).model(); }

}  // namespace nm::fuzz
