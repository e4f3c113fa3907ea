// Products with weights of a few bits, by every instruction set.
#include "tests/kernels/support.h"

namespace nm::test {
namespace {

constexpr int64_t kColumns = 5, kBlocks = 3, kBlock = 32, kLength = kBlocks * kBlock;

// Codes of 4 bits with a scale for each block.
struct Weights {
  Weights() : codes(kColumns * kLength / 2), scales(kColumns * kBlocks) {
    for (size_t i = 0; i < codes.size(); ++i) codes[i] = static_cast<uint8_t>(i * 29);
    for (size_t i = 0; i < scales.size(); ++i) scales[i] = 0.5f + static_cast<float>(i) / 16;
    w.bits = 4;
    w.block = kBlock;
    w.blocks = kBlocks;
    w.codes = codes.data();
    w.scales = scales.data();
  }
  // By the definition: element i of column n.
  double at(int64_t n, int64_t i) const {
    const int code = codes[static_cast<size_t>((n * kLength + i) / 2)] >> (i % 2 * 4) & 15;
    return static_cast<double>(scales[static_cast<size_t>(n * kBlocks + i / kBlock)]) * (code - 8);
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
      Floats planes(kLength), sums(kBlocks), y(kColumns);
      t.nbits.arrange(weights.w, k, x.data(), planes.data(), sums.data());
      t.nbits.dot(weights.w, 1, planes.data(), sums.data(), 0, kColumns, y.data(), kColumns);
      require_close(y.data(), weights.product(x.data(), k), 1e-4, 1e-5, t.isa);
    });
  }
}

// `part` of a block's largest element is what rounding may take from each.
template <class X, class Quantize, class Dot>
void check_integers(const KernelTable& t, Quantize quantize, Dot dot, double part) {
  const Weights weights;
  for (const int64_t k : {kLength, kLength - 1, kLength - 31}) {
    const Floats x = random_floats(k);
    Buffer<X> planes(kLength);
    Floats scales(kBlocks), y(kColumns);
    Buffer<int32_t> sums(kBlocks);
    (t.nbits.*quantize)(weights.w, k, x.data(), planes.data(), scales.data(), sums.data());
    const NBitsRows<X> rows{planes.data(), scales.data(), sums.data()};
    (t.nbits.*dot)(weights.w, 1, rows, 0, kColumns, y.data(), kColumns);
    double most = 0;  // codes are at most 8 away from their zero
    for (const float s : weights.scales) most += 8 * static_cast<double>(s) * kBlock * part;
    require_close(y.data(), weights.product(x.data(), k), most / kColumns, 1e-5, t.isa);
  }
}

TEST_CASE("nbits: codes times integers are as near as the integers' steps", "[nbits_integers]") {
  for_each_isa([](const KernelTable& t) {
    check_integers<int8_t>(t, &NBitsKernels::quantize8, &NBitsKernels::dot8, 0.5 / 127);
    check_integers<int16_t>(t, &NBitsKernels::quantize16, &NBitsKernels::dot16, 0.5 / 32767);
  });
}

TEST_CASE("nbits: a block that is not finite spoils its product, one of zeros adds nothing", "[nbits_integers]") {
  const Weights weights;
  for_each_isa([&](const KernelTable& t) {
    Floats x = random_floats(kLength);
    std::fill_n(x.data(), kBlock, 0.0f);
    Buffer<int8_t> planes(kLength);
    Floats scales(kBlocks), y(kColumns);
    Buffer<int32_t> sums(kBlocks);
    t.nbits.quantize8(weights.w, kLength, x.data(), planes.data(), scales.data(), sums.data());
    CHECK((scales[0] == 0 && sums[0] == 0));
    x[kLength - 1] = std::numeric_limits<float>::infinity();
    t.nbits.quantize8(weights.w, kLength, x.data(), planes.data(), scales.data(), sums.data());
    CHECK(std::isnan(scales[kBlocks - 1]));
    t.nbits.dot8(weights.w, 1, {planes.data(), scales.data(), sums.data()}, 0, kColumns, y.data(), kColumns);
    for (int64_t n = 0; n < kColumns; ++n) CHECK(std::isnan(y[n]));
  });
}

}  // namespace
}  // namespace nm::test
