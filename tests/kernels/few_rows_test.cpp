#include "tests/kernels/support.h"

namespace nm::test {
namespace {

// Floats that a stored type has exactly.
void round_to(Stored stored, Floats& b) {
  for (int64_t i = 0; i < b.size(); ++i) {
    if (stored == Stored::I8) b[i] = std::round(b[i] * 127);
    if (stored == Stored::F16) {
      uint16_t half = 0;
      available_kernels().back()->convert.f32_to_f16(&b[i], &half, 1);
      available_kernels().back()->convert.f16_to_f32(&half, &b[i], 1);
    }
  }
}

struct Operands {
  FewRows rows;
  Floats x, b, y;
  Buffer<uint16_t> halves;
  Buffer<int8_t> bytes;

  // `transposed`: B is [n, k].
  Operands(int64_t m, int64_t n, int64_t k, bool transposed, Stored stored = Stored::F32)
      : x(random_floats(m * (k + 1))),
        b(random_floats(transposed ? n * (k + 2) : k * (n + 2), -1, 1, 7)),
        y(m > 0 ? (m - 1) * (n + 3) + n : 0),
        halves(b.size()),
        bytes(b.size(), 3) {
    round_to(stored, b);
    for (int64_t i = 0; i < b.size(); ++i) {
      available_kernels().back()->convert.f32_to_f16(&b[i], &halves[i], 1);
      if (stored == Stored::I8) bytes[i] = static_cast<int8_t>(b[i]);
    }
    const void* as[] = {b.data(), halves.data(), bytes.data()};
    rows = {m, n, k, x, k + 1, as[static_cast<int>(stored)], transposed ? k + 2 : n + 2, y, n + 3, 0.5f, stored};
    if (stored == Stored::F16) rows.alpha /= kHalfUnit;
  }
  std::vector<double> expected(bool transposed) const {
    std::vector<double> out;
    for (int64_t r = 0; r < rows.m; ++r) {
      for (int64_t c = 0; c < rows.n; ++c) {
        double sum = 0;
        for (int64_t i = 0; i < rows.k; ++i) {
          sum += double{x[r * rows.ldx + i]} * double{b[transposed ? c * rows.ldb + i : i * rows.ldb + c]};
        }
        out.push_back(sum * 0.5);
      }
    }
    return out;
  }
  std::vector<float> result() const {
    std::vector<float> out;
    for (int64_t r = 0; r < rows.m; ++r) {
      for (int64_t c = 0; c < rows.n; ++c) out.push_back(y[r * rows.ldy + c]);
    }
    return out;
  }
};

}  // namespace

TEST_CASE("few rows: every count of rows, lengths and widths around the tiles", "[few_rows]") {
  for_each_isa([](const KernelTable& t) {
    for (int64_t m = 0; m <= 9; ++m) {
      for (int64_t n : {0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 64, 65, 100, 130}) {
        for (int64_t k : {0, 1, 2, 3, 4, 7, 8, 15, 16, 17, 33, 64, 70}) {
          for (const Stored stored : {Stored::F32, Stored::F16, Stored::I8}) {
            CAPTURE(static_cast<int>(stored), m, n, k);
            const double error = stored == Stored::I8 ? 127e-5 : 1e-5;
            Operands dot(m, n, k, true, stored), weigh(m, n, k, false, stored);
            t.gemm.dot_rows(dot.rows);
            require_close(dot.result().data(), dot.expected(true), error, 1e-5, "dot");
            t.gemm.weigh_rows(weigh.rows);
            require_close(weigh.result().data(), weigh.expected(false), error, 1e-5, "weigh");
          }
        }
      }
    }
  });
}

TEST_CASE("few rows: halves and bytes are the numbers that they are", "[few_rows]") {
  for_each_isa([](const KernelTable& t) {
    std::vector<uint16_t> halves;
    for (uint32_t h = 0; h < 0x10000; ++h) {
      if ((h & 0x7c00) != 0x7c00) halves.push_back(static_cast<uint16_t>(h));
    }
    std::vector<int8_t> bytes;
    for (int v = -128; v < 128; ++v) bytes.push_back(static_cast<int8_t>(v));
    const auto n = static_cast<int64_t>(halves.size());
    Floats one(1), want(n), got(n);
    one[0] = 1;
    t.convert.f16_to_f32(halves.data(), want, n);
    t.gemm.weigh_rows({1, n, 1, one, 1, halves.data(), n, got, n, 1 / kHalfUnit, Stored::F16});
    for (int64_t i = 0; i < n; ++i) REQUIRE(got[i] == want[i]);
    t.gemm.dot_rows({1, n, 1, one, 1, halves.data(), 1, got, n, 1 / kHalfUnit, Stored::F16});
    for (int64_t i = 0; i < n; ++i) REQUIRE(got[i] == want[i]);
    t.gemm.weigh_rows({1, 256, 1, one, 1, bytes.data(), 256, got, 256, 1, Stored::I8});
    for (int64_t i = 0; i < 256; ++i) REQUIRE(got[i] == static_cast<float>(i - 128));
    t.gemm.dot_rows({1, 256, 1, one, 1, bytes.data(), 1, got, 256, 1, Stored::I8});
    for (int64_t i = 0; i < 256; ++i) REQUIRE(got[i] == static_cast<float>(i - 128));
  });
}

TEST_CASE("few rows: a row's bits do not depend on those beside it", "[few_rows]") {
  for_each_isa([](const KernelTable& t) {
    for (const bool transposed : {true, false}) {
      for (const Stored stored : {Stored::F32, Stored::F16, Stored::I8}) {
        Operands all(9, 70, 300, transposed, stored);
        const auto run = transposed ? t.gemm.dot_rows : t.gemm.weigh_rows;
        run(all.rows);
        const std::vector<float> want = all.result();
        for (int64_t m = 1; m < 9; ++m) {
          FewRows part = all.rows;
          part.m = m;
          part.x = all.x + (9 - m) * part.ldx;
          part.y = all.y + (9 - m) * part.ldy;
          run(part);
          const std::vector<float> got = all.result();
          CHECK(std::memcmp(got.data(), want.data(), want.size() * sizeof(float)) == 0);
        }
      }
    }
  });
}

TEST_CASE("few rows: long sums keep their digits", "[few_rows]") {
  for_each_isa([](const KernelTable& t) {
    const int64_t k = 100'000;
    Floats x(k), b(k), y(1);
    std::fill_n(x.data(), k, 0.1f);
    std::fill_n(b.data(), k, 1.f);
    t.gemm.weigh_rows({1, 1, k, x, k, b, 1, y, 1});
    CHECK(std::abs(y[0] - 10'000.f) < 0.01f);
  });
}

}  // namespace nm::test
