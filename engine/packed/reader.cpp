#include "engine/packed/reader.h"

#include <cstring>

#include "engine/base/reserve.h"
#include "engine/base/text.h"
#include "engine/packed/cursor.h"

namespace nm::packed {
namespace {

constexpr int kMostNestedTypes = 64;
constexpr int kMostVersion = 1 << 20;  // as for ONNX files

// Which values of a graph are defined so far.
using Defined = std::vector<bool>;

class Reader {
 public:
  Reader(const File& file, const Limits& limits) : file_(file), limits_(limits), cursor_(file.graph()) {}

  Result<Model> read() {
    NM_TRY(skip_blocks());
    NM_TRY(read_texts());
    NM_TRY(read_symbols());
    Model model;
    NM_TRY(read_facts(model.facts));
    model.graph = std::make_shared<Graph>();
    NM_TRY(read_graph(*model.graph, nullptr, 0));
    const Graph& graph = *model.graph;
    if (graph.inputs.size() != model.facts.inputs.size() || graph.outputs.size() != model.facts.outputs.size()) {
      return damaged("its inputs or outputs are not those of its graph");
    }
    if (!cursor_.ended()) return damaged("its graph section has bytes left over");
    return model;
  }

 private:
  // The file has read them.
  Status skip_blocks() {
    for (size_t left = cursor_.count(); left > 0; --left) cursor_.number();
    return cursor_.status();
  }

  Status read_texts() {
    const size_t count = cursor_.count();
    NM_TRY(room_for("the packed model's texts", Size(count) * sizeof texts_[0]));
    texts_.reserve(count);
    for (size_t i = 0; i < count && cursor_.ok(); ++i) {
      const Bytes bytes = cursor_.bytes(cursor_.number());
      texts_.emplace_back(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    }
    return cursor_.status();
  }

  Status read_symbols() {
    const size_t count = cursor_.count();
    NM_TRY(room_for("the packed model's dimensions", Size(count) * sizeof(std::string)));
    size_t named = 0;
    for (; symbol_count_ < count && cursor_.ok(); ++symbol_count_) {
      const std::string_view name = text();
      if (!name.empty() && ++named > kMostNamedSymbols) cursor_.fail("it names more dimensions than there may be");
      // A name that came before would be that symbol again.
      if (symbols_->dim(name) != -2 - static_cast<int64_t>(symbol_count_)) cursor_.fail("it names a dimension twice");
    }
    return cursor_.status();
  }

  std::string_view text() {
    const size_t i = cursor_.index(texts_.size());
    return cursor_.ok() ? texts_[i] : std::string_view();
  }
  std::string string() { return std::string(text()); }

  template <class T, class Item>
  Status read_list(std::vector<T>& list, std::string_view what, Item item) {
    const size_t count = cursor_.count();
    NM_TRY(room_for(what, Size(count) * sizeof(T)));
    list.reserve(list.size() + count);
    for (size_t i = 0; i < count && cursor_.ok(); ++i) NM_TRY(item());
    return cursor_.status();
  }

  Status read_facts(ModelFacts& facts) {
    facts.name = string();
    facts.producer = string();
    NM_TRY(read_list(facts.opsets, "the operator sets", [&]() -> Status {
      std::string domain = string();
      facts.opsets.emplace_back(std::move(domain), cursor_.signed_number());
      return {};
    }));
    NM_TRY(read_list(facts.metadata, "the metadata", [&]() -> Status {
      std::string key = string();
      facts.metadata.emplace_back(std::move(key), string());
      return {};
    }));
    NM_TRY(read_ports(facts.inputs));
    NM_TRY(read_ports(facts.outputs));
    NM_TRY(read_list(facts.operators, "the operators' names", [&]() -> Status {
      std::string name = string();
      facts.operators.emplace_back(std::move(name), static_cast<int64_t>(cursor_.number()));
      return {};
    }));
    NM_TRY(read_list(facts.warnings, "the warnings", [&]() -> Status {
      facts.warnings.push_back(string());
      return {};
    }));
    facts.nodes = static_cast<int64_t>(cursor_.number());
    facts.weight_bytes = static_cast<int64_t>(cursor_.number());
    return cursor_.status();
  }

  Status read_ports(std::vector<Port>& ports) {
    return read_list(ports, "the inputs and outputs", [&]() -> Status {
      Port port;
      port.name = string();
      NM_TRY(read_type_and_shape(port.name, port.type, port.shape));
      ports.push_back(std::move(port));
      return {};
    });
  }

  Status read_type_and_shape(std::string_view name, ValueType& type, std::optional<Shape>& shape) {
    NM_ASSIGN(type, read_type(0));
    if (const uint64_t form = cursor_.number(); form > 0) {
      NM_ASSIGN(shape, read_dims(form - 1, true));
      NM_TRY(check_addressable(nm::text("the value '", name, "',"), type.dtype, *shape));
    }
    return cursor_.status();
  }

  DType dtype() { return static_cast<DType>(cursor_.index(kDTypeCount)); }

  Result<ValueType> read_type(int depth) {
    ValueType type;
    type.kind = static_cast<ValueType::Kind>(cursor_.index(static_cast<size_t>(ValueType::Kind::SparseTensor) + 1));
    type.dtype = dtype();
    if (depth > kMostNestedTypes) cursor_.fail("a type in it has too many parts");
    NM_TRY(cursor_.status());
    if (type.kind == ValueType::Kind::Tensor || type.kind == ValueType::Kind::SparseTensor) return type;
    NM_ASSIGN(ValueType element, read_type(depth + 1));
    type.element = std::make_shared<const ValueType>(std::move(element));
    return type;
  }

  Result<Shape> read_dims(uint64_t rank, bool open) {
    if (rank > static_cast<uint64_t>(kMaxRank)) cursor_.fail("a tensor in it has too many dimensions");
    Shape shape;
    for (uint64_t i = 0; i < rank && cursor_.ok(); ++i) {
      const int64_t dim = open ? cursor_.signed_number() : static_cast<int64_t>(cursor_.number());
      const bool known = dim >= 0;
      if (!known && (!open || dim < -1 - static_cast<int64_t>(symbol_count_))) {
        cursor_.fail("a dimension in it is neither a number nor a symbol");
      }
      shape.push_back(dim);
    }
    NM_TRY(cursor_.status());
    return shape;
  }

  Result<Tensor> read_tensor() {
    const DType type = dtype();
    NM_ASSIGN(const Shape shape, read_dims(cursor_.number(), false));
    if (type == DType::Undefined) return damaged("a constant has no element type");
    NM_TRY(check_addressable("a constant of the packed model,", type, shape));
    const auto storage = static_cast<Storage>(cursor_.index(static_cast<size_t>(Storage::Texts) + 1));
    NM_TRY(cursor_.status());
    if ((type == DType::String) != (storage == Storage::Texts)) return damaged("a constant is stored as another type");
    if (storage == Storage::Texts) return read_strings(shape);
    const size_t bytes = tensor_bytes(type, shape).value();
    if (storage == Storage::Block) {
      const size_t i = cursor_.index(file_.blocks().size());
      NM_TRY(cursor_.status());
      const std::shared_ptr<Incoming>& block = file_.blocks()[i];
      if (block->size() != bytes) return damaged("a constant's block has another size");
      return Tensor::view(type, shape, block->data(), block);
    }
    const Bytes data = cursor_.bytes(bytes);
    NM_TRY(cursor_.status());
    NM_ASSIGN(Tensor tensor, Tensor::create(type, shape));
    if (bytes > 0) std::memcpy(tensor.raw(), data.data(), bytes);
    return tensor;
  }

  Result<Tensor> read_strings(const Shape& shape) {
    const size_t count = cursor_.count();
    if (static_cast<int64_t>(count) != shape.count()) cursor_.fail("a constant has another number of texts");
    NM_TRY(cursor_.status());
    NM_ASSIGN(Tensor tensor, Tensor::create(DType::String, shape));
    for (std::string& s : tensor.span<std::string>()) s = text();
    NM_TRY(cursor_.status());
    return tensor;
  }

  // `around`: the node whose subgraph this is, with all its inputs. `depth` counts the graphs around this one.
  Status read_graph(Graph& graph, const Node* around, uint64_t depth) {
    if (depth > limits_.nesting) {
      return limit_exceeded("nesting", limits_.nesting,
                            nm::text("the model's subgraphs lie in each other ", depth, " deep"));
    }
    graph.symbols = symbols_;
    graph.name = string();
    NM_TRY(read_list(graph.values, "the values", [&] { return read_value(graph); }));
    Defined defined(graph.values.size());
    for (size_t i = 0; i < defined.size(); ++i) defined[i] = graph.values[i].is_constant();
    NM_TRY(read_list(graph.inputs, "the inputs", [&]() -> Status {
      graph.inputs.push_back(define(defined));
      return {};
    }));
    NM_TRY(read_list(graph.outputs, "the outputs", [&]() -> Status {
      graph.outputs.push_back(static_cast<ValueId>(cursor_.index(defined.size())));
      return {};
    }));
    NM_TRY(read_list(graph.captures, "the captures", [&] { return read_capture(graph, around, defined); }));
    NM_TRY(read_list(graph.nodes, "the nodes", [&] { return read_node(graph, defined, depth); }));
    for (const ValueId id : graph.outputs) {
      if (!defined[static_cast<size_t>(id)]) return damaged("nothing defines one of its outputs");
    }
    return {};
  }

  Status read_value(Graph& graph) {
    std::string name = string();
    if (cursor_.index(2) == 1) {
      NM_ASSIGN(Tensor constant, read_tensor());
      graph.add_constant(std::move(name), std::move(constant));
      return check_memory();
    }
    GraphValue value;
    value.name = std::move(name);
    NM_TRY(read_type_and_shape(value.name, value.type, value.shape));
    graph.add_value(std::move(value));
    return {};
  }

  // The id of a value that nothing has defined yet.
  ValueId define(Defined& defined) {
    const size_t id = cursor_.index(defined.size());
    if (!cursor_.ok()) return kNone;
    if (defined[id]) cursor_.fail("a value in it is defined twice");
    defined[id] = true;
    return static_cast<ValueId>(id);
  }

  Status read_capture(Graph& graph, const Node* around, Defined& defined) {
    Capture capture;
    capture.inner = define(defined);
    capture.input = cursor_.index(around != nullptr ? around->inputs.size() : 0);
    NM_TRY(cursor_.status());
    if (capture.input < around->explicit_inputs || around->inputs[capture.input] == kNone) {
      return damaged("a subgraph takes a value from outside that its node does not have");
    }
    graph.captures.push_back(capture);
    return {};
  }

  Status read_node(Graph& graph, Defined& defined, uint64_t depth) {
    if (++nodes_ > limits_.nodes) {
      return limit_exceeded("nodes", limits_.nodes, nm::text("the model has more than ", limits_.nodes, " nodes"));
    }
    Node node;
    node.name = string();
    node.op_type = string();
    node.domain = string();
    node.version = static_cast<int>(cursor_.index(kMostVersion + 1));
    node.explicit_inputs = static_cast<size_t>(cursor_.number());
    NM_TRY(read_list(node.inputs, "a node's inputs", [&]() -> Status {
      const size_t form = cursor_.index(defined.size() + 1);
      if (form > 0 && !defined[form - 1]) cursor_.fail("a node in it reads what no node before it makes");
      node.inputs.push_back(static_cast<ValueId>(form) - 1);
      return {};
    }));
    if (node.explicit_inputs > node.inputs.size()) return damaged("a node has fewer inputs than it says");
    NM_TRY(read_list(node.outputs, "a node's outputs", [&]() -> Status {
      node.outputs.push_back(static_cast<ValueId>(cursor_.index(defined.size() + 1)) - 1);
      return {};
    }));
    for (size_t left = cursor_.count(); left > 0 && cursor_.ok(); --left) {
      std::string name = string();
      auto attribute = read_attribute(node, depth);
      if (!attribute.ok()) return attribute.take_status().at(node.op_type, node.name);
      node.attributes.insert_or_assign(std::move(name), std::move(*attribute));
    }
    // After the attributes: a subgraph does not see what its node makes.
    for (const ValueId id : node.outputs) {
      if (id == kNone) continue;
      if (defined[static_cast<size_t>(id)]) return damaged("a value in it is defined twice");
      defined[static_cast<size_t>(id)] = true;
    }
    NM_TRY(cursor_.status());
    graph.nodes.push_back(std::move(node));
    return check_memory();
  }

  float float32() {
    const Bytes bytes = cursor_.bytes(sizeof(float));
    float value = 0;
    if (cursor_.ok()) std::memcpy(&value, bytes.data(), sizeof value);
    return value;
  }

  template <class T, class Item>
  Result<Attribute> read_items(Item item) {
    std::vector<T> list;
    NM_TRY(read_list(list, "an attribute", [&]() -> Status {
      list.push_back(item());
      return {};
    }));
    return Attribute(std::move(list));
  }

  Result<Attribute> read_attribute(const Node& node, uint64_t depth) {
    const auto kind = static_cast<AttributeKind>(cursor_.index(std::variant_size_v<Attribute>));
    NM_TRY(cursor_.status());
    switch (kind) {
      case AttributeKind::Integer:
        return Attribute(cursor_.signed_number());
      case AttributeKind::Number:
        return Attribute(float32());
      case AttributeKind::Text:
        return Attribute(string());
      case AttributeKind::Tensor: {
        NM_ASSIGN(Tensor tensor, read_tensor());
        return Attribute(std::move(tensor));
      }
      case AttributeKind::Graph: {
        auto graph = std::make_shared<Graph>();
        NM_TRY(read_graph(*graph, &node, depth + 1));
        return Attribute(std::move(graph));
      }
      case AttributeKind::Integers:
        return read_items<int64_t>([&] { return cursor_.signed_number(); });
      case AttributeKind::Numbers:
        return read_items<float>([&] { return float32(); });
      case AttributeKind::Texts:
        return read_items<std::string>([&] { return string(); });
      case AttributeKind::Tensors: {
        std::vector<Tensor> list;
        NM_TRY(read_list(list, "an attribute", [&]() -> Status {
          NM_ASSIGN(Tensor tensor, read_tensor());
          list.push_back(std::move(tensor));
          return {};
        }));
        return Attribute(std::move(list));
      }
      case AttributeKind::Type:
        break;
    }
    NM_ASSIGN(ValueType type, read_type(0));
    return Attribute(std::move(type));
  }

  const File& file_;
  const Limits& limits_;
  Cursor cursor_;
  std::vector<std::string_view> texts_;
  std::shared_ptr<SymbolTable> symbols_ = std::make_shared<SymbolTable>();
  size_t symbol_count_ = 0;
  uint64_t nodes_ = 0;
};

}  // namespace

Result<Model> read(const File& file, const Limits& limits) {
  NM_TRY(file.check_complete());
  return Reader(file, limits).read();
}

}  // namespace nm::packed
