// Work that must grow with the model or the text and not with its square: at twice the size it may take at most 2.5
// times as long. Time is the processor's, the shortest of several. Other programs disturb even that, through the cache,
// so a comparison may be tried again; what grows with the square fails every time.
#include <algorithm>
#include <ctime>

#include "catch_amalgamated.hpp"
#include "engine/base/regex.h"
#include "tests/unit/onnx_writer.h"

using namespace nm;
using namespace nm::test;

namespace {

template <class F>
double seconds(F&& work) {
  double best = 1e9;
  for (int i = 0; i < 5; ++i) {
    const std::clock_t start = std::clock();
    work();
    best = std::min(best, static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC);
  }
  return best;
}

constexpr int kTries = 8;

template <class F>
bool grows_linearly(F&& time_at, int size) {
  for (int i = 0; i < kTries; ++i) {
    if (time_at(2 * size) <= 2.5 * time_at(size)) return true;
  }
  return false;
}

std::string identity_chain(int length) {
  GraphParts g;
  g.inputs = {value_info("x0", DType::Float32, {"2"})};
  for (int i = 0; i < length; ++i) {
    g.nodes.push_back(node_proto("Identity", {"x" + std::to_string(i)}, {"x" + std::to_string(i + 1)}));
  }
  g.outputs = {value_info("x" + std::to_string(length), DType::Float32, {"2"})};
  return model_bytes(g);
}

}  // namespace

TEST_CASE("loading a chain of identities takes time that grows with its length", "[growth]") {
  const auto load_chain = [](int length) {
    const std::string model = identity_chain(length);
    return seconds([&] { CHECK(load(model).ok()); });
  };
  CHECK(grows_linearly(load_chain, 4000));
}

TEST_CASE("finding all matches of a pattern takes time that grows with the text", "[growth]") {
  const auto search = [](const char* pattern, int n) {
    const std::string text(static_cast<size_t>(n), 'a');
    auto regex = Regex::compile(pattern);
    return seconds([&] { static_cast<void>(regex->all_matches(text)); });
  };
  // Nowhere a match, a short match everywhere with a long one in sight, one match in all.
  for (const char* pattern : {"(a*)*b", "a|a*b", "a+"}) {
    INFO("/" << pattern << "/");
    CHECK(grows_linearly([&](int n) { return search(pattern, n); }, 100000));
  }
}
