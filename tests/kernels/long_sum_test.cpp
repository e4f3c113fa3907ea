// Sums over millions of one number, on every instruction set, and the kernels of norms.
#include "tests/kernels/reference.h"

namespace nm::test {
namespace {

constexpr int64_t kMany = 1 << 22;

void require_near(float got, double want, const char* what) {
  INFO(what << ": " << got << " where " << want << " was expected");
  REQUIRE(std::abs(got - want) <= 1e-6 * std::abs(want));
}

}  // namespace

TEST_CASE("sums of 4 million numbers are right to a millionth", "[rows]") {
  Floats x(kMany);
  for_each_isa([&](const KernelTable& t) {
    for (const float value : {0.1f, 1.2345f}) {
      const double v = value, n = kMany;
      std::fill_n(x.data(), kMany, value);
      float y = 0;
      t.rows.reduce(Reduce::Sum, 1, kMany, x, kMany, &y);
      require_near(y, v * n, "sum");
      t.rows.reduce(Reduce::SumSquare, 1, kMany, x, kMany, &y);
      require_near(y, v * v * n, "sum of squares");
      t.rows.reduce(Reduce::L1, 1, kMany, x, kMany, &y);
      require_near(y, v * n, "sum of magnitudes");
      t.rows.reduce(Reduce::LogSumExp, 1, kMany, x, kMany, &y);
      require_near(y, v + std::log(n), "logarithm of a sum of powers");
      for (const int64_t columns : {1, 5, 64}) {
        std::vector<float> sums(static_cast<size_t>(columns));
        const int64_t rows = kMany / columns;
        t.rows.reduce_columns(Reduce::Sum, rows, columns, x, columns, sums.data());
        for (const float s : sums) require_near(s, v * static_cast<double>(rows), "sum of a column");
        std::vector<float> variance(sums);
        t.rows.column_mean_variance(rows, columns, x, columns, sums.data(), variance.data());
        for (const float s : sums) require_near(s, v, "mean of a column");
        for (const float s : variance) REQUIRE(s <= 1e-13 * v * v);
      }
      t.pool.global_average(1, kMany, 1, x, 1, &y, 1);
      require_near(y, v, "mean of an image");
      const Epilogue none;
      t.gemm.gemv(kMany, 1, x, x, 1, &y, none);
      require_near(y, v * v * n, "product of a row and a column");
    }
  });
}

TEST_CASE("more columns than sums are kept for at a time", "[rows]") {
  for_each_isa([](const KernelTable& t) {
    const int64_t rows = 150, columns = 2 * 1024 + 7;
    const Floats x = random_floats(rows * columns);
    Floats y(columns);
    const Matrix exact = matrix(x, rows, columns, columns);
    t.rows.reduce_columns(Reduce::Sum, rows, columns, x, columns, y);
    require_close(y, list(exact.colwise().sum()), 1e-5, 1e-6, "sums");
    t.rows.reduce_columns(Reduce::Min, rows, columns, x, columns, y);
    require_close(y, list(exact.colwise().minCoeff()), 0, 0, "minima");
  });
}

TEST_CASE("a product can be taken along a part of K", "[gemm]") {
  for_each_isa([](const KernelTable& t) {
    const int64_t m = 5, n = 37, k = 300;
    const Floats a = random_floats(m * k), b = random_floats(k * n, -1, 1, 2);
    Floats packed(t.gemm.packed_size(k, n)), c(m * n);
    t.gemm.pack_b(k, n, b, SourceType::F32, n, 1, 1, packed);
    for (const auto& [k0, k1] : {std::pair<int64_t, int64_t>{0, 300}, {0, 1}, {63, 200}, {299, 300}}) {
      Gemm g{m, n, k, a, k, packed, c, n, {}, k0, k1};
      t.gemm.run(g);
      const Matrix want = product(matrix(a + k0, m, k1 - k0, k), matrix(b + k0 * n, k1 - k0, n, n));
      require_close(c, list(want), 1e-5, 1e-5, "part");
    }
  });
}

TEST_CASE("norms subtract before they scale", "[elementwise]") {
  for_each_isa([](const KernelTable& t) {
    for (int64_t n = 1; n < 70; ++n) {
      const Floats x = random_floats(2 * n, 999, 1001), m = random_floats(n, 999, 1001, 2), f = random_floats(n),
                   o = random_floats(n, -1, 1, 3);
      Floats y(2 * n);
      std::vector<double> one, each;
      for (int64_t i = 0; i < 2 * n; ++i) {
        one.push_back((static_cast<double>(x[i]) - 1000.0) * 3.0 + 0.5);
        each.push_back((static_cast<double>(x[i]) - m[i % n]) * f[i % n] + o[i % n]);
      }
      t.elementwise.normalize(x, y, 2 * n, 1000, 3, 0.5f);
      require_close(y, one, 1e-6, 1e-6, "normalize");
      t.elementwise.row_normalize(2, n, x, n, m, f, o, y, n);
      require_close(y, each, 1e-6, 1e-6, "row_normalize");
    }
  });
}

TEST_CASE("a power of 0.5 of zeros and infinities", "[elementwise]") {
  for_each_isa([](const KernelTable& t) {
    const float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
    const float x[] = {4, 0.f, -0.f, inf, -inf, -1, nan}, want[] = {2, 0.f, 0.f, inf, inf, nan, nan};
    float y[7];
    t.elementwise.unary(Unary::PowerOfHalf, x, y, 7, 0, 0);
    require_close(y, {want, want + 7}, 0, 0, "power");
    CHECK(!std::signbit(y[2]));
  });
}

}  // namespace nm::test
