// Pooling and resizing.
#include "tests/kernels/support.h"

namespace nm::test {
namespace {

std::vector<double> pool(const PoolShape& s, bool average, bool include_pad, const float* x, int64_t ldx) {
  std::vector<double> y;
  for (int64_t p = 0; p < s.batch * s.out_h * s.out_w; ++p) {
    const int64_t ox = p % s.out_w, oy = p / s.out_w % s.out_h, n = p / s.out_w / s.out_h;
    for (int64_t c = 0; c < s.channels; ++c) {
      double sum = 0, top = -INFINITY;
      int cells = 0;
      for (int64_t ky = 0; ky < s.kernel_h; ++ky) {
        for (int64_t kx = 0; kx < s.kernel_w; ++kx) {
          const int64_t iy = oy * s.stride_h - s.pad_top + ky * s.dilation_h;
          const int64_t ix = ox * s.stride_w - s.pad_left + kx * s.dilation_w;
          if (iy >= 0 && ix >= 0 && iy < s.in_h && ix < s.in_w) {
            const double v = x[((n * s.in_h + iy) * s.in_w + ix) * ldx + c];
            sum += v;
            top = std::fmax(top, v);
            ++cells;
          } else if (include_pad && iy < s.in_h + s.pad_bottom && ix < s.in_w + s.pad_right) {
            ++cells;
          }
        }
      }
      y.push_back(average ? sum / cells : top);
    }
  }
  return y;
}

}  // namespace

TEST_CASE("pool: windows, strides, pads, dilations, channels", "[pool]") {
  for_each_isa([](const KernelTable& t) {
    for (int64_t kernel : {1, 2, 3, 5}) {
      for (int64_t stride : {1, 2, 3}) {
        for (int64_t pad = 0; pad < kernel; ++pad) {
          for (int64_t dilation : {1, 2}) {
            for (int64_t channels : {1, 3, 4, 8, 11, 16, 33}) {
              for (int64_t ceil : {0, 1}) {
                PoolShape s;
                s.batch = 2;
                s.in_h = 9;
                s.in_w = 11;
                s.channels = channels;
                s.kernel_h = s.kernel_w = kernel;
                s.stride_h = s.stride_w = stride;
                s.dilation_h = s.dilation_w = dilation;
                s.pad_top = s.pad_left = s.pad_bottom = s.pad_right = pad;
                const int64_t reach = (kernel - 1) * dilation + 1;
                s.out_h = (9 + 2 * pad - reach) / stride + 1;
                s.out_w = (11 + 2 * pad - reach) / stride + 1;
                // ceil_mode: one more window where it still starts inside the image.
                if (ceil && s.out_h * stride - pad < 9) ++s.out_h;
                if (ceil && s.out_w * stride - pad < 11) ++s.out_w;
                const int64_t ldx = channels + 1, ldy = channels + 2, pixels = 2 * s.out_h * s.out_w;
                const Floats x = random_floats(2 * 9 * 11 * ldx);
                Floats y(pixels * ldy);
                for (int form = 0; form < 3; ++form) {
                  if (form == 0) {
                    t.pool.max(s, x, ldx, y, ldy);
                  } else {
                    t.pool.average(s, form == 2, x, ldx, y, ldy);
                  }
                  std::vector<float> dense;
                  for (int64_t p = 0; p < pixels; ++p) {
                    dense.insert(dense.end(), y + p * ldy, y + p * ldy + channels);
                  }
                  require_close(dense.data(), pool(s, form > 0, form == 2, x, ldx), 1e-6, 1e-5,
                                "pool form " + std::to_string(form));
                }
              }
            }
          }
        }
      }
    }
  });
}

TEST_CASE("pool: bytes", "[pool]") {
  for_each_isa([](const KernelTable& t) {
    for (int64_t c = 1; c <= 40; ++c) {
      PoolShape s;
      s.in_h = s.in_w = 5;
      s.kernel_h = s.kernel_w = 3;
      s.stride_h = s.stride_w = 2;
      s.pad_top = s.pad_left = 1;
      s.out_h = s.out_w = 3;
      s.channels = c;
      Buffer<uint8_t> x(25 * c), y(9 * c);
      Floats as_signed(25 * c), as_unsigned(25 * c);
      for (int64_t i = 0; i < x.size(); ++i) {
        x[i] = static_cast<uint8_t>(i * 89 + i / 7);
        as_unsigned[i] = x[i];
        as_signed[i] = static_cast<int8_t>(x[i]);
      }
      std::vector<float> got(static_cast<size_t>(9 * c));
      t.pool.max_u8(s, x, y);
      for (int64_t i = 0; i < y.size(); ++i) got[static_cast<size_t>(i)] = y[i];
      require_close(got.data(), pool(s, false, false, as_unsigned, c), 0, 0, "unsigned");
      t.pool.max_i8(s, reinterpret_cast<const int8_t*>(x.data()), reinterpret_cast<int8_t*>(y.data()));
      for (int64_t i = 0; i < y.size(); ++i) got[static_cast<size_t>(i)] = static_cast<int8_t>(y[i]);
      require_close(got.data(), pool(s, false, false, as_signed, c), 0, 0, "signed");
    }
  });
}

TEST_CASE("pool: global", "[pool]") {
  for_each_isa([](const KernelTable& t) {
    for (int64_t c = 1; c <= 70; ++c) {
      PoolShape s;
      s.batch = 2;
      s.in_h = s.kernel_h = 3;
      s.in_w = s.kernel_w = 7;
      s.channels = c;
      const Floats x = random_floats(2 * 21 * (c + 1));
      Floats y(2 * c);
      t.pool.global_average(2, 21, c, x, c + 1, y, c);
      require_close(y, pool(s, true, false, x, c + 1), 1e-6, 1e-5, "average");
      t.pool.global_max(2, 21, c, x, c + 1, y, c);
      require_close(y, pool(s, false, false, x, c + 1), 0, 0, "max");
    }
    Floats x = random_floats(21 * 5), y(5);
    x[12] = std::numeric_limits<float>::quiet_NaN();
    t.pool.global_max(1, 21, 5, x, 5, y, 5);
    REQUIRE(std::isnan(y[2]));
    REQUIRE(!std::isnan(y[1]));
  });
}

TEST_CASE("resize: nearest and bilinear", "[resize]") {
  for_each_isa([](const KernelTable& t) {
    for (int64_t c = 1; c <= 35; ++c) {
      const int64_t n = 2, ih = 4, iw = 5, oh = 7, ow = 9, ldx = c + 2, ldy = c + 1;
      const Floats x = random_floats(n * ih * iw * ldx - 2);
      Floats y(n * oh * ow * ldy);
      std::vector<int32_t> rows, cols;
      std::vector<LinearTap> row_taps, col_taps;
      for (int i = 0; i < oh; ++i) rows.push_back(i * 4 / 7);
      for (int i = 0; i < ow; ++i) cols.push_back(i * 5 / 9);
      for (int i = 0; i < oh; ++i)
        row_taps.push_back({i * 4 / 7, std::min(i * 4 / 7 + 1, 3), 0.1f * static_cast<float>(i)});
      for (int i = 0; i < ow; ++i)
        col_taps.push_back({i * 5 / 9, std::min(i * 5 / 9 + 1, 4), 0.1f * static_cast<float>(i)});
      const auto at = [&](int64_t b, int64_t iy, int64_t ix, int64_t k) {
        return static_cast<double>(x[((b * ih + iy) * iw + ix) * ldx + k]);
      };
      std::vector<double> nearest, bilinear;
      for (int64_t p = 0; p < n * oh * ow; ++p) {
        const size_t ox = static_cast<size_t>(p % ow), oy = static_cast<size_t>(p / ow % oh);
        const int64_t b = p / ow / oh;
        for (int64_t k = 0; k < c; ++k) {
          nearest.push_back(at(b, rows[oy], cols[ox], k));
          const LinearTap &r = row_taps[oy], &q = col_taps[ox];
          bilinear.push_back(
              (at(b, r.low, q.low, k) * (1 - q.weight) + at(b, r.low, q.high, k) * q.weight) * (1 - r.weight) +
              (at(b, r.high, q.low, k) * (1 - q.weight) + at(b, r.high, q.high, k) * q.weight) * r.weight);
        }
      }
      const auto dense = [&] {
        std::vector<float> d;
        for (int64_t p = 0; p < n * oh * ow; ++p) d.insert(d.end(), y + p * ldy, y + p * ldy + c);
        return d;
      };
      t.resize.nearest(n, ih, iw, oh, ow, c, rows.data(), cols.data(), x, ldx, y, ldy);
      require_close(dense().data(), nearest, 0, 0, "nearest");
      t.resize.bilinear(n, ih, iw, oh, ow, c, row_taps.data(), col_taps.data(), x, ldx, y, ldy);
      require_close(dense().data(), bilinear, 1e-6, 1e-6, "bilinear");
    }
  });
}

}  // namespace nm::test
