#include "engine/packed/writer.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <set>
#include <unordered_map>

#include "engine/base/memory.h"
#include "engine/base/reserve.h"
#include "engine/base/text.h"
#include "engine/graph/per_value.h"
#include "engine/packed/checksum.h"
#include "engine/packed/format.h"
#include "engine/packed/writer_weights.h"

namespace nm::packed {
namespace {

static_assert(std::variant_size_v<Attribute> == static_cast<size_t>(AttributeKind::Type) + 1);

// Numbers and bytes of the graph section.
class Section {
 public:
  void number(uint64_t n) {
    for (; n >= 0x80; n >>= 7) bytes_ += static_cast<char>(n | 0x80);
    bytes_ += static_cast<char>(n);
  }
  void signed_number(int64_t n) { number(static_cast<uint64_t>(n) << 1 ^ static_cast<uint64_t>(n >> 63)); }
  void bytes(const void* data, size_t size) {
    if (size > 0) bytes_.append(static_cast<const char*>(data), size);
  }
  const std::string& contents() const { return bytes_; }

 private:
  std::string bytes_;
};

// Which values of a graph something refers to: the others stay out of the file.
PerValue<bool> used_values(const Graph& graph) {
  PerValue<bool> used(graph);
  const auto mark = [&](const std::vector<ValueId>& ids) {
    for (const ValueId id : ids) {
      if (id != kNone) used[id] = true;
    }
  };
  mark(graph.inputs);
  mark(graph.outputs);
  for (const Capture& c : graph.captures) used[c.inner] = true;
  for (const Node& node : graph.nodes) {
    mark(node.inputs);
    mark(node.outputs);
  }
  return used;
}

// Floats that a node reads beside constants of 8 bits or fewer: scales of these, whose errors would be theirs as well.
std::set<const void*> scales_of_integers(const Graph& graph) {
  std::set<const void*> scales;
  for (const Node& node : graph.nodes) {
    const auto integers = [&](ValueId id) {
      const Tensor* t = graph.constant(id);
      return t != nullptr && t->dtype() != DType::Bool && t->dtype() != DType::String && dtype_bits(t->dtype()) <= 8;
    };
    if (std::none_of(node.inputs.begin(), node.inputs.end(), integers)) continue;
    for (const ValueId id : node.inputs) {
      if (const Tensor* t = graph.constant(id)) scales.insert(t->raw());
    }
  }
  return scales;
}

class Writer {
 public:
  explicit Writer(WriteOptions options) : names_(options.names), weights_(options.weights) {}

  Result<Tensor> write(const Model& model) {
    symbols_ = model.graph->symbols.get();
    put_facts(model.facts);
    NM_TRY(put_graph(*model.graph));
    NM_TRY(check_memory());
    NM_TRY(std::move(status_));
    return assemble();
  }

 private:
  uint64_t text_id(std::string_view text) {
    int32_t id = static_cast<int32_t>(texts_.size());
    const auto [at, added] = text_ids_.emplace(std::string(text), id);
    if (added) texts_.push_back(at->first);
    return static_cast<uint64_t>(at->second);
  }
  void put_text(std::string_view text) { body_.number(text_id(text)); }
  void put_name(std::string_view name) { put_text(names_ ? name : std::string_view()); }

  void put_facts(const ModelFacts& facts) {
    put_text(facts.name);
    put_text(facts.producer);
    put_list(facts.opsets, [&](const auto& o) { put_text(o.first), body_.signed_number(o.second); });
    put_list(facts.metadata, [&](const auto& m) { put_text(m.first), put_text(m.second); });
    for (const auto* ports : {&facts.inputs, &facts.outputs}) {
      put_list(*ports, [&](const Port& p) { put_text(p.name), put_type(p.type), put_shape(p.shape); });
    }
    put_list(facts.operators, [&](const auto& o) { put_text(o.first), body_.signed_number(o.second); });
    put_list(facts.warnings, [&](const std::string& w) { put_text(w); });
    body_.signed_number(facts.nodes);
    body_.signed_number(facts.weight_bytes);
  }

  template <class T, class Item>
  void put_list(const std::vector<T>& list, Item item) {
    body_.number(list.size());
    for (const T& i : list) item(i);
  }

  void put_type(const ValueType& type) {
    body_.number(static_cast<uint64_t>(type.kind));
    body_.number(static_cast<uint64_t>(type.dtype));
    if (type.kind == ValueType::Kind::Tensor || type.kind == ValueType::Kind::SparseTensor) return;
    put_type(type.element != nullptr ? *type.element : ValueType());
  }

  void put_shape(const std::optional<Shape>& shape) {
    body_.number(shape ? static_cast<uint64_t>(shape->rank()) + 1 : 0);
    if (!shape) return;
    for (const int64_t d : *shape) body_.signed_number(d < kUnknownDim ? symbol(d) : d);
  }

  // The file has those symbols only that a shape in it has.
  int64_t symbol(int64_t dim) {
    const auto [at, added] = symbol_ids_.try_emplace(static_cast<uint64_t>(dim), symbol_names_.size());
    if (added) symbol_names_.push_back(symbols_->name(dim));
    return -2 - static_cast<int64_t>(at->second);
  }

  void put_tensor(const Tensor& tensor) {
    body_.number(static_cast<uint64_t>(tensor.dtype()));
    body_.number(static_cast<uint64_t>(tensor.rank()));
    for (const int64_t d : tensor.shape()) body_.number(static_cast<uint64_t>(d));
    if (tensor.dtype() == DType::String) {
      body_.number(static_cast<uint64_t>(Storage::Texts));
      body_.number(static_cast<uint64_t>(tensor.count()));
      for (const std::string& s : tensor.span<std::string>()) put_text(s);
      return;
    }
    if (put_narrow(tensor)) return;
    const bool block = tensor.bytes() >= kBlockBytes;
    body_.number(static_cast<uint64_t>(block ? Storage::Block : Storage::Inline));
    if (!block) return body_.bytes(tensor.raw(), tensor.bytes());
    // Subgraphs share the constants of the graphs around them; what only begins in the same place is another.
    const auto [at, added] = block_ids_.try_emplace(reinterpret_cast<uintptr_t>(tensor.raw()), blocks_.size());
    const bool shared = !added && blocks_[at->second].size() == tensor.bytes();
    body_.number(shared ? at->second : blocks_.size());
    if (!shared) blocks_.emplace_back(static_cast<const uint8_t*>(tensor.raw()), tensor.bytes());
  }

  // False where the tensor stays as it is.
  bool put_narrow(const Tensor& tensor) {
    if (weights_ == Weights::Float32 || !status_.ok()) return false;
    const auto [first, last] = narrowed_.equal_range(tensor.raw());
    auto known = std::find_if(first, last, [&](const auto& n) { return n.second.shape == tensor.shape(); });
    if (known == last) {
      auto made = narrow(tensor, weights_, scales_.contains(tensor.raw()));
      if (!made.ok()) status_ = made.take_status();
      if (!made.ok() || !*made) return false;
      const Narrowed narrowed{tensor.shape(), (*made)->form, (*made)->axis, blocks_.size()};
      known = narrowed_.emplace(tensor.raw(), narrowed);
      narrow_blocks_.push_back(std::move((*made)->block));
      blocks_.emplace_back(narrow_blocks_.back().data(), narrow_blocks_.back().size());
    }
    body_.number(static_cast<uint64_t>(Storage::Narrow));
    body_.number(static_cast<uint64_t>(known->second.form));
    body_.number(static_cast<uint64_t>(known->second.axis));
    body_.number(known->second.block);
    return true;
  }

  Status put_graph(const Graph& graph) {
    if (weights_ != Weights::Float32) scales_.merge(scales_of_integers(graph));
    const PerValue<bool> used = used_values(graph);
    PerValue<uint64_t> ids(graph);
    uint64_t count = 0;
    for (ValueId v = 0; v < graph.value_count(); ++v) {
      ids[v] = count;
      count += used[v] ? 1 : 0;
    }
    const auto optional_id = [&](ValueId v) { body_.number(v == kNone ? 0 : 1 + ids[v]); };

    // What a node makes is not also a constant, whatever inference knows of it: whoever reads the file knows it too.
    PerValue<bool> made(graph);
    for (const Node& node : graph.nodes) {
      for (const ValueId v : node.outputs) {
        if (v != kNone) made[v] = true;
      }
    }
    put_name(graph.name);
    body_.number(count);
    for (ValueId v = 0; v < graph.value_count(); ++v) {
      if (!used[v]) continue;
      const GraphValue& value = graph.value(v);
      const bool constant = value.is_constant() && !made[v];
      put_name(value.name);
      body_.number(constant ? 1 : 0);
      if (constant) {
        put_tensor(value.constant);
      } else {
        put_type(value.type);
        put_shape(value.shape);
      }
    }
    put_list(graph.inputs, [&](ValueId v) { body_.number(ids[v]); });
    put_list(graph.outputs, [&](ValueId v) { body_.number(ids[v]); });
    put_list(graph.captures, [&](const Capture& c) { body_.number(ids[c.inner]), body_.number(c.input); });
    body_.number(graph.nodes.size());
    for (const Node& node : graph.nodes) {
      put_name(node.name);
      put_text(node.op_type);
      put_text(node.domain);
      body_.number(static_cast<uint64_t>(node.version));
      body_.number(node.explicit_inputs);
      put_list(node.inputs, optional_id);
      put_list(node.outputs, optional_id);
      body_.number(node.attributes.size());
      for (const auto& [name, attribute] : node.attributes) {
        put_text(name);
        NM_TRY(put_attribute(attribute));
      }
      NM_TRY(check_memory());
    }
    return {};
  }

  Status put_attribute(const Attribute& attribute) {
    body_.number(attribute.index());
    switch (static_cast<AttributeKind>(attribute.index())) {
      case AttributeKind::Integer:
        body_.signed_number(std::get<int64_t>(attribute));
        break;
      case AttributeKind::Number:
        body_.bytes(&std::get<float>(attribute), sizeof(float));
        break;
      case AttributeKind::Text:
        put_text(std::get<std::string>(attribute));
        break;
      case AttributeKind::Tensor:
        put_tensor(std::get<Tensor>(attribute));
        break;
      case AttributeKind::Graph:
        return put_graph(*std::get<std::shared_ptr<Graph>>(attribute));
      case AttributeKind::Integers:
        put_list(std::get<std::vector<int64_t>>(attribute), [&](int64_t n) { body_.signed_number(n); });
        break;
      case AttributeKind::Numbers:
        put_list(std::get<std::vector<float>>(attribute), [&](const float& f) { body_.bytes(&f, sizeof f); });
        break;
      case AttributeKind::Texts:
        put_list(std::get<std::vector<std::string>>(attribute), [&](const std::string& s) { put_text(s); });
        break;
      case AttributeKind::Tensors:
        put_list(std::get<std::vector<Tensor>>(attribute), [&](const Tensor& t) { put_tensor(t); });
        break;
      case AttributeKind::Type:
        put_type(std::get<ValueType>(attribute));
        break;
    }
    return {};
  }

  Result<Tensor> assemble() {
    Section section;
    section.number(blocks_.size());
    for (const Bytes block : blocks_) section.number(block.size());
    Section symbols;
    symbols.number(symbol_names_.size());
    for (const std::string_view name : symbol_names_) symbols.number(text_id(name));
    section.number(texts_.size());
    for (const std::string_view text : texts_) {
      section.number(text.size());
      section.bytes(text.data(), text.size());
    }
    const auto named = std::count_if(symbol_names_.begin(), symbol_names_.end(), [](auto n) { return !n.empty(); });
    if (static_cast<size_t>(named) > kMostNamedSymbols) {
      return Status(Code::InvalidModel, text("the model names ", named, " dimensions; a packed one may name ",
                                             kMostNamedSymbols, ": run the ONNX file itself"));
    }
    const size_t graph_bytes = section.contents().size() + symbols.contents().size() + body_.contents().size();
    Size size = Size(sizeof(Header)) + Size(graph_bytes);
    for (const Bytes block : blocks_) size = Size(align_up(size.number())) + Size(block.size());
    size += Size(sizeof(uint64_t));
    if (!size.addressable()) return no_memory("the packed model", size);
    NM_TRY(check_memory());

    NM_ASSIGN(Tensor file, Tensor::create(DType::UInt8, Shape{static_cast<int64_t>(size.number())}));
    auto* const begin = file.data<uint8_t>();
    uint8_t* to = begin;
    const auto put = [&](const void* data, size_t bytes) {
      std::memcpy(to, data, bytes);
      to += bytes;
    };
    Header header{{}, kByteOrder, kVersion, 0, 0, graph_bytes, size.number()};
    std::copy(std::begin(kMagic), std::end(kMagic), header.magic);
    put(&header, sizeof header);
    for (const Section* s : {&section, &symbols, &body_}) put(s->contents().data(), s->contents().size());
    for (const Bytes block : blocks_) {
      const auto at = static_cast<size_t>(to - begin);
      std::memset(to, 0, align_up(at) - at);
      to = begin + align_up(at);
      put(block.data(), block.size());
    }
    Checksum checksum;
    checksum.add({begin, static_cast<size_t>(to - begin)});
    const uint64_t sum = checksum.value();
    put(&sum, sizeof sum);
    return file;
  }

  struct Narrowed {
    Shape shape;
    Form form = Form::Float16;
    int axis = 0;
    size_t block = 0;
  };

  const bool names_;
  const Weights weights_;
  Status status_;  // of what puts without saying
  const SymbolTable* symbols_ = nullptr;
  Section body_;  // facts and graph
  std::unordered_map<std::string, int32_t> text_ids_;
  std::vector<std::string_view> texts_;  // keys of text_ids_
  std::map<uint64_t, size_t> symbol_ids_;
  std::vector<std::string_view> symbol_names_;
  std::map<uint64_t, size_t> block_ids_;  // by address
  std::vector<Bytes> blocks_;
  std::set<const void*> scales_;                   // by address
  std::multimap<const void*, Narrowed> narrowed_;  // by address, one for each shape
  std::vector<Buffer> narrow_blocks_;
};

}  // namespace

Result<Tensor> write(const Model& model, WriteOptions options) { return Writer(options).write(model); }

}  // namespace nm::packed
