// The table of operators in docs/operators.md: what the registry has, joined with what has been seen to work.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <set>
#include <sstream>

#include "cli/commands.h"
#include "cli/coverage.h"
#include "cli/files.h"
#include "engine/graph/build.h"
#include "engine/op/registry.h"
#include "engine/passes/passes.h"

namespace nm::cli {
namespace {

namespace fs = std::filesystem;

// One row of the table; the key is (domain, name).
struct Row {
  std::string versions;
  std::set<std::string> types;
  bool in_cases = false;
  std::vector<std::string> unit_tests;
};
using Table = std::map<std::pair<std::string, std::string>, Row>;

Table registered() {
  std::map<std::pair<std::string, std::string>, std::vector<std::pair<int, int>>> ranges;
  const auto& entries = Registry::instance().entries();
  for (size_t i = 0; i < entries.size(); ++i) {
    const OperatorEntry& e = *entries[i];
    if (e.domain == kInternalDomain) continue;
    const bool more = i + 1 < entries.size() && entries[i + 1]->name == e.name && entries[i + 1]->domain == e.domain;
    const int until = more ? std::min(e.until(), entries[i + 1]->since - 1) : e.until();
    ranges[{e.domain.empty() ? "ai.onnx" : std::string(e.domain), std::string(e.name)}].emplace_back(e.since, until);
  }
  Table table;
  for (auto& [key, list] : ranges) {
    std::sort(list.begin(), list.end());
    int end = 0;
    for (const auto& [since, until] : list) {
      std::string& versions = table[key].versions;
      if (since == end + 1 && !versions.empty()) versions.erase(versions.rfind("–"));
      if (since != end + 1 || versions.empty()) versions += text(versions.empty() ? "" : ", ", since);
      versions += until == INT16_MAX ? "–" : text("–", until);
      end = until == INT16_MAX ? until - 1 : until;
    }
  }
  return table;
}

Status read_coverage(const std::string& path, bool cases, Table& table) {
  std::ifstream in(path);
  if (!in) return {Code::InvalidArgument, text("cannot open ", path)};
  for (std::string line; std::getline(in, line);) {
    std::istringstream fields(line);
    std::string domain, name, version, types[2];
    fields >> domain >> name >> version >> types[0] >> types[1];
    const auto row = table.find({domain, name});
    if (row == table.end()) continue;
    for (const std::string& t : types) {
      if (t != "undefined" && !t.empty()) row->second.types.insert(t);
    }
    row->second.in_cases |= cases;
  }
  return {};
}

// Unit tests name the operators they run in quotes.
void find_unit_tests(const std::string& folder, Table& table) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.path().filename().string().ends_with("_test.cpp")) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  for (const fs::path& file : files) {
    std::ifstream in(file);
    const std::string source((std::istreambuf_iterator<char>(in)), {});
    for (auto& [key, row] : table) {
      if (source.find('"' + key.second + '"') == std::string::npos) continue;
      const std::string name = file.lexically_relative(folder).generic_string();
      row.unit_tests.push_back(name.substr(0, name.size() - 9));
    }
  }
}

// In the order of ONNX's numbers, kinds last.
std::string join_types(const std::set<std::string>& types) {
  std::string joined;
  const auto add = [&](std::string_view type) { joined += text(joined.empty() ? "" : ", ", type); };
  for (int i = 1; i < kDTypeCount; ++i) {
    const std::string name(dtype_name(static_cast<DType>(i)));
    if (types.contains(name)) add(name);
  }
  for (const char* kind : {"sequence", "optional", "map"}) {
    if (types.contains(kind)) add(kind);
  }
  return joined.empty() ? "not recorded" : joined;
}

void print(const Table& table) {
  std::cout << "# Operators\n\n"
               "Written by `./dev operators`; do not edit. Versions are those of the operator sets that a model may\n"
               "name. Element types are not claimed but seen: the first input's and the first output's in ONNX's own\n"
               "backend cases that pass, and in the unit tests of `tests/ops/` that run the operator. Other types may\n"
               "work; 16-bit floats are widened to float32 for operators that do not name them.\n";
  std::string domain;
  for (const auto& [key, row] : table) {
    if (key.first != domain) {
      domain = key.first;
      const auto count =
          std::count_if(table.begin(), table.end(), [&](const auto& r) { return r.first.first == domain; });
      std::cout << "\n## " << domain << "\n\n" << count << " operators.\n\n";
      std::cout << "| operator | versions | element types seen | tested by |\n|---|---|---|---|\n";
    }
    std::string tested = row.in_cases ? "ONNX's cases" : "";
    for (const std::string& t : row.unit_tests) tested += text(tested.empty() ? "" : ", ", '`', t, '`');
    std::cout << "| " << key.second << " | " << row.versions << " | " << join_types(row.types) << " | "
              << (tested.empty() ? "nothing" : tested) << " |\n";
  }
}

// A graph and its nodes as the file has them: inference replaces compositions.
struct Written {
  std::shared_ptr<Graph> graph;
  std::vector<Node> nodes;
};

void collect(const std::shared_ptr<Graph>& graph, std::vector<Written>& all) {
  all.push_back({graph, graph->nodes});
  for (const Node& n : graph->nodes) {
    for (const auto& [name, value] : n.attributes) {
      if (const auto* body = std::get_if<std::shared_ptr<Graph>>(&value); body && *body) collect(*body, all);
    }
  }
}

Status add_coverage(const std::string& path, std::string& lines) {
  NM_ASSIGN(IncomingModel file, read_model_file(path));
  if (file.onnx() == nullptr) return {};  // what a packed model's file wrote, nobody knows any more
  NM_ASSIGN(const onnx::ModelProto model, onnx::read_model(file.onnx()->rest()));
  auto graph = std::make_shared<Graph>();
  NM_ASSIGN(*graph, build_graph(model, *file.onnx(), {}));
  std::vector<Written> all;
  collect(graph, all);
  NM_TRY(infer_types(*graph));
  for (const Written& w : all) {
    const auto type = [&](const std::vector<ValueId>& ids) {
      return ids.empty() || ids[0] == kNone ? ValueType() : w.graph->value(ids[0]).type;
    };
    for (const Node& n : w.nodes) lines += coverage_line(n, type(n.inputs), type(n.outputs));
  }
  return {};
}

}  // namespace

std::string model_coverage(const std::string& path) {
  std::string lines;
  const Status ignored = add_coverage(path, lines);  // what cannot be loaded has not passed
  return lines;
}

int operators(const Arguments& given) {
  Arguments arguments = given;
  Table table = registered();
  for (const std::string& file : take_options(arguments, "--cases")) {
    if (Status s = read_coverage(file, true, table); !s.ok()) return report(s);
  }
  for (const std::string& file : take_options(arguments, "--units")) {
    if (Status s = read_coverage(file, false, table); !s.ok()) return report(s);
  }
  const std::string tests = take_option(arguments, "--tests");
  if (!tests.empty()) find_unit_tests(tests, table);
  print(table);
  return 0;
}

}  // namespace nm::cli
