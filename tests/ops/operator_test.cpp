#include "tests/ops/operator_test.h"

#include <cstdlib>

#include "cli/coverage.h"
#include "engine/op/composition.h"
#include "engine/passes/passes.h"
#include "engine/program/program.h"

namespace nm::test {

Node node(std::string op_type, int version, AttributeMap attributes, std::string domain) {
  Node n;
  n.name = "test_node";
  n.op_type = std::move(op_type);
  n.domain = std::move(domain);
  n.version = version;
  n.attributes = std::move(attributes);
  return n;
}

Node ms(std::string op_type, AttributeMap attributes) {
  return node(std::move(op_type), 1, std::move(attributes), "com.microsoft");
}

Tensor repeated(const Shape& shape, float value) {
  auto t = Tensor::create(DType::Float32, shape);
  REQUIRE(t.ok());
  std::fill_n(t->data<float>(), t->count(), value);
  return std::move(*t);
}

Tensor counting(const Shape& shape, float step) {
  Tensor t = repeated(shape, 0);
  for (int64_t i = 0; i < t.count(); ++i) t.data<float>()[i] = static_cast<float>(i) * step;
  return t;
}

namespace {

void record_coverage(const Node& spec, const std::vector<Value>& inputs, const std::vector<Value>& outputs) {
  const auto type = [](const std::vector<Value>& values) {
    return values.empty() || values[0].empty() ? ValueType() : type_of(values[0]);
  };
  const char* file = std::getenv("NM_COVERAGE");
  if (file != nullptr) cli::append_coverage(file, cli::coverage_line(spec, type(inputs), type(outputs)));
}

}  // namespace

Result<std::vector<Value>> run(const Node& spec, const std::vector<Value>& inputs, size_t outputs, Feed feed) {
  RunControl control;
  auto graph = std::make_shared<Graph>();
  graph->symbols = std::make_shared<SymbolTable>();
  Node n = spec;
  std::vector<Value> fed;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i].empty()) {
      n.inputs.push_back(kNone);
      continue;
    }
    GraphValue v;
    v.name = "input_" + std::to_string(i);
    const Tensor* t = inputs[i].tensor();
    if (t != nullptr) v.type = ValueType::tensor(t->dtype());
    const bool constant = feed == Feed::Constants && t != nullptr;
    if (constant) {
      v.constant = *t;
      v.shape = t->shape();
    }
    ValueId id = graph->add_value(std::move(v));
    if (!constant) {
      graph->inputs.push_back(id);
      fed.push_back(inputs[i]);
      if (feed == Feed::Unknown && t != nullptr) {
        // A sequence of one, whose element's shape nobody can know before the run.
        auto sequence = std::make_shared<Sequence>();
        sequence->element = ValueType::tensor(t->dtype());
        sequence->items.push_back(inputs[i]);
        fed.back() = std::shared_ptr<const Sequence>(std::move(sequence));
        graph->value(id).type = ValueType::sequence(ValueType::tensor(t->dtype()));
        Node at = node("SequenceAt", 11);
        auto zero = Tensor::create(DType::Int64, Shape{});
        *zero->data<int64_t>() = 0;
        GraphValue element;
        element.type = ValueType::tensor(t->dtype());
        const ValueId out = graph->add_value(std::move(element));
        at.inputs = {id, graph->add_constant("zero_" + std::to_string(i), std::move(*zero))};
        at.explicit_inputs = 2;
        at.outputs = {out};
        graph->nodes.push_back(std::move(at));
        id = out;
      }
    }
    n.inputs.push_back(id);
  }
  n.explicit_inputs = n.inputs.size();
  for (size_t o = 0; o < outputs; ++o) {
    GraphValue v;
    v.name = "output_" + std::to_string(o);
    n.outputs.push_back(graph->add_value(std::move(v)));
    graph->outputs.push_back(n.outputs.back());
  }
  graph->nodes.push_back(std::move(n));
  if (composition_of(spec) != nullptr) NM_TRY(infer_types(*graph));
  NM_ASSIGN(std::unique_ptr<Program> program, Program::compile(graph, control, true));
  std::vector<Value> results;
  NM_TRY(program->run(std::move(fed), results));
  if (feed == Feed::Inputs) record_coverage(spec, inputs, results);
  return results;
}

namespace {

template <class T>
void check_close(const Tensor& a, const Tensor& e, double rtol, double atol) {
  for (int64_t i = 0; i < e.count(); ++i) {
    const auto x = static_cast<double>(static_cast<float>(a.data<T>()[i]));
    const auto y = static_cast<double>(static_cast<float>(e.data<T>()[i]));
    const bool close = x == y || (std::isnan(x) && std::isnan(y)) || std::abs(x - y) <= atol + rtol * std::abs(y);
    INFO("element " << i << ": " << x << " where " << y << " was expected");
    if (!close) CHECK(false);
  }
}

}  // namespace

void check_equal(const Value& actual, const Tensor& e, double rtol, double atol) {
  const Tensor* a = actual.tensor();
  REQUIRE(a != nullptr);
  REQUIRE(describe(a->dtype(), a->shape()) == describe(e.dtype(), e.shape()));
  switch (e.dtype()) {
    case DType::Float32:
      return check_close<float>(*a, e, rtol, atol);
    case DType::Float64:
      return check_close<double>(*a, e, rtol, atol);
    case DType::Float16:
      return check_close<float16>(*a, e, rtol, atol);
    case DType::BFloat16:
      return check_close<bfloat16>(*a, e, rtol, atol);
    case DType::String:
      for (int64_t i = 0; i < e.count(); ++i) CHECK(a->data<std::string>()[i] == e.data<std::string>()[i]);
      return;
    default:
      for (size_t i = 0; i < e.bytes(); ++i) {
        INFO("byte " << i);
        if (static_cast<const uint8_t*>(a->raw())[i] != static_cast<const uint8_t*>(e.raw())[i]) CHECK(false);
      }
  }
}

void check(const Node& spec, const std::vector<Value>& inputs, const std::vector<Tensor>& expected, double rtol,
           double atol) {
  for (const Feed feed : {Feed::Inputs, Feed::Constants, Feed::Unknown}) {
    INFO(spec.op_type << " version " << spec.version << ", feed " << static_cast<int>(feed));
    auto results = run(spec, inputs, expected.size(), feed);
    if (!results.ok()) FAIL(results.status().message());
    for (size_t o = 0; o < expected.size(); ++o) check_equal((*results)[o], expected[o], rtol, atol);
  }
}

void check_fails(const Node& spec, const std::vector<Value>& inputs, Code code, size_t outputs) {
  auto results = run(spec, inputs, outputs);
  REQUIRE(!results.ok());
  INFO(results.status().message());
  CHECK(results.status().code() == code);
  CHECK(!results.status().message().empty());
}

}  // namespace nm::test
