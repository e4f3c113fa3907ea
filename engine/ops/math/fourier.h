// Discrete Fourier transforms of any length, in double precision and O(n log n).
#pragma once
#include <cstdint>

#include "engine/tensor/tensor.h"

namespace nm {

struct Complex {
  double re, im;
};

class Fourier {
 public:
  Fourier() = default;
  // n >= 1. OutOfMemory when there is none for the tables.
  static Result<Fourier> create(int64_t n);

  int64_t size() const { return n_; }
  // Elements of working space that `transform` wants.
  int64_t work() const { return work_; }

  // In place: x[k] becomes the sum over j of x[j]·exp(-2πi·jk/n); with `inverse` the sign is +, and the sums are
  // divided by n. Safe to call from several threads with spaces of their own.
  void transform(Complex* x, Complex* work, bool inverse) const;

 private:
  void stages(Complex* x, Complex* work) const;
  void convolve(Complex* x, Complex* work) const;

  int64_t n_ = 0;
  int64_t work_ = 0;
  int64_t smooth_ = 0;  // the length that is transformed by stages: n itself, or a larger power of two
  Tensor roots_;        // exp(-2πi·k/smooth) for k < smooth
  Tensor chirp_;        // where n has a large prime factor: exp(-πi·k²/n) for k < n
  Tensor filter_;       // and the transform of its conjugate, both ways around, over smooth
};

}  // namespace nm
