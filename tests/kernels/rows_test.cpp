#include "tests/kernels/reference.h"

namespace nm::test {
namespace {

constexpr float inf = std::numeric_limits<float>::infinity();
constexpr int64_t lengths[] = {1,  2,  3,  4,  5,  7,  8,  9,  12, 15,  16,  17,  24,  31,  32,  33,
                               40, 47, 48, 63, 64, 65, 66, 96, 97, 127, 128, 129, 255, 257, 1000};

std::vector<double> softmax(const float* x, int64_t n, int64_t step, bool log) {
  const Matrix v = matrix(x, n, 1, step);
  const Matrix below = v - v.maxCoeff();
  const double total = below.exp().sum();
  return list(log ? Matrix(below - std::log(total)) : Matrix(below.exp() / total));
}

double reduce(Reduce op, const Matrix& x) {
  switch (op) {
    case Reduce::Sum:
      return x.sum();
    case Reduce::Mean:
      return x.mean();
    case Reduce::Max:
      return x.maxCoeff();
    case Reduce::Min:
      return x.minCoeff();
    case Reduce::Prod:
      return x.prod();
    case Reduce::SumSquare:
      return x.square().sum();
    case Reduce::L1:
      return x.abs().sum();
    case Reduce::L2:
      return x.matrix().norm();
    case Reduce::LogSum:
      return std::log(x.sum());
    case Reduce::LogSumExp:
      return std::log(x.exp().sum());
  }
  return 0;
}

std::vector<double> reduce_columns(Reduce op, const Matrix& x) {
  std::vector<double> results;
  for (int64_t c = 0; c < x.cols(); ++c) results.push_back(reduce(op, x.col(c)));
  return results;
}

}  // namespace

TEST_CASE("softmax and log_softmax over rows", "[rows]") {
  for_each_isa([](const KernelTable& t) {
    for (int64_t n : lengths) {
      const int64_t rows = 3, ld = n + 1;
      const Floats x = random_floats(rows * ld, -30, 30);
      Floats y(rows * n), z(rows * ld);
      std::memcpy(z.data(), x.data(), static_cast<size_t>(rows * ld) * 4);
      t.rows.softmax(rows, n, x, ld, y, n);
      t.rows.softmax(rows, n, z, ld, z, ld);
      for (int64_t r = 0; r < rows; ++r) {
        require_close(y + r * n, softmax(x + r * ld, n, 1, false), 1e-9, 3e-6, "softmax");
        require_close(z + r * ld, softmax(x + r * ld, n, 1, false), 1e-9, 3e-6, "softmax in place");
      }
      t.rows.log_softmax(rows, n, x, ld, y, n);
      for (int64_t r = 0; r < rows; ++r) {
        require_close(y + r * n, softmax(x + r * ld, n, 1, true), 4e-6, 1e-6, "log_softmax");
      }
    }
  });
}

TEST_CASE("softmax keeps -infinity at zero and does not overflow", "[rows]") {
  for_each_isa([](const KernelTable& t) {
    Floats x(20), y(20);
    for (int i = 0; i < 20; ++i) x[i] = i % 2 ? -inf : 3e38f;
    t.rows.softmax(1, 20, x, 20, y, 20);
    for (int i = 0; i < 20; ++i) REQUIRE(y[i] == Catch::Approx(i % 2 ? 0 : 0.1));
  });
}

TEST_CASE("softmax over a middle axis", "[rows]") {
  for_each_isa([](const KernelTable& t) {
    for (int64_t inner : lengths) {
      const int64_t outer = 2, n = 5;
      const Floats x = random_floats(outer * n * inner, -10, 10);
      Floats y(outer * n * inner), z(outer * n * inner);
      t.rows.softmax_strided(outer, n, inner, x, y);
      t.rows.log_softmax_strided(outer, n, inner, x, z);
      for (int64_t o = 0; o < outer; ++o) {
        for (int64_t i = 0; i < inner; ++i) {
          const int64_t at = o * n * inner + i;
          const auto p = softmax(x + at, n, inner, false), l = softmax(x + at, n, inner, true);
          for (int64_t k = 0; k < n; ++k) {
            REQUIRE(y[at + k * inner] == Catch::Approx(p[static_cast<size_t>(k)]).epsilon(1e-5).margin(1e-9));
            REQUIRE(z[at + k * inner] == Catch::Approx(l[static_cast<size_t>(k)]).epsilon(1e-5).margin(1e-5));
          }
        }
      }
    }
  });
}

TEST_CASE("layer_norm, rms_norm and moments", "[rows]") {
  for_each_isa([](const KernelTable& t) {
    for (int64_t n : lengths) {
      const int64_t rows = 3, ld = n + 1;
      // A large mean: a single pass over squares would lose the variance.
      const Floats x = random_floats(rows * ld, 99, 101), s = random_floats(n, 0.5, 2, 2),
                   b = random_floats(n, -1, 1, 3);
      Floats y(rows * n), mean(rows), inv(rows), rms(rows), m2(rows), v2(rows);
      t.rows.layer_norm(rows, n, x, ld, s, b, 1e-3f, y, n, mean, inv);
      t.rows.mean_variance(rows, n, x, ld, m2, v2);
      const Matrix exact = matrix(x, rows, n, ld), factors = matrix(s, 1, n, n), offsets = matrix(b, 1, n, n);
      const Matrix means = exact.rowwise().mean();
      const Matrix centred = exact.colwise() - means.col(0);
      const Matrix variances = centred.square().rowwise().mean();
      const Matrix inverses = (variances + 1e-3).rsqrt(),
                   rms_inverses = (exact.square().rowwise().mean() + 1e-3).rsqrt();
      const Matrix normalized = (centred.colwise() * inverses.col(0)).rowwise() * factors.row(0);
      const Matrix want = normalized.rowwise() + offsets.row(0);
      const Matrix rms_want = (exact.colwise() * rms_inverses.col(0)).rowwise() * factors.row(0);
      require_close(y, list(want), 6e-4, 1e-4, "layer_norm");
      require_close(mean, list(means), 1e-4, 1e-6, "mean");
      require_close(inv, list(inverses), 0, 1e-4, "inverse deviation");
      require_close(m2, list(means), 1e-4, 1e-6, "mean of moments");
      require_close(v2, list(variances), 1e-6, 1e-4, "variance");
      t.rows.rms_norm(rows, n, x, ld, s, 1e-3f, y, n, rms);
      require_close(y, list(rms_want), 1e-5, 1e-5, "rms_norm");
      require_close(rms, list(rms_inverses), 0, 1e-5, "inverse rms");
      t.rows.layer_norm(rows, n, x, ld, nullptr, nullptr, 1e-3f, y, n, nullptr, nullptr);
      REQUIRE(y[0] == Catch::Approx(centred(0, 0) * inverses(0, 0)).margin(6e-4));
    }
  });
}

TEST_CASE("column moments", "[rows]") {
  for_each_isa([](const KernelTable& t) {
    for (int64_t n : lengths) {
      const int64_t rows = 150, ld = n + 3;
      const Floats x = random_floats(rows * ld, 9, 11);
      Floats mean(n), variance(n);
      t.rows.column_mean_variance(rows, n, x, ld, mean, variance);
      const Matrix exact = matrix(x, rows, n, ld), means = exact.colwise().mean();
      const Matrix variances = (exact.rowwise() - means.row(0)).square().colwise().mean();
      require_close(mean, list(means), 0, 1e-6, "mean");
      require_close(variance, list(variances), 0, 1e-5, "variance");
    }
  });
}

TEST_CASE("reductions over rows and columns", "[rows]") {
  for_each_isa([](const KernelTable& t) {
    for (int i = 0; i <= static_cast<int>(Reduce::LogSumExp); ++i) {
      const Reduce op = static_cast<Reduce>(i);
      for (int64_t n : lengths) {
        const int64_t other = 5, ld = n + 2;
        const float low = op == Reduce::Prod || op == Reduce::LogSum ? 0.9f : -2;
        const Floats x = random_floats(other * ld, low, op == Reduce::Prod ? 1.1f : 2);
        Floats y(other);
        t.rows.reduce(op, other, n, x, ld, y);
        INFO(t.isa << " reduction " << i << " length " << n);
        require_close(y, reduce_columns(op, matrix(x, n, other, 1, ld)), 3e-5, 3e-5, "rows");
        const Floats z = random_floats(n * other, low, op == Reduce::Prod ? 1.1f : 2);
        t.rows.reduce_columns(op, n, other, z, other, y);
        require_close(y, reduce_columns(op, matrix(z, n, other, other)), 3e-5, 3e-5, "columns");
        const Floats wide = random_floats(3 * n, low, 1.1f);
        Floats columns(n);
        t.rows.reduce_columns(op, 3, n, wide, n, columns);
        require_close(columns, reduce_columns(op, matrix(wide, 3, n, n)), 3e-5, 3e-5, "wide columns");
      }
    }
    // NaN wins in Max and Min wherever it stands; empty rows give the neutral element.
    for (int64_t at = 0; at < 40; ++at) {
      Floats x = random_floats(40);
      x[at] = std::numeric_limits<float>::quiet_NaN();
      float y;
      t.rows.reduce(Reduce::Max, 1, 40, x, 40, &y);
      REQUIRE(std::isnan(y));
      t.rows.reduce(Reduce::Min, 1, 40, x, 40, &y);
      REQUIRE(std::isnan(y));
    }
    float y;
    t.rows.reduce(Reduce::Sum, 1, 0, nullptr, 0, &y);
    REQUIRE(y == 0);
    t.rows.reduce(Reduce::Prod, 1, 0, nullptr, 0, &y);
    REQUIRE(y == 1);
    t.rows.reduce(Reduce::Max, 1, 0, nullptr, 0, &y);
    REQUIRE(y == -inf);
    t.rows.reduce(Reduce::LogSumExp, 1, 0, nullptr, 0, &y);
    REQUIRE(y == -inf);
  });
}

TEST_CASE("recurrent cells", "[rows]") {
  const auto sigmoid = [](double x) { return 1 / (1 + std::exp(-x)); };
  for_each_isa([&](const KernelTable& t) {
    for (int64_t n = 1; n <= 40; ++n) {
      const Floats gates = random_floats(4 * n, -3, 3), peep = random_floats(3 * n, -1, 1, 2);
      for (bool with_peepholes : {false, true}) {
        Floats c = random_floats(n, -1, 1, 3), h(n);
        std::vector<double> c_want, h_want;
        for (int64_t j = 0; j < n; ++j) {
          const double p[3] = {with_peepholes ? peep[j] : 0., with_peepholes ? peep[n + j] : 0.,
                               with_peepholes ? peep[2 * n + j] : 0.};
          const double i = sigmoid(gates[j] + p[0] * c[j]), f = sigmoid(gates[2 * n + j] + p[2] * c[j]);
          const double after = f * c[j] + i * std::tanh(gates[3 * n + j]);
          c_want.push_back(after);
          h_want.push_back(sigmoid(gates[n + j] + p[1] * after) * std::tanh(after));
        }
        t.rows.lstm_cell(n, gates, with_peepholes ? peep.data() : nullptr, c, h);
        require_close(c, c_want, 1e-6, 1e-6, "cell");
        require_close(h, h_want, 1e-6, 1e-6, "hidden");
      }
      const Floats hg = random_floats(3 * n, -3, 3, 5);
      Floats h = random_floats(n, -1, 1, 6);
      std::vector<double> want;
      for (int64_t j = 0; j < n; ++j) {
        const double z = sigmoid(gates[j] + hg[j]), r = sigmoid(gates[n + j] + hg[n + j]);
        want.push_back((1 - z) * std::tanh(gates[2 * n + j] + r * hg[2 * n + j]) + z * h[j]);
      }
      t.rows.gru_cell(n, gates, hg, h);
      require_close(h, want, 1e-6, 1e-6, "gru");
    }
  });
}

}  // namespace nm::test
