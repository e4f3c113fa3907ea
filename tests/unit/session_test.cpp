#include "engine/session/session.h"

#include "catch_amalgamated.hpp"
#include "tests/unit/onnx_writer.h"

using namespace nm;
using namespace nm::test;

namespace {

// y = (x + 1) · 2 over float32[batch,2].
std::string affine_model() {
  return model_bytes({{node_proto("Add", {"x", "one"}, {"t"}), node_proto("Mul", {"t", "two"}, {"y"})},
                      {tensor_proto<float>("one", {1}, {1}), tensor_proto<float>("two", {}, {2})},
                      {value_info("x", DType::Float32, {"batch", "2"})},
                      {value_info("y", DType::Float32, {"batch", "2"})}});
}

std::vector<float> run_affine(Session& session, int64_t batch) {
  auto x = session.input(0, DType::Float32, {batch, 2});
  REQUIRE(x.ok());
  for (int64_t i = 0; i < 2 * batch; ++i) (*x)->data<float>()[i] = static_cast<float>(i);
  const Status s = session.run();
  INFO(s.message());
  REQUIRE(s.ok());
  const Tensor& y = *session.output(0).tensor();
  return {y.data<float>(), y.data<float>() + y.count()};
}

}  // namespace

TEST_CASE("a session runs with any batch size, again and again") {
  for (const bool optimize : {true, false}) {
    auto session = load(affine_model(), optimize);
    REQUIRE(session.ok());
    CHECK(run_affine(**session, 1) == std::vector<float>{2, 4});
    CHECK(run_affine(**session, 3) == std::vector<float>{2, 4, 6, 8, 10, 12});
    CHECK(run_affine(**session, 1) == std::vector<float>{2, 4});
    CHECK(run_affine(**session, 0).empty());
  }
}

TEST_CASE("a run allocates nothing once its shapes have been seen") {
  auto session = load(affine_model());
  REQUIRE(session.ok());
  run_affine(**session, 3);
  const size_t before = memory_counts().current;
  const size_t peak = memory_counts().peak;
  run_affine(**session, 3);
  CHECK(memory_counts().current == before);
  CHECK(memory_counts().peak == peak);
}

TEST_CASE("the memory of a session is told by its uses") {
  auto session = load(affine_model());
  REQUIRE(session.ok());
  CHECK((*session)->memory_json().find(R"("arena":0,"arenaBound":0,"scratch":0,)") != std::string::npos);
  run_affine(**session, 20);
  CHECK((*session)->memory_json().find(R"("arena":192,"arenaBound":192,"scratch":4096,)") != std::string::npos);
}

TEST_CASE("a session that is trimmed holds its weights and plans, and runs again") {
  auto session = load(affine_model());
  REQUIRE(session.ok());
  const size_t loaded = memory_counts().current;
  const auto once = run_affine(**session, 20);
  const size_t steps = (*session)->steps().size();
  CHECK(steps > 0);
  (*session)->trim();
  CHECK(memory_counts().current == loaded);
  CHECK((*session)->memory_json().find(R"("arena":0,"arenaBound":192,"scratch":0,)") != std::string::npos);
  CHECK((*session)->steps().size() == steps);
  CHECK((*session)->step_value(0, 0) == nullptr);
  CHECK((*session)->advance(1).status().code() == Code::InvalidArgument);
  CHECK(run_affine(**session, 20) == once);
  CHECK(run_affine(**session, 3) == std::vector<float>{2, 4, 6, 8, 10, 12});
  (*session)->trim();
  CHECK(run_affine(**session, 20) == once);

  // What is declared for the next run stays; a run in progress ends.
  auto x = (*session)->input(0, DType::Float32, {1, 2});
  REQUIRE(x.ok());
  std::fill_n((*x)->data<float>(), 2, 3.f);
  (*session)->trim();
  REQUIRE((*session)->begin().ok());
  (*session)->trim();
  CHECK((*session)->run().code() == Code::MissingInput);
  x = (*session)->input(0, DType::Float32, {1, 2});
  REQUIRE(x.ok());
  std::fill_n((*x)->data<float>(), 2, 3.f);
  (*session)->trim();
  REQUIRE((*session)->run().ok());
  CHECK((*session)->output(0).tensor()->data<float>()[1] == 8);
}

TEST_CASE("wrong calls are refused with the input's name, and the session stays usable") {
  auto loaded = load(affine_model());
  REQUIRE(loaded.ok());
  Session& session = **loaded;

  Status s = session.run();
  CHECK(s.code() == Code::MissingInput);
  CHECK(s.error().input == "x");
  CHECK(s.error().expected == "float32[batch,2]");

  s = session.input(0, DType::Int64, {1, 2}).take_status();
  CHECK(s.code() == Code::TypeMismatch);
  CHECK(s.error().expected == "float32[batch,2]");
  CHECK(s.error().actual == "int64[1,2]");

  s = session.input(0, DType::Float32, {1, 3}).take_status();
  CHECK(s.code() == Code::ShapeMismatch);
  s = session.input(0, DType::Float32, {2}).take_status();
  CHECK(s.code() == Code::ShapeMismatch);
  s = session.input(7, DType::Float32, {2}).take_status();
  CHECK(s.code() == Code::InvalidArgument);

  CHECK(run_affine(session, 1) == std::vector<float>{2, 4});
}

TEST_CASE("a tensor without an element type is refused, also where the model does not say one") {
  GraphParts g;
  g.inputs = {Message().text(schema::ValueInfoProto::name, "x")};
  g.nodes = {node_proto("ReduceMax", {"x"}, {"y"})};
  g.outputs = {Message().text(schema::ValueInfoProto::name, "y")};
  auto session = load(model_bytes(g));
  REQUIRE(session.ok());
  CHECK((*session)->input(0, DType::Undefined, {2}).status().code() == Code::InvalidArgument);
  auto none = Tensor::create(DType::Undefined, {2});
  REQUIRE(none.ok());
  CHECK((*session)->set_input(0, std::move(*none)).code() == Code::InvalidArgument);
  auto x = (*session)->input(0, DType::Float32, {2});
  REQUIRE(x.ok());
  (*x)->data<float>()[0] = 3;
  (*x)->data<float>()[1] = 2;
  REQUIRE((*session)->run().ok());
  CHECK(*(*session)->output(0).tensor()->data<float>() == 3);
}

TEST_CASE("a model is described with what is in the bodies of its nodes") {
  GraphParts branch;
  branch.nodes = {node_proto("Add", {"x", "w"}, {"sum"}), node_proto("Relu", {"sum"}, {"z"})};
  branch.initializers = {tensor_proto<float>("w", {3}, {1, 2, 3})};
  branch.outputs = {Message().text(schema::ValueInfoProto::name, "z")};
  const Message either =
      node_proto("If", {"go"}, {"y"}, {graph_attribute("then_branch", branch), graph_attribute("else_branch", branch)});
  auto session = load(model_bytes({{either},
                                   {},
                                   {value_info("go", DType::Bool, {}), value_info("x", DType::Float32, {"3"})},
                                   {value_info("y", DType::Float32, {"3"})}}));
  INFO((session.ok() ? "" : session.status().message()));
  REQUIRE(session.ok());
  const std::string_view json = (*session)->description();
  CHECK(json.find(R"("operators":{"Add":2,"If":1,"Relu":2})") != std::string_view::npos);
  CHECK(json.find(R"("nodes":5,"weightBytes":24)") != std::string_view::npos);
}

TEST_CASE("a run can be taken step by step and cancelled") {
  auto loaded = load(affine_model(), false);  // as two steps
  REQUIRE(loaded.ok());
  Session& session = **loaded;
  const auto give = [&] {
    auto x = session.input(0, DType::Float32, {1, 2});
    REQUIRE(x.ok());
    (*x)->data<float>()[0] = (*x)->data<float>()[1] = 1;
  };
  give();
  REQUIRE(session.begin().ok());
  auto left = session.advance(1);
  REQUIRE(left.ok());
  CHECK(*left == 1);
  session.cancel_flag().store(1);
  left = session.advance(1);
  REQUIRE(!left.ok());
  CHECK(left.status().code() == Code::Cancelled);
  CHECK(run_affine(session, 1) == std::vector<float>{2, 4});
}

TEST_CASE("every operator that is missing is named at load") {
  const auto session = load(model_bytes({{node_proto("Frobnicate", {"x"}, {"t"}), node_proto("Add", {"t", "x"}, {"u"}),
                                          node_proto("Defenestrate", {"u"}, {"y"})},
                                         {},
                                         {value_info("x", DType::Float32, {"1"})},
                                         {value_info("y", DType::Float32, {"1"})}}));
  REQUIRE(!session.ok());
  CHECK(session.status().code() == Code::UnsupportedOperator);
  CHECK(session.status().message() ==
        "this build lacks 2 operators that the model needs: Defenestrate (ai.onnx 17), used by 'Defenestrate_of_y'; "
        "Frobnicate (ai.onnx 17), used by 'Frobnicate_of_t'; the program that loads the model can compute it itself, "
        "as a "
        "custom operator");
}

TEST_CASE("damaged and absurd models end in an error that says so") {
  const std::string good = affine_model();
  CHECK(load("").status().code() == Code::InvalidModel);
  CHECK(load("<!DOCTYPE html><html>not found</html>").status().code() == Code::InvalidModel);
  for (size_t n = 1; n < good.size(); ++n) CHECK(!load(good.substr(0, n)).ok());

  const auto reads_nothing =
      load(model_bytes({{node_proto("Relu", {"nowhere"}, {"y"})}, {}, {}, {value_info("y", DType::Float32, {"1"})}}));
  CHECK(reads_nothing.status().code() == Code::InvalidModel);

  const auto huge = load(model_bytes({{node_proto("Relu", {"w"}, {"y"})},
                                      {tensor_proto("w", DType::Float32, {1ll << 40, 1ll << 40}, "")},
                                      {},
                                      {value_info("y", DType::Float32, {"1"})}}));
  CHECK(huge.status().code() == Code::OutOfMemory);

  const auto twice = load(model_bytes({{node_proto("Relu", {"x"}, {"y"}), node_proto("Relu", {"x"}, {"y"})},
                                       {},
                                       {value_info("x", DType::Float32, {"1"})},
                                       {value_info("y", DType::Float32, {"1"})}}));
  CHECK(twice.status().code() == Code::InvalidModel);
}

TEST_CASE("nodes may come in any order, but not in a circle") {
  const auto in = value_info("x", DType::Float32, {"2"});
  const auto out = value_info("y", DType::Float32, {"2"});
  // A branch reads, from outside, what a later node produces.
  const GraphParts branch{{node_proto("Neg", {"b"}, {"r"})}, {}, {}, {value_info("r", DType::Float32, {"2"})}};
  const Message choice = node_proto("If", {"yes"}, {"c"},
                                    {graph_attribute("then_branch", branch), graph_attribute("else_branch", branch)});
  auto session = load(model_bytes(
      {{node_proto("Neg", {"c"}, {"y"}), choice, node_proto("Add", {"a", "a"}, {"b"}), node_proto("Abs", {"x"}, {"a"})},
       {},
       {value_info("yes", DType::Bool, {}), in},
       {out}}));
  REQUIRE(session.ok());
  auto yes = (*session)->input(0, DType::Bool, {});
  auto x = (*session)->input(1, DType::Float32, {2});
  REQUIRE(yes.ok());
  REQUIRE(x.ok());
  (*yes)->data<bool>()[0] = true;
  (*x)->data<float>()[0] = -1;
  (*x)->data<float>()[1] = 3;
  REQUIRE((*session)->run().ok());
  const float* y = (*session)->output(0).tensor()->data<float>();
  CHECK(std::vector<float>(y, y + 2) == std::vector<float>{2, 6});

  const auto circle = load(model_bytes(
      {{node_proto("Add", {"x", "b"}, {"a"}), node_proto("Abs", {"a"}, {"b"}), node_proto("Neg", {"a"}, {"y"})},
       {},
       {in},
       {out}}));
  CHECK(circle.status().code() == Code::InvalidModel);
}

TEST_CASE("running out of memory is an error like any other") {
  auto session = load(affine_model());
  REQUIRE(session.ok());
  limit_memory(memory_counts().current + 4096);
  const Status s = (*session)->input(0, DType::Float32, {100000, 2}).take_status();
  limit_memory(UINT64_MAX);
  CHECK(s.code() == Code::LimitExceeded);
  CHECK(run_affine(**session, 1) == std::vector<float>{2, 4});
}

TEST_CASE("initialisers without elements are read, whichever their type, with and without data") {
  for (int type = 1; type <= 26; ++type) {  // all that ONNX numbers, and some that it may
    for (const std::vector<int64_t>& dims :
         {std::vector<int64_t>{0}, std::vector<int64_t>{3, 0}, std::vector<int64_t>{0, 7}}) {
      for (const bool raw : {false, true}) {
        Message w;
        for (const int64_t d : dims) w.integer(schema::TensorProto::dims, d);
        w.integer(schema::TensorProto::data_type, type).text(schema::TensorProto::name, "w");
        if (raw) w.text(schema::TensorProto::raw_data, "");
        const auto session = load(model_bytes(
            {{node_proto("Identity", {"w"}, {"y"})}, {w}, {}, {Message().text(schema::ValueInfoProto::name, "y")}}));
        INFO("type " << type << (session.ok() ? "" : ": " + session.status().message()));
        CHECK((session.ok() || session.status().code() != Code::Internal));
      }
    }
  }
}

TEST_CASE("the description names inputs, outputs and symbols") {
  const auto session = load(affine_model());
  REQUIRE(session.ok());
  CHECK((*session)->description().find(
            R"("inputs":[{"name":"x","type":"float32","shape":["batch",2],"optional":false}])") != std::string::npos);
}

TEST_CASE("A branch hands a value through without a copy", "[session]") {
  GraphParts then_branch, else_branch, g;
  then_branch.nodes = {node_proto("Identity", {"x"}, {"same"})};
  then_branch.outputs = {value_info("same", DType::Float32, {"n"})};
  else_branch.nodes = {node_proto("Neg", {"x"}, {"negative"})};
  else_branch.outputs = {value_info("negative", DType::Float32, {"n"})};
  g.nodes = {node_proto("If", {"condition"}, {"y"},
                        {graph_attribute("then_branch", then_branch), graph_attribute("else_branch", else_branch)})};
  g.inputs = {value_info("condition", DType::Bool, {}), value_info("x", DType::Float32, {"n"})};
  g.outputs = {value_info("y", DType::Float32, {"n"})};
  auto loaded = load(model_bytes(g, 21));
  REQUIRE(loaded.ok());
  Session& session = **loaded;
  session.keep_output(0);
  const auto run = [&](bool condition) {
    REQUIRE(session.set_input(0, *Tensor::from<bool>({}, std::array{condition})).ok());
    const Status s = session.run();
    INFO(s.message());
    REQUIRE(s.ok());
    return *session.take_output(0);
  };
  const auto fill = [&](float x) {
    auto input = session.input(1, DType::Float32, {3});
    REQUIRE(input.ok());
    std::fill_n((*input)->data<float>(), 3, x);
    return *input;
  };
  const void* given = fill(1)->raw();
  const Value first = run(true);
  CHECK(first.tensor()->raw() == given);
  // The next input has memory of its own while the first one is held.
  CHECK(fill(2)->raw() != given);
  const Value second = run(true);
  fill(2);
  const Value third = run(false);
  for (const auto& [value, x] : {std::pair(first, 1.f), std::pair(second, 2.f), std::pair(third, -2.f)}) {
    CHECK(std::vector(value.tensor()->span<float>().begin(), value.tensor()->span<float>().end()) ==
          std::vector<float>(3, x));
  }
}
