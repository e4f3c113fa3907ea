// Transposed convolution as indirect matrix products, one for each phase of the stride: output positions of the same
// remainder (position + pad) mod stride use the same taps, those with tap·dilation of that remainder. Taps are packed
// by phase, so each phase is an ordinary product without wasted zeros.
#pragma once
#include "engine/kernels/conv.h"
#include "engine/kernels/gemm_impl.h"

namespace nm::impl {

// The taps of one axis that serve one phase: tap·dilation ≡ phase (mod stride).
template <class A>
int64_t phase_taps(int64_t kernel, int64_t dilation, int64_t stride, int64_t phase) {
  int64_t count = 0;
  for (int64_t k = 0; k < kernel; ++k) count += k * dilation % stride == phase;
  return count;
}

template <class A>
struct TransposedPacking {
  explicit TransposedPacking(const ConvShape& s)
      : in_c(s.in_c / s.groups),
        out_c(s.out_c / s.groups),
        unit{out_c, in_c},
        zeros(s.groups * s.kernel_h * s.kernel_w * unit.size()),
        size(zeros + in_c) {}
  int64_t in_c, out_c;
  Panels<A> unit;  // the panels of a single tap; those of n taps are n times as large
  int64_t zeros, size;
};

template <class A>
int64_t transposed_packed_size(const ConvShape& s) {
  return TransposedPacking<A>(s).size;
}

// Calls body(phase_h, phase_w, taps, offset) for each phase that has taps; offset counts taps before it.
template <class A, class F>
void for_phases(const ConvShape& s, F body) {
  int64_t offset = 0;
  for (int64_t ph = 0; ph < s.stride_h; ++ph) {
    const int64_t th = phase_taps<A>(s.kernel_h, s.dilation_h, s.stride_h, ph);
    for (int64_t pw = 0; pw < s.stride_w; ++pw) {
      const int64_t taps = th * phase_taps<A>(s.kernel_w, s.dilation_w, s.stride_w, pw);
      body(ph, pw, taps, offset);
      offset += taps;
    }
  }
}

template <class A>
void transposed_pack(const ConvShape& s, const void* weights, SourceType type, float* packed) {
  const TransposedPacking<A> packing(s);
  with_reader<A>(weights, type, [&](auto read) {
    thread_pool::parallel_for(s.groups, 1, [&](int64_t begin, int64_t end, int) {
      for (int64_t g = begin; g < end; ++g) {
        float* group = packed + g * s.kernel_h * s.kernel_w * packing.unit.size();
        for_phases<A>(s, [&](int64_t ph, int64_t pw, int64_t taps, int64_t offset) {
          const Panels<A> panels{packing.out_c, taps * packing.in_c};
          int64_t row = 0;
          for (int64_t ky = 0; ky < s.kernel_h; ++ky) {
            if (ky * s.dilation_h % s.stride_h != ph) continue;
            for (int64_t kx = 0; kx < s.kernel_w; ++kx) {
              if (kx * s.dilation_w % s.stride_w != pw) continue;
              for (int64_t c = 0; c < packing.in_c; ++c, ++row) {
                for (int64_t p = 0; p < panels.count(); ++p) {
                  const int64_t width = panels.width(p), columns = panels.columns(p);
                  float* out = group + offset * packing.unit.size() + panels.offset(p) + row * width;
                  for (int64_t i = 0; i < width; ++i) {
                    const int64_t o = p * Tile<A>::nr + i;
                    const int64_t at =
                        (((g * packing.in_c + c) * packing.out_c + o) * s.kernel_h + ky) * s.kernel_w + kx;
                    out[i] = i < columns ? read(at) : 0.f;
                  }
                }
              }
            }
          }
        });
      }
    });
  });
  for (int64_t i = packing.zeros; i < packing.size; ++i) packed[i] = 0;
}

inline constexpr int64_t transposed_tiles = 8;  // per block: a panel of weights is read once for so many

template <class A>
int64_t transposed_scratch_per_thread(const ConvShape& s) {
  constexpr int64_t pointer_floats = sizeof(const float*) / sizeof(float);
  return transposed_tiles * Tile<A>::mr * s.kernel_h * s.kernel_w * pointer_floats;
}
template <class A>
int64_t transposed_scratch_size(const ConvShape& s) {
  return transposed_scratch_per_thread<A>(s) * thread_pool::size() + 2;
}

// One output row of one image and group.
template <class A>
void transposed_row(const ConvShape& s, const TransposedPacking<A>& packing, const ConvImages& images,
                    const float* packed, const Epilogue& e, int64_t image, int64_t g, int64_t oy,
                    const float** starts) {
  constexpr int64_t mr = Tile<A>::mr;
  const float* zeros = packed + packing.zeros;
  const float* group = packed + g * s.kernel_h * s.kernel_w * packing.unit.size();
  const float* x = images.x + image * s.in_h * s.in_w * images.ldx + g * packing.in_c;
  for_phases<A>(s, [&](int64_t ph, int64_t pw, int64_t taps, int64_t offset) {
    if ((oy + s.pad_top) % s.stride_h != ph) return;
    const Panels<A> panels{packing.out_c, taps * packing.in_c};
    // Output columns of this phase: first, first + stride, …
    const int64_t first = ((pw - s.pad_left) % s.stride_w + s.stride_w) % s.stride_w;
    const int64_t columns = first < s.out_w ? divide_up(s.out_w - first, s.stride_w) : 0;
    for (int64_t m0 = 0; m0 < columns; m0 += transposed_tiles * mr) {
      const int64_t m1 = lesser(columns, m0 + transposed_tiles * mr);
      for (int64_t m = m0; m < m1; ++m) {
        const int64_t tile = (m - m0) / mr, rows = lesser(mr, m1 - m0 - tile * mr);
        const float** out = starts + tile * mr * taps + (m - m0 - tile * mr);
        const int64_t ox = first + m * s.stride_w;
        for (int64_t ky = 0; ky < s.kernel_h; ++ky) {
          if (ky * s.dilation_h % s.stride_h != ph) continue;
          const int64_t ty = oy + s.pad_top - ky * s.dilation_h, iy = ty / s.stride_h;
          for (int64_t kx = 0; kx < s.kernel_w; ++kx) {
            if (kx * s.dilation_w % s.stride_w != pw) continue;
            const int64_t tx = ox + s.pad_left - kx * s.dilation_w, ix = tx / s.stride_w;
            const bool in_image = ty >= 0 && tx >= 0 && iy < s.in_h && ix < s.in_w;
            *out = in_image ? x + (iy * s.in_w + ix) * images.ldx : zeros;
            out += rows;
          }
        }
      }
      for (int64_t p = 0; p < panels.count(); ++p) {
        const int64_t channel = g * packing.out_c + p * Tile<A>::nr;
        TileJob job;
        job.taps = taps;
        job.depth = packing.in_c;
        job.rows = starts;
        job.b = group + offset * packing.unit.size() + panels.offset(p);
        job.ldc = s.stride_w * images.ldy;
        job.columns = panels.columns(p);
        job.bias = e.bias ? e.bias + channel : nullptr;
        job.ldr = s.stride_w * e.ldr;
        job.epilogue = &e;
        for (int64_t m = m0; m < m1; m += mr) {
          const int64_t pixel = (image * s.out_h + oy) * s.out_w + first + m * s.stride_w;
          const int rows = static_cast<int>(lesser(mr, m1 - m));
          job.c = images.y + pixel * images.ldy + channel;
          job.residual = e.residual ? e.residual + pixel * e.ldr + channel : nullptr;
          tile_for<A>(rows, panels.vectors(p))(job);
          job.rows += mr * taps;
        }
      }
    }
  });
}

template <class A>
void transposed_run(const ConvShape& s, const ConvImages& images, const float* packed, const Epilogue& e,
                    float* scratch) {
  const TransposedPacking<A> packing(s);
  // Pointers are stored there: align what the caller gave.
  float* aligned = reinterpret_cast<float*>((reinterpret_cast<uintptr_t>(scratch) + 7) & ~uintptr_t{7});
  const int64_t count = s.batch * s.groups * s.out_h;
  const int64_t taps = divide_up(s.kernel_h, s.stride_h) * divide_up(s.kernel_w, s.stride_w);
  const int64_t work = s.out_w * (s.out_c / s.groups) * (s.in_c / s.groups) * taps;
  thread_pool::parallel_for(count, thread_pool::chunk(count, work), [&](int64_t begin, int64_t end, int thread) {
    const float** starts = reinterpret_cast<const float**>(aligned + thread * transposed_scratch_per_thread<A>(s));
    for (int64_t task = begin; task < end; ++task) {
      const int64_t oy = task % s.out_h, g = task / s.out_h % s.groups, image = task / s.out_h / s.groups;
      transposed_row<A>(s, packing, images, packed, e, image, g, oy, starts);
    }
  });
}

}  // namespace nm::impl
