#include "bench/micro/cases.h"

#include <memory>

namespace nm::bench {
namespace {

using Data = std::shared_ptr<std::vector<float>>;

Data data(int64_t n, float scale = 0.01f) {
  auto v = std::make_shared<std::vector<float>>(static_cast<size_t>(n));
  uint32_t state = 1;
  for (float& f : *v) {
    state = state * 1664525 + 1013904223;
    f = (static_cast<float>(state >> 8) / 8388608.f - 1) * scale;
  }
  return v;
}

Case gemm(const ProductSize& size, Unary activation = Unary::Copy, const char* suffix = "") {
  return {size.name() + suffix, size.flops(), true, [=](const KernelTable& t) -> std::function<void()> {
            const auto [m, n, k] = size;
            const Data a = data(m * k), b = data(k * n), c = data(m * n), packed = data(t.gemm.packed_size(k, n));
            t.gemm.pack_b(k, n, b->data(), SourceType::F32, n, 1, 1, packed->data());
            return [=, &t] {
              Gemm g;
              g.m = size.m;
              g.n = size.n;
              g.k = size.k;
              g.a = a->data();
              g.lda = size.k;
              g.packed_b = packed->data();
              g.c = c->data();
              g.ldc = size.n;
              g.epilogue.activation = activation;
              t.gemm.run(g);
            };
          }};
}

Case conv(int64_t h, int64_t in_c, int64_t out_c, int64_t kernel, int64_t stride, int64_t groups = 1,
          Unary activation = Unary::Relu, bool winograd = false) {
  ConvShape s;
  s.winograd = winograd;
  s.in_h = s.in_w = h;
  s.in_c = in_c;
  s.out_c = out_c;
  s.kernel_h = s.kernel_w = kernel;
  s.stride_h = s.stride_w = stride;
  s.pad_top = s.pad_left = kernel / 2;
  s.groups = groups;
  s.out_h = s.out_w = (h + 2 * (kernel / 2) - kernel) / stride + 1;
  const int64_t products = s.out_h * s.out_w * out_c * (in_c / groups) * kernel * kernel;
  return {(groups == in_c ? "depthwise " : "conv ") + std::to_string(h) + "^2x" + std::to_string(in_c) + "->" +
              std::to_string(out_c) + " " + std::to_string(kernel) + "x" + std::to_string(kernel) + "/" +
              std::to_string(stride) + (groups != 1 && groups != in_c ? " groups " + std::to_string(groups) : "") +
              (winograd ? " Winograd" : ""),
          2. * static_cast<double>(products), true, [=](const KernelTable& t) -> std::function<void()> {
            const Data x = data(h * h * in_c), w = data(out_c * (in_c / groups) * kernel * kernel), bias = data(out_c);
            const Data y = data(s.out_h * s.out_w * out_c), packed = data(t.conv.packed_size(s));
            const Data scratch = data(t.conv.scratch_size(s));
            t.conv.pack(s, w->data(), SourceType::F32, nullptr, packed->data());
            return [=, &t] {
              Epilogue e;
              e.bias = bias->data();
              e.activation = activation;
              t.conv.run(s, {x->data(), s.in_c, y->data(), s.out_c}, packed->data(), e, scratch->data());
            };
          }};
}

Case gemv(int64_t n, int64_t k) {
  return {"gemv unpacked " + std::to_string(n) + "x" + std::to_string(k),
          2. * static_cast<double>(n) * static_cast<double>(k), true,
          [=](const KernelTable& t) -> std::function<void()> {
            const Data x = data(k), b = data(k * n), y = data(n);
            return [=, &t] { t.gemm.gemv(k, n, x->data(), b->data(), n, y->data(), {}); };
          }};
}

// A decoder's attention: queries of a few heads, keys and values of one.
Case attention(int64_t queries, int64_t keys, int64_t size, Stored stored = Stored::F32) {
  constexpr const char* kNames[] = {"", " float16", " int8"};
  return {"attention " + std::to_string(queries) + "x" + std::to_string(keys) + "x" + std::to_string(size) +
              kNames[static_cast<int>(stored)],
          4. * static_cast<double>(queries) * static_cast<double>(keys) * static_cast<double>(size), true,
          [=](const KernelTable& t) -> std::function<void()> {
            const Data q = data(queries * size), kv = data(2 * keys * size), scores = data(queries * keys);
            const Data y = data(queries * size);
            if (stored == Stored::F16) {  // in place: a half is never behind the float that it is made of
              t.elementwise.unary(Unary::Affine, kv->data(), kv->data(), 2 * keys * size, 0x1p14f, 0);
              t.convert.f32_to_f16(kv->data(), reinterpret_cast<uint16_t*>(kv->data()), 2 * keys * size);
            } else if (stored == Stored::I8) {
              t.integer.quantize(kv->data(), reinterpret_cast<uint8_t*>(kv->data()), 2 * keys * size, 0.01f, 0, true);
            }
            return [=, &t] {
              const int64_t bytes = stored == Stored::F32 ? 4 : stored == Stored::F16 ? 2 : 1;
              const void *k = kv->data(), *v = reinterpret_cast<uint8_t*>(kv->data()) + keys * size * bytes;
              const float scale = stored == Stored::F16 ? 0.125f / kHalfUnit : 0.125f;
              t.gemm.dot_rows({queries, keys, size, q->data(), size, k, size, scores->data(), keys, scale, stored});
              t.gemm.weigh_rows({queries, size, keys, scores->data(), keys, v, size, y->data(), size, 1, stored});
            };
          }};
}

// Weights of 4 bits in blocks of 32, activations of 8 bits or 16.
template <class X>
Case nbits(int64_t m, int64_t n, int64_t k) {
  const bool bytes = sizeof(X) == 1;
  return {"4 bits x " + std::to_string(8 * sizeof(X)) + " " + std::to_string(m) + "x" + std::to_string(n) + "x" +
              std::to_string(k),
          2. * static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k), true,
          [=](const KernelTable& t) -> std::function<void()> {
            if (bytes && t.nbits.dot8 == nullptr) return {};
            NBitsPanels w;
            w.n = n;
            w.block = 32;
            w.blocks = k / w.block;
            const Data codes = data(n * k / 8), scales = data(n * w.blocks), x = data(m * k), y = data(m * n);
            const Data rows = data(m * k), row_scales = data(m * w.pieces<X>()), sums = data(m * w.pieces<X>());
            w.codes = reinterpret_cast<uint8_t*>(codes->data());
            w.scales = scales->data();
            return [=, &t] {
              const auto row = [&](int64_t r) {
                return NBitsRows<X>{reinterpret_cast<X*>(rows->data()) + r * k, row_scales->data() + r * w.pieces<X>(),
                                    reinterpret_cast<int32_t*>(sums->data()) + r * w.pieces<X>()};
              };
              for (int64_t r = 0; r < m; ++r) {
                if constexpr (sizeof(X) == 1) t.nbits.quantize8(w, k, x->data() + r * k, row(r));
                if constexpr (sizeof(X) == 2) t.nbits.quantize16(w, k, x->data() + r * k, row(r));
              }
              if constexpr (sizeof(X) == 1) t.nbits.dot8(w, m, row(0), 0, w.panels(), y->data(), n);
              if constexpr (sizeof(X) == 2) t.nbits.dot16(w, m, row(0), 0, w.panels(), y->data(), n);
            };
          }};
}

// Weights and activations of 8 bits, sums to floats.
Case bytes(int64_t m, int64_t n, int64_t k) {
  return {"8 bits " + std::to_string(m) + "x" + std::to_string(n) + "x" + std::to_string(k),
          2. * static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k), true,
          [=](const KernelTable& t) -> std::function<void()> {
            IntegerProduct product;
            product.shape.in_w = product.shape.out_w = m;
            product.shape.in_c = k;
            product.shape.out_c = n;
            const Data w = data(n * k / 4), x = data(m * k / 4 + 1), y = data(m * n), scales = data(n);
            const Data packed = data(t.integer.packed_size(product.shape) / 4 + 1);
            const Data scratch = data(t.integer.scratch_size(product.shape) / 4 + 2);
            auto* to = reinterpret_cast<uint8_t*>(packed->data());
            t.integer.pack(product.shape, {{w->data(), true}, 1, n, 0}, to);
            product.x = {x->data(), false};
            product.ldx = k;
            product.packed = to;
            product.y = y->data();
            product.ldy = n;
            product.epilogue.to = IntegerEpilogue::To::Float32;
            product.epilogue.scales = scales->data();
            return [=, &t] { t.integer.run(product, reinterpret_cast<uint8_t*>(scratch->data())); };
          }};
}

// What memory gives at most: bytes, of which each vector is read once and added up.
Case read(int64_t megabytes) {
  const int64_t n = megabytes * 1024 * 256;
  return {"read " + std::to_string(megabytes) + " MiB", 4. * static_cast<double>(n), false,
          [=](const KernelTable& t) -> std::function<void()> {
            const Data x = data(n), y = data(1);
            return [=, &t] { t.rows.reduce(Reduce::Max, 1, n, x->data(), n, y->data()); };
          }};
}

Case unary(const char* name, Unary op) {
  constexpr int64_t n = 4096;
  return {std::string("unary ") + name, n, false, [=](const KernelTable& t) -> std::function<void()> {
            const Data x = data(n, 4), y = data(n);
            return [=, &t] { t.elementwise.unary(op, x->data(), y->data(), n, 0.1f, 0.2f); };
          }};
}

Case rows(const char* name, const std::function<void(const KernelTable&, const float*, float*)>& run) {
  constexpr int64_t n = 128 * 768;
  return {std::string(name) + " 128x768", n, false, [=](const KernelTable& t) -> std::function<void()> {
            const Data x = data(n, 4), y = data(n);
            return [=, &t] { run(t, x->data(), y->data()); };
          }};
}

}  // namespace

std::string ProductSize::name() const {
  return "gemm " + std::to_string(m) + "x" + std::to_string(n) + "x" + std::to_string(k);
}

double ProductSize::flops() const {
  return 2. * static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k);
}

const std::vector<ProductSize>& products() {
  static const std::vector<ProductSize> list = {
      {1024, 1024, 1024}, {512, 512, 512}, {256, 256, 256}, {128, 768, 768},  // a transformer's projection
      {128, 768, 3072},   {128, 128, 64},                                     // scores of one attention head
      {1, 768, 768},      {1, 1000, 1280}, {4, 1024, 1024},
  };
  return list;
}

std::vector<Case> cases() {
  std::vector<Case> list;
  for (const ProductSize& size : products()) list.push_back(gemm(size));
  const std::vector<Case> others = {
      gemm({128, 3072, 768}, Unary::Gelu, " gelu"),  // a transformer's first feed-forward half
      gemv(1024, 1024),
      attention(1, 1024, 64),
      attention(3, 1024, 64),
      attention(8, 1024, 64),
      attention(3, 65536, 64),
      attention(3, 1024, 64, Stored::F16),
      attention(3, 65536, 64, Stored::F16),
      attention(3, 1024, 64, Stored::I8),
      attention(3, 65536, 64, Stored::I8),
      attention(1, 1024, 64, Stored::F16),
      attention(1, 1024, 64, Stored::I8),
      conv(56, 64, 64, 3, 1),
      conv(28, 128, 128, 3, 1),
      conv(14, 256, 256, 3, 1),
      conv(7, 512, 512, 3, 1),
      conv(56, 64, 64, 3, 1, 1, Unary::Relu, true),
      conv(28, 128, 128, 3, 1, 1, Unary::Relu, true),
      conv(14, 256, 256, 3, 1, 1, Unary::Relu, true),
      conv(7, 512, 512, 3, 1, 1, Unary::Relu, true),
      conv(112, 32, 32, 3, 1, 1, Unary::Relu, true),
      conv(112, 16, 16, 3, 1, 1, Unary::Relu, true),
      conv(112, 32, 32, 3, 1),
      conv(112, 16, 16, 3, 1),
      conv(56, 128, 128, 3, 2),
      conv(224, 3, 64, 7, 2),
      conv(224, 3, 32, 3, 2),
      conv(352, 3, 24, 3, 2),
      conv(56, 64, 256, 1, 1),  // ResNet-50
      conv(14, 1024, 256, 1, 1),
      conv(56, 256, 512, 1, 2),
      conv(112, 32, 16, 1, 1),  // MobileNetV2
      conv(112, 16, 96, 1, 1),
      conv(56, 144, 24, 1, 1),
      conv(28, 192, 32, 1, 1),
      conv(14, 384, 64, 1, 1),
      conv(14, 96, 576, 1, 1),
      conv(7, 960, 160, 1, 1),
      conv(7, 320, 1280, 1, 1),
      conv(14, 256, 256, 3, 1, 32),  // ResNeXt
      conv(112, 32, 32, 3, 1, 32),
      conv(112, 96, 96, 3, 2, 96),
      conv(56, 144, 144, 3, 1, 144),
      conv(28, 192, 192, 3, 1, 192),
      conv(14, 384, 384, 3, 1, 384),
      conv(7, 960, 960, 3, 1, 960),
      conv(28, 240, 240, 5, 1, 240),
      conv(14, 480, 480, 5, 2, 480),
      nbits<int8_t>(1, 1536, 576),
      nbits<int8_t>(1, 49152, 576),
      nbits<int8_t>(4, 1536, 576),
      nbits<int8_t>(128, 1536, 576),
      nbits<int16_t>(1, 1536, 576),
      nbits<int16_t>(1, 49152, 576),
      nbits<int16_t>(4, 1536, 576),
      nbits<int16_t>(64, 1536, 576),
      bytes(1, 1536, 576),
      bytes(1, 49152, 576),
      bytes(128, 1536, 576),
      read(32),
      unary("exp", Unary::Exp),
      unary("log", Unary::Log),
      unary("tanh", Unary::Tanh),
      unary("sigmoid", Unary::Sigmoid),
      unary("erf", Unary::Erf),
      unary("gelu", Unary::Gelu),
      unary("silu", Unary::Silu),
      unary("relu", Unary::Relu),
      unary("sin", Unary::Sin),
      rows("softmax", [](const KernelTable& t, const float* x, float* y) { t.rows.softmax(128, 768, x, 768, y, 768); }),
      rows("layer_norm", [](const KernelTable& t, const float* x,
                            float* y) { t.rows.layer_norm(128, 768, x, 768, x, x, 1e-5f, y, 768, nullptr, nullptr); }),
      rows("add", [](const KernelTable& t, const float* x,
                     float* y) { t.elementwise.binary(Binary::Add, x, y, y, 128 * 768); }),
      rows("transpose",
           [](const KernelTable& t, const float* x, float* y) { t.layout.transpose(128, 768, x, 768, y, 128, 4); }),
      rows("reduce sum",
           [](const KernelTable& t, const float* x, float* y) { t.rows.reduce(Reduce::Sum, 128, 768, x, 768, y); }),
      rows("column moments", [](const KernelTable& t, const float* x,
                                float* y) { t.rows.column_mean_variance(6144, 16, x, 16, y, y + 16); }),
      rows("column sums", [](const KernelTable& t, const float* x,
                             float* y) { t.rows.reduce_columns(Reduce::Sum, 6144, 16, x, 16, y); }),
      rows("row affine", [](const KernelTable& t, const float* x,
                            float* y) { t.elementwise.row_affine(6144, 16, x, 16, x, x + 16, y, 16); }),
  };
  list.insert(list.end(), others.begin(), others.end());
  return list;
}

}  // namespace nm::bench
