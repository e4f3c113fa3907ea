// 3×3 convolution by Winograd's F(4×4, 3×3) (Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks",
// 2016): a tile of 4×4 outputs comes from 6×6 inputs by Y = Aᵀ[(G g Gᵀ) ⊙ (Bᵀ d B)]A, which takes 36 products per
// channel pair where the direct form takes 144. Summed over channels, the products at each of the 36 positions are one
// matrix product: tiles × in_c times in_c × out_c.
#pragma once
#include "engine/kernels/conv.h"
#include "engine/kernels/gemm_impl.h"

namespace nm::impl {

inline constexpr int64_t winograd_tile = 4;    // outputs along an axis
inline constexpr int64_t winograd_window = 6;  // inputs along an axis
inline constexpr int64_t winograd_positions = 36;

// Tiles of a shape, and how many go through the three stages at a time. With a dilation d, every d-th row and column is
// an image of its own, of d × d such images. Where there are tiles enough each thread takes blocks of its own, so that
// what it transforms stays in its cache; where there are few, threads share the stages of every block.
template <class A>
struct WinogradTiles {
  WinogradTiles(const ConvShape& s, int threads)
      : across(divide_up(divide_up(s.out_w, s.dilation_w), winograd_tile)),
        down(divide_up(divide_up(s.out_h, s.dilation_h), winograd_tile)),
        count(s.batch * s.dilation_h * s.dilation_w * across * down) {
    constexpr int64_t mr = Tile<A>::mr;
    const int64_t most = greater(2, winograd_block / (winograd_positions * (s.in_c + s.out_c)) / mr) * mr;
    blocks = greater(divide_up(count, most), 1);
    apart = threads > 1 && count >= threads * winograd_rows_apart;
    if (apart) blocks = divide_up(blocks, threads) * threads;
    block = greater(divide_up(divide_up(count, blocks), mr), 1) * mr;
    blocks = divide_up(count, block);
    apart = apart && blocks > 1;
    // A line more than a multiple of anything: 36 positions a power of two apart would share one set of the cache.
    in_stride = block * s.in_c + 16;
    out_stride = block * s.out_c + 16;
  }
  // Floats of one block's transformed inputs and products, and of 16 pixels for each thread that may work on it.
  int64_t scratch_size(const ConvShape& s, int threads) const {
    return winograd_positions * (in_stride + out_stride) +
           winograd_tile * winograd_tile * s.out_c * (apart ? 1 : threads);
  }

  int64_t across, down, count;
  int64_t block, blocks;
  int64_t in_stride, out_stride;  // floats between two positions
  bool apart;
};

// in_c × out_c panels for each position, then a pixel of zeros.
template <class A>
int64_t winograd_packed_size(const ConvShape& s) {
  return winograd_positions * Panels<A>{s.out_c, s.in_c}.size() + s.in_c;
}

template <class A>
int64_t winograd_scratch_size(const ConvShape& s) {
  const WinogradTiles<A> tiles(s, thread_pool::size());
  return tiles.scratch_size(s, thread_pool::size()) * (tiles.apart ? thread_pool::size() : 1);
}

// G times a column of three.
inline void winograd_weights(const float* g, int64_t step, float* out, int64_t out_step) {
  const float a = g[0], b = g[step], c = g[2 * step];
  const float even = a + c, near = even * (-1.f / 6), far = a * (1.f / 24) + c * (1.f / 6);
  out[0] = a * (1.f / 4);
  out[out_step] = near - b * (1.f / 6);
  out[2 * out_step] = near + b * (1.f / 6);
  out[3 * out_step] = far + b * (1.f / 12);
  out[4 * out_step] = far - b * (1.f / 12);
  out[5 * out_step] = c;
}

template <class A>
void winograd_pack(const ConvShape& s, const void* weights, SourceType type, const float* scale, float* packed) {
  const Panels<A> panels{s.out_c, s.in_c};
  const int64_t size = panels.size();
  with_reader<A>(weights, type, [&](auto read) {
    thread_pool::parallel_for(panels.count(), 1, [&](int64_t begin, int64_t end, int) {
      for (int64_t p = begin; p < end; ++p) {
        const int64_t width = panels.width(p), columns = panels.columns(p);
        for (int64_t i = 0; i < width; ++i) {
          const int64_t o = p * Tile<A>::nr + i;
          const float factor = i < columns && scale ? scale[o] : 1.f;
          for (int64_t c = 0; c < s.in_c; ++c) {
            float g[9] = {}, half[winograd_window * 3], u[winograd_positions];
            for (int64_t t = 0; t < 9 && i < columns; ++t) g[t] = read((o * s.in_c + c) * 9 + t) * factor;
            for (int64_t x = 0; x < 3; ++x) winograd_weights(g + x, 3, half + x, 3);
            for (int64_t y = 0; y < winograd_window; ++y) winograd_weights(half + 3 * y, 1, u + winograd_window * y, 1);
            float* out = packed + panels.offset(p) + c * width + i;
            for (int64_t at = 0; at < winograd_positions; ++at) out[at * size] = u[at];
          }
        }
      }
    });
  });
  for (int64_t i = 0; i < s.in_c; ++i) packed[winograd_positions * size + i] = 0;
}

// Bᵀ times a column of six.
template <class A>
[[gnu::always_inline]] inline void winograd_input(const vf<A> (&d)[6], vf<A> (&t)[6]) {
  const vf<A> four = simd::constant<A, 4.f>(), five = simd::constant<A, 5.f>(), two = simd::constant<A, 2.f>();
  t[0] = simd::madd<A>(four, d[0], simd::nmadd<A>(five, d[2], d[4]));
  t[5] = simd::madd<A>(four, d[1], simd::nmadd<A>(five, d[3], d[5]));
  const vf<A> near_even = simd::nmadd<A>(four, d[2], d[4]), near_odd = simd::nmadd<A>(four, d[1], d[3]);
  t[1] = near_even + near_odd;
  t[2] = near_even - near_odd;
  const vf<A> far_even = d[4] - d[2], far_odd = two * (d[3] - d[1]);
  t[3] = far_even + far_odd;
  t[4] = far_even - far_odd;
}

// Aᵀ times a column of six.
template <class A>
[[gnu::always_inline]] inline void winograd_output(const vf<A> (&m)[6], vf<A> (&y)[4]) {
  const vf<A> near_sum = m[1] + m[2], near_difference = m[1] - m[2];
  const vf<A> far_sum = m[3] + m[4], far_difference = m[3] - m[4];
  y[0] = m[0] + near_sum + far_sum;
  y[1] = simd::madd<A>(simd::constant<A, 2.f>(), far_difference, near_difference);
  y[2] = simd::madd<A>(simd::constant<A, 4.f>(), far_sum, near_sum);
  y[3] = simd::madd<A>(simd::constant<A, 8.f>(), far_difference, near_difference) + m[5];
}

// Calls body(c) for vectors of channels, a vector of them at least; the last may overlap the one before.
template <class A, class Body>
[[gnu::always_inline]] inline void for_channels(int64_t channels, Body body) {
  constexpr ptrdiff_t w = simd::lanes<A>;
  const ptrdiff_t end = static_cast<ptrdiff_t>(channels);
  for (ptrdiff_t c = 0; c < end; c += w) body(c + w <= end ? c : end - w);
}

// Bᵀ d B of one tile, whose pixels are at `pixels`, to `v`, with in_stride between positions.
template <class A>
void winograd_tile_in(const float* const (&pixels)[winograd_positions], int64_t channels, ptrdiff_t in_stride,
                      float* v) {
  for_channels<A>(
      channels, [&](ptrdiff_t c) __attribute__((always_inline)) {
        vf<A> half[6][6];
#pragma GCC unroll 6
        for (int x = 0; x < 6; ++x) {
          vf<A> d[6], t[6];
#pragma GCC unroll 6
          for (int y = 0; y < 6; ++y) d[y] = simd::load<A>(pixels[6 * y + x] + c);
          winograd_input<A>(d, t);
#pragma GCC unroll 6
          for (int y = 0; y < 6; ++y) half[y][x] = t[y];
        }
        float* out = v + c;
#pragma GCC unroll 6
        for (int y = 0; y < 6; ++y) {
          vf<A> t[6];
          winograd_input<A>(half[y], t);
#pragma GCC unroll 6
          for (int x = 0; x < 6; ++x, out += in_stride) simd::store<A>(out, t[x]);
        }
      });
}

// Where one tile's outputs go: `rows` × `columns` of its 16 exist.
struct WinogradTarget {
  float* y;
  const float* residual;
  ptrdiff_t pixel, row;  // floats
  ptrdiff_t residual_pixel, residual_row;
  int rows, columns;
};

// Aᵀ m A of one tile, handed to store(row, column, channel, sum).
template <class A, class Store>
[[gnu::always_inline]] inline void winograd_tile_out(const float* m, int64_t channels, ptrdiff_t out_stride,
                                                     Store store) {
  for_channels<A>(
      channels, [&](ptrdiff_t c) __attribute__((always_inline)) {
        vf<A> half[4][6];
        const float* at = m + c;
#pragma GCC unroll 6
        for (int x = 0; x < 6; ++x, at += out_stride) {
          vf<A> column[6], t[4];
#pragma GCC unroll 6
          for (int y = 0; y < 6; ++y) column[y] = simd::load<A>(at + 6 * y * out_stride);
          winograd_output<A>(column, t);
#pragma GCC unroll 4
          for (int y = 0; y < 4; ++y) half[y][x] = t[y];
        }
#pragma GCC unroll 4
        for (int y = 0; y < 4; ++y) {
          vf<A> t[4];
          winograd_output<A>(half[y], t);
#pragma GCC unroll 4
          for (int x = 0; x < 4; ++x) store(y, x, c, t[x]);
        }
      });
}

// With an epilogue of bias, residual and bounds, and whole vectors of channels: all in registers. (Where vectors
// overlap, a residual that is the output itself would be added twice.)
template <class A>
void winograd_finish(const WinogradTarget& to, const float* m, int64_t channels, ptrdiff_t out_stride,
                     const Epilogue& e) {
  const Bounds<A> clamp(e);
  winograd_tile_out<A>(
      m, channels, out_stride, [&](int r, int q, ptrdiff_t c, vf<A> sum) __attribute__((always_inline)) {
        if (r >= to.rows || q >= to.columns) return;
        if (e.bias) sum = sum + simd::load<A>(e.bias + c);
        if (to.residual) {
          const float* from = to.residual + r * to.residual_row + q * to.residual_pixel + c;
          sum = sum + simd::load<A>(from);
        }
        simd::store<A>(to.y + r * to.row + q * to.pixel + c, clamp(sum));
      });
}

// With any epilogue, by way of `sums`, 16 pixels.
template <class A>
void winograd_finish_slowly(const WinogradTarget& to, const float* m, int64_t channels, ptrdiff_t out_stride,
                            const Epilogue& e, float* sums) {
  const ptrdiff_t width = static_cast<ptrdiff_t>(channels);
  winograd_tile_out<A>(
      m, channels, out_stride, [&](int r, int q, ptrdiff_t c, vf<A> sum) __attribute__((always_inline)) {
        simd::store<A>(sums + (4 * r + q) * width + c, sum);
      });
  TileJob job;
  job.ldc = to.pixel;
  job.ldr = to.residual_pixel;
  job.columns = channels;
  job.bias = e.bias;
  job.epilogue = &e;
  for (int r = 0; r < to.rows; ++r) {
    job.c = to.y + r * to.row;
    job.residual = to.residual ? to.residual + r * to.residual_row : nullptr;
    finish_slowly<A>(job, sums + 4 * r * width, to.columns, channels);
  }
}

template <class A>
void winograd_run(const ConvShape& s, const ConvImages& images, const float* packed, const Epilogue& e,
                  float* scratch) {
  const WinogradTiles<A> tiles(s, thread_pool::size());
  const int64_t scratch_size = tiles.scratch_size(s, thread_pool::size());
  const int64_t panels_size = Panels<A>{s.out_c, s.in_c}.size();
  const float* zeros = packed + winograd_positions * panels_size;
  const bool bounds = is_bounds(e.activation) && !(e.residual_last && e.residual) && s.out_c % simd::lanes<A> == 0;
  struct Place {
    int64_t image, y, x;  // of the tile's first output
  };
  const auto place = [&](int64_t tile) {
    const int64_t x = tile % tiles.across, tile_row = tile / tiles.across;
    const int64_t y = tile_row % tiles.down, phase = tile_row / tiles.down;
    const int64_t phase_x = phase % s.dilation_w, phase_row = phase / s.dilation_w;
    return Place{phase_row / s.dilation_h, phase_row % s.dilation_h + y * winograd_tile * s.dilation_h,
                 phase_x + x * winograd_tile * s.dilation_w};
  };

  const auto read = [&](int64_t tile, float* to) {
    const Place at = place(tile);
    const float* image = images.x + at.image * s.in_h * s.in_w * images.ldx;
    const float* pixels[winograd_positions];
    for (int64_t i = 0; i < winograd_positions; ++i) {
      const int64_t iy = at.y - s.pad_top + i / winograd_window * s.dilation_h;
      const int64_t ix = at.x - s.pad_left + i % winograd_window * s.dilation_w;
      const bool is_inside = iy >= 0 && iy < s.in_h && ix >= 0 && ix < s.in_w;
      pixels[i] = is_inside ? image + (iy * s.in_w + ix) * images.ldx : zeros;
    }
    winograd_tile_in<A>(pixels, s.in_c, static_cast<ptrdiff_t>(tiles.in_stride), to);
  };
  const auto write = [&](int64_t tile, const float* from, float* sums) {
    const Place at = place(tile);
    if (at.y >= s.out_h || at.x >= s.out_w) return;  // the last images of a dilation may have fewer tiles
    const int64_t pixel = (at.image * s.out_h + at.y) * s.out_w + at.x;
    WinogradTarget to;
    to.y = images.y + pixel * images.ldy;
    to.residual = e.residual ? e.residual + pixel * e.ldr : nullptr;
    to.pixel = static_cast<ptrdiff_t>(s.dilation_w * images.ldy);
    to.row = static_cast<ptrdiff_t>(s.dilation_h * s.out_w * images.ldy);
    to.residual_pixel = static_cast<ptrdiff_t>(s.dilation_w * e.ldr);
    to.residual_row = static_cast<ptrdiff_t>(s.dilation_h * s.out_w * e.ldr);
    to.rows = static_cast<int>(lesser(winograd_tile, divide_up(s.out_h - at.y, s.dilation_h)));
    to.columns = static_cast<int>(lesser(winograd_tile, divide_up(s.out_w - at.x, s.dilation_w)));
    const auto stride = static_cast<ptrdiff_t>(tiles.out_stride);
    if (bounds) return winograd_finish<A>(to, from, s.out_c, stride, e);
    winograd_finish_slowly<A>(to, from, s.out_c, stride, e, sums);
  };

  // Threads with blocks of their own find the pool taken: the stages run on them alone.
  const auto run_block = [&](int64_t first, float* own) {
    const int64_t count = lesser(tiles.block, tiles.count - first);
    float* v = own;
    float* m = v + winograd_positions * tiles.in_stride;
    float* sums = m + winograd_positions * tiles.out_stride;
    thread_pool::parallel_for(count, thread_pool::chunk(count, 8 * winograd_positions * s.in_c),
                              [&](int64_t begin, int64_t end, int) {
                                for (int64_t t = begin; t < end; ++t) read(first + t, v + t * s.in_c);
                              });
    const int64_t work = count * s.in_c * s.out_c;
    thread_pool::parallel_for(winograd_positions, thread_pool::chunk(winograd_positions, work),
                              [&](int64_t begin, int64_t end, int) {
                                for (int64_t i = begin; i < end; ++i) {
                                  Gemm gemm;
                                  gemm.m = count;
                                  gemm.n = s.out_c;
                                  gemm.k = s.in_c;
                                  gemm.a = v + i * tiles.in_stride;
                                  gemm.lda = s.in_c;
                                  gemm.packed_b = packed + i * panels_size;
                                  gemm.c = m + i * tiles.out_stride;
                                  gemm.ldc = s.out_c;
                                  gemm_run_rows<A>(gemm, 0, count);
                                }
                              });
    thread_pool::parallel_for(count, thread_pool::chunk(count, 8 * winograd_positions * s.out_c),
                              [&](int64_t begin, int64_t end, int thread) {
                                float* pixels = sums + thread * winograd_tile * winograd_tile * s.out_c;
                                for (int64_t t = begin; t < end; ++t) write(first + t, m + t * s.out_c, pixels);
                              });
  };
  thread_pool::parallel_for(tiles.blocks, tiles.apart ? 1 : tiles.blocks, [&](int64_t begin, int64_t end, int thread) {
    for (int64_t b = begin; b < end; ++b) run_block(b * tiles.block, scratch + thread * scratch_size);
  });
}

}  // namespace nm::impl
