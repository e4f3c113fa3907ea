// Products of 8-bit integers. Rows of A (the input pixels under the taps of an output pixel, one after another) are
// gathered block by block as 16-bit numbers without their zero point; weights lie in panels of nr columns, pairs of K
// side by side. A zero point of the weights, which is rare, is taken off at the end: by itself times the sum of the
// row.
#pragma once
#include <utility>

#include "engine/kernels/conv_impl.h"
#include "engine/kernels/integer_depthwise_impl.h"

namespace nm::impl {

// K rows of a group: all taps, one after another, as pairs.
template <class A>
struct IntegerPacking {
  explicit IntegerPacking(const ConvShape& s)
      : in_c(s.in_c / s.groups),
        out_c(s.out_c / s.groups),
        depth(in_c * s.kernel_h * s.kernel_w),
        pairs(divide_up(depth, 2)),
        panels(divide_up(out_c, IntegerTile<A>::nr)),
        zeros(s.groups * group_size()) {}
  int64_t columns(int64_t panel) const { return lesser(IntegerTile<A>::nr, out_c - panel * IntegerTile<A>::nr); }
  int vectors(int64_t panel) const { return static_cast<int>(divide_up(columns(panel), simd::lanes<A>)); }
  int64_t offset(int64_t panel) const { return panel * IntegerTile<A>::nr * 2 * pairs; }
  int64_t group_size() const {
    return panels == 0 ? 0 : divide_up(offset(panels - 1) + vectors(panels - 1) * simd::lanes<A> * 2 * pairs, 4) * 4;
  }
  int64_t in_c, out_c, depth, pairs, panels;
  // Behind the panels: a zero point per output as int32, then whether any is not 0.
  int64_t zeros;
};

template <class A>
int64_t integer_packed_size(const ConvShape& s) {
  if (is_depthwise(s)) return integer_depthwise_packed_size<A>(s);
  return IntegerPacking<A>(s).zeros + (s.out_c + 1) * static_cast<int64_t>(sizeof(int32_t));
}

template <class A>
void integer_pack(const ConvShape& s, const IntegerWeights& w, uint8_t* packed) {
  if (is_depthwise(s)) return integer_depthwise_pack<A>(s, w, packed);
  const IntegerPacking<A> packing(s);
  const int64_t taps = s.kernel_h * s.kernel_w;
  const auto* from = static_cast<const uint8_t*>(w.w.data);
  const uint8_t flip = w.w.is_signed ? 0 : 0x80;
  thread_pool::parallel_for(s.groups * packing.panels, 1, [&](int64_t begin, int64_t end, int) {
    for (int64_t task = begin; task < end; ++task) {
      const int64_t g = task / packing.panels, p = task % packing.panels;
      const int64_t width = packing.vectors(p) * simd::lanes<A>, columns = packing.columns(p);
      uint8_t* panel = packed + g * packing.group_size() + packing.offset(p);
      std::memset(panel, 0, static_cast<size_t>(width * 2 * packing.pairs));
      const int64_t first = (g * packing.out_c + p * IntegerTile<A>::nr) * w.out_stride;
      for (int64_t k = 0, t = 0; t < taps; ++t) {
        for (int64_t c = 0; c < packing.in_c; ++c, ++k) {
          const uint8_t* row = from + first + c * w.in_stride + t * w.tap_stride;
          uint8_t* to = panel + k / 2 * 2 * width + k % 2;
          for (int64_t i = 0; i < columns; ++i) to[2 * i] = row[i * w.out_stride] ^ flip;
        }
      }
    }
  });
  auto* zeros = reinterpret_cast<int32_t*>(packed + packing.zeros);
  int32_t any = 0;
  for (int64_t o = 0; o < s.out_c; ++o) {
    zeros[o] = byte_value(w.zeros, w.w.is_signed, o * w.zero_step) - (w.w.is_signed ? 0 : 128);
    any |= zeros[o];
  }
  zeros[s.out_c] = any;
}

// Blocks of rows and what a thread needs for one.
template <class A>
struct IntegerBlocks {
  static constexpr int64_t mr = IntegerTile<A>::mr, nr = IntegerTile<A>::nr;
  IntegerBlocks(const ConvShape& s, const IntegerPacking<A>& packing) : ld(2 * packing.pairs) {
    // 16-bit rows of a block take at most 64 KiB, so that they stay in L2 while panels pass by; a step of panels takes
    // 32 KiB at most, so that they stay in L1 while rows pass by.
    const int64_t pixels = s.batch * s.out_h * s.out_w;
    rows = mr * greater(1, lesser(divide_up(pixels, mr), 32 * 1024 / greater(ld, 1) / mr));
    panel_step = greater(1, lesser(packing.panels, 32 * 1024 / greater(ld * nr, 1)));
  }
  int64_t ld, rows, panel_step;
  int64_t sums_ld() const { return panel_step * nr; }
  // Rows, their sums, sums of the tile; whole vectors past the end may be read.
  int64_t scratch() const {
    return divide_up(rows * ld, 4) * 8 + rows * 4 + (mr * sums_ld() + 4 * simd::lanes<A>)*4 + 8;
  }
};

// Bias and scales of a column each, as many as whole groups of vectors read: [bias][scales].
template <class A>
int64_t integer_columns(const ConvShape& s) {
  return s.out_c + IntegerTile<A>::nr + 4 * simd::lanes<A>;
}

template <class A>
int64_t integer_scratch_size(const ConvShape& s) {
  const int64_t columns = 8 * integer_columns<A>(s);
  if (is_depthwise(s)) return columns + integer_depthwise_scratch<A>(s) * thread_pool::size();
  return columns + divide_up(IntegerBlocks<A>(s, IntegerPacking<A>(s)).scratch(), 8) * 8 * thread_pool::size();
}

// Rows [m0, m1) of a matrix product.
template <class A>
void integer_matrix_rows(const IntegerProduct& job, int64_t m0, int64_t m1, int16_t* out, ptrdiff_t ld) {
  const auto depth = static_cast<ptrdiff_t>(job.shape.in_c), step = static_cast<ptrdiff_t>(job.ldx);
  const auto* x = static_cast<const uint8_t*>(job.x.data) + m0 * job.ldx;
  const auto of = [&](int64_t m) {
    return Widening<A>(job.x.is_signed, byte_value(job.x_zeros, job.x.is_signed, job.zero_per_pixel ? m : 0));
  };
  if (!job.zero_per_pixel && step == depth && ld == depth) {
    return widen<A>(x, of(0), out, static_cast<ptrdiff_t>(m1 - m0) * depth);
  }
  for (int64_t m = m0; m < m1; ++m, x += step, out += ld) {
    widen<A>(x, of(m), out, depth);
    if (depth < ld) out[depth] = 0;
  }
}

// The input under output pixels [m0, m1), from channel `first` of each pixel on.
template <class A>
void integer_image_rows(const IntegerProduct& job, int64_t in_c, int64_t first, int64_t m0, int64_t m1, int16_t* out,
                        ptrdiff_t ld) {
  const ConvShape& s = job.shape;
  const Widening<A> w(job.x.is_signed, byte_value(job.x_zeros, job.x.is_signed, 0));
  const auto depth = static_cast<ptrdiff_t>(in_c), row_depth = static_cast<ptrdiff_t>(s.kernel_w * in_c);
  const auto tap = static_cast<ptrdiff_t>(s.dilation_w * job.ldx), line = static_cast<ptrdiff_t>(s.in_w * job.ldx);
  // A row of the kernel is one run where pixels lie side by side.
  const bool dense = job.ldx == in_c && s.dilation_w == 1;
  int64_t ox = m0 % s.out_w, oy = m0 / s.out_w % s.out_h, image = m0 / (s.out_w * s.out_h);
  for (int64_t m = m0; m < m1; ++m, out += ld) {
    const int64_t ix = ox * s.stride_w - s.pad_left, iy = oy * s.stride_h - s.pad_top;
    const bool whole = ix >= 0 && ix + (s.kernel_w - 1) * s.dilation_w < s.in_w;
    const IndexRange in = whole ? IndexRange{0, s.kernel_w} : inside(ix, s.dilation_w, s.kernel_w, s.in_w);
    const uint8_t* corner = static_cast<const uint8_t*>(job.x.data) +
                            static_cast<ptrdiff_t>((image * s.in_h + iy) * line + ix * job.ldx + first);
    int16_t* to = out;
    for (int64_t ky = 0; ky < s.kernel_h; ++ky, to += row_depth) {
      const int64_t y = iy + ky * s.dilation_h;
      const bool there = y >= 0 && y < s.in_h;
      const uint8_t* row = corner + static_cast<ptrdiff_t>(ky * s.dilation_h) * line;
      if (dense && whole && there) {
        widen<A>(row, w, to, row_depth);
        continue;
      }
      if (!there || !whole) std::memset(to, 0, static_cast<size_t>(row_depth) * 2);
      for (auto kx = static_cast<ptrdiff_t>(in.begin); kx < in.end && there; ++kx) {
        widen<A>(row + kx * tap, w, to + kx * depth, depth);
      }
    }
    if (to - out < ld) *to = 0;
    if (++ox == s.out_w) {
      ox = 0;
      if (++oy == s.out_h) {
        oy = 0;
        ++image;
      }
    }
  }
}

// Output pixels [m0, m1) of group g for panels [p0, p1).
template <class A>
void integer_block(const IntegerProduct& job, const IntegerPacking<A>& packing, const IntegerBlocks<A>& blocks,
                   const int32_t* bias, const float* scales, int64_t g, int64_t m0, int64_t m1, int64_t p0, int64_t p1,
                   uint8_t* scratch) {
  constexpr int64_t mr = IntegerTile<A>::mr, nr = IntegerTile<A>::nr;
  const auto* zeros = reinterpret_cast<const int32_t*>(job.packed + packing.zeros);
  const bool weights_have_zeros = zeros[job.shape.out_c] != 0;
  auto* rows = reinterpret_cast<int16_t*>(scratch);
  auto* row_sums = reinterpret_cast<int32_t*>(scratch + divide_up(blocks.rows * blocks.ld, 4) * 8);
  int32_t* sums = row_sums + blocks.rows;
  const int8_t* weights = reinterpret_cast<const int8_t*>(job.packed) + g * packing.group_size();
  const auto ld = static_cast<ptrdiff_t>(blocks.ld), lds = static_cast<ptrdiff_t>(blocks.sums_ld());
  if (is_pointwise(job.shape)) {
    integer_matrix_rows<A>(job, m0, m1, rows, ld);
  } else {
    integer_image_rows<A>(job, packing.in_c, g * packing.in_c, m0, m1, rows, ld);
  }
  if (weights_have_zeros) {
    for (int64_t r = 0; r < m1 - m0; ++r) {
      uint32_t sum = 0;  // modulo 2^32, as all sums here
      for (int64_t k = 0; k < blocks.ld; ++k) sum += static_cast<uint32_t>(rows[r * blocks.ld + k]);
      row_sums[r] = static_cast<int32_t>(sum);
    }
  }
  for (int64_t p = p0; p < p1; p += blocks.panel_step) {
    const int64_t end = lesser(p1, p + blocks.panel_step), first = g * packing.out_c + p * nr;
    const int64_t columns = (end - 1 - p) * nr + packing.columns(end - 1);
    IntegerEpilogue epilogue = job.epilogue;
    if (epilogue.offsets) epilogue.offsets += first;
    for (int64_t m = m0; m < m1; m += mr) {
      const int count = static_cast<int>(lesser(mr, m1 - m));
      // The last panel may be narrower, with a tile of its own.
      const int64_t whole = packing.vectors(end - 1) == IntegerTile<A>::nv ? end : end - 1;
      const auto run = [&](int64_t from, int64_t to) {
        if (from == to) return;
        integer_tile_for<A>(count, packing.vectors(from))(
            {rows + (m - m0) * blocks.ld, ld, static_cast<ptrdiff_t>(packing.pairs), weights + packing.offset(from),
             static_cast<ptrdiff_t>(to - from), bias + first + (from - p) * nr, sums + (from - p) * nr, lds});
      };
      run(p, whole);
      run(whole, end);
      for (int64_t r = 0; r < count && weights_have_zeros; ++r) {
        int32_t* row = sums + r * blocks.sums_ld();
        const auto by = static_cast<uint32_t>(row_sums[m - m0 + r]);
        for (int64_t i = 0; i < columns; ++i) {
          row[i] = static_cast<int32_t>(static_cast<uint32_t>(row[i]) - by * static_cast<uint32_t>(zeros[first + i]));
        }
      }
      finish_sums<A>(epilogue, {sums, lds, scales + first,
                                static_cast<uint8_t*>(job.y) + (m * job.ldy + first) * bytes_of(job.epilogue.to),
                                static_cast<ptrdiff_t>(job.ldy), count, static_cast<ptrdiff_t>(columns)});
    }
  }
}

template <class A>
void integer_run(const IntegerProduct& job, uint8_t* scratch) {
  const ConvShape& s = job.shape;
  const int64_t padded = integer_columns<A>(s);
  auto* bias = reinterpret_cast<int32_t*>(scratch);
  auto* scales = reinterpret_cast<float*>(bias + padded);
  scratch += 8 * padded;
  for (int64_t i = 0; i < padded; ++i) {
    bias[i] = job.epilogue.bias && i < s.out_c ? job.epilogue.bias[i] : 0;
    scales[i] = job.epilogue.scales && i < s.out_c ? job.epilogue.scales[i] : 0.f;
  }
  if (is_depthwise(s)) return integer_depthwise_run<A>(job, bias, scales, scratch);
  const IntegerPacking<A> packing(s);
  const IntegerBlocks<A> blocks(s, packing);
  const int64_t pixels = s.batch * s.out_h * s.out_w, per_thread = divide_up(blocks.scratch(), 8) * 8;
  const TaskGrid grid = task_grid(pixels, packing.panels, blocks.rows, IntegerTile<A>::mr,
                                  s.groups * packing.depth * IntegerTile<A>::nr / 4);
  thread_pool::parallel_for(grid.count() * s.groups, 1, [&](int64_t begin, int64_t end, int thread) {
    for (int64_t task = begin; task < end; ++task) {
      const int64_t g = task / grid.count(), block = task % grid.count();
      const int64_t m0 = block / grid.panel_tasks * grid.rows, p0 = block % grid.panel_tasks * grid.panels;
      integer_block<A>(job, packing, blocks, bias, scales, g, m0, lesser(m0 + grid.rows, pixels), p0,
                       lesser(p0 + grid.panels, packing.panels), scratch + thread * per_thread);
    }
  });
}

template <class A>
void integer_finish(const IntegerEpilogue& e, const int32_t* sums, int64_t rows, int64_t columns, void* y) {
  constexpr int64_t block = 4 * simd::lanes<A>;
  for (int64_t c = 0; c < columns; c += block) {
    const int64_t n = lesser(block, columns - c);
    int32_t row[block] = {};
    float scales[block] = {};
    IntegerEpilogue part = e;
    if (e.offsets) part.offsets += c;
    for (int64_t i = 0; i < n && e.scales; ++i) scales[i] = e.scales[c + i];
    for (int64_t r = 0; r < rows; ++r) {
      std::memcpy(row, sums + r * columns + c, static_cast<size_t>(n) * sizeof(int32_t));
      if (e.bias) {
        for (int64_t i = 0; i < n; ++i) {
          row[i] = static_cast<int32_t>(static_cast<uint32_t>(row[i]) + static_cast<uint32_t>(e.bias[c + i]));
        }
      }
      finish_sums<A>(part, {row, 0, scales, static_cast<uint8_t*>(y) + (r * columns + c) * bytes_of(e.to), 0, 1,
                            static_cast<ptrdiff_t>(n)});
    }
  }
}

template <class A>
void quantize_bytes(const float* x, uint8_t* y, int64_t n, float scale, int32_t zero, bool is_signed) {
  constexpr int64_t W = simd::lanes<A>;
  const simd::Quantizer<A> quantize(zero, is_signed ? -128 : 0, is_signed ? 127 : 255);
  const vf<A> by(scale);
  for (int64_t i = 0; i < n; i += 4 * W) {
    vi<A> q[4];
    if (i + 4 * W <= n) {
#pragma GCC unroll 4
      for (int v = 0; v < 4; ++v) q[v] = quantize(simd::divide<A>(simd::load<A>(x + i + v * W), by));
      simd::store_low_bytes<A>(y + i, q);
    } else {
      float last[4 * W] = {};
      uint8_t bytes[4 * W];
      std::memcpy(last, x + i, static_cast<size_t>(n - i) * sizeof(float));
      for (int v = 0; v < 4; ++v) q[v] = quantize(simd::divide<A>(simd::load<A>(last + v * W), by));
      simd::store_low_bytes<A>(bytes, q);
      std::memcpy(y + i, bytes, static_cast<size_t>(n - i));
    }
  }
}

template <class A>
void float_range(const float* x, int64_t n, float* low, float* high) {
  constexpr int64_t W = simd::lanes<A>;
  vf<A> least(0.f), most(0.f);
  for (int64_t i = 0; i < n; i += W) {
    const vf<A> v = simd::load_up_to<A>(x + i, lesser(W, n - i));
    least = xsimd::select(v < least, v, least);  // false for NaN
    most = xsimd::select(v > most, v, most);
  }
  *low = simd::minimum<A>(least);
  *high = simd::maximum<A>(most);
}

template <class A>
constexpr IntegerKernels integer_kernels() {
  return {
      .packed_size = integer_packed_size<A>,
      .pack = integer_pack<A>,
      .scratch_size = integer_scratch_size<A>,
      .run = integer_run<A>,
      .finish = integer_finish<A>,
      .quantize = quantize_bytes<A>,
      .range = float_range<A>,
  };
}

}  // namespace nm::impl
