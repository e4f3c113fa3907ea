// com.microsoft's NGramRepeatBlock: words that would repeat a run of words get a score of -∞.
#include <algorithm>
#include <limits>

#include "engine/op/check.h"
#include "engine/op/numbers.h"
#include "engine/op/registry.h"

namespace nm {
namespace {

class NGramRepeatBlock final : public Operator {
 public:
  explicit NGramRepeatBlock(Attributes& a) : size_(a.integer("ngram_size", 0)) {
    if (size_ < 1) a.fail("the attribute 'ngram_size' must be given and positive");
  }

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 2));
    NM_TRY(check_type(inference, 0, "the words (input 0)", {DType::Int64}));
    NM_TRY(check_type(inference, 1, "the scores (input 1)", {DType::Float32}));
    output_like(inference, 0, 1);
    if (!inference.has_shape(0) || !inference.has_shape(1)) return {};
    const Shape &words = inference.shape(0), &scores = inference.shape(1);
    if (words.rank() != 2) return wrong_shape("the words (input 0)", words, "[batch,length]");
    if (scores.rank() != 2 || (words[0] >= 0 && scores[0] >= 0 && words[0] != scores[0])) {
      return wrong_shape("the scores (input 1)", scores, text("[", words[0], ",words]"));
    }
    return {};
  }

  Status run(Execution& execution) override {
    const Tensor &words = execution.input(0), &scores = execution.input(1);
    const int64_t length = words.dim(1), vocabulary = scores.dim(1);
    float* out = execution.out<float>(0);
    if (out != scores.data<float>()) std::copy_n(scores.data<float>(), scores.count(), out);
    for (int64_t b = 0; b < words.dim(0); ++b) {
      const int64_t* w = words.data<int64_t>() + b * length;
      const int64_t begun = size_ - 1;  // words at the end that a repetition would begin with
      for (int64_t i = 0; i + begun < length; ++i) {
        if (!std::equal(w + i, w + i + begun, w + length - begun)) continue;
        const int64_t next = w[i + begun];
        if (next < 0 || next >= vocabulary) {
          return {Code::InvalidData, text("the word ", next, " is outside of ", vocabulary, " scores")};
        }
        out[b * vocabulary + next] = -std::numeric_limits<float>::infinity();
      }
    }
    return {};
  }

  bool in_place(size_t i) const override { return i == 1; }

 private:
  int64_t size_;
};

}  // namespace

constexpr OperatorEntry kEntries[] = {
    entry_in<NGramRepeatBlock>(kMicrosoftDomain, "NGramRepeatBlock", 1,
                               {.inputs = 2, .outputs = 1, .layout = layout::opaque}),
};

NM_OPERATORS(ngram_repeat_block, kEntries)

}  // namespace nm
