#include "tests/differ/other_shapes.h"

#include <cstring>

#include "engine/base/text.h"
#include "engine/session/session.h"
#include "tests/unit/onnx_writer.h"

namespace nm::differ {
namespace {

constexpr int64_t kShapes = 14;  // more than a session keeps plans

// The same numbers over again, where every dimension larger than 1 has `more` elements more.
Result<Tensor> lengthened(const Tensor& t, int64_t more) {
  Shape shape = t.shape();
  for (int i = 0; i < shape.rank(); ++i) shape[i] += shape[i] > 1 ? more : 0;
  NM_ASSIGN(Tensor out, Tensor::create(t.dtype(), shape));
  const size_t bytes = t.bytes();
  for (size_t at = 0; bytes > 0 && at < out.bytes(); at += bytes) {
    std::memcpy(static_cast<uint8_t*>(out.raw()) + at, t.raw(), std::min(bytes, out.bytes() - at));
  }
  return out;
}

Status run(Session& session, const Sketch& sketch, int64_t more) {
  for (size_t i = 0; i < sketch.inputs.size(); ++i) {
    const SketchInput& in = sketch.inputs[i];
    if (!in.open) {
      NM_TRY(session.set_input(i, in.value));
      continue;
    }
    NM_ASSIGN(Tensor longer, lengthened(in.value, more));
    NM_TRY(session.set_input(i, std::move(longer)));
  }
  return session.run();
}

bool same(const Value& a, const Value& b) {
  const Tensor *x = a.tensor(), *y = b.tensor();
  if (x == nullptr || y == nullptr || x->dtype() == DType::String) return (x == nullptr) == (y == nullptr);
  return x->dtype() == y->dtype() && x->shape() == y->shape() &&
         (x->bytes() == 0 || std::memcmp(x->raw(), y->raw(), x->bytes()) == 0);
}

}  // namespace

std::string compare_other_shapes(const Sketch& sketch) {
  bool any = false;
  for (const SketchInput& i : sketch.inputs) {
    any = any || i.open;
    if (i.open && i.value.dtype() == DType::String) return {};
  }
  if (!any) return {};
  const std::string model = sketch.model();
  auto session = test::load(model, true);
  if (!session.ok()) return {};
  for (int64_t more = 0; more < kShapes; ++more) {
    auto fresh = test::load(model, true);
    if (!fresh.ok()) return "a second session cannot be loaded";
    const Status one = run(**session, sketch, more), other = run(**fresh, sketch, more);
    if (one.code() != other.code()) {
      return text("shape ", more, ": '", one.message(), "', and in a fresh session '", other.message(), "'");
    }
    for (size_t o = 0; one.ok() && o < sketch.outputs.size(); ++o) {
      if (same((*session)->output(o), (*fresh)->output(o))) continue;
      return text("output ", o, " of shape ", more, " is another one in a fresh session");
    }
  }
  return {};
}

}  // namespace nm::differ
