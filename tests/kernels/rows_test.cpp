#include <functional>

#include "tests/kernels/support.h"

namespace nm::test {
namespace {

constexpr float inf = std::numeric_limits<float>::infinity();
constexpr int64_t lengths[] = {1,  2,  3,  4,  5,  7,  8,  9,  12, 15,  16,  17,  24,  31,  32,  33,
                               40, 47, 48, 63, 64, 65, 66, 96, 97, 127, 128, 129, 255, 257, 1000};

std::vector<double> softmax(const float* x, int64_t n, int64_t step, bool log) {
  double top = -INFINITY, total = 0;
  for (int64_t i = 0; i < n; ++i) top = std::fmax(top, x[i * step]);
  for (int64_t i = 0; i < n; ++i) total += std::exp(x[i * step] - top);
  std::vector<double> y;
  for (int64_t i = 0; i < n; ++i) {
    const double v = x[i * step] - top;
    y.push_back(log ? v - std::log(total) : std::exp(v) / total);
  }
  return y;
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
      std::vector<double> want, means, invs, squares, rms_want, rms_inv;
      for (int64_t r = 0; r < rows; ++r) {
        double m = 0, v = 0, q = 0;
        for (int64_t i = 0; i < n; ++i) m += x[r * ld + i] / static_cast<double>(n);
        for (int64_t i = 0; i < n; ++i) v += std::pow(x[r * ld + i] - m, 2) / static_cast<double>(n);
        for (int64_t i = 0; i < n; ++i) q += std::pow(x[r * ld + i], 2) / static_cast<double>(n);
        means.push_back(m);
        invs.push_back(1 / std::sqrt(v + 1e-3));
        squares.push_back(v);
        rms_inv.push_back(1 / std::sqrt(q + 1e-3));
        for (int64_t i = 0; i < n; ++i) {
          want.push_back((x[r * ld + i] - m) * invs.back() * s[i] + b[i]);
          rms_want.push_back(x[r * ld + i] * rms_inv.back() * s[i]);
        }
      }
      require_close(y, want, 6e-4, 1e-4, "layer_norm");
      require_close(mean, means, 1e-4, 1e-6, "mean");
      require_close(inv, invs, 0, 1e-4, "inverse deviation");
      require_close(m2, means, 1e-4, 1e-6, "mean of moments");
      require_close(v2, squares, 1e-6, 1e-4, "variance");
      t.rows.rms_norm(rows, n, x, ld, s, 1e-3f, y, n, rms);
      require_close(y, rms_want, 1e-5, 1e-5, "rms_norm");
      require_close(rms, rms_inv, 0, 1e-5, "inverse rms");
      t.rows.layer_norm(rows, n, x, ld, nullptr, nullptr, 1e-3f, y, n, nullptr, nullptr);
      REQUIRE(y[0] == Catch::Approx((x[0] - means[0]) * invs[0]).margin(6e-4));
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
      std::vector<double> m(static_cast<size_t>(n)), v(static_cast<size_t>(n));
      for (int64_t i = 0; i < rows * n; ++i) m[static_cast<size_t>(i % n)] += x[i / n * ld + i % n] / 150.;
      for (int64_t i = 0; i < rows * n; ++i) {
        v[static_cast<size_t>(i % n)] += std::pow(x[i / n * ld + i % n] - m[static_cast<size_t>(i % n)], 2) / 150.;
      }
      require_close(mean, m, 0, 1e-6, "mean");
      require_close(variance, v, 0, 1e-5, "variance");
    }
  });
}

TEST_CASE("reductions over rows and columns", "[rows]") {
  const auto reference = [](Reduce op, int64_t n, const std::function<double(int64_t)>& at) {
    double sum = 0, product = 1, top = -INFINITY, bottom = INFINITY, squares = 0, absolute = 0, exponentials = 0;
    for (int64_t i = 0; i < n; ++i) {
      const double v = at(i);
      sum += v;
      product *= v;
      top = std::fmax(top, v);
      bottom = std::fmin(bottom, v);
      squares += v * v;
      absolute += std::abs(v);
      exponentials += std::exp(v);
    }
    switch (op) {
      case Reduce::Sum:
        return sum;
      case Reduce::Mean:
        return sum / static_cast<double>(n);
      case Reduce::Max:
        return top;
      case Reduce::Min:
        return bottom;
      case Reduce::Prod:
        return product;
      case Reduce::SumSquare:
        return squares;
      case Reduce::L1:
        return absolute;
      case Reduce::L2:
        return std::sqrt(squares);
      case Reduce::LogSum:
        return std::log(sum);
      case Reduce::LogSumExp:
        return std::log(exponentials);
    }
    return 0.;
  };
  for_each_isa([&](const KernelTable& t) {
    for (int i = 0; i <= static_cast<int>(Reduce::LogSumExp); ++i) {
      const Reduce op = static_cast<Reduce>(i);
      for (int64_t n : lengths) {
        const int64_t other = 5, ld = n + 2;
        const float low = op == Reduce::Prod || op == Reduce::LogSum ? 0.9f : -2;
        const Floats x = random_floats(other * ld, low, op == Reduce::Prod ? 1.1f : 2);
        Floats y(other);
        t.rows.reduce(op, other, n, x, ld, y);
        std::vector<double> want;
        for (int64_t r = 0; r < other; ++r) want.push_back(reference(op, n, [&](int64_t k) { return x[r * ld + k]; }));
        INFO(t.isa << " reduction " << i << " length " << n);
        require_close(y, want, 3e-5, 3e-5, "rows");
        const Floats z = random_floats(n * other, low, op == Reduce::Prod ? 1.1f : 2);
        t.rows.reduce_columns(op, n, other, z, other, y);
        want.clear();
        for (int64_t c = 0; c < other; ++c) {
          want.push_back(reference(op, n, [&](int64_t k) { return z[k * other + c]; }));
        }
        require_close(y, want, 3e-5, 3e-5, "columns");
        const Floats wide = random_floats(3 * n, low, 1.1f);
        Floats columns(n);
        t.rows.reduce_columns(op, 3, n, wide, n, columns);
        want.clear();
        for (int64_t c = 0; c < n; ++c) want.push_back(reference(op, 3, [&](int64_t k) { return wide[k * n + c]; }));
        require_close(columns, want, 3e-5, 3e-5, "wide columns");
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
