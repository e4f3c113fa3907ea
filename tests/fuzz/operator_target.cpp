#include "tests/fuzz/bounded_run.h"
#include "tests/fuzz/operator_model.h"
#include "tests/fuzz/targets.h"

namespace nm::fuzz {

void run_operator(Bytes bytes) {
  const OperatorModel model = decode_model(bytes);
  const Bytes file(reinterpret_cast<const uint8_t*>(model.file.data()), model.file.size());
  for (const bool optimize : {true, false}) {
    auto session = load(file, SIZE_MAX, optimize);
    if (session.ok()) static_cast<void>(run(**session, model.inputs, bytes.size()));
  }
}

}  // namespace nm::fuzz
