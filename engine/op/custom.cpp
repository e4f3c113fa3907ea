#include "engine/op/custom.h"

#include <algorithm>
#include <cstring>

#include "engine/base/json.h"
#include "engine/op/movement.h"
#include "engine/op/registry.h"

namespace nm {
namespace {

// Of a marked node: the type and `like` of each output.
constexpr std::string_view kOutputs = "nm_custom_outputs";

// By the index of an Attribute's alternative.
constexpr std::string_view kKinds[] = {"int", "float", "string", "tensor", "", "ints", "floats", "strings"};

Result<Value> elements(DType type, const Shape& shape, const void* from) {
  NM_ASSIGN(Tensor t, Tensor::create(type, shape));
  if (t.bytes() > 0) std::memcpy(t.raw(), from, t.bytes());
  return Value(std::move(t));
}

Result<Value> texts(const Shape& shape, const std::string* from) {
  NM_ASSIGN(Tensor t, Tensor::create(DType::String, shape));
  std::copy_n(from, t.count(), t.data<std::string>());
  return Value(std::move(t));
}

// One number or text is a tensor without dimensions, a list one of one dimension.
Result<Value> value_of(const Attribute& a) {
  const auto list = [](size_t count) { return Shape{static_cast<int64_t>(count)}; };
  if (const auto* i = std::get_if<int64_t>(&a)) return elements(DType::Int64, {}, i);
  if (const auto* f = std::get_if<float>(&a)) return elements(DType::Float32, {}, f);
  if (const auto* s = std::get_if<std::string>(&a)) return texts({}, s);
  if (const auto* t = std::get_if<Tensor>(&a)) return Value(*t);
  if (const auto* i = std::get_if<std::vector<int64_t>>(&a)) return elements(DType::Int64, list(i->size()), i->data());
  if (const auto* f = std::get_if<std::vector<float>>(&a)) return elements(DType::Float32, list(f->size()), f->data());
  if (const auto* s = std::get_if<std::vector<std::string>>(&a)) return texts(list(s->size()), s->data());
  return Status(Code::UnsupportedOperator,
                "a custom operator can have numbers, texts, lists of them, and tensors as attributes");
}

class Custom final : public Movement, public CustomCall {
 public:
  explicit Custom(Attributes& a) : said_(a.integers(kOutputs)) { a.all(); }

  Status prepare(Preparation& p) override {
    const Node& node = p.node();
    JsonWriter json;
    json.begin_object().member("domain", node.domain).member("operator", node.op_type).member("node", node.name);
    json.member("inputs", static_cast<int64_t>(node.explicit_inputs));
    json.member("outputs", static_cast<int64_t>(node.outputs.size())).key("attributes").begin_array();
    for (const auto& [name, attribute] : node.attributes) {
      if (name.starts_with(kInternalPrefix)) continue;
      NM_ASSIGN(Value value, value_of(attribute));
      attributes_.push_back(std::move(value));
      json.begin_object().member("name", name).member("kind", kKinds[attribute.index()]).end_object();
    }
    description_ = json.end_array().end_object().take();
    return {};
  }

  bool pure() const override { return false; }  // the engine knows nothing of it
  std::string kernel(const Inference&) const override { return "custom"; }

  Status infer(Inference& inference) const override {
    for (size_t o = 0; o < inference.output_count(); ++o) {
      const CustomOutput said = output(o);
      const size_t like = source(said);
      const bool tensor = inference.has(like) && inference.value_type(like).is_tensor();
      const bool too_many = !said_.empty() && o * 2 >= said_.size();
      if (too_many || (!tensor && (said.like >= 0 || said.type == DType::Undefined))) {
        return {
            Code::InvalidArgument,
            "the custom operator was declared without one of the node's outputs, or without its type where there is no "
            "input that it could have it of"};
      }
      const DType type = said.type == DType::Undefined ? inference.type(like) : said.type;
      inference.output(o, type);
      if (said.like >= 0 && inference.has_shape(like)) inference.output(o, type, inference.shape(like));
    }
    return {};
  }

  Status run(Execution& execution) override {
    if (running_ == nullptr) {
      running_ = &execution;
      given_.resize(execution.output_count());
      execution.control().waiting = this;
    }
    for (size_t o = 0; o < given_.size(); ++o) {
      if (execution.wants(o) && given_[o].empty()) return {Code::Suspended, "a custom operator is computed"};
    }
    std::vector<Value> given = std::move(given_);
    abandon();
    for (size_t o = 0; o < given.size(); ++o) {
      if (execution.wants(o)) NM_TRY(execution.set_output(o, std::move(given[o])));
    }
    return {};
  }

  void abandon() override {
    if (running_ != nullptr) running_->control().waiting = nullptr;
    running_ = nullptr;
    given_.clear();
  }

  const std::string& description() const override { return description_; }
  const Value* attribute(size_t i) const override { return i < attributes_.size() ? &attributes_[i] : nullptr; }
  const Value* input(size_t i) const override { return running_->has(i) ? &running_->input_value(i) : nullptr; }

  Status give(size_t o, Value value) override {
    if (o >= given_.size()) return {Code::InvalidArgument, "the node has no such output"};
    if (!running_->wants(o)) return {};
    const CustomOutput said = output(o);
    const size_t i = source(said);
    const Tensor* tensor = value.tensor();
    const Tensor* like = running_->has(i) ? running_->input_value(i).tensor() : nullptr;
    const DType type = said.type != DType::Undefined || like == nullptr ? said.type : like->dtype();
    const std::string what = text("output ", o);
    if (tensor == nullptr) return wrong_type(what, DType::Undefined, dtype_name(type));
    if (tensor->dtype() != type) return wrong_type(what, tensor->dtype(), dtype_name(type));
    if (said.like >= 0 && like != nullptr && !(tensor->shape() == like->shape())) {
      return wrong_shape(what, tensor->shape(), to_string(like->shape()));
    }
    given_[o] = std::move(value);
    return {};
  }

 private:
  CustomOutput output(size_t o) const {
    if (o * 2 >= said_.size()) return {};
    return {static_cast<DType>(said_[o * 2]), static_cast<int32_t>(said_[o * 2 + 1])};
  }
  // The input that an output is like, be it in type alone.
  static size_t source(const CustomOutput& o) { return static_cast<size_t>(std::max(o.like, 0)); }

  std::vector<int64_t> said_;  // of outputs
  std::vector<Value> attributes_;
  std::string description_;
  Execution* running_ = nullptr;  // while the run waits
  std::vector<Value> given_;      // empty: not yet
};

constexpr OperatorEntry kEntry{
    0, {}, {}, 1, {.inputs = kAny, .outputs = kAny, .layout = layout::opaque}, make_operator<Custom>, nullptr};

// `unbroken`: the node around the graph whose body runs without a break, if there is one.
Status mark(Graph& graph, std::span<const CustomOperator> operators, const Node* unbroken) {
  for (Node& node : graph.nodes) {
    for (const CustomOperator& custom : operators) {
      if (!node.is(custom.name, custom.domain)) continue;
      if (!Registry::instance().rows(node.domain, node.op_type).empty()) {
        return Status(Code::InvalidArgument,
                      "the engine has this operator itself: take the custom one out, or give it another name")
            .at(node.op_type, node.name);
      }
      if (unbroken != nullptr) {
        return Status(Code::UnsupportedOperator,
                      text(unbroken->op_type, " cannot wait for a custom operator in its body; Loop and If can"))
            .at(node.op_type, node.name);
      }
      std::vector<int64_t> outputs;
      for (const CustomOutput& o : custom.outputs) {
        outputs.push_back(static_cast<int64_t>(o.type));
        outputs.push_back(o.like);
      }
      node.attributes[kOutputs] = std::move(outputs);
      node.custom = true;
    }
    const bool breaks = node.is("Loop") || node.is("If");
    for (const auto& [name, attribute] : node.attributes) {
      if (const auto* body = std::get_if<std::shared_ptr<Graph>>(&attribute)) {
        NM_TRY(mark(**body, operators, breaks ? unbroken : &node));
      }
    }
  }
  return {};
}

}  // namespace

Status mark_custom(Graph& graph, std::span<const CustomOperator> operators) {
  return operators.empty() ? Status() : mark(graph, operators, nullptr);
}

const OperatorEntry& custom_entry() { return kEntry; }

}  // namespace nm
