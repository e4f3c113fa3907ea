// The rotation of RotaryEmbedding and GroupQueryAttention.
#pragma once
#include <cstdint>

namespace nm {

// Turns the pairs among a head's first `turned` elements by the angles whose cosines and sines are given, turned / 2 of
// each, and copies the others. A pair is two neighbours, or an element and the one half of `turned` behind it. y may
// be x.
template <class T>
void turn_head(const T* x, T* y, const T* cosines, const T* sines, int64_t turned, int64_t size, bool neighbours) {
  const int64_t half = turned / 2, step = neighbours ? 2 : 1, apart = neighbours ? 1 : half;
  for (int64_t i = 0; i < half; ++i) {
    const T a = x[i * step];
    const T b = x[i * step + apart];
    y[i * step] = a * cosines[i] - b * sines[i];
    y[i * step + apart] = a * sines[i] + b * cosines[i];
  }
  for (int64_t i = turned; i < size; ++i) y[i] = x[i];
}

}  // namespace nm
