// Products of panels of 4-bit codes with integers, by every instruction set.
#include "tests/kernels/support.h"

namespace nm::test {
namespace {

// Weights that lie as a model has them and, packed by an instruction set, as panels.
struct Panels {
  Panels(int64_t n, int64_t block, int64_t blocks, bool symmetric) : n(n), block(block), blocks(blocks) {
    codes.resize(static_cast<size_t>(n * blocks * block / 2));
    for (size_t i = 0; i < codes.size(); ++i) codes[i] = static_cast<uint8_t>(i * 29 + i / 7);
    for (int64_t i = 0; i < n * blocks; ++i) {
      scales.push_back(0.25f * static_cast<float>(i % 3 + 1));
      zeros.push_back(symmetric ? 8 : static_cast<float>(i % 16));
    }
    raw = {4, block, blocks, codes.data(), scales.data(), nullptr, symmetric ? nullptr : zeros.data()};
    p.n = n;
    p.block = block;
    p.blocks = blocks;
    const auto columns = static_cast<size_t>(p.panels() * NBitsPanels::columns);
    packed.resize(columns * static_cast<size_t>(p.length()) / 2);
    packed_scales.resize(columns * static_cast<size_t>(blocks));
    offsets.resize(packed_scales.size());
    p.codes = packed.data();
    p.scales = packed_scales.data();
    p.offsets = symmetric ? nullptr : offsets.data();
  }
  // By the definition: element i of column c.
  float at(int64_t c, int64_t i) const {
    const int code = codes[static_cast<size_t>((c * p.length() + i) / 2)] >> (i % 2 * 4) & 15;
    const auto b = static_cast<size_t>(c * blocks + i / block);
    return (static_cast<float>(code) - zeros[b]) * scales[b];
  }
  std::vector<double> product(const float* x, int64_t rows, int64_t k) const {
    std::vector<double> y(static_cast<size_t>(rows * n));
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t c = 0; c < n; ++c) {
        for (int64_t i = 0; i < k; ++i) y[static_cast<size_t>(r * n + c)] += double{at(c, i)} * x[r * k + i];
      }
    }
    return y;
  }

  int64_t n, block, blocks;
  std::vector<uint8_t> codes, packed;
  std::vector<float> scales, zeros, packed_scales, offsets;
  NBits raw;
  NBitsPanels p;
};

// Rows as integers.
template <class X>
struct Rows {
  Rows(const NBitsPanels& p, int64_t rows)
      : integers(rows * p.length()),
        scales(rows * p.pieces<X>()),
        sums(rows * p.pieces<X>()),
        length(p.length()),
        pieces(p.pieces<X>()) {}
  NBitsRows<X> from(int64_t row) {
    return {integers.data() + row * length, scales.data() + row * pieces, sums.data() + row * pieces};
  }

  Buffer<X> integers;
  Floats scales;
  Buffer<int32_t> sums;
  int64_t length, pieces;
};

template <class X, class Quantize, class Dot>
void check_product(const Panels& w, const float* x, int64_t rows, int64_t k, Quantize quantize, Dot dot, double within,
                   const char* isa) {
  Rows<X> integers(w.p, rows);
  Floats y(rows * w.n);
  for (int64_t r = 0; r < rows; ++r) quantize(w.p, k, x + r * k, integers.from(r));
  dot(w.p, rows, integers.from(0), 0, w.p.panels(), y.data(), w.n);
  require_close(y.data(), w.product(x, rows, k), within, 1e-5, isa);
}

TEST_CASE("nbits: panels of 4-bit codes times integers of which nothing is lost", "[nbits_panels]") {
  for (const int64_t block : {16, 32, 64}) {
    for (const int64_t n : {1, 7, 8, 9, 16, 23}) {
      for (const int64_t rows : {1, 3, 4, 5, 8}) {
        for (const bool symmetric : {true, false}) {
          CAPTURE(block, n, rows, symmetric);
          Panels w(n, block, 3, symmetric);
          const int64_t k = w.p.length() - 3;
          // The largest of a piece is the largest that the kernels of 8 bits know.
          Floats x(rows * k);
          for (int64_t i = 0; i < rows * k; ++i)
            x[i] = i % k % std::min<int64_t>(block, 32) == 1 ? 127 : static_cast<float>(i * 31 % 255) - 127;
          for_each_isa([&](const KernelTable& t) {
            t.nbits.pack(w.raw, w.p, 0, w.p.panels());
            Floats columns(w.p.panels() * NBitsPanels::columns * w.p.length());
            t.nbits.widen_panels(w.p, 0, w.p.panels(), columns.data());
            for (int64_t c = 0; c < n; ++c) {
              for (int64_t i = 0; i < k; ++i) REQUIRE(columns[c * w.p.length() + i] == w.at(c, i));
            }
            check_product<int16_t>(w, x.data(), rows, k, t.nbits.quantize16, t.nbits.dot16, 0.5, t.isa);
            if (t.nbits.dot8 == nullptr) return;
            check_product<int8_t>(w, x.data(), rows, k, t.nbits.quantize8, t.nbits.dot8, 0.05, t.isa);
          });
        }
      }
    }
  }
}

TEST_CASE("nbits: the largest products of a piece fit the numbers that add them up", "[nbits_panels]") {
  for (const int64_t block : {16, 32, 128, 8192}) {
    for (const float sign : {1.f, -1.f}) {
      Panels w(8, block, 2, false);
      std::fill(w.codes.begin(), w.codes.end(), uint8_t{255});
      std::fill(w.zeros.begin(), w.zeros.end(), 0.f);
      const int64_t k = w.p.length();
      Floats x(5 * k);
      std::fill_n(x.data(), 5 * k, sign * 127);
      for_each_isa([&](const KernelTable& t) {
        t.nbits.pack(w.raw, w.p, 0, w.p.panels());
        // Relative to sums of up to 16384 products.
        const double within = 1e-6 * static_cast<double>(k) * 15 * 127;
        check_product<int16_t>(w, x.data(), 5, k, t.nbits.quantize16, t.nbits.dot16, within, t.isa);
        if (t.nbits.dot8 != nullptr)
          check_product<int8_t>(w, x.data(), 5, k, t.nbits.quantize8, t.nbits.dot8, within, t.isa);
      });
    }
  }
}

TEST_CASE("nbits: panels times integers are as near as the integers' steps", "[nbits_panels]") {
  Panels w(11, 32, 3, true);
  for (const int64_t k : {w.p.length(), w.p.length() - 1, w.p.length() - 31}) {
    const Floats x = random_floats(k);
    const double most = 3 * 32 * 8 * 0.75;  // of the weights of a column together
    for_each_isa([&](const KernelTable& t) {
      t.nbits.pack(w.raw, w.p, 0, w.p.panels());
      check_product<int16_t>(w, x.data(), 1, k, t.nbits.quantize16, t.nbits.dot16, most * 0.5 / 32767, t.isa);
      if (t.nbits.dot8 == nullptr) return;
      check_product<int8_t>(w, x.data(), 1, k, t.nbits.quantize8, t.nbits.dot8, most * 0.5 / 127, t.isa);
    });
  }
}

TEST_CASE("nbits: a block that is not finite spoils its product, one of zeros adds nothing", "[nbits_panels]") {
  Panels w(5, 32, 3, true);
  const int64_t k = w.p.length();
  for_each_isa([&](const KernelTable& t) {
    t.nbits.pack(w.raw, w.p, 0, w.p.panels());
    Floats x = random_floats(k), y(w.n);
    std::fill_n(x.data(), 32, 0.0f);
    Rows<int16_t> row(w.p, 1);
    t.nbits.quantize16(w.p, k, x.data(), row.from(0));
    CHECK((row.scales[0] == 0 && row.sums[0] == 0));
    x[k - 1] = std::numeric_limits<float>::infinity();
    t.nbits.quantize16(w.p, k, x.data(), row.from(0));
    CHECK(std::isnan(row.scales[2]));
    t.nbits.dot16(w.p, 1, row.from(0), 0, w.p.panels(), y.data(), w.n);
    for (int64_t n = 0; n < w.n; ++n) CHECK(std::isnan(y[n]));
  });
}

}  // namespace
}  // namespace nm::test
