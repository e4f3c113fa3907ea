#include "tests/differ/pattern_graphs.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "engine/passes/pattern_text.h"
#include "tests/unit/onnx_writer.h"

namespace nm::test {
namespace {

using Dims = std::vector<int64_t>;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// What the names of a pattern stand for where that is no float tensor [2,3,4], and what its operators need beside their
// operands. A pattern itself does not say.
struct Leaf {
  Leaf(Dims shape = {2, 3, 4}) : dims(std::move(shape)) {}
  static Leaf boolean(Dims shape) {
    Leaf l(std::move(shape));
    l.dtype = DType::Bool;
    return l;
  }
  static Leaf constant_of(Dims shape, float value = NAN) {
    Leaf l(std::move(shape));
    l.constant = true;
    l.fill = value;
    return l;
  }
  static Leaf transpose_of(Dims shape, Dims axes) {
    Leaf l(std::move(shape));
    l.transposed = std::move(axes);
    return l;
  }

  Dims dims;
  DType dtype = DType::Float32;
  bool constant = false;
  float fill = NAN;  // of constants; NaN: random
  Dims transposed;   // not empty: the value is a Transpose, by these axes, of one with `dims`
};

using Leaves = std::map<std::string, Leaf, std::less<>>;

bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

Leaves leaves_of(const Rewrite& rewrite) {
  Leaves leaves;
  if (has(rewrite.pattern, "InstanceNormalization")) {
    leaves["x"] = Leaf({2, 4, 3, 3});
    leaves["ones"] = Leaf::constant_of({2}, 1);
    leaves["zeros"] = Leaf::constant_of({2}, 0);
    leaves["gamma"] = leaves["beta"] = Leaf::constant_of({4, 1, 1});
  } else if (has(rewrite.pattern, "Attention(")) {
    leaves["q"] = leaves["k"] = leaves["v"] = Leaf::transpose_of({2, 3, 4, 5}, {0, 2, 1, 3});
  } else if (has(rewrite.pattern, "MatMul")) {
    leaves["q"] = Leaf({2, 3, 4, 5});
    leaves["kt"] = Leaf::transpose_of({2, 3, 6, 5}, {0, 1, 3, 2});
    leaves["v"] = Leaf({2, 3, 6, 5});
    leaves["mask"] = Leaf({2, 1, 4, 6});
    leaves["more"] = Leaf({1, 1, 4, 6});
    leaves["seen"] = leaves["hidden"] = Leaf::boolean({2, 1, 4, 6});
  } else {
    leaves["gamma"] = leaves["beta"] = Leaf::constant_of({4});
  }
  return leaves;
}

float number_of(std::string_view name) {
  if (name == "epsilon") return 1e-5f;
  if (name == "zero") return -0.f;
  if (name == "low") return -1e9f;
  return name == "alpha" ? 1.702f : 0.35f;
}

// The way through a pattern's alternatives: the choice at each {a|b}, in the order in which they are met.
class Choices {
 public:
  explicit Choices(std::vector<size_t> taken) : taken_(std::move(taken)) {}
  size_t choose(size_t among) {
    if (next_ == taken_.size()) taken_.push_back(0);
    among_.resize(taken_.size());
    among_[next_] = among;
    return taken_[next_++];
  }
  // The next way; false behind the last one.
  bool advance() {
    taken_.resize(next_);
    while (!taken_.empty() && ++taken_.back() == among_[taken_.size() - 1]) taken_.pop_back();
    next_ = 0;
    return !taken_.empty();
  }

 private:
  std::vector<size_t> taken_, among_;
  size_t next_ = 0;
};

class Drafter {
 public:
  Drafter(const Rewrite& rewrite, Choices& choices)
      : pattern_(rewrite.pattern), leaves_(leaves_of(rewrite)), choices_(choices) {
    draft_.title = rewrite.pattern;
    draft_.outputs = {value(pattern_.whole())};
  }
  Draft take() { return std::move(draft_); }

 private:
  size_t add(DraftValue v) {
    if (v.name.empty()) v.name = "v" + std::to_string(draft_.values.size());
    draft_.values.push_back(std::move(v));
    return draft_.values.size() - 1;
  }

  size_t constant(Dims dims, std::vector<float> floats) {
    DraftValue v;
    v.kind = DraftValue::Kind::Constant;
    v.dims = std::move(dims);
    v.floats = std::move(floats);
    return add(std::move(v));
  }

  size_t integers(Dims values) {
    DraftValue v;
    v.kind = DraftValue::Kind::Constant;
    v.dtype = DType::Int64;
    v.dims = {static_cast<int64_t>(values.size())};
    v.integers = std::move(values);
    return add(std::move(v));
  }

  size_t node(DraftNode n) {
    n.output = add({});
    draft_.nodes.push_back(std::move(n));
    return draft_.nodes.back().output;
  }

  size_t leaf(std::string_view name) {
    const auto at = leaves_.find(name);
    const Leaf l = at == leaves_.end() ? Leaf() : at->second;
    DraftValue v;
    v.name = std::string(name) + (l.transposed.empty() ? "" : "_before");
    v.kind = l.constant ? DraftValue::Kind::Constant : DraftValue::Kind::Input;
    v.dtype = l.dtype;
    v.dims = l.dims;
    if (!std::isnan(l.fill)) v.floats.assign(static_cast<size_t>(l.dims[0]), l.fill);
    const size_t id = add(std::move(v));
    if (l.transposed.empty()) return id;
    return node({"Transpose", "", {id}, 0, {{"perm", l.transposed}}, {}});
  }

  size_t value(uint32_t term) {
    const Term t = pattern_[term];
    if (!t.name.empty() && !t.is_number()) {
      const auto known = named_.find(t.name);
      if (known != named_.end()) return known->second;
    }
    size_t id = 0;
    switch (t.kind) {
      case Term::Kind::Either:
        return value(t.children[choices_.choose(t.children.size())]);
      case Term::Kind::Number:
      case Term::Kind::AnyNumber:
        id = constant({}, {t.kind == Term::Kind::Number ? t.number : number_of(t.name)});
        draft_.values[id].is_number = true;
        return id;
      case Term::Kind::Name:
        id = leaf(t.name);
        break;
      case Term::Kind::Op:
        id = computed(t);
        break;
    }
    if (!t.name.empty()) named_.emplace(t.name, id);
    return id;
  }

  size_t computed(const Term& t) {
    DraftNode n;
    const bool microsoft = t.op.starts_with("ms.");
    n.op = microsoft ? t.op.substr(3) : t.op;
    if (microsoft) n.domain = "com.microsoft";
    for (const uint32_t child : t.children) n.inputs.push_back(value(child));
    // What the operator needs beside its operands, for the rewrite to fit.
    if (n.op == "ReduceMean") n.inputs.push_back(integers({-1}));
    if (n.op == "Clip") {
      for (const float bound : {0.f, 6.f}) n.inputs.push_back(constant({}, {bound}));
    }
    if (n.op == "HardSigmoid") n.floats["alpha"] = 1.f / 6;
    if (n.op == "Reshape") n.inputs.push_back(integers(t.name == "inner" ? Dims{2, 2, -1} : Dims{2, 4, 3, 3}));
    if (n.op == "Transpose") n.integers["perm"] = has(draft_.title, "Attention(") ? Dims{0, 2, 1, 3} : Dims{0, 2, 1};
    const bool is_bool = n.op == "IsNaN";
    const size_t id = node(std::move(n));
    if (is_bool) draft_.values[id].dtype = DType::Bool;
    return id;
  }

  Expression pattern_;
  Leaves leaves_;
  Choices& choices_;
  std::map<std::string, size_t, std::less<>> named_;
  Draft draft_;
};

std::string shape_text(const Dims& dims) {
  std::string out = "[";
  for (const int64_t d : dims) out += (out.size() > 1 ? "," : "") + std::to_string(d);
  return out + "]";
}

void mutate_number(const Draft& draft, size_t id, std::vector<Mutation>& out) {
  const float was = draft.values[id].floats[0];
  const auto as = [&](const std::string& what, const Dims& dims, const std::vector<float>& floats) {
    out.push_back({"number " + std::to_string(was) + " " + what, [=](Draft& d) {
                     d.values[id].dims = dims;
                     d.values[id].floats = floats;
                   }});
  };
  for (const float v : {was * 1.001f, was * 1.7f, -was, 0.f, -0.f, 1.f, 2.f, -1e4f, -1e30f, -kInfinity, kInfinity}) {
    if (v != was || std::signbit(v) != std::signbit(was)) as("is " + std::to_string(v), {}, {v});
  }
  for (const Dims& dims : {Dims{1}, Dims{1, 1}, Dims{1, 1, 1}, Dims{1, 1, 1, 1}, Dims{1, 1, 1, 1, 1}}) {
    as("has shape " + shape_text(dims), dims, {was});
  }
  as("is a row of equal ones", {4}, {was, was, was, was});
  as("is a row", {4}, {was, was * 1.5f, was - 1, was * 0.5f});
  as("is a column", {3, 1}, {was, was * 1.5f, was - 1});
  as("is a batch", {2, 1, 1, 1}, {was, was * 1.5f});
}

void mutate_shape(const Draft& draft, size_t id, std::vector<Mutation>& out) {
  const DraftValue& v = draft.values[id];
  const auto as = [&](const std::string& what, const std::function<void(DraftValue&)>& change) {
    out.push_back({v.name + " " + what, [=](Draft& d) { change(d.values[id]); }});
  };
  const auto shaped = [&](const Dims& dims) {
    as("has shape " + shape_text(dims), [=](DraftValue& w) {
      w.dims = dims;
      w.floats.clear();
    });
  };
  for (size_t i = 0; i < v.dims.size(); ++i) {
    for (const int64_t size : {int64_t{1}, int64_t{2}, int64_t{5}}) {
      Dims dims = v.dims;
      dims[i] = size;
      if (dims != v.dims) shaped(dims);
    }
  }
  for (const int64_t leading : {1, 2}) {
    Dims dims = v.dims;
    dims.insert(dims.begin(), leading);
    shaped(dims);
  }
  if (!v.dims.empty()) {
    shaped(Dims(v.dims.begin() + 1, v.dims.end()));
    shaped({v.dims.back()});
    Dims dims = v.dims;
    dims.back() = 1;
    dims.insert(dims.begin(), 1);
    shaped(dims);
  }
  shaped({});
  shaped({1});
  if (v.kind == DraftValue::Kind::Input) {
    as("is a constant", [](DraftValue& w) { w.kind = DraftValue::Kind::Constant; });
    as("does not tell its shape", [](DraftValue& w) { w.hides_shape = true; });
  } else {
    as("is an input", [](DraftValue& w) {
      w.kind = DraftValue::Kind::Input;
      w.floats.clear();
    });
    as("has other values", [](DraftValue& w) { w.floats.clear(); });
  }
}

void mutate_integers(const Draft& draft, size_t id, std::vector<Mutation>& out) {
  const auto as = [&](const Dims& values) {
    if (values == draft.values[id].integers) return;
    out.push_back({"integers are " + shape_text(values), [=](Draft& d) {
                     d.values[id].integers = values;
                     d.values[id].dims = {static_cast<int64_t>(values.size())};
                   }});
  };
  for (const Dims& values :
       {Dims{0}, Dims{1}, Dims{2}, Dims{-2}, Dims{1, 2}, Dims{-1, -2}, Dims{0, 2}, Dims{0, 1, 2}, Dims{},
        Dims{2, 2, -1}, Dims{2, 1, -1}, Dims{2, 4, -1}, Dims{1, 4, -1}, Dims{4, 2, 3, 3}, Dims{2, 4, 9, 1}}) {
    as(values);
  }
}

void mutate_node(const Draft& draft, size_t n, std::vector<Mutation>& out) {
  const DraftNode& node = draft.nodes[n];
  const std::string name = node.op + " " + std::to_string(n);
  if (node.inputs.size() == 2) {
    out.push_back(
        {name + " has its operands swapped", [=](Draft& d) { std::swap(d.nodes[n].inputs[0], d.nodes[n].inputs[1]); }});
  }
  out.push_back({name + " is an output too", [=](Draft& d) { d.outputs.push_back(d.nodes[n].output); }});
  out.push_back({name + " has another reader", [=](Draft& d) {
                   DraftValue v;
                   v.name = "other_" + std::to_string(d.values.size());
                   d.values.push_back(v);
                   d.nodes.push_back({"Neg", "", {d.nodes[n].output}, d.values.size() - 1, {}, {}});
                   d.outputs.push_back(d.values.size() - 1);
                 }});
  if (node.op == "ReduceMean") {
    out.push_back({name + " keeps no dimensions", [=](Draft& d) { d.nodes[n].integers["keepdims"] = {0}; }});
  }
  if (node.op == "Softmax") {
    for (const int64_t axis : {0, 1, 2, -2}) {
      out.push_back(
          {name + " goes over axis " + std::to_string(axis), [=](Draft& d) { d.nodes[n].integers["axis"] = {axis}; }});
    }
  }
  if (node.op == "Transpose") {
    for (const Dims& perm : {Dims{0, 1, 2}, Dims{2, 1, 0}, Dims{1, 2, 0}, Dims{0, 1, 2, 3}, Dims{0, 2, 3, 1},
                             Dims{0, 3, 1, 2}, Dims{1, 0, 3, 2}}) {
      if (perm.size() != node.integers.at("perm").size() || perm == node.integers.at("perm")) continue;
      out.push_back({name + " is by " + shape_text(perm), [=](Draft& d) { d.nodes[n].integers["perm"] = perm; }});
    }
  }
  if (node.op == "HardSigmoid") {
    for (const float alpha : {0.2f, 0.1666f}) {
      out.push_back(
          {name + " has alpha " + std::to_string(alpha), [=](Draft& d) { d.nodes[n].floats["alpha"] = alpha; }});
    }
    out.push_back({name + " has another beta", [=](Draft& d) { d.nodes[n].floats["beta"] = 0.4f; }});
  }
  if (node.op == "LeakyRelu" || node.op == "Swish") {
    out.push_back({name + " has an alpha", [=](Draft& d) { d.nodes[n].floats["alpha"] = 0.3f; }});
  }
}

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed * 2862933555777941757u + 3037000493u) {}
  uint32_t next() {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<uint32_t>(state_ >> 33);
  }
  float usual() { return static_cast<float>(next() % 6001) / 1000 - 3; }
  float special() {
    constexpr float some[] = {kInfinity, -kInfinity, NAN, 0.f, -0.f, 100, -100, 1e-20f, 1e4f, -1e4f};
    return next() % 3 == 0 ? some[next() % std::size(some)] : usual();
  }

 private:
  uint64_t state_;
};

size_t count_of(const Dims& dims) {
  size_t n = 1;
  for (const int64_t d : dims) n *= static_cast<size_t>(d);
  return n;
}

template <class T>
std::string raw(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

std::string contents(const DraftValue& v, Data data, Random& random) {
  if (v.dtype == DType::Int64) return raw(v.integers);
  const size_t n = count_of(v.dims);
  if (v.dtype == DType::Bool) {
    std::string bytes(n, '\0');
    for (char& b : bytes) b = random.next() % 3 != 0;
    if (!v.dims.empty() && v.dims.back() > 1) {  // a row of which nothing is seen, and one of which all is
      const size_t row = static_cast<size_t>(v.dims.back());
      std::fill_n(bytes.begin(), row, '\0');
      std::fill_n(bytes.end() - static_cast<std::ptrdiff_t>(row), row, '\1');
    }
    return bytes;
  }
  if (!v.floats.empty()) return raw(v.floats);
  std::vector<float> floats(n);
  const bool usual = data == Data::Usual || v.kind == DraftValue::Kind::Constant;
  for (float& f : floats) f = usual ? random.usual() : random.special();
  return raw(floats);
}

Message integers_attribute(std::string_view name, const Dims& values) {
  Message m;
  m.text(schema::AttributeProto::name, name);
  if (values.size() == 1) {
    m.integer(schema::AttributeProto::i, values[0]);
    return m.integer(schema::AttributeProto::type, schema::AttributeProto::AttributeType::INT);
  }
  for (const int64_t v : values) m.integer(schema::AttributeProto::ints, v);
  return m.integer(schema::AttributeProto::type, schema::AttributeProto::AttributeType::INTS);
}

Message bare_value(std::string_view name, DType dtype) {
  Message tensor;
  tensor.integer(schema::TypeProto::Tensor::elem_type, static_cast<int>(dtype));
  Message type;
  type.message(schema::TypeProto::tensor_type, tensor);
  return Message().text(schema::ValueInfoProto::name, name).message(schema::ValueInfoProto::type, type);
}

}  // namespace

std::vector<Draft> drafts_of(const Rewrite& rewrite, size_t limit) {
  std::vector<Draft> all;
  Choices choices({});
  do {
    Drafter drafter(rewrite, choices);
    all.push_back(drafter.take());
    all.back().title += ", way " + std::to_string(all.size() - 1);
  } while (choices.advance());
  if (all.size() <= limit) return all;
  std::vector<Draft> some;
  for (size_t i = 0; i < limit; ++i) some.push_back(std::move(all[i * all.size() / limit]));
  return some;
}

std::vector<Mutation> mutations_of(const Draft& draft) {
  std::vector<Mutation> out;
  for (size_t id = 0; id < draft.values.size(); ++id) {
    const DraftValue& v = draft.values[id];
    if (v.kind == DraftValue::Kind::Computed) continue;
    if (v.dtype == DType::Int64) {
      mutate_integers(draft, id, out);
    } else if (v.dims.empty() && v.floats.size() == 1) {
      mutate_number(draft, id, out);
    } else {
      mutate_shape(draft, id, out);
    }
  }
  for (size_t n = 0; n < draft.nodes.size(); ++n) mutate_node(draft, n, out);
  return out;
}

std::vector<Tensor> contents_of(const Draft& draft, Data data, uint64_t seed) {
  Random random(seed);
  std::vector<Tensor> all(draft.values.size());
  for (size_t id = 0; id < all.size(); ++id) {
    const DraftValue& v = draft.values[id];
    if (v.kind == DraftValue::Kind::Computed) continue;
    const std::string bytes = contents(v, data, random);
    auto t = Tensor::create(v.dtype, Shape(v.dims));
    if (!t.ok()) continue;
    if (!bytes.empty()) std::memcpy(t->raw(), bytes.data(), bytes.size());
    all[id] = std::move(*t);
  }
  return all;
}

PatternGraph write(const Draft& draft, Data data, uint64_t seed) {
  std::vector<Tensor> tensors = contents_of(draft, data, seed);
  PatternGraph graph;
  graph.title = draft.title;
  GraphParts parts;
  bool microsoft = false;
  for (size_t id = 0; id < tensors.size(); ++id) {
    const DraftValue& v = draft.values[id];
    if (v.kind == DraftValue::Kind::Computed) continue;
    Tensor& t = tensors[id];
    if (!t.defined()) return {};
    if (v.kind == DraftValue::Kind::Constant) {
      parts.initializers.push_back(
          tensor_proto(v.name, v.dtype, v.dims, {static_cast<const char*>(t.raw()), t.bytes()}));
      continue;
    }
    std::vector<std::string> dims;
    for (const int64_t d : v.dims) {
      dims.push_back(v.hides_shape ? v.name + "_" + std::to_string(dims.size()) : std::to_string(d));
    }
    parts.inputs.push_back(value_info(v.name, v.dtype, dims));
    graph.inputs.emplace_back(v.name, std::move(t));
  }
  for (const DraftNode& n : draft.nodes) {
    std::vector<std::string> inputs;
    for (const size_t id : n.inputs) inputs.push_back(draft.values[id].name);
    std::vector<Message> attributes;
    for (const auto& [name, values] : n.integers) attributes.push_back(integers_attribute(name, values));
    for (const auto& [name, value] : n.floats) attributes.push_back(float_attribute(name, value));
    parts.nodes.push_back(node_proto(n.op, inputs, {draft.values[n.output].name}, attributes, n.domain));
    microsoft = microsoft || !n.domain.empty();
  }
  std::vector<size_t> outputs = draft.outputs;
  std::sort(outputs.begin(), outputs.end());
  outputs.erase(std::unique(outputs.begin(), outputs.end()), outputs.end());
  for (const size_t id : outputs) parts.outputs.push_back(bare_value(draft.values[id].name, draft.values[id].dtype));
  graph.model = model_bytes(parts, kDraftOperatorSet, microsoft);
  return graph;
}

std::vector<std::pair<std::string, std::span<const Rewrite>>> all_rewrites() {
  return {{"spellings", spelling_rewrites()}, {"functions", function_rewrites()},
          {"norms", norm_rewrites()},         {"attention", attention_rewrites()},
          {"heads", head_rewrites()},         {"transposes", transpose_rewrites()}};
}

}  // namespace nm::test
