#include "cli/model_run.h"

#include <charconv>

#include "engine/base/thread_pool.h"

namespace nm::cli {

Status give_inputs(Session& session, const std::vector<std::string>& given) {
  for (const std::string& g : given) {
    const std::string name = g.substr(0, g.find('='));
    bool known = false;
    for (const Session::Port& p : session.inputs()) known = known || p.name == name;
    if (!known || g.size() == name.size()) {
      return {Code::InvalidArgument, text("--input ", g, ": write NAME=FILE or NAME=random with one of the model's inputs")};
    }
  }
  for (size_t i = 0; i < session.inputs().size(); ++i) {
    const Session::Port& port = session.inputs()[i];
    std::string source = "random";
    for (const std::string& g : given) {
      if (g.starts_with(port.name + "=")) source = g.substr(port.name.size() + 1);
    }
    if (source != "random") {
      NM_ASSIGN(Value v, read_value(source, port.type));
      NM_TRY(session.set_input(i, std::move(v)));
    } else if (port.type.kind == ValueType::Kind::Optional) {
      NM_TRY(session.set_input(i, Value()));
    } else {
      NM_ASSIGN(Tensor t, random_tensor(port, static_cast<uint32_t>(i + 1)));
      NM_TRY(session.set_input(i, std::move(t)));
    }
  }
  return {};
}

Status use_threads(const std::string& count) {
  int threads = 1;
  if (!count.empty()) {
    const auto [end, error] = std::from_chars(count.data(), count.data() + count.size(), threads);
    if (error != std::errc() || end != count.data() + count.size() || threads < 1 || threads > 256) {
      return {Code::InvalidArgument, text("--threads ", count, ": give a number from 1 to 256")};
    }
  }
  ThreadPool::instance().set_size(threads);
  return {};
}

}  // namespace nm::cli
