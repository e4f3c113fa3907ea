// Memory that runs out, everywhere: each of ten models, and three by way of their packed form, is loaded, planned and
// run, the first time with the first allocation failing, then with the second, and so on, until none is left to fail;
// and with a heap that is capped at ever more bytes. Each time must end in out_of_memory or in success, everything must
// be given back, and the next run must give what it always gave.
//   nm_faults [--every N] [MODEL-NUMBER…]
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "engine/base/memory.h"
#include "engine/base/reserve.h"
#include "tests/differ/generator.h"
#include "tests/faults/injected_malloc.h"
#include "tests/unit/onnx_writer.h"

namespace {

using namespace nm;
using namespace nm::test;

struct Case {
  std::string name;
  std::string model;
  std::vector<Tensor> inputs;
  bool packed = false;  // packed first, and loaded from that
};

Tensor floats(const Shape& shape) {
  auto t = Tensor::create(DType::Float32, shape);
  for (int64_t i = 0; i < t->count(); ++i) t->data<float>()[i] = static_cast<float>(i % 7) - 3;
  return std::move(*t);
}

Case random_case(uint64_t seed) {
  const differ::Sketch sketch = differ::random_graph(seed);
  Case c{"random graph " + std::to_string(seed), sketch.model(), {}};
  for (const auto& i : sketch.inputs) c.inputs.push_back(i.value);
  return c;
}

// Ten rounds of a loop that doubles its state, collects it, and appends it to a sequence.
Case loop_case() {
  GraphParts body;
  body.inputs = {value_info("i", DType::Int64, {}), value_info("go", DType::Bool, {}), Message().text(1, "s"),
                 Message().text(1, "list")};
  body.nodes = {node_proto("Identity", {"go"}, {"more"}), node_proto("Add", {"s", "s"}, {"twice"}),
                node_proto("SequenceInsert", {"list", "twice"}, {"longer"}), node_proto("Relu", {"twice"}, {"kept"})};
  body.outputs = {value_info("more", DType::Bool, {}), Message().text(1, "twice"), Message().text(1, "longer"),
                  Message().text(1, "kept")};
  GraphParts g;
  g.inputs = {value_info("x", DType::Float32, {"n", "3"})};
  g.initializers = {tensor_proto<int64_t>("rounds", {}, {10})};
  g.nodes = {node_proto("SequenceEmpty", {}, {"none"}),
             node_proto("Loop", {"rounds", "", "x", "none"}, {"last", "all", "each"}, {graph_attribute("body", body)}),
             node_proto("ConcatFromSequence", {"all"}, {"joined"}, {int_attribute("axis", 0)})};
  g.outputs = {Message().text(1, "last"), Message().text(1, "joined"), Message().text(1, "each")};
  return {"loop", model_bytes(g), {floats({2, 3})}};
}

Case if_case() {
  GraphParts yes, no, g;
  yes.nodes = {node_proto("Exp", {"x"}, {"a"})};
  yes.outputs = {Message().text(1, "a")};
  no.nodes = {node_proto("Neg", {"x"}, {"b"})};
  no.outputs = {Message().text(1, "b")};
  g.inputs = {value_info("x", DType::Float32, {"n"})};
  g.initializers = {tensor_proto<float>("zero", {}, {0})};
  g.nodes = {node_proto("ReduceMax", {"x"}, {"m"}, {int_attribute("keepdims", 0)}),
             node_proto("Greater", {"m", "zero"}, {"c"}),
             node_proto("If", {"c"}, {"y"}, {graph_attribute("then_branch", yes), graph_attribute("else_branch", no)}),
             node_proto("NonZero", {"y"}, {"z"})};
  g.outputs = {Message().text(1, "y"), Message().text(1, "z")};
  return {"if", model_bytes(g), {floats({40})}};
}

Case strings_case() {
  GraphParts g;
  g.inputs = {value_info("x", DType::Float32, {"n"})};
  g.nodes = {node_proto("Cast", {"x"}, {"s"}, {int_attribute("to", 8)}), node_proto("StringConcat", {"s", "s"}, {"ss"}),
             node_proto("StringSplit", {"ss"}, {"parts", "counts"}), node_proto("Unique", {"s"}, {"u"})};
  g.outputs = {Message().text(1, "ss"), Message().text(1, "counts"), Message().text(1, "parts"),
               Message().text(1, "u")};
  return {"strings", model_bytes(g, 20), {floats({30})}};
}

Case shapes_case() {
  GraphParts g;
  g.inputs = {value_info("x", DType::Float32, {"n", "m"})};
  g.initializers = {tensor_proto<int64_t>("three", {1}, {3})};
  g.nodes = {node_proto("Shape", {"x"}, {"s"}),
             node_proto("Mul", {"s", "three"}, {"t"}),
             node_proto("ConstantOfShape", {"t"}, {"c"}),
             node_proto("NonZero", {"x"}, {"where"}),
             node_proto("Transpose", {"where"}, {"rows"}),
             node_proto("GatherND", {"x", "rows"}, {"y"}),
             node_proto("TopK", {"y", "three"}, {"best", "at"})};
  g.outputs = {Message().text(1, "c"), Message().text(1, "best"), Message().text(1, "at")};
  return {"shapes", model_bytes(g), {floats({4, 5})}};
}

constexpr int kPlainModels = 10, kModels = 13;

Case model(int number) {
  switch (number) {
    case 0:
      return loop_case();
    case 1:
      return if_case();
    case 2:
      return strings_case();
    case 3:
      return shapes_case();
    default:
      break;
  }
  if (number < kPlainModels) return random_case(static_cast<uint64_t>(number) * 1000);
  Case packed = model(number - kPlainModels);
  packed.name += ", packed";
  packed.packed = true;
  return packed;
}

Result<IncomingModel> incoming(const void* bytes, size_t count) {
  IncomingModel file(count);
  NM_TRY(file.append({static_cast<const uint8_t*>(bytes), count}));
  return file;
}

Result<std::unique_ptr<Session>> load_case(const Case& c) {
  if (!c.packed) return load(c.model);
  NM_ASSIGN(IncomingModel onnx, incoming(c.model.data(), c.model.size()));
  NM_ASSIGN(const Tensor packed, pack_model(std::move(onnx), {}));
  NM_ASSIGN(IncomingModel file, incoming(packed.raw(), packed.bytes()));
  return Session::load(std::move(file), {});
}

// A number for the outputs' contents.
uint64_t digest(const Session& session) {
  uint64_t h = 14695981039346656037u;
  const auto add = [&h](const void* data, size_t n) {
    for (size_t i = 0; i < n; ++i) h = (h ^ static_cast<const uint8_t*>(data)[i]) * 1099511628211u;
  };
  for (size_t o = 0; o < session.outputs().size(); ++o) {
    const Tensor* t = session.output(o).tensor();
    if (t == nullptr) continue;
    if (t->dtype() == DType::String) {
      for (const std::string& s : t->span<std::string>()) add(s.data(), s.size());
    } else {
      add(t->raw(), t->bytes());
    }
  }
  return h;
}

Status run(Session& session, const Case& c, uint64_t& result) {
  for (size_t i = 0; i < c.inputs.size(); ++i) NM_TRY(session.set_input(i, c.inputs[i]));
  NM_TRY(session.run());
  result = digest(session);
  return {};
}

class Trial {
 public:
  explicit Trial(Case c) : case_(std::move(c)) {}

  bool make_reference() {
    Status s;
    {
      auto session = load_case(case_);
      s = session.ok() ? run(**session, case_, reference_) : session.take_status();
    }
    blocks_ = faults::heap().blocks;
    return s.ok() || complain(s.message());
  }

  // Loads, runs and runs again, with `break_heap` before and a whole heap for the last run. False: something is wrong.
  template <class F>
  bool attempt(F&& break_heap) {
    const size_t bytes = memory_counts().current;
    bool right = true;
    {
      Status first;
      break_heap();
      auto session = load_case(case_);
      uint64_t result = reference_;
      if (session.ok()) first = run(**session, case_, result);
      heal();
      if (!session.ok()) first = session.take_status();
      right = expect(first, result);
      if (session.ok()) {
        result = 0;
        const Status next = run(**session, case_, result);
        right = right && expect_success(next, result);
      }
    }
    if (memory_counts().current != bytes) right = complain("tensors were not given back");
    // One block more or less is the reserve.
    if (faults::heap().blocks > blocks_ + 1) right = complain("blocks were not given back");
    return right;
  }

  // Every `every`-th allocation; the number of attempts.
  bool fail_each(uint64_t every, uint64_t& attempts) {
    bool right = true;
    for (uint64_t n = 1; right; n += every) {
      const uint64_t before = faults::heap().failures;
      place_ = "allocation " + std::to_string(n);
      right = attempt([n] { faults::fail_allocation(n); });
      ++attempts;
      if (faults::heap().failures == before) break;
    }
    return right;
  }

  bool cap_at_each(uint64_t& attempts) {
    faults::reset_peak();
    const size_t base = faults::heap().bytes;
    if (!attempt([] {})) return false;
    const size_t needed = faults::heap().peak - base;
    bool right = true;
    for (size_t part = 0; part <= 64 && right; ++part) {
      place_ = "a heap of " + std::to_string(needed * part / 64) + " bytes";
      right = attempt([&] { faults::cap_heap(base + needed * part / 64); });
      ++attempts;
    }
    return right;
  }

 private:
  static void heal() {
    faults::fail_allocation(0);
    faults::cap_heap(SIZE_MAX);
    static_cast<void>(refill_reserve());
  }
  bool complain(const std::string& what) {
    std::printf("%s, %s: %s\n", case_.name.c_str(), place_.c_str(), what.c_str());
    return false;
  }
  bool expect_success(const Status& s, uint64_t result) {
    if (!s.ok()) return complain("the next run failed: " + std::string(code_name(s.code())) + ", " + s.message());
    return result == reference_ || complain("the next run gave something else");
  }
  bool expect(const Status& s, uint64_t result) {
    if (s.ok()) return expect_success(s, result);
    return s.code() == Code::OutOfMemory || complain(std::string(code_name(s.code())) + ", " + s.message());
  }

  Case case_;
  uint64_t reference_ = 0;
  std::string place_;
  size_t blocks_ = 0;  // when what is made once for the whole program was there
};

}  // namespace

int main(int argc, char** argv) {
  uint64_t every = 1;
  std::vector<int> numbers;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--every") == 0 && i + 1 < argc) {
      every = std::strtoull(argv[++i], nullptr, 10);
    } else {
      numbers.push_back(std::atoi(argv[i]));
    }
  }
  if (numbers.empty()) {
    for (int i = 0; i < kModels; ++i) numbers.push_back(i);
  }
  int failed = 0;
  for (const int number : numbers) {
    Trial trial(model(number));
    uint64_t attempts = 0;
    const bool right = trial.make_reference() && trial.fail_each(every, attempts) && trial.cap_at_each(attempts);
    failed += !right;
    std::printf("model %d: %llu attempts%s\n", number, static_cast<unsigned long long>(attempts),
                right ? "" : ", FAILED");
    std::fflush(stdout);
  }
  std::printf("%zu passed, %d failed\n", numbers.size() - static_cast<size_t>(failed), failed);
  return failed > 0;
}
