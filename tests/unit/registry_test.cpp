// What operators state of themselves, whichever they are: a new one is looked at here without being named.
#include "engine/op/registry.h"

#include <utility>

#include "tests/ops/operator_test.h"

namespace nm::test {
namespace {

bool same_name(const OperatorEntry& a, const OperatorEntry& b) { return a.name == b.name && a.domain == b.domain; }

TEST_CASE("Every operator states how it sees the layout of images") {
  for (const OperatorEntry* e : Registry::instance().entries()) {
    INFO(e->domain << "." << e->name << " " << e->since);
    CHECK((e->make != nullptr) != (e->compose != nullptr));
    if (e->make != nullptr) CHECK(e->facts.layout != nullptr);
  }
}

TEST_CASE("Every operator states how many inputs and outputs it has") {
  for (const OperatorEntry* e : Registry::instance().entries()) {
    INFO(e->domain << "." << e->name << " " << e->since);
    CHECK(e->facts.outputs > 0);
  }
}

TEST_CASE("Rows of one name begin at different versions, and each is found at its own") {
  const auto& entries = Registry::instance().entries();
  for (size_t i = 0; i < entries.size(); ++i) {
    const OperatorEntry& e = *entries[i];
    INFO(e.domain << "." << e.name << " " << e.since);
    if (i > 0 && same_name(*entries[i - 1], e)) CHECK(entries[i - 1]->since < e.since);
    CHECK(Registry::instance().find(e.domain, e.name, e.since) == &e);
    const bool is_first = i == 0 || !same_name(*entries[i - 1], e);
    if (is_first) CHECK(Registry::instance().find(e.domain, e.name, e.since - 1) == nullptr);
    CHECK(e.until() >= e.since);
    if (e.until() < INT16_MAX) {
      const OperatorEntry* after = Registry::instance().find(e.domain, e.name, e.until() + 1);
      CHECK(after != &e);
    }
  }
}

TEST_CASE("Versions are stated only of attributes that the class reads") {
  for (const OperatorEntry* e : Registry::instance().entries()) {
    for (const AttributeRange& range : e->facts.attributes) {
      INFO(e->domain << "." << e->name << " " << e->since << ": " << range.name);
      // The class may read it in the row's first version or in the attribute's own.
      bool read = false;
      for (const int version : {int{e->since}, std::min(int{range.first}, 40)}) {
        Node n = node(std::string(e->name), version, {{std::string(range.name), int64_t{0}}}, std::string(e->domain));
        Attributes attributes(n);
        const OperatorPtr op = e->make(attributes);
        read = read || attributes.unread().empty();
      }
      CHECK(read);
      CHECK(range.first <= range.last);
    }
  }
}

TEST_CASE("What only moves elements says so of inputs that it has") {
  for (const OperatorEntry* e : Registry::instance().entries()) {
    if (e->facts.moves == Moves::Nothing) continue;
    INFO(e->domain << "." << e->name << " " << e->since);
    CHECK(e->facts.inputs > 0);
    CHECK(e->facts.outputs == 1);
    Node n = node(std::string(e->name), e->since, {}, std::string(e->domain));
    Attributes attributes(n);
    CHECK(e->make(attributes)->native_float16());  // elements of any type
  }
}

Node with_inputs(Node n, std::vector<ValueId> inputs) {
  n.explicit_inputs = inputs.size();
  n.inputs = std::move(inputs);
  return n;
}

TEST_CASE("A node has one operator until what it is made of changes") {
  Node n = with_inputs(node("LeakyRelu", 16, {{"alpha", 0.5f}}), {3});
  const Operator* const made = operator_of(n).value();
  n.inputs[0] = 4;
  CHECK(operator_of(n).value() == made);
  Node moved = std::move(n);
  CHECK(operator_of(moved).value() == made);
  Node copy = moved;
  CHECK(operator_of(copy).value() != made);
  copy = moved;
  CHECK(copy.attributes.made() == nullptr);
  CHECK(operator_of(moved).value() == made);
  CHECK(std::as_const(moved).attributes.contains("alpha"));  // reading changes nothing
  CHECK(operator_of(moved).value() == made);

  moved.version = 6;  // the old one lives until the new one is there
  const Operator* const older = operator_of(moved).value();
  CHECK(older != made);
  moved.op_type = "Elu";
  CHECK(operator_of(moved).value() != older);
  moved.attributes["alpha"] = 0.25f;
  CHECK(moved.attributes.made() == nullptr);
  const auto alpha_of = [&] { return operator_of(moved).value()->pointwise(Inference(1, 1))->a; };
  CHECK(alpha_of() == 0.25f);
  moved.attributes.erase("alpha");
  CHECK(alpha_of() == 1);
}

TEST_CASE("An operator knows which inputs its node has") {
  Node n = with_inputs(node("Dropout", 13), {0, kNone, kNone});
  CHECK(operator_of(n).value()->pure());
  n.inputs[2] = 1;
  CHECK(!operator_of(n).value()->pure());
}

TEST_CASE("An operator that is taken is nobody else's") {
  Node n = with_inputs(node("Relu", 14), {0});
  const Operator* const made = operator_of(n).value();
  auto taken = take_operator(n);
  CHECK(taken.value().get() == made);
  CHECK(operator_of(n).value() != made);
}

TEST_CASE("A node whose attributes do not fit has no operator, and gets one when they do") {
  Node n = with_inputs(node("Softmax", 13, {{"axis", 1.5f}}), {0});
  CHECK(operator_of(n).status().code() == Code::InvalidModel);
  n.attributes["axis"] = int64_t{0};
  CHECK(operator_of(n).ok());
  CHECK(check_attributes(n).ok());
  n.attributes["axes"] = int64_t{0};
  CHECK(operator_of(n).ok());
  CHECK(check_attributes(n).code() == Code::InvalidModel);
}

}  // namespace
}  // namespace nm::test
