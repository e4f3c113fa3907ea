#include "engine/packed/reader.h"

#include <algorithm>
#include <cstring>
#include <map>

#include "engine/base/reserve.h"
#include "engine/base/text.h"
#include "engine/graph/per_value.h"
#include "engine/packed/cursor.h"
#include "engine/packed/narrow.h"

namespace nm::packed {
namespace {

constexpr int kMostNestedTypes = 64;
constexpr size_t kMostVersion = 1 << 20;  // as for ONNX files

// Which values of a graph are defined so far.
using Defined = PerValue<bool>;

// Whatever is wrong ends the cursor, and with it all that is still to be read.
class Reader {
 public:
  Reader(const File& file, const Limits& limits) : file_(file), limits_(limits), cursor_(file.graph()) {}

  Result<Model> read() {
    Model model{std::make_shared<Graph>(), {}};
    Graph& graph = *model.graph;
    for (size_t left = cursor_.count(); left > 0; --left) cursor_.number();  // the blocks: the file has read them
    read_list(texts_, [&](std::string_view& text) {
      const Bytes bytes = cursor_.bytes(cursor_.number());
      text = {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
    });
    read_symbols();
    read_facts(model.facts);
    read_graph(graph, nullptr, 0);
    if (graph.inputs.size() != model.facts.inputs.size() || graph.outputs.size() != model.facts.outputs.size()) {
      cursor_.fail("its inputs or outputs are not those of its graph");
    }
    if (!cursor_.ended()) cursor_.fail("its graph section has bytes left over");
    NM_TRY(cursor_.take_status());
    return model;
  }

 private:
  std::string_view text() {
    const size_t i = cursor_.index(texts_.size());
    return cursor_.ok() ? texts_[i] : std::string_view();
  }
  std::string string() { return std::string(text()); }

  // `item` fills one.
  template <class T, class Item>
  void read_list(std::vector<T>& list, Item item) {
    const size_t count = cursor_.count();
    if (Status s = room_for("the packed model", Size(count) * sizeof(T)); !s.ok()) return cursor_.fail(std::move(s));
    list.resize(count);
    for (size_t i = 0; i < count && cursor_.ok(); ++i) item(list[i]);
  }

  void read_symbols() {
    const size_t count = cursor_.count();
    size_t named = 0;
    for (; symbol_count_ < count && cursor_.ok(); ++symbol_count_) {
      const std::string_view name = text();
      if (!name.empty() && ++named > kMostNamedSymbols) cursor_.fail("it names more dimensions than there may be");
      // A name that came before would be that symbol again.
      if (symbols_->dim(name) != -2 - static_cast<int64_t>(symbol_count_)) cursor_.fail("it names a dimension twice");
      check_memory();
    }
  }

  void check_memory() {
    if (memory_exhausted()) cursor_.fail(nm::check_memory());
  }

  void read_facts(ModelFacts& facts) {
    const auto read_counted = [&](std::pair<std::string, int64_t>& counted) {
      counted.first = string();
      counted.second = cursor_.signed_number();
    };
    const auto read_port = [&](Port& port) {
      port.name = string();
      read_type_and_shape(port.name, port.type, port.shape);
    };
    facts.name = string();
    facts.producer = string();
    read_list(facts.opsets, read_counted);
    read_list(facts.metadata, [&](auto& entry) {
      entry.first = string();
      entry.second = string();
    });
    read_list(facts.inputs, read_port);
    read_list(facts.outputs, read_port);
    read_list(facts.operators, read_counted);
    read_list(facts.warnings, [&](std::string& warning) { warning = string(); });
    facts.nodes = cursor_.signed_number();
    facts.weight_bytes = cursor_.signed_number();
  }

  void read_type_and_shape(std::string_view name, ValueType& type, std::optional<Shape>& shape) {
    type = read_type(0);
    const uint64_t form = cursor_.number();
    if (form == 0) return;
    shape = read_dims(form - 1, true);
    check_size(nm::text("the value '", name, "',"), type.dtype, *shape);
  }

  void check_size(std::string_view what, DType dtype, const Shape& shape) {
    if (Status s = check_addressable(what, dtype, shape); !s.ok()) cursor_.fail(std::move(s));
  }

  DType dtype() { return static_cast<DType>(cursor_.index(kDTypeCount)); }

  ValueType read_type(int depth) {
    ValueType type;
    type.kind = static_cast<ValueType::Kind>(cursor_.index(static_cast<size_t>(ValueType::Kind::SparseTensor) + 1));
    type.dtype = dtype();
    if (depth > kMostNestedTypes) cursor_.fail("a type in it has too many parts");
    if (!cursor_.ok() || type.kind == ValueType::Kind::Tensor || type.kind == ValueType::Kind::SparseTensor)
      return type;
    type.element = std::make_shared<const ValueType>(read_type(depth + 1));
    return type;
  }

  Shape read_dims(uint64_t rank, bool open) {
    if (rank > static_cast<uint64_t>(kMaxRank)) cursor_.fail("a tensor in it has too many dimensions");
    Shape shape;
    for (uint64_t i = 0; i < rank && cursor_.ok(); ++i) {
      shape.push_back(open ? cursor_.signed_number() : static_cast<int64_t>(cursor_.number()));
      if (shape.back() < (open ? -1 - static_cast<int64_t>(symbol_count_) : 0)) {
        cursor_.fail("a dimension in it is neither a number nor a symbol");
      }
    }
    return shape;
  }

  // Undefined when something is wrong.
  Tensor read_tensor() {
    const DType type = dtype();
    const Shape shape = read_dims(cursor_.number(), false);
    if (type == DType::Undefined) cursor_.fail("a constant has no element type");
    check_size("a constant of the packed model,", type, shape);
    const auto storage = static_cast<Storage>(cursor_.index(static_cast<size_t>(Storage::Narrow) + 1));
    if ((type == DType::String) != (storage == Storage::Texts)) cursor_.fail("a constant is stored as another type");
    if (!cursor_.ok()) return {};
    const size_t bytes = tensor_bytes(type, shape).value();
    if (storage == Storage::Block) {
      const size_t i = cursor_.index(file_.blocks().size());
      if (!cursor_.ok()) return {};
      const std::shared_ptr<GatheredBytes>& block = file_.blocks()[i];
      if (block->size() == bytes) return Tensor::view(type, shape, block->data(), block);
      cursor_.fail("a constant's block has another size");
      return {};
    }
    if (storage == Storage::Narrow) return read_narrow(type, shape);
    const bool texts = storage == Storage::Texts;
    if (texts && static_cast<int64_t>(cursor_.count()) != shape.count()) cursor_.fail("a constant lacks texts");
    const Bytes data = cursor_.bytes(texts ? 0 : bytes);
    if (!cursor_.ok()) return {};
    auto created = Tensor::create(type, shape);
    if (!created.ok()) {
      cursor_.fail(created.take_status());
      return {};
    }
    if (texts) {
      for (std::string& s : created->span<std::string>()) s = text();
    } else if (bytes > 0) {
      std::memcpy(created->raw(), data.data(), bytes);
    }
    return std::move(*created);
  }

  // Subgraphs share what the graphs around them have widened.
  Tensor read_narrow(DType type, const Shape& shape) {
    const auto form = static_cast<Form>(cursor_.index(static_cast<size_t>(Form::Int8) + 1));
    const auto axis = static_cast<int>(cursor_.index(static_cast<size_t>(std::max(shape.rank(), 1))));
    const size_t i = cursor_.index(file_.blocks().size());
    if (type != DType::Float32 || shape.rank() == 0) cursor_.fail("a constant is stored as another type");
    if (!cursor_.ok()) return {};
    const std::shared_ptr<GatheredBytes>& block = file_.blocks()[i];
    if (narrow_bytes(form, axis, shape) != Size(block->size())) {
      cursor_.fail("a constant's block has another size");
      return {};
    }
    Widened& known = widened_[i];
    if (known.tensor.defined() && known.form == form && known.axis == axis && known.tensor.shape() == shape) {
      return known.tensor;
    }
    auto created = Tensor::create(type, shape);
    if (!created.ok()) {
      cursor_.fail(created.take_status());
      return {};
    }
    widen(form, axis, shape, block->data(), created->data<float>());
    known = {form, axis, *created};
    return std::move(*created);
  }

  // `around`: the node whose subgraph this is, with all its inputs. `depth` counts the graphs around this one.
  void read_graph(Graph& graph, const Node* around, uint64_t depth) {
    if (depth > limits_.nesting) {
      return cursor_.fail(limit_exceeded("nesting", limits_.nesting,
                                         nm::text("the model's subgraphs lie in each other ", depth, " deep")));
    }
    graph.symbols = symbols_;
    graph.name = string();
    read_list(graph.values, [&](GraphValue& value) { read_value(value); });
    Defined defined(graph);
    for (ValueId id = 0; id < graph.value_count(); ++id) defined[id] = graph.value(id).is_constant();
    read_list(graph.inputs, [&](ValueId& id) { id = define(defined); });
    read_list(graph.outputs, [&](ValueId& id) { id = static_cast<ValueId>(cursor_.index(defined.size())); });
    read_list(graph.captures, [&](Capture& capture) {
      capture.inner = define(defined);
      capture.input = cursor_.index(around != nullptr ? around->inputs.size() : 0);
      if (!cursor_.ok()) return;
      if (capture.input < around->explicit_inputs || around->inputs[capture.input] == kNone) {
        cursor_.fail("a subgraph takes a value from outside that its node does not have");
      }
    });
    read_list(graph.nodes, [&](Node& node) { read_node(node, defined, depth); });
    for (size_t i = 0; i < graph.outputs.size() && cursor_.ok(); ++i) {
      if (!defined[graph.outputs[i]]) cursor_.fail("nothing defines one of its outputs");
    }
  }

  void read_value(GraphValue& value) {
    value.name = string();
    if (cursor_.index(2) == 0) return read_type_and_shape(value.name, value.type, value.shape);
    value.constant = read_tensor();
    value.type = ValueType::tensor(value.constant.dtype());
    value.shape = value.constant.shape();
    check_memory();
  }

  // The id of a value that nothing has defined yet.
  ValueId define(Defined& defined) {
    const auto id = static_cast<ValueId>(cursor_.index(defined.size()));
    define(defined, id);
    return id;
  }
  void define(Defined& defined, ValueId id) {
    if (!cursor_.ok()) return;
    if (defined[id]) cursor_.fail("a value in it is defined twice");
    defined[id] = true;
  }

  ValueId optional_id(const Defined& defined) { return static_cast<ValueId>(cursor_.index(defined.size() + 1)) - 1; }

  void read_node(Node& node, Defined& defined, uint64_t depth) {
    if (++nodes_ > limits_.nodes) {
      return cursor_.fail(
          limit_exceeded("nodes", limits_.nodes, nm::text("the model has more than ", limits_.nodes, " nodes")));
    }
    node.name = string();
    node.op_type = string();
    node.domain = string();
    node.version = static_cast<int>(cursor_.index(kMostVersion + 1));
    const uint64_t explicit_inputs = cursor_.number();
    read_list(node.inputs, [&](ValueId& id) {
      id = optional_id(defined);
      if (id != kNone && !defined[id]) {
        cursor_.fail("a node in it reads what no node before it makes");
      }
    });
    if (explicit_inputs > node.inputs.size()) cursor_.fail("a node has fewer inputs than it says");
    node.explicit_inputs = static_cast<size_t>(explicit_inputs);
    read_list(node.outputs, [&](ValueId& id) { id = optional_id(defined); });
    for (size_t left = cursor_.count(); left > 0 && cursor_.ok(); --left) {
      const std::string name = string();
      node.attributes[name] = read_attribute(node, depth);
    }
    // After the attributes: a subgraph does not see what its node makes.
    for (const ValueId id : node.outputs) {
      if (id != kNone) define(defined, id);
    }
    check_memory();
  }

  float float32() {
    const Bytes bytes = cursor_.bytes(sizeof(float));
    float value = 0;
    if (cursor_.ok()) std::memcpy(&value, bytes.data(), sizeof value);
    return value;
  }

  template <class T, class Item>
  Attribute read_items(Item item) {
    std::vector<T> list;
    read_list(list, item);
    return list;
  }

  Attribute read_attribute(const Node& node, uint64_t depth) {
    switch (static_cast<AttributeKind>(cursor_.index(std::variant_size_v<Attribute>))) {
      case AttributeKind::Integer:
        return cursor_.signed_number();
      case AttributeKind::Number:
        return float32();
      case AttributeKind::Text:
        return string();
      case AttributeKind::Tensor:
        return read_tensor();
      case AttributeKind::Graph: {
        auto graph = std::make_shared<Graph>();
        read_graph(*graph, &node, depth + 1);
        return graph;
      }
      case AttributeKind::Integers:
        return read_items<int64_t>([&](int64_t& n) { n = cursor_.signed_number(); });
      case AttributeKind::Numbers:
        return read_items<float>([&](float& f) { f = float32(); });
      case AttributeKind::Texts:
        return read_items<std::string>([&](std::string& s) { s = string(); });
      case AttributeKind::Tensors:
        return read_items<Tensor>([&](Tensor& t) { t = read_tensor(); });
      case AttributeKind::Type:
        break;
    }
    return read_type(0);
  }

  struct Widened {
    Form form = Form::Float16;
    int axis = 0;
    Tensor tensor;
  };

  const File& file_;
  const Limits& limits_;
  Cursor cursor_;
  std::vector<std::string_view> texts_;
  std::shared_ptr<SymbolTable> symbols_ = std::make_shared<SymbolTable>();
  std::map<size_t, Widened> widened_;  // by the block
  size_t symbol_count_ = 0;
  uint64_t nodes_ = 0;
};

}  // namespace

Result<Model> read(const File& file, const Limits& limits) {
  NM_TRY(file.check_complete());
  return Reader(file, limits).read();
}

}  // namespace nm::packed
