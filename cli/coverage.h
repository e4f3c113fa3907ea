// Which operators have been seen to work on which element types: a line for each node of a case that passed. `check
// --coverage` writes such lines, the unit tests do where NM_COVERAGE names a file, and `operators` reads them.
#pragma once
#include <cstdio>
#include <string>
#include <string_view>

#include "engine/base/text.h"
#include "engine/graph/graph.h"

namespace nm::cli {

inline std::string coverage_type(const ValueType& type) {
  const std::string name = to_string(type);
  return name.substr(0, name.find('('));  // of a composite type its kind
}

// Domain, name, version of the operator set, first input's and first output's type.
inline std::string coverage_line(const Node& node, const ValueType& input, const ValueType& output) {
  return text(node.domain.empty() ? "ai.onnx" : node.domain, '\t', node.op_type, '\t', node.version, '\t',
              coverage_type(input), '\t', coverage_type(output), '\n');
}

inline void append_coverage(const std::string& file, const std::string& lines) {
  if (std::FILE* out = std::fopen(file.c_str(), "a")) {
    std::fwrite(lines.data(), 1, lines.size(), out);
    std::fclose(out);
  }
}

// The lines of a model that has passed, its subgraphs included.
std::string model_coverage(const std::string& path);

}  // namespace nm::cli
