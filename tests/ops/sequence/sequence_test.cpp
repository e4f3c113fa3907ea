#include "tests/ops/subgraph.h"

using namespace nm;
using namespace nm::test;

namespace {

Tensor numbers(std::initializer_list<float> values) {
  return tensor<float>({static_cast<int64_t>(values.size())}, values);
}
Tensor place(int64_t at) { return tensor<int64_t>({}, {at}); }

Value sequence(std::vector<Value> items) {
  auto s = std::make_shared<Sequence>();
  s->element = ValueType::tensor(DType::Float32);
  for (Value& item : items) s->items.push_back(std::move(item));
  return std::shared_ptr<const Sequence>(std::move(s));
}

void check_items(const Node& spec, const std::vector<Value>& inputs, const std::vector<Tensor>& expected) {
  auto results = run(spec, inputs);
  if (!results.ok()) FAIL(results.status().message());
  const Sequence* s = (*results)[0].sequence();
  REQUIRE(s != nullptr);
  REQUIRE(s->items.size() == expected.size());
  for (size_t i = 0; i < expected.size(); ++i) check_equal(s->items[i], expected[i]);
}

}  // namespace

TEST_CASE("Sequences are made, changed and read", "[ops][sequence]") {
  const Tensor a = numbers({1});
  const Tensor b = numbers({2, 3});
  check_items(node("SequenceConstruct", 11), {a, b}, {a, b});
  check_items(node("SequenceEmpty", 11), {}, {});
  check_items(node("SequenceInsert", 11), {sequence({a}), b}, {a, b});
  check_items(node("SequenceInsert", 11), {sequence({a}), b, place(0)}, {b, a});
  check_items(node("SequenceInsert", 11), {sequence({a}), b, place(-1)}, {b, a});
  check_items(node("SequenceInsert", 11), {sequence({a}), b, place(1)}, {a, b});
  check_items(node("SequenceErase", 11), {sequence({a, b})}, {a});
  check_items(node("SequenceErase", 11), {sequence({a, b}), place(-2)}, {b});
  check(node("SequenceAt", 11), {sequence({a, b}), place(-1)}, {b});
  check(node("SequenceLength", 11), {sequence({a, b})}, {place(2)});
  check_fails(node("SequenceAt", 11), {sequence({a}), place(1)}, Code::InvalidData);
  check_fails(node("SequenceErase", 11), {sequence({})}, Code::InvalidData);
  check_fails(node("SequenceInsert", 11), {sequence({a}), b, place(2)}, Code::InvalidData);
  check_fails(node("SequenceInsert", 11), {sequence({a}), b, place(-2)}, Code::InvalidData);
  check_fails(node("SequenceInsert", 11), {sequence({a}), place(0)}, Code::TypeMismatch);
  check_fails(node("SequenceConstruct", 11), {a, place(0)}, Code::TypeMismatch);
}

TEST_CASE("Items are put in and taken out anywhere, and lists before stay as they were", "[ops][sequence]") {
  std::vector<int64_t> expected;
  std::vector<std::pair<Items, std::vector<int64_t>>> before;
  Items items;
  const auto same = [](const Items& list, const std::vector<int64_t>& numbers) {
    if (list.size() != numbers.size()) return false;
    auto at = numbers.begin();
    for (const Value& v : list) {
      if (*v.tensor()->data<int64_t>() != *at++) return false;
    }
    return true;
  };
  uint32_t state = 1;
  const auto below = [&state](size_t n) {
    state = state * 1664525 + 1013904223;
    return static_cast<size_t>(state >> 8) % n;
  };
  for (int64_t round = 0; round < 3000; ++round) {
    const bool grows = expected.empty() || below(round < 2000 ? 4 : 2) > 0;
    const size_t at = below(expected.size() + (grows ? 1 : 0));
    if (grows) {
      expected.insert(expected.begin() + static_cast<std::ptrdiff_t>(at), round);
      items.insert(at, place(round));
    } else {
      expected.erase(expected.begin() + static_cast<std::ptrdiff_t>(at));
      items.erase(at);
    }
    if (round % 100 == 0) before.emplace_back(items, expected);
  }
  CHECK(same(items, expected));
  for (const auto& [list, numbers] : before) CHECK(same(list, numbers));
  while (!items.empty()) items.erase(items.size() / 2);
  CHECK(items.begin() == items.end());
}

TEST_CASE("Tensors are split into sequences and joined again", "[ops][sequence]") {
  const Tensor all = tensor<float>({2, 3}, {1, 2, 3, 4, 5, 6});
  const auto split = [](int64_t axis, int64_t keep) {
    return node("SplitToSequence", 11, {{"axis", axis}, {"keepdims", keep}});
  };
  check_items(split(0, 0), {all}, {numbers({1, 2, 3}), numbers({4, 5, 6})});
  check_items(split(1, 1), {all, place(2)}, {tensor<float>({2, 2}, {1, 2, 4, 5}), tensor<float>({2, 1}, {3, 6})});
  check_items(split(-1, 1), {all, tensor<int64_t>({2}, {1, 2})},
              {tensor<float>({2, 1}, {1, 4}), tensor<float>({2, 2}, {2, 3, 5, 6})});
  check_fails(split(1, 1), {all, tensor<int64_t>({2}, {1, 1})}, Code::InvalidData);
  check_fails(split(1, 1), {all, place(0)}, Code::InvalidData);
  // Parts without elements, which take no memory of their own.
  const Tensor nothing = tensor<float>({int64_t{1} << 26, 0}, {});
  check_fails(split(0, 1), {nothing}, Code::LimitExceeded);
  check_fails(split(0, 1), {nothing, place(2)}, Code::LimitExceeded);
  const Value rows = sequence({numbers({1, 2, 3}), numbers({4, 5, 6})});
  const auto join = [](int64_t axis, int64_t fresh) {
    return node("ConcatFromSequence", 11, {{"axis", axis}, {"new_axis", fresh}});
  };
  check(join(0, 0), {rows}, {numbers({1, 2, 3, 4, 5, 6})});
  check(join(0, 1), {rows}, {all});
  check(join(-1, 1), {rows}, {tensor<float>({3, 2}, {1, 4, 2, 5, 3, 6})});
  check_fails(join(1, 0), {rows}, Code::ShapeMismatch);
  check_fails(join(0, 1), {sequence({numbers({1}), numbers({1, 2})})}, Code::ShapeMismatch);
  check_fails(join(0, 0), {sequence({})}, Code::InvalidData);
}

TEST_CASE("SequenceMap runs its body for each item, other sequences beside it", "[ops][sequence_map]") {
  Subgraph b;
  const ValueId sum = b.apply("Add", {b.input(DType::Float32), b.input(DType::Float32)}, DType::Float32);
  const Node spec = node("SequenceMap", 17, {{"body", b.yield({sum})}});
  const Value items = sequence({numbers({1, 2}), numbers({3})});
  check_items(spec, {items, numbers({10})}, {numbers({11, 12}), numbers({13})});
  check_items(spec, {items, sequence({numbers({1, 1}), numbers({5})})}, {numbers({2, 3}), numbers({8})});
  check_items(spec, {sequence({}), numbers({10})}, {});
  check_fails(spec, {items, sequence({numbers({1, 1})})}, Code::InvalidData);
  check_fails(spec, {numbers({1}), numbers({10})}, Code::TypeMismatch);
  check_fails(spec, {items}, Code::InvalidModel);
}

TEST_CASE("Identity and optional values", "[ops][optional]") {
  const Tensor a = numbers({1, 2});
  check_items(node("Identity", 16), {sequence({a})}, {a});
  check(node("OptionalHasElement", 18), {a}, {tensor<bool>({}, {true})});
  check(node("OptionalHasElement", 18), {Value()}, {tensor<bool>({}, {false})});
  check(node("OptionalGetElement", 18), {a}, {a});
  check_items(node("OptionalGetElement", 18), {sequence({a})}, {a});
}
