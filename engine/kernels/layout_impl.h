#pragma once
#include <cstring>

#include "engine/base/selection.h"
#include "engine/kernels/integers.h"
#include "engine/kernels/layout.h"

namespace nm::impl {

template <class A, class T>
void transpose_blocked(int64_t rows, int64_t cols, const T* x, int64_t ldx, T* y, int64_t ldy) {
  // A block's rows and columns stay in L1 both ways.
  constexpr int64_t block = 16;
  for (int64_t i0 = 0; i0 < rows; i0 += block) {
    const int64_t i1 = lesser(rows, i0 + block);
    for (int64_t j0 = 0; j0 < cols; j0 += block) {
      const int64_t j1 = lesser(cols, j0 + block);
      for (int64_t j = j0; j < j1; ++j) {
        const T* in = x + j;
        T* out = y + j * ldy;
        for (int64_t i = i0; i < i1; ++i) out[i] = in[i * ldx];
      }
    }
  }
}

struct Bytes16 {
  uint64_t half[2];
};

// Calls body with a null pointer of an unsigned type of the size, in builds that have elements of it.
template <class A, class F>
void with_element(size_t size, F body) {
  const auto call = [&]<class T>(T* none) {
    if constexpr (selection::has_size(sizeof(T))) return body(none);
    __builtin_trap();
  };
  switch (size) {
    case 1:
      return call(static_cast<uint8_t*>(nullptr));
    case 2:
      return call(static_cast<uint16_t*>(nullptr));
    case 4:
      return call(static_cast<uint32_t*>(nullptr));
    case 8:
      return call(static_cast<uint64_t*>(nullptr));
    case 16:
      return call(static_cast<Bytes16*>(nullptr));
    default:
      return;
  }
}

template <class A>
void transpose(int64_t rows, int64_t cols, const void* x, int64_t ldx, void* y, int64_t ldy, size_t element_size) {
  with_element<A>(element_size, [&]<class T>(T*) {
    transpose_blocked<A, T>(rows, cols, static_cast<const T*>(x), ldx, static_cast<T*>(y), ldy);
  });
}

// A permutation with dims of 1 dropped and axes that stay neighbours merged.
struct MergedPermute {
  int rank = 0;
  int64_t dims[max_permute_rank];     // of the output
  int64_t strides[max_permute_rank];  // of the input, for each output axis
};

template <class A>
MergedPermute merge_permute(int rank, const int64_t* dims, const int* axes) {
  int64_t strides[max_permute_rank];
  int64_t stride = 1;
  for (int i = rank - 1; i >= 0; --i) {
    strides[i] = stride;
    stride *= dims[i];
  }
  MergedPermute m;
  for (int i = 0; i < rank; ++i) {
    const int64_t dim = dims[axes[i]], step = strides[axes[i]];
    if (dim == 1) continue;
    if (m.rank > 0 && m.strides[m.rank - 1] == step * dim) {
      m.dims[m.rank - 1] *= dim;
      m.strides[m.rank - 1] = step;
    } else {
      m.dims[m.rank] = dim;
      m.strides[m.rank] = step;
      ++m.rank;
    }
  }
  if (m.rank == 0) {
    m.dims[0] = 1;
    m.strides[0] = 1;
    m.rank = 1;
  }
  return m;
}

template <class A, class T>
void permute_typed(const MergedPermute& m, const T* x, T* y) {
  int64_t total = 1;
  for (int i = 0; i < m.rank; ++i) total *= m.dims[i];
  if (total == 0) return;
  const int last = m.rank - 1;
  // The inner plane: runs when the last axis is contiguous in the input, otherwise a transpose with the output axis
  // that is contiguous in the input.
  int partner = last;
  if (m.strides[last] != 1) {
    for (int i = 0; i < m.rank; ++i) partner = m.strides[i] == 1 ? i : partner;
  }
  int64_t outer = total / m.dims[last] / (partner == last ? 1 : m.dims[partner]);
  int64_t out_strides[max_permute_rank];
  int64_t stride = 1;
  for (int i = last; i >= 0; --i) {
    out_strides[i] = stride;
    stride *= m.dims[i];
  }
  const int64_t plane = total / outer;
  const int64_t chunk = lesser(thread_pool::chunk(outer, 4 * plane), greater(1, 65536 / plane));
  if (outer == 1 && partner != last) {  // one large transpose: threads share its columns, which are output rows
    const int64_t cols = m.dims[partner], rows = m.dims[last];
    thread_pool::parallel_for(
        cols, greater(16, thread_pool::chunk(cols, 4 * rows)), [&](int64_t begin, int64_t end, int) {
          transpose_blocked<A, T>(rows, end - begin, x + begin, m.strides[last], y + begin * rows, rows);
        });
    return;
  }
  thread_pool::parallel_for(outer, chunk, [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin; i < end; ++i) {
      int64_t in = 0, out = 0, rest = i;
      for (int axis = last - 1; axis >= 0; --axis) {
        if (axis == partner) continue;
        const int64_t at = rest % m.dims[axis];
        rest /= m.dims[axis];
        in += at * m.strides[axis];
        out += at * out_strides[axis];
      }
      if (partner != last) {
        transpose_blocked<A, T>(m.dims[last], m.dims[partner], x + in, m.strides[last], y + out, out_strides[partner]);
      } else if (m.strides[last] == 1) {
        std::memcpy(y + out, x + in, static_cast<size_t>(m.dims[last]) * sizeof(T));
      } else {
        for (int64_t j = 0; j < m.dims[last]; ++j) y[out + j] = x[in + j * m.strides[last]];
      }
    }
  });
}

template <class A>
void permute(int rank, const int64_t* dims, const int* axes, const void* x, void* y, size_t element_size) {
  const MergedPermute m = merge_permute<A>(rank, dims, axes);
  with_element<A>(element_size,
                  [&]<class T>(T*) { permute_typed<A, T>(m, static_cast<const T*>(x), static_cast<T*>(y)); });
}

template <class A>
constexpr LayoutKernels layout_kernels() {
  return {
      .transpose = transpose<A>,
      .permute = permute<A>,
  };
}

}  // namespace nm::impl
