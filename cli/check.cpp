// Folders in the layout of ONNX's backend tests: model.onnx and test_data_set_*/{input,output}_*.pb.
#include <algorithm>
#include <cmath>
#include <complex>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "cli/commands.h"
#include "cli/coverage.h"
#include "cli/files.h"

namespace nm::cli {
namespace {

namespace fs = std::filesystem;

struct Tolerance {
  double rtol = 1e-3;  // ONNX's own defaults
  double atol = 1e-7;
  bool argmax = false;  // quantised models: the largest element along the last axis must be the same one
};

enum class Outcome { Passed, Failed, Skipped };

struct Verdict {
  Outcome outcome = Outcome::Passed;
  std::string reason;
};

Verdict failed(std::string reason) { return {Outcome::Failed, std::move(reason)}; }

bool close(double a, double e, const Tolerance& t) {
  if (std::isnan(a) || std::isnan(e)) return std::isnan(a) && std::isnan(e);
  if (std::isinf(a) || std::isinf(e)) return a == e;
  return std::abs(a - e) <= t.atol + t.rtol * std::abs(e);
}

template <class T, class Read>
std::string compare_numbers(const Tensor& a, const Tensor& e, const Tolerance& t, Read read) {
  int64_t wrong = 0;
  int64_t first = -1;
  double worst = 0;
  for (int64_t i = 0; i < e.count(); ++i) {
    const double x = read(a.data<T>()[i]);
    const double y = read(e.data<T>()[i]);
    if (close(x, y, t)) continue;
    if (first < 0) first = i;
    ++wrong;
    worst = std::max(worst, std::abs(x - y));
  }
  if (t.argmax && e.rank() > 0) {
    const int64_t n = e.shape().back();
    for (int64_t r = 0; n > 0 && r < e.count() / n; ++r) {
      const auto top = [&](const Tensor& v) {
        const T* p = v.data<T>() + r * n;
        return std::max_element(p, p + n, [&](T l, T h) { return read(l) < read(h); }) - p;
      };
      if (top(a) != top(e)) return text("the largest element of row ", r, " is another one");
    }
  }
  if (wrong == 0) return {};
  return text(wrong, " of ", e.count(), " elements differ, the first at ", first, ": ", read(a.data<T>()[first]),
              " where ", read(e.data<T>()[first]), " was expected; largest difference ", worst);
}

std::string compare_tensors(const Tensor& a, const Tensor& e, const Tolerance& t) {
  if (describe(a.dtype(), a.shape()) != describe(e.dtype(), e.shape())) {
    return text("got ", describe(a.dtype(), a.shape()), " where ", describe(e.dtype(), e.shape()), " was expected");
  }
  const auto as_double = [](auto v) { return static_cast<double>(v); };
  switch (e.dtype()) {
    case DType::Float32:
      return compare_numbers<float>(a, e, t, as_double);
    case DType::Float64:
      return compare_numbers<double>(a, e, t, as_double);
    case DType::Float16:
      return compare_numbers<float16>(a, e, t, [](float16 v) { return static_cast<double>(static_cast<float>(v)); });
    case DType::BFloat16:
      return compare_numbers<bfloat16>(a, e, t, [](bfloat16 v) { return static_cast<double>(static_cast<float>(v)); });
    case DType::Complex64:
      for (int64_t i = 0; i < e.count(); ++i) {
        const auto x = a.data<std::complex<float>>()[i];
        const auto y = e.data<std::complex<float>>()[i];
        if (!close(x.real(), y.real(), t) || !close(x.imag(), y.imag(), t)) return text("element ", i, " differs");
      }
      return {};
    case DType::String:
      for (int64_t i = 0; i < e.count(); ++i) {
        if (a.data<std::string>()[i] != e.data<std::string>()[i]) return text("string ", i, " differs");
      }
      return {};
    default: {
      const auto* x = static_cast<const uint8_t*>(a.raw());
      const auto* y = static_cast<const uint8_t*>(e.raw());
      const auto [at, end] = std::mismatch(x, x + a.bytes(), y);
      if (at == x + a.bytes()) return {};
      // A unit in the last place of quantised results moves with the order of sums: within atol of one step.
      return text("byte ", at - x, " of ", a.bytes(), " differs: ", int{*at}, " where ", int{*end}, " was expected");
    }
  }
}

std::string compare_values(const Value& a, const Value& e, const Tolerance& t) {
  if (const Tensor* expected = e.tensor()) {
    const Tensor* actual = a.tensor();
    return actual ? compare_tensors(*actual, *expected, t) : "got something else than a tensor";
  }
  if (const Sequence* expected = e.sequence()) {
    const Sequence* actual = a.sequence();
    if (actual == nullptr) return "got something else than a sequence";
    if (actual->items.size() != expected->items.size()) {
      return text("got a sequence of ", actual->items.size(), " where ", expected->items.size(), " were expected");
    }
    for (size_t i = 0; i < expected->items.size(); ++i) {
      std::string why = compare_values(actual->items[i], expected->items[i], t);
      if (!why.empty()) return text("item ", i, ": ", why);
    }
    return {};
  }
  return a.empty() ? "" : "got a value where none was expected";
}

// A sequence of maps (ZipMap) beside its expectation as one tensor, a row for each map.
std::string compare_maps(const Sequence& maps, const Tensor& expected, const Tolerance& t) {
  const int64_t width = expected.rank() == 2 ? expected.dim(1) : 0;
  for (size_t r = 0; r < maps.items.size(); ++r) {
    const Map* map = maps.items[r].map();
    if (map == nullptr || map->values.count() != width) return text("item ", r, " is not a map of ", width, " entries");
    const Tensor row = Tensor::view(
        expected.dtype(), map->values.shape(),
        static_cast<uint8_t*>(const_cast<void*>(expected.raw())) + static_cast<size_t>(r) * map->values.bytes());
    std::string why = compare_tensors(map->values, row, t);
    if (!why.empty()) return text("item ", r, ": ", why);
  }
  return {};
}

std::vector<fs::path> sorted_entries(const fs::path& folder, std::string_view prefix, std::string_view suffix) {
  std::vector<std::pair<int, fs::path>> found;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(prefix) || !name.ends_with(suffix)) continue;
    const std::string number = name.substr(prefix.size(), name.size() - prefix.size() - suffix.size());
    if (number.find_first_not_of("0123456789") != std::string::npos || number.empty()) continue;
    found.emplace_back(std::atoi(number.c_str()), entry.path());
  }
  std::sort(found.begin(), found.end());
  std::vector<fs::path> paths;
  for (auto& [number, path] : found) paths.push_back(std::move(path));
  return paths;
}

Verdict check_set(Session& session, const fs::path& set, const Tolerance& tolerance) {
  const auto inputs = sorted_entries(set, "input_", ".pb");
  if (inputs.size() > session.inputs().size()) return failed("the data have more inputs than the model");
  for (size_t i = 0; i < session.inputs().size(); ++i) {
    Value value;
    if (i < inputs.size()) {
      auto v = read_value(inputs[i].string(), session.inputs()[i].type);
      if (!v.ok()) return failed(text("reading ", inputs[i].string(), ": ", v.status().message()));
      value = std::move(*v);
    }
    if (Status s = session.set_input(i, std::move(value)); !s.ok()) return failed(s.message());
  }
  if (Status s = session.run(); !s.ok()) {
    return failed(text(s.error().op.empty() ? "" : s.error().op + " '" + s.error().node + "': ", s.message()));
  }
  const auto outputs = sorted_entries(set, "output_", ".pb");
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (i >= session.outputs().size()) return failed("the data have more outputs than the model");
    const Value& actual = session.output(i);
    std::string why;
    if (actual.sequence() && !actual.sequence()->items.empty() && actual.sequence()->items[0].map()) {
      const fs::path as_tensor = set / text("output_", i, ".tensor.pb");
      auto expected = read_value(as_tensor.string(), ValueType::tensor(DType::Undefined));
      if (!expected.ok()) return {Outcome::Skipped, "its maps have no expectation as a tensor"};
      why = compare_maps(*actual.sequence(), *expected->tensor(), tolerance);
    } else {
      auto expected = read_value(outputs[i].string(), session.outputs()[i].type);
      if (!expected.ok()) return failed(text("reading ", outputs[i].string(), ": ", expected.status().message()));
      why = compare_values(actual, *expected, tolerance);
    }
    if (!why.empty()) return failed(text("output '", session.outputs()[i].name, "': ", why));
  }
  return outputs.empty() ? failed("the data have no outputs to compare") : Verdict();
}

enum class Form { Optimized, Unoptimized, Packed };

Result<std::unique_ptr<Session>> load_as(Form form, const std::string& model) {
  if (form != Form::Packed) return load_model(model, form == Form::Optimized);
  NM_ASSIGN(const Tensor packed, pack_file(model));
  return load_packed(packed);
}

Verdict check_case(const fs::path& folder, const Tolerance& tolerance, Form form) {
  const std::string model = (folder / "model.onnx").string();
  auto session = load_as(form, model);
  if (!session.ok()) {
    const Error& e = session.status().error();
    return failed(text(e.op.empty() ? "" : e.op + " '" + e.node + "': ", e.message));
  }
  const auto sets = sorted_entries(folder, "test_data_set_", "");
  if (sets.empty()) return failed("there is no test_data_set_0");
  for (const fs::path& set : sets) {
    Verdict v = check_set(**session, set, tolerance);
    if (v.outcome != Outcome::Passed) {
      v.reason = text(set.filename().string(), ": ", v.reason);
      return v;
    }
  }
  return {};
}

// An INDEX.json beside the folder may give the case a tolerance of its own.
Tolerance tolerance_for(const fs::path& folder, Tolerance fallback) {
  std::ifstream in(folder.parent_path() / "INDEX.json");
  if (!in) return fallback;
  const auto index = nlohmann::json::parse(in, nullptr, false);
  if (index.is_discarded() || !index.contains("models")) return fallback;
  for (const auto& model : index["models"]) {
    if (model.value("name", "") != folder.filename().string() || !model.contains("suggested_tolerance")) continue;
    const auto& t = model["suggested_tolerance"];
    return {t.value("rtol", fallback.rtol), t.value("atol", fallback.atol), t.contains("also")};
  }
  return fallback;
}

// A list of case names, one a line; what follows '#' is the reason.
std::map<std::string, std::string> read_skips(const std::string& path) {
  std::map<std::string, std::string> skips;
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) {
    const size_t hash = line.find('#');
    std::string name = line.substr(0, hash);
    name.erase(name.find_last_not_of(" \t\r") + 1);
    if (name.empty()) continue;
    skips[name] = hash == std::string::npos ? "" : line.substr(line.find_first_not_of(' ', hash + 1));
  }
  return skips;
}

}  // namespace

int check(const Arguments& given) {
  Arguments arguments = given;
  const std::string json_file = take_option(arguments, "--json");
  const std::string coverage_file = take_option(arguments, "--coverage");
  const std::string skip_file = take_option(arguments, "--skip");
  Tolerance defaults;
  const std::string rtol = take_option(arguments, "--rtol");
  const std::string atol = take_option(arguments, "--atol");
  if (!rtol.empty()) defaults.rtol = std::atof(rtol.c_str());
  if (!atol.empty()) defaults.atol = std::atof(atol.c_str());
  const bool unoptimized = take_flag(arguments, "--unoptimized"), packed = take_flag(arguments, "--packed");
  const Form form = packed ? Form::Packed : unoptimized ? Form::Unoptimized : Form::Optimized;
  const bool quiet = take_flag(arguments, "--quiet");
  const auto skips = read_skips(skip_file);
  nlohmann::json results = nlohmann::json::array();
  int counts[3] = {};
  for (const std::string& argument : arguments) {
    fs::path folder = fs::path(argument).lexically_normal();
    if (folder.filename().empty()) folder = folder.parent_path();
    if (!fs::exists(folder / "model.onnx")) continue;  // `check models/*` names other files too
    const std::string name = folder.filename().string();
    Verdict verdict = check_case(folder, tolerance_for(folder, defaults), form);
    if (!coverage_file.empty() && verdict.outcome == Outcome::Passed) {
      append_coverage(coverage_file, model_coverage((folder / "model.onnx").string()));
    }
    if (const auto skip = skips.find(name); skip != skips.end()) {  // run all the same, so that the list only shrinks
      verdict = verdict.outcome == Outcome::Passed ? failed("passes now: take it off the list " + skip_file)
                                                   : Verdict{Outcome::Skipped, skip->second};
    }
    constexpr const char* kNames[] = {"passed", "FAILED", "skipped"};
    const auto outcome = static_cast<size_t>(verdict.outcome);
    ++counts[outcome];
    if (!quiet || verdict.outcome == Outcome::Failed) {
      std::printf("%-7s %s%s%s\n", kNames[outcome], name.c_str(), verdict.reason.empty() ? "" : ": ",
                  verdict.reason.c_str());
      std::fflush(stdout);
    }
    results.push_back({{"name", name}, {"outcome", kNames[outcome]}, {"reason", verdict.reason}});
  }
  if (!json_file.empty()) std::ofstream(json_file) << results.dump(1) << '\n';
  std::printf("%d passed, %d failed, %d skipped\n", counts[0], counts[1], counts[2]);
  return counts[1] > 0 ? 1 : 0;
}

}  // namespace nm::cli
