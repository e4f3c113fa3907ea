// The kernels, compiled once per instruction set, and the choice of one for this machine.
#pragma once
#include <span>

#include "engine/kernels/conv.h"
#include "engine/kernels/convert.h"
#include "engine/kernels/elementwise.h"
#include "engine/kernels/gemm.h"
#include "engine/kernels/integer_product.h"
#include "engine/kernels/layout.h"
#include "engine/kernels/nbits.h"
#include "engine/kernels/pool.h"
#include "engine/kernels/resize.h"
#include "engine/kernels/rows.h"

namespace nm {

struct KernelTable {
  const char* isa = "";  // "sse2", "avx2", "avx512", "neon", "simd128", "relaxed-simd", "scalar"
  GemmKernels gemm;
  ConvKernels conv;
  PoolKernels pool;
  ElementwiseKernels elementwise;
  RowKernels rows;
  LayoutKernels layout;
  ResizeKernels resize;
  ConvertKernels convert;
  IntegerKernels integer;
  NBitsKernels nbits;
};

// The best table this machine runs, chosen once. Packed weights belong to the table that packed them.
#if defined(NM_REDUCED) && defined(__wasm__)
// Known when the module is linked, so that a reduced build keeps only the kernels that somebody calls.
#if defined(NM_SCALAR)
namespace targets {
extern const KernelTable scalar;
}
constexpr const KernelTable& kernels() { return targets::scalar; }
#else
namespace targets {
extern const KernelTable wasm;
}
constexpr const KernelTable& kernels() { return targets::wasm; }
#endif
#else
const KernelTable& kernels();
#endif

// Every table this machine runs, best first; tests force each in turn.
std::span<const KernelTable* const> available_kernels();

}  // namespace nm
