#include "tests/kernels/reference.h"

namespace nm::test {
namespace {

int64_t out_size(int64_t in, int64_t kernel, int64_t stride, int64_t dilation, int64_t pads) {
  return (in + pads - (kernel - 1) * dilation - 1) / stride + 1;
}

// Square kernels keep the tables readable; `pad` is at both ends.
ConvShape shape(int64_t batch, int64_t h, int64_t w, int64_t in_c, int64_t out_c, int64_t kernel, int64_t stride,
                int64_t pad, int64_t dilation = 1, int64_t groups = 1) {
  ConvShape s;
  s.batch = batch;
  s.in_h = h;
  s.in_w = w;
  s.in_c = in_c;
  s.out_c = out_c;
  s.kernel_h = s.kernel_w = kernel;
  s.stride_h = s.stride_w = stride;
  s.dilation_h = s.dilation_w = dilation;
  s.pad_top = s.pad_left = pad;
  s.groups = groups;
  s.out_h = out_size(h, kernel, stride, dilation, 2 * pad);
  s.out_w = out_size(w, kernel, stride, dilation, 2 * pad);
  return s;
}

// Calls f(pixel, tap, other) where tap `tap` of the window at `pixel`, of images of h × w, falls on pixel `other` of
// those of other_h × other_w.
template <class F>
void for_taps(const ConvShape& s, int64_t h, int64_t w, int64_t other_h, int64_t other_w, F f) {
  for (int64_t p = 0; p < s.batch * h * w; ++p) {
    for (int64_t tap = 0; tap < s.kernel_h * s.kernel_w; ++tap) {
      const int64_t y = p / w % h * s.stride_h - s.pad_top + tap / s.kernel_w * s.dilation_h;
      const int64_t x = p % w * s.stride_w - s.pad_left + tap % s.kernel_w * s.dilation_w;
      const int64_t image = p / w / h;
      if (y >= 0 && x >= 0 && y < other_h && x < other_w) f(p, tap, (image * other_h + y) * other_w + x);
    }
  }
}

std::vector<double> convolve(const ConvShape& s, const float* x, int64_t ldx, const float* w, const float* scale,
                             const Epilogue& e) {
  const int64_t ic = s.in_c / s.groups, oc = s.out_c / s.groups, taps = s.kernel_h * s.kernel_w;
  Matrix sums(s.batch * s.out_h * s.out_w, s.out_c);
  for (int64_t g = 0; g < s.groups; ++g) {
    Matrix windows = Matrix::Zero(sums.rows(), ic * taps);
    for_taps(s, s.out_h, s.out_w, s.in_h, s.in_w, [&](int64_t pixel, int64_t tap, int64_t from) {
      for (int64_t c = 0; c < ic; ++c) windows(pixel, c * taps + tap) = x[from * ldx + g * ic + c];
    });
    sums.middleCols(g * oc, oc) = product(windows, matrix(w + g * oc * ic * taps, ic * taps, oc, 1, ic * taps));
  }
  if (scale) sums.rowwise() *= matrix(scale, 1, s.out_c, s.out_c).row(0);
  return finish(e, sums);
}

std::vector<double> convolve_transposed(const ConvShape& s, const float* x, int64_t ldx, const float* w,
                                        const Epilogue& e) {
  const int64_t ic = s.in_c / s.groups, oc = s.out_c / s.groups, taps = s.kernel_h * s.kernel_w;
  const int64_t pixels = s.batch * s.in_h * s.in_w;
  Matrix sums = Matrix::Zero(s.batch * s.out_h * s.out_w, s.out_c);
  for (int64_t g = 0; g < s.groups; ++g) {
    const Matrix windows =
        product(matrix(x + g * ic, pixels, ic, ldx), matrix(w + g * ic * oc * taps, ic, oc * taps, oc * taps));
    for_taps(s, s.in_h, s.in_w, s.out_h, s.out_w, [&](int64_t pixel, int64_t tap, int64_t to) {
      for (int64_t o = 0; o < oc; ++o) sums(to, g * oc + o) += windows(pixel, o * taps + tap);
    });
  }
  return finish(e, sums);
}

struct Options {
  bool transposed = false;
  bool wide = false;   // images are slices of wider ones
  bool scale = false;  // a folded normalisation
  Epilogue epilogue = {};
  bool residual = false;
  bool in_place = false;
};

void check(const KernelTable& t, const ConvShape& s, Options o = {}) {
  INFO("batch " << s.batch << " in " << s.in_h << "x" << s.in_w << "x" << s.in_c << " out " << s.out_h << "x" << s.out_w
                << "x" << s.out_c << " kernel " << s.kernel_h << "x" << s.kernel_w << " stride " << s.stride_w
                << " dilation " << s.dilation_w << " groups " << s.groups << " wide " << o.wide << " winograd "
                << s.winograd);
  const int64_t ldx = s.in_c + (o.wide ? 5 : 0), ldy = s.out_c + (o.wide ? 3 : 0);
  const int64_t pixels = s.batch * s.out_h * s.out_w;
  const int64_t taps = s.kernel_h * s.kernel_w;
  const Floats x = random_floats(s.batch * s.in_h * s.in_w * ldx - (ldx - s.in_c));
  const Floats w = random_floats(s.out_c * s.in_c / s.groups * taps, -1, 1, 3);
  const Floats bias = random_floats(s.out_c, -1, 1, 4), scale = random_floats(s.out_c, 0.5, 2, 5);
  Floats residual = random_floats(pixels * ldy, -1, 1, 6), out(pixels * ldy);
  Epilogue e = o.epilogue;
  e.bias = bias;
  if (o.residual) {
    e.residual = residual;
    e.ldr = ldy;
  }
  const float* factors = o.scale ? scale.data() : nullptr;
  const auto want = o.transposed ? convolve_transposed(s, x, ldx, w, e) : convolve(s, x, ldx, w, factors, e);
  const ConvImages images{x, ldx, o.in_place ? residual.data() : out.data(), ldy};
  if (o.transposed) {
    Floats packed(t.conv.transposed_packed_size(s));
    t.conv.transposed_pack(s, w.data(), SourceType::F32, packed);
    Floats scratch(t.conv.transposed_scratch_size(s));
    t.conv.transposed_run(s, images, packed, e, scratch);
  } else {
    Floats packed(t.conv.packed_size(s));
    t.conv.pack(s, w.data(), SourceType::F32, factors, packed);
    Floats scratch(t.conv.scratch_size(s));
    t.conv.run(s, images, packed, e, scratch);
  }
  std::vector<float> dense;
  for (int64_t p = 0; p < pixels; ++p) dense.insert(dense.end(), images.y + p * ldy, images.y + p * ldy + s.out_c);
  const double depth = static_cast<double>(s.in_c / s.groups * taps);
  const double form = s.winograd ? 10 : 1;
  require_close(dense.data(), want, form * (2e-5 + 4e-7 * depth), form * 2e-5, "conv");
  if (o.wide && !o.in_place) {
    uint32_t guard;
    for (int64_t p = 0; p < pixels; ++p) {
      std::memcpy(&guard, images.y + p * ldy + s.out_c, 4);
      REQUIRE(guard == 0x5a5a5a5a);  // the neighbours of the slice are untouched
    }
  }
  const bool square = s.kernel_h == 3 && s.kernel_w == 3 && s.stride_h == 1 && s.stride_w == 1 && s.groups == 1;
  const bool enough = s.in_c >= 16 && s.out_c >= 16;
  if (square && enough && !o.transposed && !s.winograd) {
    ConvShape winograd = s;
    winograd.winograd = true;
    check(t, winograd, o);
  }
}

}  // namespace

TEST_CASE("conv: kernels, strides, pads, dilations", "[conv]") {
  for_each_isa([](const KernelTable& t) {
    for (int64_t kernel : {1, 2, 3, 5, 7}) {
      for (int64_t stride : {1, 2, 3}) {
        for (int64_t pad : {int64_t{0}, kernel / 2, kernel}) {
          for (int64_t dilation : {1, 2}) {
            if ((kernel - 1) * dilation + 1 > 11 + 2 * pad) continue;
            for (bool wide : {false, true}) {
              check(t, shape(2, 11, 13, 3, 10, kernel, stride, pad, dilation), {.wide = wide});
              check(t, shape(1, 12, 11, 17, 35, kernel, stride, pad, dilation), {.wide = wide, .scale = true});
            }
          }
        }
      }
    }
  });
}

TEST_CASE("conv: every channel count below twice the tile", "[conv]") {
  for_each_isa([](const KernelTable& t) {
    for (int64_t c = 1; c <= 66; ++c) {
      check(t, shape(1, 5, 6, 1 + c % 7, c, 3, 1, 1));
      check(t, shape(1, 5, 6, c, 1 + c % 9, 3, 1, 1));
      check(t, shape(1, 5, 7, c, c, 1, 1, 0));
      check(t, shape(1, 5, 7, 16 + c % 9, 15 + c, 3, 1, 1));
      check(t, shape(1, 6, 4, 15 + c, 16 + c % 9, 3, 1, 1));
    }
  });
}

TEST_CASE("conv: output sizes through every tile remainder", "[conv]") {
  for_each_isa([](const KernelTable& t) {
    for (int64_t w = 1; w <= 40; ++w) {
      check(t, shape(1, 3, w, 4, 8, 3, 1, 1));
      check(t, shape(1, 2 + w % 9, w, 17, 16, 3, 1, 1));
      check(t, shape(1, 3, w, 3, 8, 3, 2, 1));
      check(t, shape(1, 1, w, 8, 16, 1, 1, 0));
    }
    check(t, shape(1, 40, 40, 8, 16, 3, 1, 1));  // several blocks
    check(t, shape(2, 30, 29, 70, 40, 3, 1, 1));
    check(t, shape(2, 30, 29, 17, 20, 3, 1, 3, 3));
    check(t, shape(1, 17, 40, 16, 16, 3, 1, 16, 16));
    check(t, shape(3, 30, 31, 5, 9, 3, 2, 1));
  });
}

TEST_CASE("conv: depth through every block boundary", "[conv]") {
  for_each_isa([](const KernelTable& t) {
    const Epilogue silu{.activation = Unary::Silu}, silu_first{.residual_last = true, .activation = Unary::Silu};
    for (int64_t c : {1, 21, 28, 29, 56, 57, 85, 127, 128, 129, 255, 256, 257, 513}) {
      for (int64_t kernel : {1, 3}) {
        const ConvShape s = shape(1, 5, 7, c, 37, kernel, 2, kernel / 2);
        check(t, s, {.wide = true});
        for (bool in_place : {false, true}) {
          check(t, s, {.residual = true, .in_place = in_place});
          check(t, s, {.epilogue = silu, .residual = true, .in_place = in_place});
          check(t, s, {.epilogue = silu_first, .residual = true, .in_place = in_place});
        }
      }
    }
    check(t, shape(1, 7, 9, 40, 530, 3, 2, 1));  // several blocks of panels
    check(t, shape(2, 7, 9, 600, 70, 3, 2, 1, 1, 2));
  });
}

TEST_CASE("conv: depthwise", "[conv][depthwise]") {
  for_each_isa([](const KernelTable& t) {
    for (int64_t kernel : {1, 2, 3, 4, 5, 7}) {
      for (int64_t stride : {1, 2, 3}) {
        for (int64_t dilation : {1, 2}) {
          for (int64_t c : {2, 3, 4, 5, 8, 13, 16, 17, 31, 33, 64}) {
            const int64_t pad = kernel / 2 * dilation;
            check(t, shape(2, 10, 14, c, c, kernel, stride, pad, dilation, c), {.wide = c % 2 == 0, .scale = true});
          }
        }
      }
    }
    for (int64_t w = 1; w <= 20; ++w) {
      for (int64_t pad : {0, 1, 2}) {
        if (w + 2 * pad >= 3) check(t, shape(1, 3, w, 6, 6, 3, 1, pad, 1, 6));
        if (w + 2 * pad >= 5) check(t, shape(1, 5, w, 6, 6, 5, 1, pad, 1, 6));
      }
    }
  });
}

TEST_CASE("conv: groups and channel multipliers", "[conv]") {
  for_each_isa([](const KernelTable& t) {
    check(t, shape(2, 7, 8, 12, 18, 3, 1, 1, 1, 3));
    check(t, shape(2, 7, 8, 12, 18, 3, 2, 1, 1, 6), {.wide = true, .scale = true});
    check(t, shape(1, 7, 8, 6, 12, 3, 1, 1, 1, 6));
    check(t, shape(1, 7, 8, 64, 64, 1, 1, 0, 1, 4));
  });
}

TEST_CASE("conv: epilogues", "[conv]") {
  for_each_isa([](const KernelTable& t) {
    for (const Unary activation : kActivations) {
      Epilogue e;
      e.activation = activation;
      e.a = e.activation == Unary::Clip ? -0.5f : 0.2f;
      e.b = 0.6f;
      INFO("activation " << static_cast<int>(activation));
      for (bool last : {false, true}) {
        e.residual_last = last;
        for (bool in_place : {false, true}) {
          const Options o{.wide = true, .epilogue = e, .residual = true, .in_place = in_place};
          check(t, shape(1, 9, 10, 6, 37, 3, 1, 1), o);
          check(t, shape(1, 9, 10, 19, 19, 3, 1, 1, 1, 19), o);
          check(t, shape(1, 9, 10, 16, 64, 1, 1, 0), o);
          check(t, shape(1, 9, 10, 18, 32, 3, 1, 1), o);
          check(t, shape(1, 5, 10, 16, 21, 3, 1, 1), o);
          Options transposed = o;
          transposed.transposed = true;
          ConvShape s = shape(1, 5, 6, 6, 10, 3, 2, 1);
          s.out_h = 9;
          s.out_w = 11;
          check(t, s, transposed);
        }
      }
    }
  });
}

TEST_CASE("conv: uneven axes, one dimension", "[conv]") {
  for_each_isa([](const KernelTable& t) {
    ConvShape s = shape(2, 1, 50, 20, 24, 1, 1, 0);
    s.kernel_w = 5;
    s.dilation_w = 3;
    s.stride_w = 2;
    s.pad_left = 4;
    s.out_w = out_size(50, 5, 2, 3, 4 + 7);  // more padding at the end than at the start
    check(t, s);
    ConvShape u = shape(1, 9, 12, 4, 6, 1, 1, 0);
    u.kernel_h = 4;
    u.kernel_w = 2;
    u.stride_h = 3;
    u.stride_w = 2;
    u.pad_top = 2;
    u.out_h = out_size(9, 4, 3, 1, 3);
    u.out_w = out_size(12, 2, 2, 1, 0);
    check(t, u);
    // Depthwise as in Conformer: long one-dimensional kernels.
    ConvShape d = shape(1, 1, 40, 18, 18, 1, 1, 0, 1, 18);
    d.kernel_w = 15;
    d.pad_left = 7;
    d.out_w = 40;
    check(t, d);
  });
}

TEST_CASE("conv: a window wholly in the padding sees zeros", "[conv]") {
  for_each_isa([](const KernelTable& t) {
    check(t, shape(1, 2, 2, 3, 5, 1, 1, 2));
    check(t, shape(1, 2, 2, 8, 8, 2, 1, 4, 1, 8));
    check(t, shape(1, 1, 1, 3, 9, 3, 1, 3));
  });
}

// Few tiles are shared stage by stage, many are cut into blocks for each thread.
TEST_CASE("conv: the number of threads does not change a bit of Winograd's form", "[conv][winograd]") {
  const int before = thread_pool::size();
  for_each_isa([&](const KernelTable& t) {
    for (const int64_t side : {11, 29, 57}) {
      ConvShape s = shape(1, side, side, 24, 40, 3, 1, 1);
      s.winograd = true;
      const Floats x = random_floats(side * side * s.in_c), w = random_floats(s.out_c * s.in_c * 9);
      Floats packed(t.conv.packed_size(s)), one(side * side * s.out_c), many(side * side * s.out_c);
      t.conv.pack(s, w.data(), SourceType::F32, nullptr, packed);
      const auto run = [&](int threads, Floats& out) {
        thread_pool::set_size(threads);
        Floats scratch(t.conv.scratch_size(s));
        t.conv.run(s, {x, s.in_c, out, s.out_c}, packed, {}, scratch);
      };
      run(1, one);
      for (const int threads : {2, 3}) {
        run(threads, many);
        REQUIRE(std::memcmp(one.data(), many.data(), static_cast<size_t>(side * side * s.out_c) * 4) == 0);
      }
    }
  });
  thread_pool::set_size(before);
}

TEST_CASE("conv: half weights", "[conv]") {
  for_each_isa([](const KernelTable& t) {
    for (const ConvShape& s : {shape(1, 6, 6, 5, 9, 3, 1, 1), shape(1, 6, 6, 5, 5, 3, 1, 1, 1, 5)}) {
      const int64_t count = s.out_c * s.in_c / s.groups * 9;
      const Floats w = random_floats(count), x = random_floats(36 * s.in_c);
      Buffer<uint16_t> half(count);
      Floats exact(count), packed(t.conv.packed_size(s)), scratch(t.conv.scratch_size(s)), y(36 * s.out_c);
      t.convert.f32_to_f16(w, half, count);
      t.convert.f16_to_f32(half, exact, count);
      t.conv.pack(s, half.data(), SourceType::F16, nullptr, packed);
      t.conv.run(s, {x, s.in_c, y, s.out_c}, packed, {}, scratch);
      require_close(y, convolve(s, x, s.in_c, exact, nullptr, {}), 1e-5, 1e-5, "half");
    }
  });
}

TEST_CASE("conv transposed: kernels, strides, pads, dilations, groups", "[conv][conv_transposed]") {
  for_each_isa([](const KernelTable& t) {
    for (int64_t kernel : {1, 2, 3, 4, 5}) {
      for (int64_t stride : {1, 2, 3}) {
        for (int64_t dilation : {1, 2, 3}) {
          for (int64_t pad : {0, 1}) {
            for (int64_t extra : {0, 1}) {  // output_padding
              ConvShape s = shape(2, 5, 6, 6, 10, kernel, stride, pad, dilation, kernel % 2 ? 2 : 1);
              s.out_h = (s.in_h - 1) * stride + (kernel - 1) * dilation + 1 + extra - 2 * pad;
              s.out_w = (s.in_w - 1) * stride + (kernel - 1) * dilation + 1 + extra - 2 * pad;
              check(t, s, {.transposed = true, .wide = extra == 1});
            }
          }
        }
      }
    }
    for (int64_t w = 1; w < 60; w += 7) {
      ConvShape s = shape(1, 2, w, 20, 37, 2, 2, 0);
      s.out_h = 4;
      s.out_w = 2 * w;
      check(t, s, {.transposed = true});
    }
  });
}

}  // namespace nm::test
