#include "engine/ops/math/product.h"

#include <algorithm>
#include <cmath>

#include "engine/op/check.h"
#include "engine/op/numbers.h"
#include "engine/tensor/broadcast.h"

namespace nm {
namespace {

Shape leading(const Shape& s) {
  Shape batch;
  for (int i = 0; i + 2 < s.rank(); ++i) batch.push_back(s[i]);
  return batch;
}

// Where each matrix of the batch starts, in matrices of A and of B.
template <class F>
void for_matrices(const ProductShape& p, F&& body) {
  const Broadcast walk(p.batch, {&p.a_batch, &p.b_batch});
  walk.walk(0, walk.count(), [&](const Broadcast::Run& r) {
    for (int64_t i = 0; i < r.count; ++i) body(r.out + i, r.in[0] + i * walk.step(0), r.in[1] + i * walk.step(1));
  });
}

SourceType source_type(DType t) {
  return t == DType::Float16 ? SourceType::F16 : t == DType::BFloat16 ? SourceType::BF16 : SourceType::F32;
}

// From here on K is cut into parts whose sums are added up with the rounding errors kept aside: a chain of so many
// additions may be off by 1e-5. Parts of one chain each (see kernels/long_sum.h) would cost more than they bring.
constexpr int64_t kLongK = 16384, kPartOfK = 2048;

// Sums of parts, and what rounding has taken from them.
struct Totals {
  float* sum;
  float* lost;
  int64_t count;

  void add(const float* part) {
    for (int64_t i = 0; i < count; ++i) {
      const float before = sum[i], after = before + part[i], taken = after - before;
      lost[i] += (before - (after - taken)) + (part[i] - taken);
      sum[i] = after;
    }
  }
  void end() {
    for (int64_t i = 0; i < count; ++i) {
      if (std::isfinite(lost[i])) sum[i] += lost[i];
    }
  }
};

// One matrix of the batch after the other.
Status multiply_long(Execution& execution, const ProductShape& p, const float* a, const Tensor& b,
                     const PackedMatrices& packed, const Operands& operands, const Epilogue& epilogue, Tensor& out) {
  const GemmKernels& gemm = kernels().gemm;
  const int64_t size = p.m * p.n;
  const bool transposed = operands.transpose_b && b.rank() > 1;
  NM_ASSIGN(float* part, execution.scratch<float>(Size(p.m) * p.n));
  Totals totals{nullptr, nullptr, size};
  NM_ASSIGN(totals.sum, execution.scratch<float>(Size(p.m) * p.n));
  NM_ASSIGN(totals.lost, execution.scratch<float>(Size(p.m) * p.n));
  const int64_t none = 0;
  BatchedGemm g;
  g.m = p.m;
  g.n = p.n;
  g.k = kPartOfK;
  g.lda = p.k;
  g.a_offsets = g.b_offsets = g.c_offsets = &none;
  g.b_row_stride = transposed ? 1 : p.n;
  g.b_col_stride = transposed ? p.k : 1;
  g.alpha = operands.alpha;
  g.c = part;
  g.ldc = p.n;
  float* work = nullptr;
  if (!packed.ok()) {
    NM_ASSIGN(work, execution.scratch<float>(Size(gemm.batched_scratch_size(g))));
  }
  for_matrices(p, [&](int64_t i, int64_t ai, int64_t bi) {
    std::fill_n(totals.sum, size, 0.f);
    std::fill_n(totals.lost, size, 0.f);
    Gemm one{p.m, p.n, p.k, a + ai * p.m * p.k, p.k, packed.ok() ? packed.matrix(bi) : nullptr, part, p.n, {}};
    for (int64_t k0 = 0; k0 < p.k; k0 += kPartOfK) {
      const int64_t k1 = std::min(p.k, k0 + kPartOfK);
      if (packed.ok()) {
        one.k0 = k0;
        one.k1 = k1;
        gemm.run(one);
      } else {
        g.k = k1 - k0;
        g.a = one.a + k0;
        g.b = b.data<float>() + bi * p.k * p.n + k0 * g.b_row_stride;
        gemm.run_batched(g, work);
      }
      totals.add(part);
    }
    totals.end();
    // No more products: bias, residual and activation. Where there is a residual already, the sums take it in.
    one.k0 = one.k1 = 0;
    one.packed_b = part;
    one.c = out.data<float>() + i * size;
    one.epilogue = epilogue;
    if (epilogue.residual) {
      for (int64_t j = 0; j < size; ++j) totals.sum[j] += epilogue.residual[i * size + j];
    }
    one.epilogue.residual = totals.sum;
    one.epilogue.ldr = p.n;
    gemm.run(one);
  });
  return {};
}

}  // namespace

Result<DType> product_type(const Inference& inference) {
  NM_TRY(check_tensors(inference, 2));
  NM_TRY(check_number(inference, 0, "the left matrix (input 0)"));
  NM_TRY(check_number(inference, 1, "the right matrix (input 1)"));
  const DType type = inference.type(0) == DType::Undefined ? inference.type(1) : inference.type(0);
  const bool packable = type == DType::Float32 && is_float(inference.type(1)) && inference.type(1) != DType::Float64;
  if (packable) return type;
  NM_TRY(common_type(inference, 0, 2).take_status());
  return type;
}

Result<ProductShape> ProductShape::of(const Shape& a, const Shape& b, const Operands& operands) {
  if (a.rank() == 0) return wrong_shape("the left matrix (input 0)", a, "at least one dimension");
  if (b.rank() == 0) return wrong_shape("the right matrix (input 1)", b, "at least one dimension");
  ProductShape p;
  const bool row = a.rank() == 1;
  const bool column = b.rank() == 1;
  int64_t inner = b[column ? 0 : b.rank() - 2];
  p.m = row ? 1 : a[a.rank() - 2];
  p.k = a.back();
  p.n = column ? 1 : b.back();
  if (!row && operands.transpose_a) std::swap(p.m, p.k);
  if (!column && operands.transpose_b) std::swap(inner, p.n);
  if (p.k >= 0 && inner >= 0 && p.k != inner) {
    return wrong_shape("the right matrix (input 1)", b,
                       text("as many rows (", p.k, ") as the left one, ", to_string(a), ", has columns"));
  }
  if (p.k < 0) p.k = inner;
  p.a_batch = leading(a);
  p.b_batch = leading(b);
  NM_ASSIGN(p.batch, broadcast_or_fail(p.a_batch, p.b_batch));
  p.out = p.batch;
  if (!row) p.out.push_back(p.m);
  if (!column) p.out.push_back(p.n);
  return p;
}

Status PackedMatrices::pack(const Tensor& b, const Operands& operands) {
  const bool column = b.rank() == 1;
  int64_t k = b.dim(column ? 0 : b.rank() - 2);
  int64_t n = column ? 1 : b.dim(b.rank() - 1);
  const bool transposed = operands.transpose_b && !column;
  const int64_t row_stride = transposed ? 1 : n;
  const int64_t column_stride = transposed ? n : 1;
  if (transposed) std::swap(k, n);
  const int64_t matrices = leading(b.shape()).count();
  const GemmKernels& gemm = kernels().gemm;
  size_ = gemm.packed_size(k, n);
  data_ = Buffer(Size(matrices) * size_ * sizeof(float));
  if (!data_.ok())
    return {Code::OutOfMemory, text("there is no memory to pack weights ", describe(b.dtype(), b.shape()))};
  const auto* from = static_cast<const uint8_t*>(b.raw());
  for (int64_t i = 0; i < matrices; ++i) {
    gemm.pack_b(k, n, from + dtype_offset(b.dtype(), i * k * n), source_type(b.dtype()), row_stride, column_stride,
                operands.alpha, reinterpret_cast<float*>(data_.data()) + i * size_);
  }
  return {};
}

Status multiply(Execution& execution, const Tensor& a, const Tensor& b, const PackedMatrices& packed,
                const Operands& operands, Epilogue epilogue, Tensor& out) {
  NM_ASSIGN(ProductShape p, ProductShape::of(a.shape(), b.shape(), operands));
  if (out.count() == 0) return {};
  const GemmKernels& gemm = kernels().gemm;
  int64_t batch = p.batch.count();
  const float* pa = a.data<float>();
  if (operands.transpose_a && a.rank() > 1) {
    NM_ASSIGN(float* rows, execution.scratch<float>(Size(a.count())));
    for (int64_t i = 0; i < p.a_batch.count(); ++i) {
      const int64_t at = i * p.m * p.k;
      kernels().layout.transpose(p.k, p.m, pa + at, p.m, rows + at, p.k, sizeof(float));
    }
    pa = rows;
  }
  if (p.b_batch.count() == 1 && p.a_batch.count() == batch) {  // one tall product
    p.m *= batch;
    batch = 1;
    p.batch = p.a_batch = p.b_batch = Shape{};
  }
  epilogue.ldr = p.n;
  const bool is_vector = batch == 1 && p.m == 1 && !packed.ok() && !(operands.transpose_b && b.rank() > 1);
  if (p.k > kLongK && !(is_vector && operands.alpha == 1)) {
    return multiply_long(execution, p, pa, b, packed, operands, epilogue, out);
  }
  if (packed.ok()) {
    for_matrices(p, [&](int64_t i, int64_t ai, int64_t bi) {
      Gemm g{p.m, p.n,     p.k, pa + ai * p.m * p.k, p.k, packed.matrix(bi), out.data<float>() + i * p.m * p.n,
             p.n, epilogue};
      if (epilogue.residual) g.epilogue.residual += i * p.m * p.n;
      gemm.run(g);
    });
    return {};
  }
  const bool transposed = operands.transpose_b && b.rank() > 1;
  if (batch == 1 && p.m == 1 && !transposed && operands.alpha == 1) {
    gemm.gemv(p.k, p.n, pa, b.data<float>(), p.n, out.data<float>(), epilogue);
    return {};
  }
  NM_ASSIGN(int64_t * offsets, execution.scratch<int64_t>(Size(3) * batch));
  for_matrices(p, [&](int64_t i, int64_t ai, int64_t bi) {
    offsets[i] = ai * p.m * p.k;
    offsets[batch + i] = bi * p.k * p.n;
    offsets[2 * batch + i] = i * p.m * p.n;
  });
  BatchedGemm g;
  g.batch = batch;
  g.m = p.m;
  g.n = p.n;
  g.k = p.k;
  g.a = pa;
  g.lda = p.k;
  g.a_offsets = offsets;
  g.b = b.data<float>();
  g.b_row_stride = transposed ? 1 : p.n;
  g.b_col_stride = transposed ? p.k : 1;
  g.b_offsets = offsets + batch;
  g.alpha = operands.alpha;
  g.c = out.data<float>();
  g.ldc = p.n;
  g.c_offsets = offsets + 2 * batch;
  g.epilogue = epilogue;
  NM_ASSIGN(float* scratch, execution.scratch<float>(Size(gemm.batched_scratch_size(g))));
  gemm.run_batched(g, scratch);
  return {};
}

Status multiply_generic(const Tensor& a, const Tensor& b, Tensor& out) {
  NM_ASSIGN(const ProductShape p, ProductShape::of(a.shape(), b.shape(), {}));
  return with_number(a.dtype(), [&]<class T>() -> Status {
    std::fill_n(out.data<T>(), out.count(), T{0});
    for_matrices(p, [&](int64_t i, int64_t ai, int64_t bi) {
      const T* pa = a.data<T>() + ai * p.m * p.k;
      const T* pb = b.data<T>() + bi * p.k * p.n;
      T* pc = out.data<T>() + i * p.m * p.n;
      for (int64_t r = 0; r < p.m; ++r) {
        for (int64_t s = 0; s < p.k; ++s) {
          for (int64_t q = 0; q < p.n; ++q) {
            pc[r * p.n + q] = add(pc[r * p.n + q], multiply(pa[r * p.k + s], pb[s * p.n + q]));
          }
        }
      }
    });
    return {};
  });
}

}  // namespace nm
