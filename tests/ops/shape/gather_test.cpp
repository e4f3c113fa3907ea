#include "tests/ops/operator_test.h"

using namespace nm;
using namespace nm::test;

namespace {

Tensor matrix() { return tensor<float>({3, 2}, {1, 2, 3, 4, 5, 6}); }

Tensor floats(const Shape& shape, std::initializer_list<float> values) { return tensor<float>(shape, values); }

}  // namespace

TEST_CASE("Gather", "[ops][gather]") {
  check(node("Gather", 13), {matrix(), tensor<int64_t>({2}, {-1, 0})}, {floats({2, 2}, {5, 6, 1, 2})});
  check(node("Gather", 13), {matrix(), tensor<int32_t>({}, {1})}, {floats({2}, {3, 4})});
  check(node("Gather", 1, {{"axis", int64_t{1}}}), {matrix(), tensor<int64_t>({1, 2}, {1, 0})},
        {floats({3, 1, 2}, {2, 1, 4, 3, 6, 5})});
  check(node("Gather", 13), {matrix(), tensor<int64_t>({0}, {})}, {floats({0, 2}, {})});
  check(node("Gather", 13), {tensor<std::string>({2}, {"a", "b"}), tensor<int64_t>({2}, {1, 1})},
        {tensor<std::string>({2}, {"b", "b"})});
  check_fails(node("Gather", 13), {matrix(), tensor<int64_t>({}, {3})}, Code::InvalidData);
  check_fails(node("Gather", 13), {matrix(), tensor<int64_t>({1}, {-4})}, Code::InvalidData);
  check_fails(node("Gather", 13, {{"axis", int64_t{2}}}), {matrix(), tensor<int64_t>({}, {0})}, Code::ShapeMismatch);
  check_fails(node("Gather", 13), {matrix(), tensor<float>({}, {0})}, Code::TypeMismatch);
}

TEST_CASE("GatherElements and GatherND", "[ops][gather_elements]") {
  check(node("GatherElements", 13), {matrix(), tensor<int64_t>({2, 2}, {0, 2, -1, 0})}, {floats({2, 2}, {1, 6, 5, 2})});
  check(node("GatherElements", 11, {{"axis", int64_t{1}}}), {matrix(), tensor<int32_t>({3, 1}, {1, 0, -1})},
        {floats({3, 1}, {2, 3, 6})});
  check_fails(node("GatherElements", 13), {matrix(), tensor<int64_t>({1, 2}, {0, 3})}, Code::InvalidData);
  check_fails(node("GatherElements", 13), {matrix(), tensor<int64_t>({1, 3}, {0, 0, 0})}, Code::ShapeMismatch);
  check(node("GatherND", 13), {matrix(), tensor<int64_t>({2, 2}, {0, 1, -1, 0})}, {floats({2}, {2, 5})});
  check(node("GatherND", 11), {matrix(), tensor<int64_t>({1, 1}, {1})}, {floats({1, 2}, {3, 4})});
  check(node("GatherND", 12, {{"batch_dims", int64_t{1}}}), {matrix(), tensor<int64_t>({3, 1}, {1, 0, 1})},
        {floats({3}, {2, 3, 6})});
  check_fails(node("GatherND", 13), {matrix(), tensor<int64_t>({1, 3}, {0, 0, 0})}, Code::ShapeMismatch);
  check_fails(node("GatherND", 13), {matrix(), tensor<int64_t>({1, 2}, {0, 2})}, Code::InvalidData);
}

TEST_CASE("ScatterElements and ScatterND", "[ops][scatter]") {
  const Tensor rows = tensor<int64_t>({1, 2}, {2, -3});
  const Tensor twice = tensor<int64_t>({2, 1}, {1, 1});
  struct Row {
    std::string reduction;
    Tensor out;
  };
  const auto scatter = [](const std::string& r) { return node("ScatterElements", 18, {{"reduction", r}}); };
  check(node("ScatterElements", 13), {matrix(), rows, floats({1, 2}, {8, 9})}, {floats({3, 2}, {1, 9, 3, 4, 8, 6})});
  check(node("Scatter", 9), {matrix(), rows, floats({1, 2}, {8, 9})}, {floats({3, 2}, {1, 9, 3, 4, 8, 6})});
  for (const Row& r :
       {Row{"add", floats({3, 2}, {1, 2, 8, 4, 5, 6})}, Row{"mul", floats({3, 2}, {1, 2, 18, 4, 5, 6})},
        Row{"min", floats({3, 2}, {1, 2, 2, 4, 5, 6})}, Row{"max", floats({3, 2}, {1, 2, 3, 4, 5, 6})}}) {
    check(scatter(r.reduction), {matrix(), twice, floats({2, 1}, {2, 3})}, {r.out});
    check(node("ScatterND", 18, {{"reduction", r.reduction}}),
          {matrix(), tensor<int64_t>({2, 2}, {1, 0, -2, 0}), floats({2}, {2, 3})}, {r.out});
  }
  check(node("ScatterND", 11), {matrix(), tensor<int64_t>({1, 1}, {0}), floats({1, 2}, {7, 8})},
        {floats({3, 2}, {7, 8, 3, 4, 5, 6})});
  check(node("ScatterND", 13),
        {tensor<std::string>({2}, {"a", "b"}), tensor<int64_t>({1, 1}, {1}), tensor<std::string>({1}, {"c"})},
        {tensor<std::string>({2}, {"a", "c"})});
  check_fails(node("ScatterElements", 13), {matrix(), rows, floats({1, 1}, {8})}, Code::ShapeMismatch);
  check_fails(node("ScatterElements", 13), {matrix(), tensor<int64_t>({1, 2}, {3, 0}), floats({1, 2}, {8, 9})},
              Code::InvalidData);
  check_fails(node("ScatterND", 13), {matrix(), tensor<int64_t>({1, 1}, {0}), floats({1}, {7})}, Code::ShapeMismatch);
  check_fails(scatter("median"), {matrix(), rows, floats({1, 2}, {8, 9})}, Code::InvalidModel);
}

TEST_CASE("Scatter combines bools, and NaN wins over numbers", "[ops][scatter]") {
  const Tensor x = tensor<bool>({4}, {false, false, true, true}), at = tensor<int64_t>({4}, {0, 1, 2, 3}),
               u = tensor<bool>({4}, {false, true, false, true});
  const auto by = [](const char* reduction) { return AttributeMap{{"reduction", std::string(reduction)}}; };
  for (const char* both : {"mul", "min"}) {
    check(node("ScatterElements", 18, by(both)), {x, at, u}, {tensor<bool>({4}, {false, false, false, true})});
  }
  for (const char* either : {"add", "max"}) {
    check(node("ScatterElements", 18, by(either)), {x, at, u}, {tensor<bool>({4}, {false, true, true, true})});
    check(node("ScatterND", 18, by(either)), {x, at.reshaped({4, 1}), u},
          {tensor<bool>({4}, {false, true, true, true})});
  }
  for (const char* extreme : {"min", "max"}) {
    check(node("ScatterElements", 18, by(extreme)),
          {tensor<float>({2}, {1, NAN}), tensor<int64_t>({2}, {0, 1}), tensor<float>({2}, {NAN, 1})},
          {tensor<float>({2}, {NAN, NAN})});
  }
}

TEST_CASE("Quantised slices keep their packed elements in order", "[ops][gather]") {
  Tensor packed = Tensor::create(DType::Int4, Shape{2, 3}).value();
  auto* bytes = static_cast<uint8_t*>(packed.raw());
  bytes[0] = 0x21;
  bytes[1] = 0x43;
  bytes[2] = 0x65;  // 1 2 3 / 4 5 6
  Tensor expected = Tensor::create(DType::Int4, Shape{3, 2}).value();
  bytes = static_cast<uint8_t*>(expected.raw());
  bytes[0] = 0x41;
  bytes[1] = 0x52;
  bytes[2] = 0x63;
  check(node("Transpose", 21), {packed}, {expected});
}
