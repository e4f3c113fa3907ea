#include "tests/fuzz/operator_names.h"

#include <algorithm>
#include <deque>

namespace nm {

#define NM_REGISTER(file) Entries operators_of_##file();
#include "registry.inc"
#undef NM_REGISTER

}  // namespace nm

namespace nm::fuzz {
namespace {

struct OperatorFile {
  Entries entries;
  std::vector<AttributeName> attributes;
  std::vector<std::string_view> texts;
};

std::deque<OperatorFile> operator_files() {
  std::deque<OperatorFile> files;
#define NM_LIST(...) \
  { __VA_ARGS__ }
#define NM_OPERATOR_FILE(file, attributes, texts) files.push_back({operators_of_##file(), attributes, texts});
#include "attribute_names.inc"
#undef NM_OPERATOR_FILE
#undef NM_LIST
  return files;
}

uint16_t hash_of(const OperatorEntry& e) {
  uint32_t h = 2166136261;
  const auto add = [&h](std::string_view s) {
    for (const char c : s) h = (h ^ static_cast<uint8_t>(c)) * 16777619;
  };
  add(e.domain);
  add(".");
  add(e.name);
  h = (h ^ static_cast<uint32_t>(e.since)) * 16777619;
  return static_cast<uint16_t>(h >> 16 ^ h);
}

}  // namespace

const std::vector<OperatorName>& operator_names() {
  static const std::deque<OperatorFile> files = operator_files();
  static const std::vector<OperatorName> names = [] {
    std::vector<OperatorName> all;
    for (const OperatorFile& f : files) {
      for (const OperatorEntry& e : f.entries) {
        if (e.domain != kInternalDomain) all.push_back({&e, hash_of(e), &f.attributes, &f.texts});
      }
    }
    std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.hash < b.hash; });
    return all;
  }();
  return names;
}

const OperatorName& operator_at(uint16_t hash) {
  const auto& names = operator_names();
  const auto it =
      std::lower_bound(names.begin(), names.end(), hash, [](const OperatorName& n, uint16_t h) { return n.hash < h; });
  return it == names.end() ? names.front() : *it;
}

const OperatorName* find_operator(std::string_view domain, std::string_view name, int version) {
  for (const OperatorName& n : operator_names()) {
    const OperatorEntry& e = *n.entry;
    if (&e == Registry::instance().find(domain, name, version)) return &n;
  }
  return nullptr;
}

}  // namespace nm::fuzz
