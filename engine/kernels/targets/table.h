// All kernels for one architecture tag.
#pragma once
#include "engine/kernels/conv_impl.h"
#include "engine/kernels/convert_impl.h"
#include "engine/kernels/elementwise_impl.h"
#include "engine/kernels/gemm_impl.h"
#include "engine/kernels/integer_product_impl.h"
#include "engine/kernels/kernels.h"
#include "engine/kernels/layout_impl.h"
#include "engine/kernels/nbits_impl.h"
#include "engine/kernels/pool_impl.h"
#include "engine/kernels/resize_impl.h"
#include "engine/kernels/rows_impl.h"

namespace nm::targets {

template <class A>
constexpr KernelTable make_table(const char* isa) {
  return {
      .isa = isa,
      .gemm = impl::gemm_kernels<A>(),
      .conv = impl::conv_kernels<A>(),
      .pool = impl::pool_kernels<A>(),
      .elementwise = impl::elementwise_kernels<A>(),
      .rows = impl::row_kernels<A>(),
      .layout = impl::layout_kernels<A>(),
      .resize = impl::resize_kernels<A>(),
      .convert = impl::convert_kernels<A>(),
      .integer = impl::integer_kernels<A>(),
      .nbits = impl::nbits_kernels<A>(),
  };
}

}  // namespace nm::targets
