// libFuzzer's entry points, for the target that NM_FUZZ_TARGET names. Each has a program of its own: libFuzzer looks at
// all counters of a program after each execution, and the reader's program has few (35,000 executions a second of the
// processor, where it made 22,000 in one program with the kernels and operators).
#include "engine/base/memory.h"
#include "tests/fuzz/bounded_run.h"
#include "tests/fuzz/targets.h"

namespace {

// A copy: the table would bring the other targets.
constexpr nm::fuzz::Target kTarget = *nm::fuzz::find_target(NM_FUZZ_TARGET);

}  // namespace

extern "C" {

size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t capacity);

int LLVMFuzzerInitialize(int*, char***) {
  nm::limit_memory(nm::fuzz::kMemory);
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  kTarget.run({data, size});
  return 0;
}

// A quarter of the mutations knows nothing of the format.
size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t capacity, unsigned seed) {
  if (kTarget.mutate == nullptr || seed % 4 == 0) return LLVMFuzzerMutate(data, size, capacity);
  return kTarget.mutate(data, size, capacity, seed / 4);
}
}
