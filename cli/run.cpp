#include <cstdio>

#include "cli/commands.h"
#include "cli/model_run.h"

namespace nm::cli {
namespace {

void print_tensor(const std::string& name, const Tensor& t) {
  std::printf("%s: %s", name.c_str(), describe(t.dtype(), t.shape()).c_str());
  const int64_t shown = std::min<int64_t>(t.count(), 8);
  for (int64_t i = 0; i < shown; ++i) {
    std::printf(i ? ", " : " = ");
    switch (t.dtype()) {
      case DType::Float32:
        std::printf("%g", static_cast<double>(t.data<float>()[i]));
        break;
      case DType::Float64:
        std::printf("%g", t.data<double>()[i]);
        break;
      case DType::Float16:
        std::printf("%g", static_cast<double>(t.data<float16>()[i]));
        break;
      case DType::Int64:
        std::printf("%lld", static_cast<long long>(t.data<int64_t>()[i]));
        break;
      case DType::Int32:
        std::printf("%d", t.data<int32_t>()[i]);
        break;
      case DType::Bool:
        std::printf(t.data<bool>()[i] ? "true" : "false");
        break;
      case DType::String:
        std::printf("\"%s\"", t.data<std::string>()[i].c_str());
        break;
      default:
        std::printf("…");
        i = shown;
    }
  }
  std::printf(t.count() > shown ? ", …\n" : "\n");
}

Status run_model(Arguments arguments) {
  NM_TRY(use_threads(take_option(arguments, "--threads")));
  const std::string out = take_option(arguments, "--out");
  const InputOptions inputs = take_input_options(arguments);
  if (arguments.size() != 1) return {Code::InvalidArgument, "give one model file: neuromancer run MODEL"};
  NM_ASSIGN(std::unique_ptr<Session> session, load_model(arguments[0]));
  NM_TRY(give_inputs(*session, inputs));
  NM_TRY(session->run());
  for (size_t i = 0; i < session->outputs().size(); ++i) {
    const std::string& name = session->outputs()[i].name;
    const Tensor* t = session->output(i).tensor();
    if (t == nullptr) {
      std::printf("%s: %s\n", name.c_str(), to_string(session->outputs()[i].type).c_str());
    } else if (out.empty()) {
      print_tensor(name, *t);
    } else {
      std::string file = name;
      for (char& c : file) c = c == '/' || c == ':' ? '_' : c;
      NM_TRY(write_npy(text(out, "/", file, ".npy"), *t));
    }
  }
  return {};
}

}  // namespace

int run(const Arguments& arguments) {
  const Status s = run_model(arguments);
  return s.ok() ? 0 : report(s);
}

}  // namespace nm::cli
