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

  Status infer(Inference& c) const override {
    for (const size_t i : {kIds, kWordTable, kPositionTable, kGamma, kBeta}) {
      if (!c.has(i)) return {Code::MissingInput, text("input ", i, " is missing; the operator needs it")};
    }
    NM_TRY(check_tensors(c, 1));
    if (c.has(kSegments) != c.has(kSegmentTable)) {
      return {Code::MissingInput, "segments and their table must be given together (inputs 1 and 4)"};
    }
    for (const size_t i : {kIds, kSegments, kMask, kPositions})
      NM_TRY(check_type(c, i, text("input ", i), {DType::Int32}));
    for (const size_t i : {kWordTable, kPositionTable, kSegmentTable, kGamma, kBeta}) {
      NM_TRY(check_type(c, i, text("input ", i), {DType::Float32, DType::Float16}));
    }
    c.output(0, c.type(kWordTable));
    c.output(1, DType::Int32);
    c.output(2, c.type(kWordTable));
    if (!c.has_shape(kIds) || !c.has_shape(kWordTable)) return {};
    const Shape& ids = c.shape(kIds);
    if (ids.rank() != 2) return wrong_shape("the words (input 0)", ids, "[batch,length]");
    if (c.shape(kWordTable).rank() != 2)
      return wrong_shape("the word table (input 2)", c.shape(kWordTable), "[words,size]");
    const int64_t size = c.shape(kWordTable)[1];
    const Shape out{ids[0], ids[1], size};
    c.output(0, c.type(kWordTable), out);
    c.output(1, DType::Int32, Shape{ids[0]});
    c.output(2, c.type(kWordTable), out);
    for (const size_t i : {kSegments, kMask}) NM_TRY(check_known(c, i, ids));
    for (const size_t i : {kGamma, kBeta}) NM_TRY(check_known(c, i, Shape{size}));
    for (const size_t i : {kPositionTable, kSegmentTable}) {
      if (c.has_shape(i) && c.shape(i).known() && size >= 0 && (c.shape(i).rank() != 2 || c.shape(i)[1] != size)) {
        return wrong_shape(text("input ", i), c.shape(i), text("rows of ", size));
      }
    }
    if (c.has_shape(kPositions) && c.shape(kPositions).known() && ids.known() && c.shape(kPositions) != ids &&
        c.shape(kPositions) != Shape{1, ids[1]}) {
      return wrong_shape("the positions (input 8)", c.shape(kPositions), to_string(ids));
    }
    return {};
  }

  Status run(Execution& c) override {
    const Tensor& words = c.input(kWordTable);
    if (words.dtype() != DType::Float32) return no_arithmetic(words.dtype());
    const int64_t batch = c.input(kIds).dim(0);
    const int64_t length = c.input(kIds).dim(1);
    const int64_t size = words.dim(1);
    float* sum = c.wants(2) ? c.out<float>(2) : c.out<float>(0);
    const ElementwiseKernels& k = kernels().elementwise;
    for (int64_t i = 0; i < batch * length; ++i) {
      const int64_t position =
          c.has(kPositions) ? c.data<int32_t>(kPositions)[i % c.input(kPositions).count()] : i % length;
      NM_ASSIGN(const float* word, row(words, c.data<int32_t>(kIds)[i], "word"));
      NM_ASSIGN(const float* place, row(c.input(kPositionTable), position, "position"));
      k.binary(Binary::Add, word, place, sum + i * size, size);
      if (!c.has(kSegments)) continue;
      NM_ASSIGN(const float* segment, row(c.input(kSegmentTable), c.data<int32_t>(kSegments)[i], "segment"));
      k.binary(Binary::Add, sum + i * size, segment, sum + i * size, size);
    }
    float* out = c.out<float>(0);
    for_rows(batch * length, size, [&](int64_t begin, int64_t end) {
      kernels().rows.layer_norm(end - begin, size, sum + begin * size, size, c.data<float>(kGamma),
                                c.data<float>(kBeta), epsilon_, out + begin * size, size, nullptr, nullptr);
    });
    if (c.wants(1)) count_words(c, batch, length);
    return {};
  }

 private:
  static Status check_known(const Inference& c, size_t i, const Shape& expected) {
    if (!c.has_shape(i) || !c.shape(i).known() || !expected.known() || c.shape(i) == expected) return {};
    return wrong_shape(text("input ", i), c.shape(i), to_string(expected));
  }

  static Result<const float*> row(const Tensor& table, int64_t i, std::string_view what) {
    if (i >= 0 && i < table.dim(0)) return table.data<float>() + i * table.dim(1);
    return Status(Code::InvalidData, text("the ", what, " ", i, " is outside of a table with ", table.dim(0), " rows"));
  }

  // Of each sample, words that the mask does not hide.
  static void count_words(Execution& c, int64_t batch, int64_t length) {
    for (int64_t b = 0; b < batch; ++b) {
      int32_t count = 0;
      for (int64_t i = 0; c.has(kMask) && i < length; ++i) count += c.data<int32_t>(kMask)[b * length + i] == 1;
      c.out<int32_t>(1)[b] = count;
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
