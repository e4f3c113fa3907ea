// Replays corpora without libFuzzer: every file of every folder, through the target that the folder is named after.
//   nm_replay [--random N] [--seed N] [--last FILE] FOLDER…
//   nm_replay --target NAME FILE…
// With --random each folder's files are mutated N times besides; what is tried is written to FILE first, where it stays
// when a sanitizer ends the process.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "cli/files.h"
#include "engine/base/memory.h"
#include "tests/fuzz/bounded_run.h"
#include "tests/fuzz/targets.h"

namespace {

using namespace nm;
namespace fs = std::filesystem;
using Input = std::vector<uint8_t>;

constexpr size_t kLargest = 4096;

bool read(const std::string& path, Input& input) {
  auto file = cli::read_file(path);
  if (!file.ok()) return std::fprintf(stderr, "%s\n", file.status().message().c_str()), false;
  // A copy of exactly that size, so that a read past the end is one past a block.
  input.assign(file->bytes.begin(), file->bytes.end());
  return true;
}

// One to four changes of bytes; pieces of another input among them.
void mutate_bytes(Input& input, const Input& other, std::mt19937& random) {
  const auto below = [&](size_t n) { return n == 0 ? 0 : random() % n; };
  for (size_t n = 1 + below(4); n > 0; --n) {
    const auto at = static_cast<ptrdiff_t>(below(input.size() + 1));
    const bool inside = at < static_cast<ptrdiff_t>(input.size());
    switch (below(6)) {
      case 0:
        input.insert(input.begin() + at, static_cast<uint8_t>(random()));
        break;
      case 1:
        if (inside) input.erase(input.begin() + at);
        break;
      case 2:
        if (inside) input[static_cast<size_t>(at)] = static_cast<uint8_t>(160 + below(64));  // an extreme number
        break;
      case 3:
        if (inside) input[static_cast<size_t>(at)] = static_cast<uint8_t>(random());
        break;
      case 4:
        if (inside) input[static_cast<size_t>(at)] = static_cast<uint8_t>(16 + below(8));  // a small number
        break;
      default: {
        const auto from = static_cast<ptrdiff_t>(below(other.size()));
        const auto size =
            static_cast<ptrdiff_t>(below(std::min<size_t>(32, other.size() - static_cast<size_t>(from)) + 1));
        input.insert(input.begin() + at, other.begin() + from, other.begin() + from + size);
      }
    }
  }
  input.resize(std::min(input.size(), kLargest));
}

void run_mutated(const fuzz::Target& target, const std::vector<Input>& inputs, uint64_t count, uint32_t seed,
                 const std::string& last) {
  std::mt19937 random(seed);
  for (uint64_t n = 0; n < count; ++n) {
    Input input = inputs[random() % inputs.size()];
    if (target.mutate != nullptr && random() % 4 != 0) {
      const size_t size = input.size();
      input.resize(std::max(size, kLargest));
      input.resize(target.mutate(input.data(), size, input.size(), static_cast<uint32_t>(random())));
    } else {
      mutate_bytes(input, inputs[random() % inputs.size()], random);
    }
    input.shrink_to_fit();
    if (!last.empty()) static_cast<void>(cli::write_file(last, input.data(), input.size()));
    target.run(input);
  }
}

}  // namespace

int main(int argc, char** argv) {
  using Clock = std::chrono::steady_clock;
  limit_memory(fuzz::kMemory);
  uint64_t mutations = 0;
  uint32_t seed = 1;
  std::string last;
  std::vector<std::string> rest;
  const fuzz::Target* named = nullptr;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (!argument.starts_with("--")) {
      rest.emplace_back(argument);
    } else if (++i == argc) {
      return std::fprintf(stderr, "%s needs a value\n", argv[i - 1]), 2;
    } else if (argument == "--target") {
      named = fuzz::find_target(argv[i]);
      if (named == nullptr) return std::fprintf(stderr, "there is no target '%s'\n", argv[i]), 2;
    } else if (argument == "--random") {
      mutations = std::strtoull(argv[i], nullptr, 10);
    } else if (argument == "--seed") {
      seed = static_cast<uint32_t>(std::strtoul(argv[i], nullptr, 10));
    } else if (argument == "--last") {
      last = argv[i];
    } else {
      return std::fprintf(stderr, "nm_replay: no option %s\n", argv[i - 1]), 2;
    }
  }
  int passed = 0, failed = 0;
  Input input;
  if (named != nullptr) {
    for (const std::string& path : rest) {
      std::fprintf(stderr, "%s\n", path.c_str());
      const bool there = read(path, input);
      if (there) named->run(input);
      ++(there ? passed : failed);
    }
    rest.clear();
  }
  for (const std::string& folder : rest) {
    const fuzz::Target* target = fuzz::find_target(fs::path(folder).filename().string());
    if (target == nullptr) return std::fprintf(stderr, "no target is called like the folder %s\n", folder.c_str()), 2;
    std::vector<std::string> paths;
    for (const auto& entry : fs::directory_iterator(folder)) paths.push_back(entry.path().string());
    std::sort(paths.begin(), paths.end());
    const auto start = Clock::now();
    std::vector<Input> inputs;
    for (const std::string& path : paths) {
      const bool there = read(path, input);
      ++(there ? passed : failed);
      if (!there) continue;
      if (!last.empty()) static_cast<void>(cli::write_file(last, input.data(), input.size()));
      target->run(input);
      inputs.push_back(input);
    }
    if (!inputs.empty()) run_mutated(*target, inputs, mutations, seed, last);
    std::printf("%s: %zu inputs, %llu mutations in %.1f s\n", folder.c_str(), paths.size(),
                static_cast<unsigned long long>(mutations),
                std::chrono::duration<double>(Clock::now() - start).count());
    std::fflush(stdout);
  }
  std::printf("%d passed, %d failed\n", passed, failed);
  return passed == 0 || failed > 0;
}
