#include "tests/fuzz/bounded_run.h"

#include <algorithm>

#include "cli/files.h"
#include "engine/base/memory.h"
#include "tests/fuzz/time_limit.h"

namespace nm::fuzz {
namespace {

// So that a sanitizer sees memory that is not there any more. What is read ends here, so no compiler leaves it out.
volatile uint8_t sink;

void read_all(const Value& value, int depth) {
  if (const Tensor* t = value.tensor()) {
    if (t->dtype() == DType::String) {
      for (const std::string& s : t->span<std::string>()) sink = static_cast<uint8_t>(s.size());
      return;
    }
    uint8_t sum = 0;
    const auto* p = static_cast<const uint8_t*>(t->raw());
    for (size_t i = 0, bytes = t->bytes(); i < bytes; ++i) sum = static_cast<uint8_t>(sum + p[i]);
    sink = sum;
  } else if (const Map* m = value.map()) {
    read_all(m->keys, depth);
    read_all(m->values, depth);
  } else if (const Sequence* s = value.sequence(); s != nullptr && depth < 64) {
    for (const Value& item : s->items) read_all(item, depth + 1);
  }
}

Status run_once(Session& session, const std::vector<Value>& inputs) {
  for (size_t i = 0; i < session.inputs().size(); ++i) {
    Value value = i < inputs.size() ? inputs[i] : Value();
    if (value.empty() && session.inputs()[i].type.kind != ValueType::Kind::Optional) {
      NM_ASSIGN(Tensor t, cli::random_input(session.inputs()[i], 1));
      value = Value(std::move(t));
    }
    NM_TRY(session.set_input(i, std::move(value)));
  }
  const TimeLimit limit(session);
  NM_TRY(session.begin());
  for (size_t left = 1; left > 0;) {
    NM_ASSIGN(left, session.advance(1));
  }
  for (size_t i = 0; i < session.outputs().size(); ++i) read_all(session.output(i), 0);
  return {};
}

}  // namespace

Result<std::unique_ptr<Session>> load(onnx::Bytes bytes, size_t piece, bool optimize) {
  IncomingModel file(bytes.size());
  for (size_t at = 0; at < bytes.size(); at += piece) {
    NM_TRY(file.append(bytes.subspan(at, std::min(piece, bytes.size() - at))));
  }
  LoadOptions options;
  options.optimize = optimize;
  options.limits.nodes = 20'000;
  options.limits.rounds = 2'000;
  options.limits.text_bytes = size_t{1} << 22;
  return Session::load(std::move(file), std::move(options));
}

Status run(Session& session, const std::vector<Value>& inputs) {
  NM_TRY(run_once(session, inputs));
  return run_once(session, inputs);
}

}  // namespace nm::fuzz
