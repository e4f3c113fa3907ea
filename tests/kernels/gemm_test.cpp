#include "tests/kernels/reference.h"

namespace nm::test {
namespace {

struct GemmCase {
  int64_t m, n, k;
};

std::vector<double> expected(const GemmCase& c, const float* a, int64_t lda, const float* b, int64_t rs, int64_t cs,
                             double alpha, const Epilogue& e) {
  return finish(e, alpha * product(matrix(a, c.m, c.k, lda), matrix(b, c.k, c.n, rs, cs)));
}

void check(const KernelTable& t, const GemmCase& c, Epilogue e, bool with_bias, bool with_residual, bool in_place) {
  INFO("m " << c.m << " n " << c.n << " k " << c.k);
  const int64_t lda = c.k + 3, ldc = c.n + 2;
  const Floats a = random_floats(c.m * lda), b = random_floats(c.k * c.n), bias = random_floats(c.n);
  Floats out(c.m * ldc);
  Floats residual = random_floats(c.m * ldc, -1, 1, 7);
  Floats packed(t.gemm.packed_size(c.k, c.n));
  t.gemm.pack_b(c.k, c.n, b.data(), SourceType::F32, c.n, 1, 0.5f, packed);
  if (with_bias) e.bias = bias;
  if (with_residual) {
    e.residual = residual;
    e.ldr = ldc;
  }
  const std::vector<double> want = expected(c, a, lda, b, c.n, 1, 0.5, e);
  Gemm g{c.m, c.n, c.k, a, lda, packed, in_place ? residual.data() : out.data(), ldc, e};
  const float guard = out[c.n < ldc ? c.n : 0];
  t.gemm.run(g);
  std::vector<float> dense;
  for (int64_t i = 0; i < c.m; ++i) dense.insert(dense.end(), g.c + i * ldc, g.c + i * ldc + c.n);
  require_close(dense.data(), want, 1e-5 + 2e-7 * static_cast<double>(c.k), 1e-5, "gemm");
  if (!in_place) {
    for (int64_t i = 0; i < c.m; ++i) REQUIRE(out[i * ldc + c.n] == guard);  // nothing written between rows
  }
}

}  // namespace

TEST_CASE("gemm: every size below twice the tile", "[gemm]") {
  for_each_isa([](const KernelTable& t) {
    for (int64_t m = 1; m <= 29; ++m) {
      for (int64_t n : {1, 2, 3, 4, 5, 7, 8, 9, 12, 15, 16, 17, 24, 31, 32, 33, 47, 48, 49, 63, 64, 65}) {
        check(t, {m, n, 1 + (m * n) % 19}, {}, true, false, false);
      }
    }
  });
}

TEST_CASE("gemm: depth through every block boundary", "[gemm]") {
  for_each_isa([](const KernelTable& t) {
    for (int64_t k : {0, 1, 2, 3, 4, 5, 8, 15, 255, 256, 257, 511, 512, 513, 1025, 1537}) {
      for (const GemmCase& c : {GemmCase{7, 37, k}, GemmCase{1, 64, k}, GemmCase{2, 9, k}, GemmCase{300, 16, k}}) {
        check(t, c, {}, true, true, false);
        check(t, c, {}, true, true, true);
        check(t, c, {.residual_last = true, .activation = Unary::Silu}, true, true, true);
        check(t, c, {.activation = Unary::Silu}, true, true, true);
      }
    }
  });
}

TEST_CASE("gemm: activations", "[gemm]") {
  for_each_isa([](const KernelTable& t) {
    for (const Unary activation : kActivations) {
      Epilogue e;
      e.activation = activation;
      e.a = e.activation == Unary::Clip ? -0.5f : 0.2f;
      e.b = 0.6f;
      INFO("activation " << static_cast<int>(activation));
      for (bool last : {false, true}) {
        e.residual_last = last;
        check(t, {17, 37, 20}, e, true, true, false);
        check(t, {17, 64, 20}, e, true, false, false);
        check(t, {17, 64, 20}, e, false, true, true);
      }
    }
  });
}

TEST_CASE("gemm: NaN and infinity reach the output", "[gemm]") {
  for_each_isa([](const KernelTable& t) {
    for (const Unary activation : {Unary::Copy, Unary::Relu, Unary::Clip}) {
      Floats a(2), b(32), c(64);
      a[0] = std::numeric_limits<float>::quiet_NaN();
      a[1] = std::numeric_limits<float>::infinity();
      for (int i = 0; i < 32; ++i) b[i] = 1;
      Floats packed(t.gemm.packed_size(1, 32));
      t.gemm.pack_b(1, 32, b.data(), SourceType::F32, 32, 1, 1, packed);
      Gemm g{2, 32, 1, a, 1, packed, c, 32, {.activation = activation, .a = 0, .b = 6}};
      t.gemm.run(g);
      for (int i = 0; i < 32; ++i) {
        REQUIRE(std::isnan(c[i]));
        REQUIRE(c[32 + i] == (activation == Unary::Clip ? 6 : a[1]));
      }
    }
  });
}

TEST_CASE("gemm: transposed, half and bfloat16 B", "[gemm]") {
  for_each_isa([](const KernelTable& t) {
    const GemmCase c{9, 41, 23};
    const Floats a = random_floats(c.m * c.k), b = random_floats(c.k * c.n);
    Buffer<uint16_t> half(c.k * c.n), brain(c.k * c.n);
    t.convert.f32_to_f16(b, half, b.size());
    t.convert.f32_to_bf16(b, brain, b.size());
    for (SourceType type : {SourceType::F32, SourceType::F16, SourceType::BF16}) {
      const void* source = type == SourceType::F32   ? static_cast<const void*>(b.data())
                           : type == SourceType::F16 ? static_cast<const void*>(half.data())
                                                     : static_cast<const void*>(brain.data());
      const double tolerance = type == SourceType::F32 ? 1e-5 : type == SourceType::F16 ? 5e-3 : 5e-2;
      Floats packed(t.gemm.packed_size(c.k, c.n)), y(c.m * c.n);
      t.gemm.pack_b(c.k, c.n, source, type, 1, c.k, 1, packed);  // B lies as N×K
      t.gemm.run({c.m, c.n, c.k, a, c.k, packed, y, c.n, {}});
      require_close(y, expected(c, a, c.k, b, 1, c.k, 1, {}), tolerance, tolerance, "transposed");
      t.gemm.pack_b(c.k, c.n, source, type, c.n, 1, 1, packed);
      t.gemm.run_rows({c.m, c.n, c.k, a, c.k, packed, y, c.n, {}}, 0, c.m);
      require_close(y, expected(c, a, c.k, b, c.n, 1, 1, {}), tolerance, tolerance, "row-major");
    }
  });
}

TEST_CASE("gemm: vector times unpacked matrix", "[gemm]") {
  for_each_isa([](const KernelTable& t) {
    for (int64_t n = 1; n < 300; n += n < 70 ? 1 : 37) {
      const GemmCase c{1, n, 1 + n % 21};
      const int64_t ldb = n + 1;
      const Floats a = random_floats(c.k), b = random_floats(c.k * ldb), bias = random_floats(n);
      Floats y(n);
      Epilogue e;
      e.bias = bias;
      e.activation = Unary::Tanh;
      t.gemm.gemv(c.k, n, a, b, ldb, y, e);
      require_close(y, expected(c, a, c.k, b, ldb, 1, 1, e), 1e-5, 1e-5, "gemv " + std::to_string(n));
    }
  });
}

TEST_CASE("gemm: batches with strides of heads", "[gemm]") {
  for_each_isa([](const KernelTable& t) {
    // Scores of attention: [batch, sequence, heads, depth] taken per head, B transposed by its strides.
    const int64_t heads = 3, length = 10, depth = 7, row = heads * depth;
    const Floats q = random_floats(2 * length * row), k = random_floats(2 * length * row, -1, 1, 5);
    Floats y(2 * heads * length * length);
    int64_t in[6], out[6];
    for (int64_t b = 0; b < 2; ++b) {
      for (int64_t h = 0; h < heads; ++h) {
        in[b * heads + h] = b * length * row + h * depth;
        out[b * heads + h] = (b * heads + h) * length * length;
      }
    }
    BatchedGemm g{6, length, length, depth, q, row, in, k, 1, row, in, 0.25f, y, length, out, {}};
    Floats scratch(t.gemm.batched_scratch_size(g));
    t.gemm.run_batched(g, scratch);
    for (int i = 0; i < 6; ++i) {
      const auto want = expected({length, length, depth}, q + in[i], row, k + in[i], 1, row, 0.25, {});
      require_close(y + out[i], want, 1e-5, 1e-5, "head " + std::to_string(i));
    }
  });
}

TEST_CASE("gemm: the number of threads does not change a bit", "[gemm]") {
  const int before = thread_pool::size();
  for_each_isa([&](const KernelTable& t) {
    std::vector<GemmCase> cases = {{201, 70, 600}, {3, 300, 100}, {50, 17, 33}};
    // One row by itself, or left over by tiles of 5, 6, 8 and 14.
    for (const int64_t m : {1, 841}) {
      for (const int64_t n : {5, 64, 129, 256, 250, 768}) cases.push_back({m, n, 200});
    }
    for (const GemmCase& c : cases) {
      const Floats a = random_floats(c.m * c.k), b = random_floats(c.k * c.n);
      Floats packed(t.gemm.packed_size(c.k, c.n)), one(c.m * c.n), many(c.m * c.n);
      t.gemm.pack_b(c.k, c.n, b.data(), SourceType::F32, c.n, 1, 1, packed);
      thread_pool::set_size(1);
      t.gemm.run({c.m, c.n, c.k, a, c.k, packed, one, c.n, {}});
      thread_pool::set_size(3);
      t.gemm.run({c.m, c.n, c.k, a, c.k, packed, many, c.n, {}});
      REQUIRE(std::memcmp(one.data(), many.data(), static_cast<size_t>(c.m * c.n) * 4) == 0);
    }
  });
  thread_pool::set_size(before);
}

}  // namespace nm::test
