#include <algorithm>

#include "engine/base/regex_parser.h"
#include "engine/base/sort_positions.h"
#include "engine/base/utf8.h"

namespace nm {

void normalize(Regex::Set& set) {
  sort_list(set, [](const Regex::Range& a, const Regex::Range& b) { return a.first < b.first; });
  size_t kept = 0;
  for (const Regex::Range& r : set) {
    if (kept > 0 && r.first <= set[kept - 1].last + 1) {
      set[kept - 1].last = std::max(set[kept - 1].last, r.last);
    } else {
      set[kept++] = r;
    }
  }
  set.resize(kept);
}

void complement(Regex::Set& set) {
  normalize(set);
  Regex::Set rest;
  int32_t next = 0;
  for (const Regex::Range& r : set) {
    if (r.first > next) rest.push_back({next, r.first - 1});
    next = r.last + 1;
  }
  if (next <= kLastCharacter) rest.push_back({next, kLastCharacter});
  set = std::move(rest);
}

void add_other_cases(Regex::Set& set) {
  // Characters from first to last differ from their other case by `distance`; where it is 1, they alternate: capital,
  // small.
  struct Case {
    int32_t first, last, distance;
  };
  constexpr Case kCases[] = {
      {'A', 'Z', 32},          {0xC0, 0xD6, 32},     {0xD8, 0xDE, 32},        {0x100, 0x12F, 1},    {0x132, 0x137, 1},
      {0x139, 0x148, 1},       {0x14A, 0x177, 1},    {0x178, 0x178, -121},    {0x179, 0x17E, 1},    {0x386, 0x386, 38},
      {0x388, 0x38A, 37},      {0x38C, 0x38C, 64},   {0x38E, 0x38F, 63},      {0x391, 0x3A1, 32},   {0x3A3, 0x3AB, 32},
      {0x3C2, 0x3C3, 1},       {0x400, 0x40F, 80},   {0x410, 0x42F, 32},      {0x460, 0x481, 1},    {0x48A, 0x4BF, 1},
      {0x4C1, 0x4CE, 1},       {0x4D0, 0x52F, 1},    {0x531, 0x556, 48},      {0x1E00, 0x1E95, 1},  {0x1EA0, 0x1EFF, 1},
      {0x212A, 0x212A, -8383}, {0x17F, 0x17F, -268}, {0x212B, 0x212B, -8262}, {0xFF21, 0xFF3A, 32},
  };
  const auto add = [&](int32_t first, int32_t last, Regex::Range within, int32_t by) {
    first = std::max(first, within.first);
    last = std::min(last, within.last);
    if (first <= last) set.push_back({first + by, last + by});
  };
  // Twice, for characters with more than one other case (s, k, å, sigma).
  for (int round = 0; round < 2; ++round) {
    normalize(set);
    const Regex::Set before = set;
    for (const Regex::Range& r : before) {
      for (const Case& c : kCases) {
        if (c.distance != 1) {
          add(c.first, c.last, r, c.distance);
          add(c.first + c.distance, c.last + c.distance, r, -c.distance);
          continue;
        }
        if (r.last < c.first || r.first > c.last) continue;
        // Whole pairs.
        const int32_t first = std::max(r.first, c.first);
        const int32_t last = std::min(r.last, c.last);
        set.push_back({first - (first - c.first) % 2, last + 1 - (last - c.first) % 2});
      }
    }
  }
}

}  // namespace nm
