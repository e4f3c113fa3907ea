// com.microsoft's EmbedLayerNormalization: the sum of a word's, its position's and its segment's vectors, normalised.
#include "engine/kernels/kernels.h"
#include "engine/op/check.h"
#include "engine/op/numbers.h"
#include "engine/op/registry.h"

namespace nm {
namespace {

constexpr size_t kIds = 0, kSegments = 1, kWordTable = 2, kPositionTable = 3, kSegmentTable = 4, kGamma = 5, kBeta = 6,
                 kMask = 7, kPositions = 8;

class EmbedLayerNorm final : public Operator {
 public:
  explicit EmbedLayerNorm(Attributes& a) : epsilon_(a.number("epsilon", 1e-12f)) {
    if (a.integer("mask_index_type", 0) > 1)
      a.unsupported("only masks that count (mask_index_type 0 or 1) are supported");
  }

  Status infer(Inference& inference) const override {
    for (const size_t i : {kIds, kWordTable, kPositionTable, kGamma, kBeta}) {
      if (!inference.has(i)) return {Code::MissingInput, text("input ", i, " is missing; the operator needs it")};
    }
    NM_TRY(check_tensors(inference, 1));
    if (inference.has(kSegments) != inference.has(kSegmentTable)) {
      return {Code::MissingInput, "segments and their table must be given together (inputs 1 and 4)"};
    }
    for (const size_t i : {kIds, kSegments, kMask, kPositions})
      NM_TRY(check_type(inference, i, text("input ", i), {DType::Int32}));
    for (const size_t i : {kWordTable, kPositionTable, kSegmentTable, kGamma, kBeta}) {
      NM_TRY(check_type(inference, i, text("input ", i), {DType::Float32, DType::Float16}));
    }
    inference.output(0, inference.type(kWordTable));
    inference.output(1, DType::Int32);
    inference.output(2, inference.type(kWordTable));
    if (!inference.has_shape(kIds) || !inference.has_shape(kWordTable)) return {};
    const Shape& ids = inference.shape(kIds);
    if (ids.rank() != 2) return wrong_shape("the words (input 0)", ids, "[batch,length]");
    if (inference.shape(kWordTable).rank() != 2)
      return wrong_shape("the word table (input 2)", inference.shape(kWordTable), "[words,size]");
    const int64_t size = inference.shape(kWordTable)[1];
    const Shape out{ids[0], ids[1], size};
    inference.output(0, inference.type(kWordTable), out);
    inference.output(1, DType::Int32, Shape{ids[0]});
    inference.output(2, inference.type(kWordTable), out);
    for (const size_t i : {kSegments, kMask}) NM_TRY(check_known(inference, i, ids));
    for (const size_t i : {kGamma, kBeta}) NM_TRY(check_known(inference, i, Shape{size}));
    for (const size_t i : {kPositionTable, kSegmentTable}) {
      if (inference.has_shape(i) && inference.shape(i).known() && size >= 0 &&
          (inference.shape(i).rank() != 2 || inference.shape(i)[1] != size)) {
        return wrong_shape(text("input ", i), inference.shape(i), text("rows of ", size));
      }
    }
    if (inference.has_shape(kPositions) && inference.shape(kPositions).known() && ids.known() &&
        inference.shape(kPositions) != ids && inference.shape(kPositions) != Shape{1, ids[1]}) {
      return wrong_shape("the positions (input 8)", inference.shape(kPositions), to_string(ids));
    }
    return {};
  }

  Status run(Execution& execution) override {
    const Tensor& words = execution.input(kWordTable);
    if (words.dtype() != DType::Float32) return no_arithmetic(words.dtype());
    const int64_t batch = execution.input(kIds).dim(0);
    const int64_t length = execution.input(kIds).dim(1);
    const int64_t size = words.dim(1);
    float* sum = execution.wants(2) ? execution.out<float>(2) : execution.out<float>(0);
    const ElementwiseKernels& k = kernels().elementwise;
    for (int64_t i = 0; i < batch * length; ++i) {
      const int64_t position = execution.has(kPositions)
                                   ? execution.data<int32_t>(kPositions)[i % execution.input(kPositions).count()]
                                   : i % length;
      NM_ASSIGN(const float* word, row(words, execution.data<int32_t>(kIds)[i], "word"));
      NM_ASSIGN(const float* place, row(execution.input(kPositionTable), position, "position"));
      k.binary(Binary::Add, word, place, sum + i * size, size);
      if (!execution.has(kSegments)) continue;
      NM_ASSIGN(const float* segment,
                row(execution.input(kSegmentTable), execution.data<int32_t>(kSegments)[i], "segment"));
      k.binary(Binary::Add, sum + i * size, segment, sum + i * size, size);
    }
    float* out = execution.out<float>(0);
    for_rows(batch * length, size, [&](int64_t begin, int64_t end) {
      kernels().rows.layer_norm(end - begin, size, sum + begin * size, size, execution.data<float>(kGamma),
                                execution.data<float>(kBeta), epsilon_, out + begin * size, size, nullptr, nullptr);
    });
    if (execution.wants(1)) count_words(execution, batch, length);
    return {};
  }

 private:
  static Status check_known(const Inference& inference, size_t i, const Shape& expected) {
    if (!inference.has_shape(i) || !inference.shape(i).known() || !expected.known() || inference.shape(i) == expected)
      return {};
    return wrong_shape(text("input ", i), inference.shape(i), to_string(expected));
  }

  static Result<const float*> row(const Tensor& table, int64_t i, std::string_view what) {
    if (i >= 0 && i < table.dim(0)) return table.data<float>() + i * table.dim(1);
    return Status(Code::InvalidData, text("the ", what, " ", i, " is outside of a table with ", table.dim(0), " rows"));
  }

  // Of each sample, words that the mask does not hide.
  static void count_words(Execution& execution, int64_t batch, int64_t length) {
    for (int64_t b = 0; b < batch; ++b) {
      int32_t count = 0;
      for (int64_t i = 0; execution.has(kMask) && i < length; ++i)
        count += execution.data<int32_t>(kMask)[b * length + i] == 1;
      execution.out<int32_t>(1)[b] = count;
    }
  }

  float epsilon_;
};

}  // namespace

constexpr OperatorEntry kEntries[] = {
    entry_in<EmbedLayerNorm>(kMicrosoftDomain, "EmbedLayerNormalization", 1,
                             {.inputs = 9, .outputs = 3, .layout = layout::opaque}),
};

NM_OPERATORS(embed_layer_norm, kEntries)

}  // namespace nm
