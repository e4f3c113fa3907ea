// Matrix products in f32 over a B that is packed in column panels for the register tile of the instruction set.
//
// Results have the same bits for any number of threads: work is split over rows and columns of C, never over K.
// Sizes and strides are in elements. C must not overlap A or packed B; it may be the residual.
#pragma once
#include <cstddef>
#include <cstdint>

#include "engine/base/thread_pool.h"
#include "engine/kernels/epilogue.h"
#include "engine/kernels/source_type.h"
#include "engine/kernels/stored.h"

namespace nm {

// C[m,n] = epilogue(A[m,k] · B[k,n]).
struct Gemm {
  int64_t m = 0, n = 0, k = 0;
  const float* a = nullptr;  // row-major
  int64_t lda = 0;
  const float* packed_b = nullptr;
  float* c = nullptr;  // row-major
  int64_t ldc = 0;
  Epilogue epilogue = {};
  // A part of K alone, [k0, k1), in short chains of additions (see ops/product.cpp); k1 -1: all of it.
  int64_t k0 = 0, k1 = -1;
};

// A batch of products whose B is not known beforehand. B may have any strides (a transposed B is
// row_stride 1, col_stride ldb); alpha scales the products. Offsets (in elements, `batch` of each) say where each
// matrix starts; the epilogue's bias serves all of the batch, its residual starts at c_offsets[i] too.
struct BatchedGemm {
  int64_t batch = 1;
  int64_t m = 0, n = 0, k = 0;
  const float* a = nullptr;
  int64_t lda = 0;
  const int64_t* a_offsets = nullptr;
  const float* b = nullptr;
  int64_t b_row_stride = 0, b_col_stride = 1;
  const int64_t* b_offsets = nullptr;
  float alpha = 1;
  float* c = nullptr;
  int64_t ldc = 0;
  const int64_t* c_offsets = nullptr;
  Epilogue epilogue = {};
};

// A few rows and a B that is not packed, each row-major. A row's results do not depend on those beside it. B's elements
// may be narrower than floats: they are taken as numbers, without the scales of their rows.
struct FewRows {
  int64_t m = 0, n = 0, k = 0;
  const float* x = nullptr;
  int64_t ldx = 0;
  const void* b = nullptr;
  int64_t ldb = 0;
  float* y = nullptr;
  int64_t ldy = 0;
  float alpha = 1;
  Stored stored = Stored::F32;  // b
};

struct GemmKernels {
  // Floats that a packed K×N matrix takes.
  int64_t (*packed_size)(int64_t k, int64_t n);

  // Packs B, whose element (k, n) is at b[k·row_stride + n·col_stride], times `scale` (Gemm's alpha).
  void (*pack_b)(int64_t k, int64_t n, const void* b, SourceType type, int64_t row_stride, int64_t col_stride,
                 float scale, float* packed);

  void (*run)(const Gemm& gemm);

  // Rows [begin, end) of C alone, on the calling thread.
  void (*run_rows)(const Gemm& gemm, int64_t begin, int64_t end);

  // y[n] = epilogue(x[k] · B[k,n]) over an unpacked row-major B.
  void (*gemv)(int64_t k, int64_t n, const float* x, const float* b, int64_t ldb, float* y, const Epilogue& epilogue);

  // Y[m,n] = alpha · X[m,k] · Bᵀ, where B is [n,k], on the calling thread.
  void (*dot_rows)(const FewRows& rows);
  // Y[m,n] = alpha · X[m,k] · B, where B is [k,n], on the calling thread.
  void (*weigh_rows)(const FewRows& rows);

  // Floats of scratch that run_batched needs with the pool as it is.
  int64_t (*batched_scratch_size)(const BatchedGemm& gemm);
  void (*run_batched)(const BatchedGemm& gemm, float* scratch);
};

}  // namespace nm
