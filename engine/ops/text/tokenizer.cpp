#include <algorithm>

#include "engine/base/regex.h"
#include "engine/base/utf8.h"
#include "engine/op/check.h"
#include "engine/op/movement.h"
#include "engine/op/registry.h"

namespace nm {
namespace {

using Span = std::pair<size_t, size_t>;  // begin and end within a text

// com.microsoft's, which scikit-learn's text vectorisers become: the tokens of each text along a new last dimension.
class Tokenizer final : public Movement {
 public:
  explicit Tokenizer(Attributes& a)
      : mark_(a.flag("mark", false)), padding_(a.string("pad_value", "")), shortest_(a.integer("mincharnum", 1)) {
    const std::string token = a.string("tokenexp", "");
    std::vector<std::string> separators = a.strings("separators");
    if (token.empty() == separators.empty()) {
      a.fail("exactly one of the attributes 'tokenexp' and 'separators' must be given");
      return;
    }
    characters_ = separators == std::vector<std::string>{""};
    if (characters_) return;
    between_ = token.empty();
    if (!between_) separators = {token};
    for (const std::string& pattern : separators) {
      auto regex = Regex::compile(pattern);
      if (!regex.ok()) {
        a.fail(text("the pattern '", pattern, "': ", regex.status().message()));
        return;
      }
      patterns_.push_back(std::move(*regex));
    }
  }

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 1));
    NM_TRY(check_type(inference, 0, "the input", {DType::String}));
    inference.output(0, DType::String);
    if (!inference.has_shape(0)) return {};
    Shape out = inference.shape(0);
    if (out.rank() == kMaxRank) return wrong_shape("the input", out, "fewer dimensions");
    out.push_back(kUnknownDim);
    inference.output(0, DType::String, out);
    return {};
  }

  Status run(Execution& execution) override {
    const Tensor& in = execution.input(0);
    std::vector<std::vector<Span>> tokens;
    size_t widest = 0;
    for (const std::string& s : in.span<std::string>()) {
      tokens.push_back(split(s));
      widest = std::max(widest, tokens.back().size());
    }
    if (mark_ && widest > 0) widest += 2;
    Shape shape = in.shape();
    shape.push_back(static_cast<int64_t>(widest));
    NM_ASSIGN(Tensor * out, execution.allocate(0, DType::String, shape));
    if (widest == 0) return {};
    std::fill_n(out->data<std::string>(), out->count(), padding_);
    for (size_t i = 0; i < tokens.size(); ++i) {
      const std::string& s = in.data<std::string>()[i];
      std::string* to = out->data<std::string>() + i * widest;
      if (mark_) *to++ = "\x02";
      for (const auto& [begin, end] : tokens[i]) to++->assign(s, begin, end - begin);
      if (mark_) *to = "\x03";
    }
    return {};
  }

 private:
  static size_t after_character(const std::string& s, size_t at) {
    next_character(s, at);
    return at;
  }

  std::vector<Span> split(const std::string& s) const {
    std::vector<Span> tokens;
    const auto add = [&](size_t begin, size_t end) {
      int64_t length = 0;
      for (size_t at = begin; at < end; at = after_character(s, at)) ++length;
      if (length > 0 && length >= shortest_) tokens.emplace_back(begin, end);
    };
    if (characters_) {
      for (size_t at = 0, end = 0; at < s.size(); at = end) add(at, end = after_character(s, at));
    } else if (!between_) {
      for (const auto& [begin, end] : patterns_[0].all_matches(s)) add(begin, end);
    } else {
      size_t begin = 0;
      for (const auto& [from, to] : separators(s)) {
        add(begin, from);
        begin = to;
      }
      add(begin, s.size());
    }
    return tokens;
  }

  // What a pattern finds gives way to what those before it have found.
  std::vector<Span> separators(const std::string& s) const {
    std::vector<Span> all;
    for (const Regex& pattern : patterns_) {
      std::vector<Span> merged;
      auto next = all.begin();
      for (const Span& m : pattern.all_matches(s)) {
        for (; next != all.end() && next->second <= m.first; ++next) merged.push_back(*next);
        const bool free = next == all.end() || m.second <= next->first;
        if (free) merged.push_back(m);
      }
      merged.insert(merged.end(), next, all.end());
      all = std::move(merged);
    }
    return all;
  }

  bool mark_;
  std::string padding_;
  int64_t shortest_;         // characters that a token must have
  bool characters_ = false;  // each is a token
  bool between_ = false;     // the patterns match what is between tokens
  std::vector<Regex> patterns_;
};

}  // namespace

constexpr OperatorEntry kEntries[] = {
    entry_in<Tokenizer>(kMicrosoftDomain, "Tokenizer", 1, {.inputs = 1, .outputs = 1, .layout = layout::opaque}),
};

NM_OPERATORS(tokenizer, kEntries)

}  // namespace nm
