// Loads and runs damaged copies of models: cut short, bits flipped, bytes overwritten, pieces moved. Every one must end
// in an error or a result; run this under the sanitizers.
//   nm_mutations MODEL... [--count N] [--seed N]
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>

#include "cli/files.h"
#include "engine/base/memory.h"
#include "tests/fuzz/time_limit.h"

namespace {

using namespace nm;

// A damaged model may ask for much; what it may have is bounded, in bytes and (time_limit.h) in time.
constexpr size_t kMemory = size_t{1} << 28;

void mutate(uint8_t* bytes, size_t& size, std::mt19937& random) {
  const auto at = [&] { return random() % size; };
  const uint32_t edits = 1 + random() % 4;
  for (uint32_t i = 0; i < edits && size > 0; ++i) {
    switch (random() % 6) {
      case 0:
        size = at();
        break;
      case 1:
      case 2:
        bytes[at()] ^= static_cast<uint8_t>(1u << (random() % 8));
        break;
      case 3:
        bytes[at()] = static_cast<uint8_t>(random());
        break;
      case 4:
        bytes[at()] = random() % 2 ? 0xff : 0x00;
        break;
      case 5: {
        const size_t from = at();
        const size_t to = at();
        const size_t length = std::min<size_t>(random() % 32, size - std::max(from, to));
        std::memmove(bytes + to, bytes + from, length);
        break;
      }
    }
  }
}

enum class End { Refused, FailedToRun, Ran };

End try_model(const cli::File& file, std::mt19937& random) {
  size_t size = file.bytes.size();
  Buffer copy{Size(size)};
  std::memcpy(copy.data(), file.bytes.data(), size);
  mutate(copy.data(), size, random);
  // It comes in pieces of up to 2, 64 or 8192 bytes, and the announced length may be wrong too.
  IncomingModel model(random() % 4 == 0 ? random() % (2 * file.bytes.size() + 1) : size);
  const size_t largest = size_t{2} << 6 * (random() % 3);
  for (size_t at = 0; at < size;) {
    const size_t count = std::min<size_t>(1 + random() % largest, size - at);
    if (!model.append(onnx::Bytes(copy.data() + at, count)).ok()) return End::Refused;
    at += count;
  }
  auto session = Session::load(std::move(model), {});
  if (!session.ok()) return End::Refused;
  for (size_t i = 0; i < (*session)->inputs().size(); ++i) {
    auto t = cli::random_input((*session)->inputs()[i], 1);
    if (!t.ok() || !(*session)->set_input(i, std::move(*t)).ok()) return End::FailedToRun;
  }
  const fuzz::TimeLimit limit(**session);
  const Status s = (*session)->run();
  return s.ok() ? End::Ran : End::FailedToRun;
}

}  // namespace

int main(int argc, char** argv) {
  int count = 1000;
  uint32_t seed = 1;
  int models = 0;
  limit_memory(kMemory);
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--count" && i + 1 < argc) {
      count = std::atoi(argv[++i]);
    } else if (argument == "--seed" && i + 1 < argc) {
      seed = static_cast<uint32_t>(std::atoi(argv[++i]));
    } else {
      auto file = cli::read_file(argument);
      if (!file.ok()) {
        std::fprintf(stderr, "%s\n", file.status().message().c_str());
        return 2;
      }
      int ends[3] = {};
      for (int n = 0; n < count; ++n) {
        std::mt19937 random(seed + static_cast<uint32_t>(n));
        ++ends[static_cast<int>(try_model(*file, random))];
      }
      std::printf("%s: %d mutations: %d refused, %d failed to run, %d ran\n", argument.c_str(), count, ends[0], ends[1],
                  ends[2]);
      std::fflush(stdout);
      ++models;
    }
  }
  std::printf("%d passed, 0 failed\n", models);
  return models == 0 ? 2 : 0;
}
