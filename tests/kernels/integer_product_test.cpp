#include "tests/kernels/support.h"

namespace nm::test {
namespace {

struct Case {
  ConvShape shape;
  bool x_signed, w_signed, zero_per_output, extreme;
};

ConvShape shape(int64_t h, int64_t w, int64_t in_c, int64_t out_c, int64_t kernel, int64_t stride = 1, int64_t pad = 0,
                int64_t dilation = 1, int64_t groups = 1, int64_t batch = 1) {
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
  s.out_h = (h + 2 * pad - (kernel - 1) * dilation - 1) / stride + 1;
  s.out_w = (w + 2 * pad - (kernel - 1) * dilation - 1) / stride + 1;
  return s;
}

ConvShape matrix(int64_t m, int64_t k, int64_t n) { return shape(1, m, k, n, 1); }

Buffer<uint8_t> random_bytes(int64_t n, uint32_t seed) {
  Buffer<uint8_t> b(n);
  std::mt19937 engine(seed + static_cast<uint32_t>(n));
  for (int64_t i = 0; i < n; ++i) b[i] = static_cast<uint8_t>(engine());
  return b;
}

int64_t value(const Buffer<uint8_t>& b, int64_t i, bool is_signed) {
  return is_signed ? static_cast<int8_t>(b[i]) : static_cast<int64_t>(b[i]);
}

// One case in all its parts; the definition serves as the reference.
class Product {
 public:
  explicit Product(const Case& c)
      : c_(c),
        s_(c.shape),
        x_(random_bytes(s_.batch * s_.in_h * s_.in_w * ldx(), 1)),
        w_(random_bytes(s_.out_c * s_.in_c / s_.groups * s_.kernel_h * s_.kernel_w, 2)),
        x_zeros_(random_bytes(per_pixel() ? s_.in_w : 1, 3)),
        w_zeros_(random_bytes(c.zero_per_output ? s_.out_c : 1, 4)),
        bias_(s_.out_c),
        scales_(random_floats(s_.out_c, 0.0001f, 0.01f)),
        offsets_(random_floats(s_.out_c)) {
    if (c.extreme) {  // every product is the largest one there is
      std::memset(x_.data(), c.x_signed ? 0x80 : 0xff, static_cast<size_t>(x_.size()));
      std::memset(w_.data(), c.w_signed ? 0x80 : 0xff, static_cast<size_t>(w_.size()));
      std::memset(x_zeros_.data(), c.x_signed ? 0x7f : 0, static_cast<size_t>(x_zeros_.size()));
      std::memset(w_zeros_.data(), c.w_signed ? 0x7f : 0, static_cast<size_t>(w_zeros_.size()));
    }
    for (int64_t i = 0; i < s_.out_c; ++i) bias_[i] = static_cast<int32_t>(i * 12345 - 5000);
  }

  void check(const KernelTable& table) {
    const IntegerKernels& kernel = table.integer;
    const int64_t taps = s_.kernel_h * s_.kernel_w, in_c = s_.in_c / s_.groups;
    Buffer<int32_t> packed(kernel.packed_size(s_) / 4, 16), scratch((kernel.scratch_size(s_) + 3) / 4, 16);
    const IntegerWeights weights{{w_.data(), c_.w_signed},  in_c * taps, taps, 1, w_zeros_.data(),
                                 c_.zero_per_output ? 1 : 0};
    kernel.pack(s_, weights, bytes(packed));
    IntegerProduct job;
    job.shape = s_;
    job.x = {x_.data(), c_.x_signed};
    job.ldx = ldx();
    job.x_zeros = x_zeros_.data();
    job.zero_per_pixel = per_pixel();
    job.packed = bytes(packed);
    job.ldy = s_.out_c + 2;
    job.epilogue.scales = scales_;
    job.epilogue.bias = bias_;
    const int64_t pixels = s_.batch * s_.out_h * s_.out_w;
    const std::vector<int64_t> sums = reference();

    Buffer<int32_t> exact(pixels * job.ldy);
    job.y = exact.data();
    kernel.run(job, bytes(scratch));
    compare(sums, [&](int64_t p, int64_t o) { return std::pair(int64_t{exact[p * job.ldy + o]}, at(sums, p, o)); });

    Buffer<float> floats(pixels * job.ldy);
    job.y = floats.data();
    job.epilogue.to = IntegerEpilogue::To::Float32;
    job.epilogue.offsets = offsets_;
    kernel.run(job, bytes(scratch));
    compare(sums, [&](int64_t p, int64_t o) {
      return std::pair(floats[p * job.ldy + o],
                       static_cast<float>(static_cast<int32_t>(at(sums, p, o))) * scales_[o] + offsets_[o]);
    });

    for (const bool is_signed : {false, true}) {
      Buffer<uint8_t> quantized(pixels * job.ldy);
      job.y = quantized.data();
      job.epilogue.to = is_signed ? IntegerEpilogue::To::Int8 : IntegerEpilogue::To::UInt8;
      job.epilogue.zero = is_signed ? -7 : 100;
      job.epilogue.low = is_signed ? -128 : 30;
      job.epilogue.high = is_signed ? 90 : 255;
      kernel.run(job, bytes(scratch));
      compare(sums, [&](int64_t p, int64_t o) {
        const float scaled = static_cast<float>(static_cast<int32_t>(at(sums, p, o))) * scales_[o];
        const float moved = std::nearbyint(scaled) + static_cast<float>(job.epilogue.zero);
        const float want =
            std::fmin(std::fmax(moved, static_cast<float>(job.epilogue.low)), static_cast<float>(job.epilogue.high));
        return std::pair(value(quantized, p * job.ldy + o, is_signed), static_cast<int64_t>(want));
      });
      std::vector<int32_t> narrow(sums.begin(), sums.end());
      for (size_t i = 0; i < narrow.size(); ++i) {
        narrow[i] = static_cast<int32_t>(static_cast<uint32_t>(sums[i]) -
                                         static_cast<uint32_t>(bias_[static_cast<int64_t>(i) % s_.out_c]));
      }
      Buffer<uint8_t> finished(pixels * s_.out_c);
      kernel.finish(job.epilogue, narrow.data(), pixels, s_.out_c, finished.data());
      compare(sums,
              [&](int64_t p, int64_t o) { return std::pair(finished[p * s_.out_c + o], quantized[p * job.ldy + o]); });
    }
  }

 private:
  bool is_matrix() const { return s_.in_h == 1 && s_.kernel_h == 1 && s_.kernel_w == 1; }
  bool per_pixel() const { return is_matrix() && c_.zero_per_output; }
  int64_t ldx() const { return s_.in_c + 3; }
  static uint8_t* bytes(Buffer<int32_t>& b) { return reinterpret_cast<uint8_t*>(b.data()); }
  int64_t at(const std::vector<int64_t>& sums, int64_t p, int64_t o) const {
    return sums[static_cast<size_t>(p * s_.out_c + o)];
  }

  template <class F>
  void compare(const std::vector<int64_t>& sums, F both) {
    for (int64_t i = 0; i < static_cast<int64_t>(sums.size()); ++i) {
      const auto [got, want] = both(i / s_.out_c, i % s_.out_c);
      if (got != want)
        FAIL("pixel " << i / s_.out_c << ", output " << i % s_.out_c << ": " << +got << " for " << +want);
    }
    SUCCEED();
  }

  std::vector<int64_t> reference() const {
    std::vector<int64_t> sums;
    const int64_t in_c = s_.in_c / s_.groups, out_c = s_.out_c / s_.groups;
    for (int64_t p = 0; p < s_.batch * s_.out_h * s_.out_w; ++p) {
      const int64_t ox = p % s_.out_w, oy = p / s_.out_w % s_.out_h, n = p / s_.out_w / s_.out_h;
      const int64_t x_zero = value(x_zeros_, per_pixel() ? p : 0, c_.x_signed);
      for (int64_t o = 0; o < s_.out_c; ++o) {
        const int64_t w_zero = value(w_zeros_, c_.zero_per_output ? o : 0, c_.w_signed);
        int64_t sum = bias_[o];
        for (int64_t ky = 0; ky < s_.kernel_h; ++ky) {
          for (int64_t kx = 0; kx < s_.kernel_w; ++kx) {
            const int64_t iy = oy * s_.stride_h - s_.pad_top + ky * s_.dilation_h;
            const int64_t ix = ox * s_.stride_w - s_.pad_left + kx * s_.dilation_w;
            if (iy < 0 || ix < 0 || iy >= s_.in_h || ix >= s_.in_w) continue;
            for (int64_t c = 0; c < in_c; ++c) {
              const int64_t pixel = (n * s_.in_h + iy) * s_.in_w + ix, tap = ky * s_.kernel_w + kx;
              sum += (value(x_, pixel * ldx() + o / out_c * in_c + c, c_.x_signed) - x_zero) *
                     (value(w_, (o * in_c + c) * s_.kernel_h * s_.kernel_w + tap, c_.w_signed) - w_zero);
            }
          }
        }
        sums.push_back(sum);
      }
    }
    return sums;
  }

  Case c_;
  ConvShape s_;
  Buffer<uint8_t> x_, w_, x_zeros_, w_zeros_;
  Buffer<int32_t> bias_;
  Floats scales_, offsets_;
};

void check(const ConvShape& s, bool extreme = false) {
  for (int signs = 0; signs < 8; ++signs) {
    CAPTURE(s.in_h, s.in_w, s.in_c, s.out_c, s.kernel_h, s.stride_h, s.pad_top, s.dilation_h, s.groups, signs);
    Product product({s, (signs & 1) != 0, (signs & 2) != 0, (signs & 4) != 0, extreme});
    for_each_isa([&](const KernelTable& table) { product.check(table); });
  }
}

}  // namespace

TEST_CASE("products of bytes are exact at every size around the tile", "[integer_product]") {
  for (int64_t n = 1; n < 68; n += n < 18 ? 1 : 7) check(matrix(5, 11, n));
  for (int64_t k = 1; k < 34; ++k) check(matrix(3, k, 9));
  for (int64_t m = 1; m < 18; ++m) check(matrix(m, 6, 17));
}

TEST_CASE("products of bytes are exact with extreme values and long sums", "[integer_product]") {
  check(matrix(9, 4099, 35), true);
  check(matrix(2, 33025, 3), true);
  check(shape(5, 5, 40, 9, 3, 1, 1), true);
  check(shape(5, 5, 12, 12, 3, 1, 1, 1, 12), true);
}

TEST_CASE("convolutions of bytes agree with their definition", "[integer_product]") {
  check(shape(9, 7, 3, 10, 3, 2, 1));
  check(shape(6, 5, 8, 20, 1, 2));
  check(shape(7, 8, 5, 4, 3, 1, 2, 2));
  check(shape(6, 6, 8, 12, 3, 1, 1, 1, 4));
  check(shape(5, 4, 4, 8, 3, 1, 1, 1, 4));  // two outputs per channel
  check(shape(4, 5, 6, 7, 2, 1, 1, 1, 1, 3));
  check(shape(1, 1, 3, 3, 3, 1, 1));
}

TEST_CASE("depthwise convolutions of bytes agree with their definition", "[integer_depthwise]") {
  for (const int64_t c : {2, 3, 4, 7, 8, 9, 15, 16, 17, 24, 33}) check(shape(6, 7, c, c, 3, 1, 1, 1, c));
  check(shape(9, 8, 12, 12, 3, 2, 1, 1, 12, 2));
  check(shape(9, 9, 5, 5, 5, 1, 2, 1, 5));
  check(shape(9, 9, 5, 5, 3, 1, 3, 3, 5));
  check(shape(8, 8, 5, 5, 2, 3, 0, 1, 5));
  check(shape(3, 2, 4, 4, 4, 1, 3, 1, 4));
  check(shape(5, 5, 4, 4, 1, 2, 0, 1, 4));
}

TEST_CASE("floats become bytes: halves to even, bounds, NaN", "[integer_product]") {
  for_each_isa([](const KernelTable& table) {
    const float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
    const std::vector<float> special = {0.f, 1.f,  2.f,    3.f,   -1.f, -3.f,  5.f,   1e30f,  -1e30f,
                                        inf, -inf, 254.9f, 255.f, nan,  510.f, 511.f, -256.f, 1e-30f};
    for (int64_t n = 1; n < 140; ++n) {
      Buffer<float> x(n);
      for (int64_t i = 0; i < n; ++i)
        x[i] = special[static_cast<size_t>(i) % special.size()] + static_cast<float>(i / 18);
      for (const bool is_signed : {false, true}) {
        const int32_t zero = is_signed ? -3 : 5;
        const float low = is_signed ? -128 : 0, high = is_signed ? 127 : 255;
        Buffer<uint8_t> y(n);
        table.integer.quantize(x, y, n, 2.f, zero, is_signed);
        for (int64_t i = 0; i < n; ++i) {
          const float moved = std::nearbyint(x[i] / 2) + static_cast<float>(zero);
          const float want = moved > low ? std::fmin(moved, high) : low;
          INFO("element " << i << " of " << n << ", " << x[i]);
          REQUIRE(value(y, i, is_signed) == static_cast<int64_t>(want));
        }
      }
      float low = 1, high = -1;
      x[n / 2] = nan;
      table.integer.range(x, n, &low, &high);
      float least = 0, most = 0;
      for (int64_t i = 0; i < n; ++i) {
        if (x[i] < least) least = x[i];
        if (x[i] > most) most = x[i];
      }
      REQUIRE(low == least);
      REQUIRE(high == most);
    }
  });
}

}  // namespace nm::test
