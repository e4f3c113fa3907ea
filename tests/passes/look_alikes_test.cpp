// Every rewrite on the graphs of its own text, and on their look-alikes: optimised and unoptimised must say the same.
#include <cmath>
#include <cstring>

#include "tests/differ/pattern_graphs.h"
#include "tests/ops/operator_test.h"
#include "tests/unit/onnx_writer.h"

namespace nm::test {
namespace {

struct Outcome {
  Status status;
  std::vector<Tensor> outputs;
  std::string operators;
};

Status run_into(const PatternGraph& graph, bool optimize, Outcome& out) {
  NM_ASSIGN(auto session, load(graph.model, optimize));
  for (size_t i = 0; i < graph.inputs.size(); ++i) {
    for (size_t j = 0; j < session->inputs().size(); ++j) {
      if (session->inputs()[j].name == graph.inputs[i].first) NM_TRY(session->set_input(j, graph.inputs[i].second));
    }
  }
  NM_TRY(session->run());
  for (size_t o = 0; o < session->outputs().size(); ++o) {
    const Tensor& t = *session->output(o).tensor();
    auto copy = Tensor::create(t.dtype(), t.shape());
    REQUIRE(copy.ok());
    if (t.bytes() > 0) std::memcpy(copy->raw(), t.raw(), t.bytes());
    out.outputs.push_back(std::move(*copy));
  }
  for (const Node& n : session->program().graph().nodes) out.operators += n.op_type + " ";
  return {};
}

Outcome outcome(const PatternGraph& graph, bool optimize) {
  Outcome out;
  out.status = run_into(graph, optimize, out);
  return out;
}

// Empty: equal.
std::string difference(const PatternGraph& graph) {
  const Outcome plain = outcome(graph, false);
  if (!plain.status.ok()) return {};  // the change made no graph
  const Outcome fast = outcome(graph, true);
  if (!fast.status.ok()) return "fails only when optimised: " + fast.status.message();
  for (size_t o = 0; o < plain.outputs.size(); ++o) {
    const Tensor &a = fast.outputs[o], &e = plain.outputs[o];
    if (describe(a.dtype(), a.shape()) != describe(e.dtype(), e.shape())) {
      return text("output ", o, " is ", describe(a.dtype(), a.shape()), " instead of ", describe(e.dtype(), e.shape()));
    }
    if (e.dtype() == DType::Bool && std::memcmp(a.raw(), e.raw(), e.bytes()) != 0)
      return text("output ", o, " differs");
    for (int64_t i = 0; e.dtype() == DType::Float32 && i < e.count(); ++i) {
      const float x = a.data<float>()[i], y = e.data<float>()[i];
      const bool same = x == y || (std::isnan(x) && std::isnan(y)) || std::abs(x - y) <= 2e-5f + 1e-4f * std::abs(y);
      if (!same) return text("output ", o, "[", i, "] is ", x, " instead of ", y);
    }
  }
  return {};
}

TEST_CASE("Every rewrite fits the graphs of its own text", "[passes]") {
  for (const auto& [pass, rewrites] : all_rewrites()) {
    for (const Rewrite& rewrite : rewrites) {
      for (const Draft& draft : drafts_of(rewrite, 6)) {
        const PatternGraph graph = write(draft, Data::Usual, 1);
        INFO(pass << ": " << draft.title);
        const Outcome plain = outcome(graph, false), fast = outcome(graph, true);
        INFO(plain.status.message() << fast.status.message());
        REQUIRE(plain.status.ok());
        REQUIRE(fast.status.ok());
        CHECK_THAT(difference(graph), Catch::Matchers::IsEmpty());
        CHECK(fast.operators != plain.operators);
        for (const uint64_t seed : {2, 3, 4})
          CHECK_THAT(difference(write(draft, Data::Special, seed)), Catch::Matchers::IsEmpty());
      }
    }
  }
}

TEST_CASE("Look-alikes of what rewrites look for keep their meaning", "[passes]") {
  size_t count = 0;
  for (const auto& [pass, rewrites] : all_rewrites()) {
    for (const Rewrite& rewrite : rewrites) {
      for (const Draft& draft : drafts_of(rewrite, 4)) {
        for (const Mutation& mutation : mutations_of(draft)) {
          Draft changed = draft;
          mutation.apply(changed);
          const std::string found = difference(write(changed, Data::Usual, ++count));
          if (found.empty()) continue;
          INFO(pass << ": " << draft.title << ": " << mutation.title);
          CHECK_THAT(found, Catch::Matchers::IsEmpty());
        }
      }
    }
  }
  CHECK(count > 5000);
}

}  // namespace
}  // namespace nm::test
