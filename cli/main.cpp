#include <algorithm>
#include <cstdio>

#include "cli/commands.h"

namespace {

struct Command {
  const char* name;
  int (*run)(const nm::cli::Arguments&);
  const char* help;
};
constexpr Command kCommands[] = {
    {"run", nm::cli::run,
     R"(  neuromancer run MODEL [--input NAME=FILE.npy|FILE.pb|random]... [--out DIR] [--threads N]
      runs the model; inputs that are not given are random; outputs are printed, or written as .npy
      (run, bench and profile take --shape NAME=1,3,224,224 for random inputs whose shape the model leaves open)
)"},
    {"bench", nm::cli::bench,
     R"(  neuromancer bench MODEL [--input NAME=FILE]... [--shape NAME=DIMS]... [--threads N] [--runs N] [--json]
      load time, first run, and the median of the runs
)"},
    {"profile", nm::cli::profile,
     R"(  neuromancer profile MODEL [--input NAME=FILE]... [--shape NAME=DIMS]... [--threads N] [--runs N] [--trace FILE]
      a table of the steps; with --trace the last run in Chrome's trace format
)"},
    {"inspect", nm::cli::inspect,
     R"(  neuromancer inspect MODEL [--json]
      inputs, outputs, operators, sizes, and what is not supported
)"},
    {"pack", nm::cli::pack,
     R"(  neuromancer pack MODEL -o FILE [--shapes NAME=N,...] [--strip]
                   [--weights float16|int8|int4 [--input NAME=FILE]... [--shape NAME=DIMS]...]
      writes the model's packed form, which loads without being read as ONNX or optimised; every command that takes a
      model takes it, too; with --shapes dimensions that the model names are numbers from then on, with --strip the
      names of values and nodes inside, which errors and profiles show, are left out; with --weights the file is
      smaller by a half to five sixths, and how far outputs are then from the model's is printed, for these inputs
)"},
    {"needs", nm::cli::needs,
     R"(  neuromancer needs MODEL...
      the operators and element types that a reduced build must have for these models, as './dev build --ops-of' reads
      them
)"},
    {"passes", nm::cli::passes,
     R"(  neuromancer passes MODEL [--input NAME=FILE]... [--shape NAME=DIMS]...
      what each graph pass leaves of the model's steps, and how far the outputs are then from those without passes:
      the first pass behind which they are far away is at fault
)"},
    {"diff", nm::cli::diff,
     R"(  neuromancer diff MODEL [--reference MODEL] [--input NAME=FILE]... [--shape NAME=DIMS]... [--tolerance X]
      runs the model, and without passes itself or the reference, step by step on the same inputs: the first value that
      differs, by more than X (0.001) of the largest number in it, and the last before it that agrees
)"},
    {"check", nm::cli::check,
     R"(  neuromancer check DIR... [--json FILE] [--rtol X] [--atol X] [--skip FILE] [--unoptimized|--packed] [--quiet]
              [--coverage FILE]
      runs folders in the layout of ONNX's backend tests and compares the outputs; with --coverage adds to FILE which
      operators the cases that passed have run on which types; with --packed each model is packed and loaded from that
)"},
    {"operators", nm::cli::operators,
     R"(  neuromancer operators [--cases FILE] [--units FILE] [--tests DIR]
      all operators as a Markdown table, with the types in such files and the unit tests in DIR that name them
)"},
};

bool asks_for_help(const std::string& argument) { return argument == "--help" || argument == "-h"; }

void print_usage(FILE* to) {
  std::fputs("neuromancer: runs ONNX models and their packed forms\n\n", to);
  for (const Command& c : kCommands) std::fputs(c.help, to);
  std::fputs("  neuromancer COMMAND --help\n      the help of one command\n", to);
}

}  // namespace

int main(int argc, char** argv) {
  const nm::cli::Arguments arguments(argv + 1, argv + argc);
  if (arguments.empty() || asks_for_help(arguments[0]) || arguments[0] == "help") {
    print_usage(stdout);
    return 0;
  }
  for (const Command& c : kCommands) {
    if (arguments[0] != c.name) continue;
    if (std::any_of(arguments.begin() + 1, arguments.end(), asks_for_help)) {
      std::fputs(c.help, stdout);
      return 0;
    }
    return c.run({arguments.begin() + 1, arguments.end()});
  }
  std::fprintf(stderr, "neuromancer: no command '%s'\n", arguments[0].c_str());
  print_usage(stderr);
  return 2;
}

namespace nm::cli {

int report(const Status& status) {
  const Error& e = status.error();
  std::fprintf(stderr, "error (%s): %s\n", std::string(code_name(e.code)).c_str(), e.message.c_str());
  const auto line = [](const char* what, const std::string& value) {
    if (!value.empty()) std::fprintf(stderr, "  %s: %s\n", what, value.c_str());
  };
  line("operator", e.op);
  line("node", e.node);
  line("input", e.input);
  line("expected", e.expected);
  line("actual", e.actual);
  return 1;
}

std::vector<std::string> take_options(Arguments& arguments, const std::string& name) {
  std::vector<std::string> values;
  for (size_t i = 0; i + 1 < arguments.size();) {
    if (arguments[i] != name) {
      ++i;
      continue;
    }
    values.push_back(arguments[i + 1]);
    arguments.erase(arguments.begin() + static_cast<long>(i), arguments.begin() + static_cast<long>(i) + 2);
  }
  return values;
}

std::string take_option(Arguments& arguments, const std::string& name, const std::string& fallback) {
  const std::vector<std::string> values = take_options(arguments, name);
  return values.empty() ? fallback : values.back();
}

bool take_flag(Arguments& arguments, const std::string& name) { return std::erase(arguments, name) > 0; }

}  // namespace nm::cli
