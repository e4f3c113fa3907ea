// Products with weights of a few bits that are widened to floats, by every instruction set.
#include "tests/kernels/support.h"

namespace nm::test {
namespace {

constexpr int64_t kColumns = 5, kBlocks = 3, kBlock = 32, kLength = kBlocks * kBlock;

// Codes of 8 bits with a scale for each block.
struct Weights {
  Weights() : codes(kColumns * kLength), scales(kColumns * kBlocks) {
    for (size_t i = 0; i < codes.size(); ++i) codes[i] = static_cast<uint8_t>(i * 29);
    for (size_t i = 0; i < scales.size(); ++i) scales[i] = 0.5f + static_cast<float>(i) / 16;
    w.bits = 8;
    w.block = kBlock;
    w.blocks = kBlocks;
    w.codes = codes.data();
    w.scales = scales.data();
  }
  // By the definition: element i of column n.
  double at(int64_t n, int64_t i) const {
    const int code = codes[static_cast<size_t>(n * kLength + i)];
    return static_cast<double>(scales[static_cast<size_t>(n * kBlocks + i / kBlock)]) * (code - 128);
  }
  std::vector<double> product(const float* x, int64_t k) const {
    std::vector<double> y(kColumns);
    for (int64_t n = 0; n < kColumns; ++n) {
      for (int64_t i = 0; i < k; ++i) y[static_cast<size_t>(n)] += x[i] * at(n, i);
    }
    return y;
  }

  std::vector<uint8_t> codes;
  std::vector<float> scales;
  NBits w;
};

TEST_CASE("nbits: codes times floats, the last block cut anywhere", "[nbits]") {
  const Weights weights;
  for (const int64_t k : {kLength, kLength - 1, kLength - 31}) {
    const Floats x = random_floats(k);
    for_each_isa([&](const KernelTable& t) {
      Floats row(kLength), sums(kBlocks), y(kColumns);
      t.nbits.pad(weights.w, k, x.data(), row.data(), sums.data());
      t.nbits.dot(weights.w, 1, row.data(), sums.data(), 0, kColumns, y.data(), kColumns);
      require_close(y.data(), weights.product(x.data(), k), 1e-3, 1e-5, t.isa);
    });
  }
}

}  // namespace
}  // namespace nm::test
