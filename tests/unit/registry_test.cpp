// What operators state of themselves, whichever they are: a new one is looked at here without being named.
#include "engine/op/registry.h"

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

}  // namespace
}  // namespace nm::test
