// What an operator is. One file per operator (or per family) in this folder implements Operator and registers it:
//
//   class Softmax final : public Operator {
//    public:
//     explicit Softmax(Attributes& a) : axis_(a.integer("axis", a.version() < 13 ? 1 : -1)) {}
//     Status infer(Inference& c) const override { … c.output(0, c.type(0), c.shape(0)); … }
//     Status run(Execution& c) override { … c.input(0) … c.output(0) … }
//   };
//   NM_OPERATORS(softmax) { r.add<Softmax>("Softmax", 1); }
//
// The argument of NM_OPERATORS is the file's name without extension; the build finds it there.
#pragma once
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "engine/base/function_ref.h"
#include "engine/base/reserve.h"
#include "engine/base/run_control.h"
#include "engine/base/status.h"
#include "engine/base/text.h"
#include "engine/graph/graph.h"
#include "engine/kernels/elementwise.h"
#include "engine/tensor/tensor.h"
#include "engine/tensor/value.h"

namespace nm {

// Reads a node's attributes while its operator is constructed. The first problem is remembered and fails the
// construction afterwards, so constructors need no checks of their own. What is read is noted: an attribute that
// nobody asks for is one that the operator does not have in this version, and a model with it is refused (see
// unread_attribute), for it may mean something.
class Attributes {
 public:
  explicit Attributes(const Node& node) : node_(node) {}

  int version() const { return node_.version; }  // of the operator set
  const Node& node() const { return node_; }
  bool has(std::string_view name) {
    const auto it = node_.attributes.find(name);
    if (it == node_.attributes.end()) return false;
    read_.push_back(it->first);
    return true;
  }
  // The operator has these, and they change nothing that is computed here.
  void ignore(std::initializer_list<std::string_view> names) {
    for (const std::string_view name : names) has(name);
  }
  // For those who hand them on: another operator reads them.
  const AttributeMap& all() {
    for (const auto& [name, value] : node_.attributes) read_.push_back(name);
    return node_.attributes;
  }
  // The first attribute that nobody has read; empty when there is none.
  std::string_view unread() const;

  int64_t integer(std::string_view name, int64_t fallback) { return get(name, fallback); }
  bool flag(std::string_view name, bool fallback) { return get<int64_t>(name, fallback ? 1 : 0) != 0; }
  float number(std::string_view name, float fallback) { return get(name, fallback); }
  std::string string(std::string_view name, std::string fallback) { return get(name, std::move(fallback)); }
  std::vector<int64_t> integers(std::string_view name, std::vector<int64_t> fallback = {}) {
    return get(name, std::move(fallback));
  }
  std::vector<float> numbers(std::string_view name, std::vector<float> fallback = {}) {
    return get(name, std::move(fallback));
  }
  std::vector<std::string> strings(std::string_view name, std::vector<std::string> fallback = {}) {
    return get(name, std::move(fallback));
  }
  Tensor tensor(std::string_view name) { return get(name, Tensor()); }
  std::shared_ptr<Graph> graph(std::string_view name) { return get(name, std::shared_ptr<Graph>()); }
  // Makes a missing attribute an error: a.require("axis").
  void require(std::string_view name) {
    if (!has(name)) fail(text("the required attribute '", name, "' is missing"));
  }
  // For values that make no sense or are not supported.
  void fail(std::string message) { fail(Code::InvalidModel, std::move(message)); }
  void unsupported(std::string message) { fail(Code::UnsupportedOperator, std::move(message)); }

  Status take_status() { return std::move(status_); }

 private:
  template <class T>
  T get(std::string_view name, T fallback) {
    if (!has(name)) return fallback;
    const auto it = node_.attributes.find(name);
    if (const T* value = std::get_if<T>(&it->second)) return *value;
    // An empty list has no elements to tell its type by in old files.
    fail(text("the attribute '", name, "' has the wrong type"));
    return fallback;
  }
  void fail(Code code, std::string message) {
    if (status_.ok()) status_ = Status(code, std::move(message));
  }

  const Node& node_;
  std::vector<std::string_view> read_;  // names in the node
  Status status_;
};

// What is known about a node's inputs, and where its outputs' types and shapes are said. Used when a model is
// loaded (dims may be unknown), when it is planned for given input shapes, and, for values whose shape depends on
// data, while it runs. Whatever `infer` leaves unsaid is unknown.
class Inference {
 public:
  struct Input {
    ValueType type;
    std::optional<Shape> shape;
    const Tensor* value = nullptr;
    bool present = false;
  };
  struct Output {
    ValueType type;
    std::optional<Shape> shape;
    Tensor value;  // when inference alone knows the contents
    bool wanted = false;
  };

  Inference(size_t inputs, size_t outputs) : inputs_(inputs), outputs_(outputs) {}

  size_t input_count() const { return inputs_.size(); }
  bool has(size_t i) const { return i < inputs_.size() && inputs_[i].present; }
  DType type(size_t i) const { return has(i) ? inputs_[i].type.dtype : DType::Undefined; }
  const ValueType& value_type(size_t i) const { return inputs_[i].type; }
  // False when not even the rank is known.
  bool has_shape(size_t i) const { return has(i) && inputs_[i].shape.has_value(); }
  const Shape& shape(size_t i) const { return *inputs_[i].shape; }
  // The contents, when they are known already (constants, shape arithmetic; everything while running).
  const Tensor* value(size_t i) const { return has(i) ? inputs_[i].value : nullptr; }
  // The contents as integers, of an int32 or int64 tensor.
  std::optional<std::vector<int64_t>> integers(size_t i) const;

  size_t output_count() const { return outputs_.size(); }
  bool wants(size_t i) const { return i < outputs_.size() && outputs_[i].wanted; }
  void output(size_t i, DType type, const Shape& shape) {
    output(i, type);
    if (i < outputs_.size()) outputs_[i].shape = shape;
  }
  // Type known, shape not.
  void output(size_t i, DType type) { output(i, ValueType::tensor(type)); }
  void output(size_t i, ValueType type) {
    if (i < outputs_.size()) outputs_[i].type = std::move(type);
  }
  // The contents follow from shapes alone (Shape, Size): small tensors only.
  void output_value(size_t i, Tensor value) {
    output(i, value.dtype(), value.shape());
    if (i < outputs_.size()) outputs_[i].value = std::move(value);
  }

  Input& input_slot(size_t i) { return inputs_[i]; }
  Output& output_slot(size_t i) { return outputs_[i]; }

 private:
  std::vector<Input> inputs_;
  std::vector<Output> outputs_;
};

// A compiled subgraph (of If, Loop, Scan). Its inputs are the subgraph's own, in order; what it captures from outside
// is bound by `bind_captures` from the owning node's inputs.
class Body {
 public:
  virtual ~Body() = default;
  virtual size_t input_count() const = 0;
  virtual size_t output_count() const = 0;
  // Types and shapes of the outputs as far as the subgraph itself tells.
  virtual ValueType output_type(size_t i) const = 0;
  virtual std::optional<Shape> output_shape(size_t i) const = 0;
  // `node` is the owning step; the values are read while the body runs.
  virtual void bind_captures(const class Execution& node) = 0;
  // Outputs own their memory. Code::Suspended when the run's slice is over: `resume` goes on where it stopped.
  virtual Status run(std::vector<Value> inputs, std::vector<Value>& outputs) = 0;
  virtual Status resume(std::vector<Value>& outputs) = 0;
  // Lets go of what the body holds: captures, and a run that has not come to its end.
  virtual void abandon() = 0;
};

// A body with its captures bound, in a run that is not interrupted, for operators that cannot be resumed.
class BoundBody {
 public:
  BoundBody(Body& body, const Execution& node);
  ~BoundBody() { body_.abandon(); }
  BoundBody(const BoundBody&) = delete;
  BoundBody& operator=(const BoundBody&) = delete;

 private:
  Body& body_;
  Unsliced whole_;
};

// Once per session, before the first run: pack weights, transform constants, compile subgraphs.
class Preparation {
 public:
  using Compile = function_ref<Result<std::unique_ptr<Body>>(const std::shared_ptr<Graph>&)>;

  Preparation(const Graph& graph, const Node& node, Compile compile)
      : graph_(graph), node_(node), compile_(compile), consumed_(node.inputs.size()) {}

  Result<std::unique_ptr<Body>> compile(const std::shared_ptr<Graph>& subgraph) const { return compile_(subgraph); }

  // The contents of a constant input, or nullptr. They stay valid after preparation unless `consume` is called.
  const Tensor* constant(size_t i) const { return graph_.constant(node_.input(i)); }
  const Graph& graph() const { return graph_; }
  const Node& node() const { return node_; }
  // The operator keeps its own form of constant input i and will not read it again, so its memory can go. At plan and
  // run time only its type and shape are then known.
  void consume(size_t i) { consumed_[i] = true; }
  bool consumed(size_t i) const { return consumed_[i]; }
  // Bytes of packed weights the operator keeps.
  void keeps(size_t bytes) { kept_bytes_ += bytes; }
  size_t kept_bytes() const { return kept_bytes_; }

 private:
  const Graph& graph_;
  const Node& node_;
  Compile compile_;
  std::vector<bool> consumed_;
  size_t kept_bytes_ = 0;
};

// Memory that steps use while they run and that keeps nothing from one to the next: it grows to the largest need
// and stays, so that later runs allocate nothing.
class Scratch {
 public:
  Result<uint8_t*> get(Size bytes);
  void reset() { used_ = 0; }
  size_t bytes() const;

 private:
  struct Block {
    std::shared_ptr<void> owner;
    uint8_t* data;
    size_t size;
  };
  std::vector<Block> blocks_;
  size_t used_ = 0;  // blocks handed out since reset()
};

// One step's view of a run. Inputs and outputs are bound to memory when `run` is called, except outputs whose
// shape inference could not say: those the operator allocates itself.
class Execution {
 public:
  Execution(Scratch& scratch, RunControl& control, std::vector<const Value*> inputs, std::vector<Value*> outputs)
      : scratch_(scratch), control_(control), inputs_(std::move(inputs)), outputs_(std::move(outputs)) {}

  // Cancellation and limits, for operators that go on for long by themselves.
  RunControl& control() const { return control_; }

  size_t input_count() const { return inputs_.size(); }
  bool has(size_t i) const { return i < inputs_.size() && inputs_[i] != nullptr && !inputs_[i]->empty(); }
  const Tensor& input(size_t i) const { return *inputs_[i]->tensor(); }
  const Value& input_value(size_t i) const { return *inputs_[i]; }
  // Typed shorthand: c.data<float>(0).
  template <class T>
  const T* data(size_t i) const {
    return input(i).data<T>();
  }

  size_t output_count() const { return outputs_.size(); }
  bool wants(size_t i) const { return i < outputs_.size() && outputs_[i] != nullptr; }
  Tensor& output(size_t i) const { return *outputs_[i]->tensor(); }
  template <class T>
  T* out(size_t i) const {
    return output(i).data<T>();
  }
  // For outputs whose shape only the operator knows.
  Result<Tensor*> allocate(size_t i, DType dtype, const Shape& shape) const;
  // Hands over a value that somebody else made (a body's output, a sequence). Where the plan has bound memory for the
  // output, the contents are copied there, and a shape that is not the planned one is an error.
  Status set_output(size_t i, Value value) const;

  // Uninitialised, 64-byte aligned, gone after this step.
  template <class T>
  Result<T*> scratch(Size count) const {
    static_assert(std::is_trivially_copyable_v<T>);
    NM_ASSIGN(uint8_t * bytes, scratch_.get(count * sizeof(T)));
    return reinterpret_cast<T*>(bytes);
  }

 private:
  Scratch& scratch_;
  RunControl& control_;
  std::vector<const Value*> inputs_;
  std::vector<Value*> outputs_;
};

// An output that is nothing but (a contiguous part of) an input's bytes under another shape.
struct View {
  size_t input = 0;
  int64_t element_offset = 0;
};

class Operator {
 public:
  virtual ~Operator() = default;

  // The outputs' types and shapes as far as they follow from what is known. OutOfMemory when an output could not be
  // addressed: whatever reads the shapes afterwards can rely on their sizes.
  Status infer_outputs(Inference& c) const;
  // Weights and other constants into the form the kernels want.
  virtual Status prepare(Preparation&) { return {}; }
  // Code::Suspended when the run's slice is over (control flow only): called again, it goes on where it stopped.
  virtual Status run(Execution& c) = 0;
  // Drops what a suspended `run` holds; that run is not continued.
  virtual void abandon() {}

  // Asked with all shapes known: is output `o` a view? Then the step needs no run for it.
  virtual std::optional<View> view(const Inference&, size_t /*o*/) const { return std::nullopt; }
  // May output 0 take the memory of input i, when that has the same size and nobody needs it any more?
  virtual bool in_place(size_t /*i*/) const { return false; }
  // Random operators, and others whose result is not a function of their inputs, are never folded.
  virtual bool pure() const { return true; }
  // Does `run` take float16 and bfloat16 as they are? Others get float32: a pass puts Casts around them.
  virtual bool native_float16() const { return false; }
  // May constant input i stay float16 or bfloat16 all the same, because `prepare` packs it into float32 itself?
  virtual bool packs_float16(size_t /*i*/) const { return false; }
  // The kernel that is all there is to `run` on float32, with what is known of the inputs: a function of input 0 and
  // numbers that the operator knows, or of all inputs, the first two and then the result with the next.
  virtual std::optional<Pointwise> pointwise(const Inference&) const { return std::nullopt; }
  // Floating-point operations of one run, for profiles; 0 when nobody has said.
  virtual double flops(const Inference&) const { return 0; }
  // Which kernel runs, for profiles: "gemm 6x8", "depthwise 3x3".
  virtual std::string kernel(const Inference&) const { return {}; }

 protected:
  // Says the outputs' types and shapes, and refuses inputs that do not fit. Called by infer_outputs only.
  virtual Status infer(Inference& c) const = 0;
};

using OperatorPtr = std::unique_ptr<Operator>;

class Composition;

// One operator's entry: valid for nodes of operator set version `since` up to `until`.
struct OperatorEntry {
  std::string_view domain;
  std::string_view name;
  int since = 1;
  int until = INT32_MAX;
  // One of the two: an operator of its own, or other operators that take its place (see composition.h).
  OperatorPtr (*make)(Attributes&) = nullptr;
  void (*compose)(Composition&) = nullptr;
};

inline constexpr std::string_view kMicrosoftDomain = "com.microsoft";
inline constexpr std::string_view kMlDomain = "ai.onnx.ml";
inline constexpr std::string_view kInternalDomain = "neuromancer";  // what only passes write

class Registry {
 public:
  static const Registry& instance();

  // T's constructor takes (Attributes&, args...): r.add<Unary, UnaryKind::Exp>("Exp", 1). `since` is the operator set
  // version of the first form that T understands; several rows of one name cover disjoint ranges.
  template <class T, auto... args>
  void add(std::string_view name, int since) {
    add_in<T, args...>("", name, since);
  }
  template <class T, auto... args>
  void add_in(std::string_view domain, std::string_view name, int since) {
    entries_.push_back({domain, name, since, INT32_MAX,
                        [](Attributes& a) -> OperatorPtr { return std::make_unique<T>(a, args...); }, nullptr});
  }
  void compose_in(std::string_view domain, std::string_view name, int since, void (*compose)(Composition&)) {
    entries_.push_back({domain, name, since, INT32_MAX, nullptr, compose});
  }
  // Ends the range of the entry added last: r.add<Upsample>("Upsample", 7); r.until(9);
  void until(int last) { entries_.back().until = last; }

  const OperatorEntry* find(std::string_view domain, std::string_view name, int version) const;
  const std::vector<OperatorEntry>& entries() const { return entries_; }

 private:
  std::vector<OperatorEntry> entries_;
};

// Creates the node's operator; UnsupportedOperator when there is none for its domain, type and version.
Result<OperatorPtr> create_operator(const Node& node);

// Refuses a node of a model's file that has attributes, inputs or outputs which its operator lacks in this version, and
// says which versions have the attribute. Of compositions the attributes are checked when they are written.
Status check_signature(const Node& node);
// The refusal of one attribute.
Status unread_attribute(const Node& node, std::string_view attribute);

#define NM_OPERATORS(file) void register_##file(Registry& r)

// Sentences that many operators need.
Status wrong_type(std::string_view what, DType actual, std::string_view expected);
Status wrong_shape(std::string_view what, const Shape& actual, std::string_view expected);

}  // namespace nm
