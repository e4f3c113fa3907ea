// Operators on text. Letters change case within ASCII only.
#include <algorithm>

#include "engine/op/check.h"
#include "engine/op/movement.h"
#include "engine/op/registry.h"
#include "engine/tensor/broadcast.h"

namespace nm {
namespace {

class StringConcat final : public Movement {
 public:
  explicit StringConcat(Attributes&) {}

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 2));
    for (size_t i = 0; i < 2; ++i) NM_TRY(check_type(inference, i, text("input ", i), {DType::String}));
    inference.output(0, DType::String);
    if (!inference.has_shape(0) || !inference.has_shape(1)) return {};
    NM_ASSIGN(const Shape out, broadcast_or_fail(inference.shape(0), inference.shape(1)));
    inference.output(0, DType::String, out);
    return {};
  }

  Status run(Execution& execution) override {
    const Broadcast b(execution.output(0).shape(), {&execution.input(0).shape(), &execution.input(1).shape()});
    b.walk(0, b.count(), [&](const Broadcast::Run& r) {
      for (int64_t i = 0; i < r.count && !memory_exhausted(); ++i) {
        execution.out<std::string>(0)[r.out + i] = execution.data<std::string>(0)[r.in[0] + i * b.step(0)] +
                                                   execution.data<std::string>(1)[r.in[1] + i * b.step(1)];
      }
    });
    return {};
  }
};

// The parts of every text along a new last dimension, as long as the most parts there are, and their numbers.
class StringSplit final : public Movement {
 public:
  explicit StringSplit(Attributes& a) : delimiter_(a.string("delimiter", "")), most_(a.integer("maxsplit", INT64_MAX)) {
    if (most_ < 0) most_ = INT64_MAX;
  }

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 1));
    NM_TRY(check_type(inference, 0, "the input", {DType::String}));
    inference.output(0, DType::String);
    inference.output(1, DType::Int64);
    if (!inference.has_shape(0)) return {};
    Shape out = inference.shape(0);
    if (out.rank() == kMaxRank) return wrong_shape("the input", out, "fewer dimensions");
    inference.output(1, DType::Int64, out);
    out.push_back(kUnknownDim);
    inference.output(0, DType::String, out);
    return {};
  }

  Status run(Execution& execution) override {
    const Tensor& in = execution.input(0);
    std::vector<std::vector<std::string>> parts;
    size_t widest = 0;
    for (const std::string& s : in.span<std::string>()) {
      std::vector<std::string> own;
      NM_TRY(delimiter_.empty() ? by_blanks(s, own) : by_delimiter(s, own));
      NM_TRY(append(parts, std::move(own), "the parts of texts"));
      widest = std::max(widest, parts.back().size());
    }
    if (execution.wants(1)) {
      for (size_t i = 0; i < parts.size(); ++i) execution.out<int64_t>(1)[i] = static_cast<int64_t>(parts[i].size());
    }
    if (!execution.wants(0)) return {};
    Shape shape = in.shape();
    shape.push_back(static_cast<int64_t>(widest));
    NM_ASSIGN(Tensor * out, execution.allocate(0, DType::String, shape));
    for (size_t i = 0; i < parts.size(); ++i) {
      std::move(parts[i].begin(), parts[i].end(), out->data<std::string>() + i * widest);
    }
    return {};
  }

 private:
  Status by_delimiter(const std::string& s, std::vector<std::string>& parts) const {
    size_t from = 0;
    while (!s.empty()) {
      const size_t at = static_cast<int64_t>(parts.size()) < most_ ? s.find(delimiter_, from) : std::string::npos;
      NM_TRY(append(parts, s.substr(from, at - from), "the parts of a text"));
      if (at == std::string::npos) break;
      from = at + delimiter_.size();
    }
    return {};
  }

  Status by_blanks(const std::string& s, std::vector<std::string>& parts) const {
    static constexpr const char* kBlanks = " \t\n\r\f\v";
    size_t from = s.find_first_not_of(kBlanks);
    while (from != std::string::npos) {
      const bool last = static_cast<int64_t>(parts.size()) >= most_;
      const size_t end = last ? s.find_last_not_of(kBlanks) + 1 : std::min(s.find_first_of(kBlanks, from), s.size());
      NM_TRY(append(parts, s.substr(from, end - from), "the parts of a text"));
      from = last ? std::string::npos : s.find_first_not_of(kBlanks, end);
    }
    return {};
  }

  std::string delimiter_;
  int64_t most_;
};

class StringNormalizer final : public Movement {
 public:
  explicit StringNormalizer(Attributes& a)
      : case_(a.string("case_change_action", "NONE")),
        sensitive_(a.flag("is_case_sensitive", false)),
        stop_words_(a.strings("stopwords")) {
    a.ignore({"locale"});  // letters change case as Unicode has it everywhere
    if (case_ != "NONE" && case_ != "LOWER" && case_ != "UPPER") {
      a.fail(text("the attribute 'case_change_action' is '", case_, "'; expected NONE, LOWER or UPPER"));
    }
    if (sensitive_) return;
    for (std::string& word : stop_words_) word = lower(word);
  }

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 1));
    NM_TRY(check_type(inference, 0, "the input", {DType::String}));
    inference.output(0, DType::String);
    if (!inference.has_shape(0)) return {};
    const Shape& in = inference.shape(0);
    if (in.rank() != 1 && !(in.rank() == 2 && (in[0] < 0 || in[0] == 1)))
      return wrong_shape("the input", in, "[words] or [1,words]");
    inference.output(0, DType::String, in.rank() == 1 ? Shape{kUnknownDim} : Shape{1, kUnknownDim});
    return {};
  }

  Status run(Execution& execution) override {
    const Tensor& in = execution.input(0);
    std::vector<std::string> kept;
    for (const std::string& word : in.span<std::string>()) {
      const std::string key = sensitive_ ? word : lower(word);
      if (std::find(stop_words_.begin(), stop_words_.end(), key) != stop_words_.end()) continue;
      kept.push_back(case_ == "LOWER" ? lower(word) : case_ == "UPPER" ? upper(word) : word);
    }
    if (kept.empty()) kept.emplace_back();  // ONNX: one empty text when nothing is left
    const auto n = static_cast<int64_t>(kept.size());
    NM_ASSIGN(Tensor * out, execution.allocate(0, DType::String, in.rank() == 1 ? Shape{n} : Shape{1, n}));
    std::move(kept.begin(), kept.end(), out->data<std::string>());
    return {};
  }

 private:
  static std::string lower(std::string s) {
    for (char& ch : s) ch = ch >= 'A' && ch <= 'Z' ? static_cast<char>(ch - 'A' + 'a') : ch;
    return s;
  }
  static std::string upper(std::string s) {
    for (char& ch : s) ch = ch >= 'a' && ch <= 'z' ? static_cast<char>(ch - 'a' + 'A') : ch;
    return s;
  }

  std::string case_;
  bool sensitive_;
  std::vector<std::string> stop_words_;
};

}  // namespace

constexpr OperatorEntry kEntries[] = {
    entry<StringConcat>("StringConcat", 20, {.inputs = 2, .outputs = 1, .layout = layout::opaque}),
    entry<StringSplit>("StringSplit", 20, {.inputs = 1, .outputs = 2, .layout = layout::opaque}),
    entry<StringNormalizer>("StringNormalizer", 10, {.inputs = 1, .outputs = 1, .layout = layout::opaque}),
};

NM_OPERATORS(strings, kEntries)

}  // namespace nm
