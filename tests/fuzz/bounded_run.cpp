#include "tests/fuzz/bounded_run.h"

#include <algorithm>

#include "cli/files.h"
#include "engine/base/memory.h"
#include "engine/tensor/element.h"
#include "engine/tensor/growing.h"
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

// A value that was kept, where it has a shape as a tensor and where it has not.
Status read_kept(const Value& value) {
  if (value.shape() == nullptr || value.tensor() != nullptr) {
    read_all(value, 0);
    return {};
  }
  NM_ASSIGN(Tensor contents, dense(value));
  read_all(Value(std::move(contents)), 0);
  return {};
}

// Gives inputs what outputs were, where the session takes it; now and then without the last row.
Status pass_on(Session& session, const std::vector<Value>& kept, size_t how, std::vector<Value>& inputs) {
  for (size_t i = 0; i < inputs.size(); ++i) {
    for (size_t k = 0; k < kept.size(); ++k) {
      Value value = kept[(i + how + k) % kept.size()];
      const Shape* shape = value.shape();
      if (how % 5 == 4 && shape != nullptr && shape->rank() > 0 && type_of(value).dtype != DType::String &&
          !is_packed(type_of(value).dtype)) {
        const int axis = static_cast<int>(how % static_cast<size_t>(shape->rank()));
        if ((*shape)[axis] > 0) {
          NM_ASSIGN(value, Growing::shorten(value, axis, (*shape)[axis] - 1));
        }
      }
      if (!session.set_input(i, value).ok()) continue;
      inputs[i] = std::move(value);
      break;
    }
  }
  return {};
}

// A conversation of a few turns, of which the second may begin where the first did.
Status converse(Session& session, std::vector<Value> inputs, size_t how) {
  constexpr Stored kForms[] = {Stored::F32, Stored::F16, Stored::I8};
  const size_t count = session.outputs().size();
  for (size_t o = 0; o < count; ++o) session.keep_output(o, kForms[how % 3]);
  inputs.resize(session.inputs().size());
  std::vector<std::vector<Value>> turns(4);
  for (size_t turn = 0; turn < turns.size(); ++turn) {
    NM_TRY(run_once(session, inputs));
    for (size_t o = 0; o < count; ++o) {
      NM_ASSIGN(Value value, session.take_output(o));
      turns[turn].push_back(std::move(value));
    }
    if (turn > 0 || how % 2 == 0) NM_TRY(pass_on(session, turns[turn], how + turn, inputs));
    if (how % 7 == 6) turns[turn].clear();
  }
  for (const std::vector<Value>& kept : turns) {
    for (const Value& value : kept) NM_TRY(read_kept(value));
  }
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

Status run(Session& session, const std::vector<Value>& inputs, size_t how) {
  NM_TRY(run_once(session, inputs));
  NM_TRY(run_once(session, inputs));
  return converse(session, inputs, how);
}

}  // namespace nm::fuzz
