// Sums of many parts. A chain of n additions of floats may be off by n/2 units in the last place, and with equal signs
// often is by a quarter of that; so chains end after kChain additions, and what they gave is added up with the rounding
// errors kept aside.
#pragma once
#include "engine/simd/simd.h"

namespace nm::impl {

using simd::vf;

// 64 additions of one number are off by 1e-6 at most (seen over 20,000 numbers), 32 by 5e-7.
inline constexpr int64_t kChain = 32;

// Products that are added up in one chain where a few rows walk down a matrix: few where the whole is long.
[[maybe_unused]] static constexpr int64_t row_chain(int64_t k) { return k > 16384 ? 2 * kChain : 8 * kChain; }

template <class A>
class LongSum {
 public:
  // The error of a float sum is a float, and this is it (Knuth, The Art of Computer Programming, volume 2, 4.2.2).
  void add(vf<A> part) {
    const vf<A> sum = total_ + part;
    const vf<A> taken = sum - total_;
    lost_ = lost_ + ((total_ - (sum - taken)) + (part - taken));
    total_ = sum;
  }
  // An infinite total has no error that is a number.
  vf<A> value() const { return simd::select<A>(lost_ == lost_, total_ + lost_, total_); }

 private:
  vf<A> total_{0.f}, lost_{0.f};
};

}  // namespace nm::impl
