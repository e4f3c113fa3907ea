#include "cli/model_run.h"

#include <charconv>

#include "cli/commands.h"
#include "engine/base/thread_pool.h"

namespace nm::cli {

InputOptions take_input_options(std::vector<std::string>& arguments) {
  return {take_options(arguments, "--input"), take_options(arguments, "--shape")};
}

namespace {

// What an option of the form NAME=VALUE gives for this input; nullptr when there is none.
const char* value_for(const std::vector<std::string>& options, const std::string& name) {
  const char* found = nullptr;
  for (const std::string& o : options) {
    if (o.starts_with(name + "=")) found = o.c_str() + name.size() + 1;
  }
  return found;
}

Status check_names(const Session& session, const std::vector<std::string>& options) {
  for (const std::string& o : options) {
    const std::string name = o.substr(0, o.find('='));
    bool known = false;
    for (const Session::Port& p : session.inputs()) known = known || p.name == name;
    if (!known || o.size() == name.size()) {
      return {Code::InvalidArgument, text(o, ": write NAME=VALUE with the name of one of the model's inputs")};
    }
  }
  return {};
}

Result<Shape> parse_shape(std::string_view dims) {
  Shape shape;
  while (!dims.empty()) {
    int64_t d = 0;
    const auto [end, error] = std::from_chars(dims.data(), dims.data() + dims.size(), d);
    if (error != std::errc() || d < 0 || shape.rank() == kMaxRank) {
      return Status(Code::InvalidArgument, text("--shape: '", dims, "' is no list of dimensions such as 1,3,224,224"));
    }
    shape.push_back(d);
    dims.remove_prefix(static_cast<size_t>(end - dims.data()));
    if (!dims.empty()) dims.remove_prefix(1);
  }
  return shape;
}

}  // namespace

Status give_inputs(Session& session, const InputOptions& options) {
  NM_TRY(check_names(session, options.files));
  NM_TRY(check_names(session, options.shapes));
  for (size_t i = 0; i < session.inputs().size(); ++i) {
    const Session::Port& port = session.inputs()[i];
    const auto seed = static_cast<uint32_t>(i + 1);
    const char* file = value_for(options.files, port.name);
    if (file != nullptr && std::string_view(file) != "random") {
      NM_ASSIGN(Value v, read_value(file, port.type));
      NM_TRY(session.set_input(i, std::move(v)));
    } else if (port.type.kind == ValueType::Kind::Optional) {
      NM_TRY(session.set_input(i, Value()));
    } else if (const char* dims = value_for(options.shapes, port.name)) {
      NM_ASSIGN(const Shape shape, parse_shape(dims));
      NM_ASSIGN(Tensor t, random_tensor(port.type.dtype, shape, seed));
      NM_TRY(session.set_input(i, std::move(t)));
    } else {
      NM_ASSIGN(Tensor t, random_input(port, seed));
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
  thread_pool::set_size(threads);
  return {};
}

}  // namespace nm::cli
