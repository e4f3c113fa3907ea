#include <cstdio>

#include "cli/commands.h"
#include "cli/files.h"

namespace nm::cli {
namespace {

Status pack_file(Arguments arguments) {
  std::string out = take_option(arguments, "-o");
  out = take_option(arguments, "--output", out);
  if (arguments.size() != 1 || out.empty()) {
    return {Code::InvalidArgument, "give one model and the file to write: neuromancer pack MODEL -o FILE"};
  }
  NM_ASSIGN(const Tensor packed, pack_model(arguments[0]));
  // What cannot be prepared is said now rather than where the file is used.
  NM_ASSIGN(const std::unique_ptr<Session> session, load_packed(packed));
  NM_TRY(write_file(out, packed.raw(), packed.bytes()));
  std::printf("%s: %zu bytes, %zu nodes\n", out.c_str(), packed.bytes(), session->program().graph().nodes.size());
  return {};
}

}  // namespace

int pack(const Arguments& arguments) {
  const Status s = pack_file(arguments);
  return s.ok() ? 0 : report(s);
}

}  // namespace nm::cli
