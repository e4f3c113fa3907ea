// Models that ask for what they should not have, and what must come of each.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace nm::hostile {

struct Hostile {
  std::string_view name;
  std::string model;
  std::string_view outcome;  // "ok", or the code of the error at load or in the run
  double megabytes;          // that the heap may grow by
  double seconds;            // of the processor, under the sanitizers
};

std::vector<Hostile> models();

}  // namespace nm::hostile
