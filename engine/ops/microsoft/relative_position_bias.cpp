// com.microsoft's RelativePositionBias, as T5 has it: a score for each query and key from a table of buckets, fine for
// near keys and logarithmic for far ones.
#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "engine/op/check.h"
#include "engine/op/numbers.h"
#include "engine/op/registry.h"

namespace nm {
namespace {

class RelativePositionBias final : public Operator {
 public:
  explicit RelativePositionBias(Attributes& a)
      : farthest_(a.integer("max_distance", 0)), both_ways_(a.flag("is_bidirectional", false)) {
    if (farthest_ < 1) a.fail("the attribute 'max_distance' must be given and positive");
  }

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 3));
    NM_TRY(check_type(inference, 0, "the table (input 0)", {DType::Float32, DType::Float16}));
    for (const size_t i : {1, 2}) {
      NM_TRY(check_type(inference, i, text("the length (input ", i, ")"), {DType::Int64}));
      NM_TRY(check_scalar(inference, i, text("the length (input ", i, ")")));
    }
    Shape out{1, kUnknownDim, kUnknownDim, kUnknownDim};
    if (inference.has_shape(0)) {
      const Shape& table = inference.shape(0);
      if (table.rank() != 2 || (table[0] >= 0 && table[0] < (both_ways_ ? 4 : 2))) {
        return wrong_shape("the table (input 0)", table, "[buckets,heads]");
      }
      out[1] = table[1];
    }
    for (const size_t i : {1, 2}) {
      const auto n = inference.integers(i);
      if (!n || n->size() != 1) continue;
      if ((*n)[0] < 0 || (*n)[0] > INT32_MAX) {
        return {Code::InvalidData, text("the length (input ", i, ") is ", (*n)[0])};
      }
      out[static_cast<int>(i) + 1] = (*n)[0];
    }
    inference.output(0, inference.type(0), out);
    return {};
  }

  Status run(Execution& execution) override {
    const Tensor& table = execution.input(0);
    if (table.dtype() != DType::Float32) return no_arithmetic(table.dtype());
    const Shape& s = execution.output(0).shape();
    float* out = execution.out<float>(0);
    for (int64_t q = 0; q < s[2]; ++q) {
      for (int64_t k = 0; k < s[3]; ++k) {
        const float* row = table.data<float>() + bucket(k - q, table.dim(0)) * s[1];
        for (int64_t h = 0; h < s[1]; ++h) out[(h * s[2] + q) * s[3] + k] = row[h];
      }
    }
    return {};
  }

 private:
  // Of a key that is `ahead` of the query. One half of the buckets counts, the other is spaced logarithmically.
  int64_t bucket(int64_t ahead, int64_t buckets) const {
    int64_t first = 0;
    int64_t distance = std::max<int64_t>(-ahead, 0);
    if (both_ways_) {
      buckets /= 2;
      if (ahead > 0) first = buckets;
      distance = std::abs(ahead);
    }
    const int64_t exact = buckets / 2;
    if (distance < exact) return first + distance;
    const double range = std::log(static_cast<double>(farthest_) / static_cast<double>(exact));
    const double share = range > 0 ? std::log(static_cast<double>(distance) / static_cast<double>(exact)) / range : 1;
    const int64_t far = to_integer(share * static_cast<double>(buckets - exact));
    return first + std::min(buckets - 1, exact + std::clamp<int64_t>(far, 0, buckets));
  }

  int64_t farthest_;
  bool both_ways_;
};

}  // namespace

constexpr OperatorEntry kEntries[] = {
    entry_in<RelativePositionBias>(kMicrosoftDomain, "RelativePositionBias", 1,
                                   {.inputs = 3, .outputs = 1, .layout = layout::opaque}),
};

NM_OPERATORS(relative_position_bias, kEntries)

}  // namespace nm
