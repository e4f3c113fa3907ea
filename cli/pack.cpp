#include <algorithm>
#include <charconv>
#include <cstdio>

#include "cli/accuracy.h"
#include "cli/commands.h"

namespace nm::cli {
namespace {

// "batch=1,length=128"
Result<Dimensions> parse_dimensions(std::string_view list) {
  Dimensions dimensions;
  while (!list.empty()) {
    const std::string_view one = list.substr(0, list.find(','));
    list.remove_prefix(std::min(list.size(), one.size() + 1));
    const size_t at = one.rfind('=');
    const char* const end = one.data() + one.size();
    int64_t number = -1;
    if (at != std::string_view::npos && at > 0) {
      const auto [last, error] = std::from_chars(one.data() + at + 1, end, number);
      if (error != std::errc() || last != end) number = -1;
    }
    if (number < 0) return Status(Code::InvalidArgument, text("--shapes: '", one, "' is not of the form batch=1"));
    dimensions.insert_or_assign(std::string(one.substr(0, at)), number);
  }
  return dimensions;
}

Result<packed::Weights> parse_weights(std::string_view name) {
  using packed::Weights;
  if (name.empty() || name == "float32") return Weights::Float32;
  if (name == "float16") return Weights::Float16;
  if (name == "int8") return Weights::Int8;
  if (name == "int4") return Weights::Int4;
  return Status(Code::InvalidArgument, text("--weights: '", name, "' is none of float16, int8, int4"));
}

Status pack_to_file(Arguments arguments) {
  std::string out = take_option(arguments, "-o");
  out = take_option(arguments, "--output", out);
  NM_ASSIGN(Dimensions dimensions, parse_dimensions(take_option(arguments, "--shapes")));
  packed::WriteOptions options;
  options.names = !take_flag(arguments, "--strip");
  NM_ASSIGN(options.weights, parse_weights(take_option(arguments, "--weights")));
  const InputOptions inputs = take_input_options(arguments);
  if (arguments.size() != 1 || out.empty()) {
    return {Code::InvalidArgument, "give one model and the file to write: neuromancer pack MODEL -o FILE"};
  }
  NM_ASSIGN(const Tensor packed, pack_file(arguments[0], dimensions, options));
  // What cannot be prepared is said now rather than where the file is used.
  NM_ASSIGN(const std::unique_ptr<Session> session, load_packed(packed));
  NM_TRY(write_file(out, packed.raw(), packed.bytes()));
  std::printf("%s: %zu bytes, %zu nodes\n", out.c_str(), packed.bytes(), session->program().graph().nodes.size());
  if (options.weights == packed::Weights::Float32) return {};
  NM_ASSIGN(GivenModel original, read_given_model(arguments[0]));
  original.options.dimensions = std::move(dimensions);
  NM_ASSIGN(const auto reference, Session::load(std::move(original.file), std::move(original.options)));
  return print_accuracy(*session, *reference, inputs);
}

}  // namespace

int pack(const Arguments& arguments) {
  const Status s = pack_to_file(arguments);
  return s.ok() ? 0 : report(s);
}

}  // namespace nm::cli
