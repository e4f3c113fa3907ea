// libFuzzer's entry points. The environment's NM_FUZZ_TARGET names the target.
#include <cstdio>
#include <cstdlib>

#include "engine/base/memory.h"
#include "tests/fuzz/bounded_run.h"
#include "tests/fuzz/targets.h"

namespace {

const nm::fuzz::Target* target = nullptr;

}  // namespace

extern "C" {

size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t capacity);

int LLVMFuzzerInitialize(int*, char***) {
  const char* name = std::getenv("NM_FUZZ_TARGET");
  target = name != nullptr ? nm::fuzz::find_target(name) : nullptr;
  if (target == nullptr) {
    std::fprintf(stderr, "NM_FUZZ_TARGET must name a target:");
    for (const auto& t : nm::fuzz::kTargets)
      std::fprintf(stderr, " %.*s", static_cast<int>(t.name.size()), t.name.data());
    std::fprintf(stderr, "\n");
    std::exit(2);
  }
  nm::limit_memory(nm::fuzz::kMemory);
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  target->run({data, size});
  return 0;
}

// Half of the mutations keep to the format, the other half knows nothing of it.
size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t capacity, unsigned seed) {
  if (target->mutate == nullptr || seed % 4 == 0) return LLVMFuzzerMutate(data, size, capacity);
  return target->mutate(data, size, capacity, seed / 4);
}
}
