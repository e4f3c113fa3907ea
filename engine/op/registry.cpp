// The registry is filled from a list that the build makes of the operator files, so that nothing depends on the order
// of static initialisers and a reduced build is a shorter list.
#include "engine/op/registry.h"

#include <algorithm>
#include <utility>

#include "engine/base/sort_positions.h"
#include "engine/op/signature.h"

namespace nm {

#define NM_REGISTER(file) Entries operators_of_##file();
#include "registry.inc"
#undef NM_REGISTER

namespace {

constexpr Entries (*kFiles[])() = {
#define NM_REGISTER(file) operators_of_##file,
#include "registry.inc"
#undef NM_REGISTER
};

bool before(const OperatorEntry& a, const OperatorEntry& b) {
  if (a.key != b.key) return a.key < b.key;
  if (a.domain != b.domain) return a.domain < b.domain;
  return a.name != b.name ? a.name < b.name : a.since < b.since;
}

}  // namespace

Registry::Registry() {
  std::vector<const OperatorEntry*> listed;
  for (const auto& file : kFiles) {
    for (const OperatorEntry& e : file()) {
      if (!e.name.empty()) listed.push_back(&e);
    }
  }
  const auto at = [&](int64_t i) { return listed[static_cast<size_t>(i)]; };
  for (const int64_t i :
       sorted_positions(listed.size(), [&](int64_t a, int64_t b) { return before(*at(a), *at(b)); })) {
    entries_.push_back(at(i));
  }
}

const Registry& Registry::instance() {
  static const Registry registry;
  return registry;
}

const OperatorEntry* Registry::find(std::string_view domain, std::string_view name, int version) const {
  const int within = std::min(version, int{INT16_MAX});  // a file may name any version
  const uint32_t key = operator_key(domain, name);
  auto at =
      std::partition_point(entries_.begin(), entries_.end(), [&](const OperatorEntry* e) { return e->key < key; });
  const OperatorEntry* found = nullptr;
  for (; at != entries_.end() && (*at)->key == key; ++at) {
    if ((*at)->name == name && (*at)->domain == domain && (*at)->since <= within) found = *at;
  }
  return found != nullptr && within <= found->until() ? found : nullptr;
}

std::vector<const OperatorEntry*> Registry::rows(std::string_view domain, std::string_view name) const {
  std::vector<const OperatorEntry*> rows;
  std::copy_if(entries_.begin(), entries_.end(), std::back_inserter(rows),
               [&](const OperatorEntry* e) { return e->domain == domain && e->name == name; });
  return rows;
}

size_t Registry::operator_count() const {
  size_t count = 0;
  for (size_t i = 0; i < entries_.size(); ++i) {
    const bool first =
        i == 0 || entries_[i]->name != entries_[i - 1]->name || entries_[i]->domain != entries_[i - 1]->domain;
    count += first ? 1 : 0;
  }
  return count;
}

const Facts& facts_of(const Node& node) {
  static constexpr Facts kNone;
  const OperatorEntry* entry = Registry::instance().find(node);
  return entry != nullptr ? entry->facts : kNone;
}

namespace {

// Which of its inputs a node leaves out.
std::vector<size_t> absent_inputs(const Node& node) {
  std::vector<size_t> absent;
  for (size_t i = 0; i < node.explicit_inputs; ++i) {
    if (node.input(i) == kNone) absent.push_back(i);
  }
  return absent;
}

}  // namespace

// An operator and what it was made of beside the attributes, which drop it when they are written to.
struct MadeOperator {
  bool is_of(const Node& node) const {
    return version == node.version && inputs == node.explicit_inputs && has_name_of(node) &&
           absent == absent_inputs(node);
  }
  bool has_name_of(const Node& node) const {
    return is_custom(node) ? entry == &custom_entry() : entry->name == node.op_type && entry->domain == node.domain;
  }

  const OperatorEntry* entry;
  int version;
  size_t inputs;
  std::vector<size_t> absent;
  OperatorPtr op;
};

namespace {

// Makes the node's operator, which the node keeps.
Result<const Operator*> make(const Node& node, bool all_attributes_read) {
  const OperatorEntry* entry = Registry::instance().find(node);
  if (entry == nullptr || entry->make == nullptr) {
    return Status(Code::UnsupportedOperator, text("the operator ", node.domain.empty() ? "" : node.domain + ".",
                                                  node.op_type, " (version ", node.version, ") is not supported"))
        .at(node.op_type, node.name);
  }
  Attributes attributes(node, entry->facts.attributes);
  OperatorPtr op = entry->make(attributes);
  if (Status s = attributes.take_status(); !s.ok()) return std::move(s).at(node.op_type, node.name);
  if (all_attributes_read) {
    if (const auto unread = attributes.unread(); !unread.empty()) return unread_attribute(node, unread);
  }
  std::shared_ptr<MadeOperator>& kept = node.attributes.made();
  kept = std::make_shared<MadeOperator>(
      MadeOperator{entry, node.version, node.explicit_inputs, absent_inputs(node), std::move(op)});
  return kept->op.get();
}

}  // namespace

Result<const Operator*> operator_of(const Node& node) {
  const std::shared_ptr<MadeOperator>& kept = node.attributes.made();
  if (kept != nullptr && kept->is_of(node)) return kept->op.get();
  return make(node, false);
}

Status check_attributes(const Node& node) { return make(node, true).take_status(); }

Result<OperatorPtr> take_operator(Node& node) {
  NM_TRY(operator_of(node).take_status());
  return std::move(std::exchange(node.attributes.made(), nullptr)->op);
}

}  // namespace nm
