// The commands of the `neuromancer` program. Each takes what follows its name and returns the exit status.
#pragma once
#include <string>
#include <vector>

#include "engine/base/status.h"

namespace nm::cli {

using Arguments = std::vector<std::string>;

int run(const Arguments& arguments);
int bench(const Arguments& arguments);
int profile(const Arguments& arguments);
int inspect(const Arguments& arguments);
int passes(const Arguments& arguments);
int diff(const Arguments& arguments);
int pack(const Arguments& arguments);
int needs(const Arguments& arguments);
int check(const Arguments& arguments);
int operators(const Arguments& arguments);

// Prints the failure to standard error, with the places it names; always 1.
int report(const Status& status);

// Takes "--name VALUE" out of the arguments; the fallback when it is not there.
std::string take_option(Arguments& arguments, const std::string& name, const std::string& fallback = "");
bool take_flag(Arguments& arguments, const std::string& name);
// All values of an option that may be repeated.
std::vector<std::string> take_options(Arguments& arguments, const std::string& name);

}  // namespace nm::cli
