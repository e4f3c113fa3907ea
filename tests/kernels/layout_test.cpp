// Transposition, permutation and conversion of element types.
#include <numeric>

#include "tests/kernels/support.h"

namespace nm::test {
namespace {

template <class T>
void check_transpose(const KernelTable& t, int64_t rows, int64_t cols) {
  const int64_t ldx = cols + 1, ldy = rows + 2;
  Buffer<T> x((rows - 1) * ldx + cols), y((cols - 1) * ldy + rows);
  for (int64_t i = 0; i < x.size(); ++i) x[i] = static_cast<T>(i * 7 + 1);
  t.layout.transpose(rows, cols, x.data(), ldx, y.data(), ldy, sizeof(T));
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < cols; ++j) REQUIRE(y[j * ldy + i] == x[i * ldx + j]);
  }
}

template <class T>
void check_permute(const KernelTable& t, const std::vector<int64_t>& dims, const std::vector<int>& axes) {
  const int64_t total = std::accumulate(dims.begin(), dims.end(), int64_t{1}, std::multiplies<>());
  Buffer<T> x(total), y(total);
  for (int64_t i = 0; i < total; ++i) x[i] = static_cast<T>(i);
  const int rank = static_cast<int>(dims.size());
  t.layout.permute(rank, dims.data(), axes.data(), x.data(), y.data(), sizeof(T));
  std::vector<int64_t> strides(dims.size());
  int64_t stride = 1;
  for (size_t i = dims.size(); i-- > 0;) {
    strides[i] = stride;
    stride *= dims[i];
  }
  for (int64_t o = 0; o < total; ++o) {
    int64_t rest = o, in = 0;
    for (size_t i = dims.size(); i-- > 0;) {
      const size_t axis = static_cast<size_t>(axes[i]);
      in += rest % dims[axis] * strides[axis];
      rest /= dims[axis];
    }
    REQUIRE(y[o] == x[in]);
  }
}

}  // namespace

TEST_CASE("transpose: sizes and element types", "[layout]") {
  for_each_isa([](const KernelTable& t) {
    for (int64_t rows : {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 64, 70}) {
      for (int64_t cols : {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 64, 70}) {
        check_transpose<uint8_t>(t, rows, cols);
        check_transpose<uint16_t>(t, rows, cols);
        check_transpose<uint32_t>(t, rows, cols);
        check_transpose<uint64_t>(t, rows, cols);
      }
    }
  });
}

TEST_CASE("permute: every order of up to five axes", "[layout]") {
  for_each_isa([](const KernelTable& t) {
    for (const std::vector<int64_t>& dims : {std::vector<int64_t>{5},
                                             {4, 7},
                                             {3, 5, 4},
                                             {2, 3, 5, 4},
                                             {2, 1, 20, 18},
                                             {1, 1, 1},
                                             {2, 3, 2, 5, 3},
                                             {3, 0, 2},
                                             {1, 37, 1, 19}}) {
      std::vector<int> axes(dims.size());
      std::iota(axes.begin(), axes.end(), 0);
      do {
        check_permute<uint8_t>(t, dims, axes);
        check_permute<uint32_t>(t, dims, axes);
        check_permute<uint64_t>(t, dims, axes);
      } while (std::next_permutation(axes.begin(), axes.end()));
    }
    check_permute<uint16_t>(t, {}, {});
  });
}

TEST_CASE("half: all 65536 values and every rounding border", "[convert]") {
  for_each_isa([](const KernelTable& t) {
    Buffer<uint16_t> half(65536), back(65536);
    Floats wide(65536);
    for (int i = 0; i < 65536; ++i) half[i] = static_cast<uint16_t>(i);
    t.convert.f16_to_f32(half, wide, 65536);
    t.convert.f32_to_f16(wide, back, 65536);
    for (int i = 0; i < 65536; ++i) {
      const int exponent = i >> 10 & 31, mantissa = i & 1023;
      if (exponent == 31 && mantissa) {
        REQUIRE(std::isnan(wide[i]));
        REQUIRE((back[i] & 0x7c00) == 0x7c00);
        REQUIRE((back[i] & 0x3ff) != 0);
        continue;
      }
      double want = exponent == 31 ? INFINITY
                    : exponent     ? std::ldexp(1024 + mantissa, exponent - 25)
                                   : std::ldexp(mantissa, -24);
      if (i & 0x8000) want = -want;
      REQUIRE(wide[i] == want);
      REQUIRE(back[i] == i);
    }
    // Halfway between neighbours goes to the even one, a hair more or less to the nearer.
    for (int i = 0; i < 0x7bff; ++i) {
      const float middle = (wide[i] + wide[i + 1]) / 2;
      float x[9] = {middle, std::nextafter(middle, 0.f), std::nextafter(middle, 1e9f), 0, 0, 0, 0, 0, -middle};
      uint16_t y[9];
      t.convert.f32_to_f16(x, y, 9);
      REQUIRE(y[0] == (i & 1 ? i + 1 : i));
      REQUIRE(y[1] == i);
      REQUIRE(y[2] == i + 1);
      REQUIRE(y[8] == (0x8000 | (i & 1 ? i + 1 : i)));
    }
    const float edges[] = {65519, 65520, 1e30f, 1e-10f, -1e-10f};
    uint16_t y[5];
    t.convert.f32_to_f16(edges, y, 5);
    REQUIRE(y[0] == 0x7bff);
    REQUIRE(y[1] == 0x7c00);
    REQUIRE(y[2] == 0x7c00);
    REQUIRE(y[3] == 0);
    REQUIRE(y[4] == 0x8000);
  });
}

TEST_CASE("bfloat16: widening and rounding", "[convert]") {
  for_each_isa([](const KernelTable& t) {
    for (int64_t n = 0; n <= 40; ++n) {
      const Floats x = random_floats(n, -100, 100);
      Buffer<uint16_t> y(n);
      Floats z(n);
      t.convert.f32_to_bf16(x, y, n);
      t.convert.bf16_to_f32(y, z, n);
      for (int64_t i = 0; i < n; ++i) REQUIRE(std::abs(z[i] - x[i]) <= std::abs(x[i]) / 256);
    }
    const float x[] = {1.00390625f, 1.01171875f, INFINITY, NAN};  // ties: to even downwards, upwards
    uint16_t y[4];
    t.convert.f32_to_bf16(x, y, 4);
    REQUIRE(y[0] == 0x3f80);
    REQUIRE(y[1] == 0x3f82);
    REQUIRE(y[2] == 0x7f80);
    REQUIRE((y[3] & 0x7fff) > 0x7f80);
  });
}

TEST_CASE("dequantise rows", "[convert]") {
  for_each_isa([](const KernelTable& t) {
    for (int64_t n = 0; n <= 70; ++n) {
      Buffer<int8_t> a(n);
      Buffer<uint8_t> b(n);
      for (int64_t i = 0; i < n; ++i) {
        a[i] = static_cast<int8_t>(i * 37);
        b[i] = static_cast<uint8_t>(i * 37);
      }
      Floats y(n);
      t.convert.dequantize_i8(a, y, n, 0.5f, -3);
      for (int64_t i = 0; i < n; ++i) REQUIRE(y[i] == 0.5f * static_cast<float>(a[i] + 3));
      t.convert.dequantize_u8(b, y, n, 0.25f, 128);
      for (int64_t i = 0; i < n; ++i) REQUIRE(y[i] == 0.25f * static_cast<float>(b[i] - 128));
    }
  });
}

}  // namespace nm::test
