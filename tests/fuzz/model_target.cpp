#include "tests/fuzz/bounded_run.h"
#include "tests/fuzz/targets.h"

namespace nm::fuzz {

void run_model(Bytes bytes) {
  for (const bool optimize : {true, false}) {
    auto session = load(bytes, SIZE_MAX, optimize);
    if (session.ok()) static_cast<void>(run(**session, {}, bytes.size()));
  }
}

}  // namespace nm::fuzz
