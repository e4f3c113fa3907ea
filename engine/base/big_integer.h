// Whole numbers of up to 4,096 bits, which hold the ratio of any decimal to any power of two that floats can have.
#pragma once
#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace nm {

// What a result would have beyond 4,096 bits is lost; whoever calls keeps below.
class BigInteger {
 public:
  explicit BigInteger(uint64_t value = 0) {
    for (; value != 0; value >>= 32) words_[size_++] = static_cast<uint32_t>(value);
  }

  bool zero() const { return size_ == 0; }
  int bits() const { return size_ == 0 ? 0 : 32 * size_ - std::countl_zero(words_[last()]); }

  void multiply_add(uint32_t factor, uint32_t summand) {
    uint64_t carry = summand;
    for (int i = 0; i < size_; ++i) {
      carry += uint64_t{words_[index(i)]} * factor;
      words_[index(i)] = static_cast<uint32_t>(carry);
      carry >>= 32;
    }
    if (carry != 0 && size_ < kWords) words_[index(size_++)] = static_cast<uint32_t>(carry);
  }

  void multiply_power_of_ten(int exponent) {
    for (; exponent >= 9; exponent -= 9) multiply_add(1'000'000'000, 0);
    for (; exponent > 0; --exponent) multiply_add(10, 0);
  }

  void shift_left(int count) {
    if (size_ == 0) return;
    const int whole = std::min(count / 32, kWords), rest = count % 32;
    size_ = std::min(size_ + whole, kWords);
    std::copy_backward(words_.begin(), words_.begin() + (size_ - whole), words_.begin() + size_);
    std::fill_n(words_.begin(), whole, 0);
    if (rest != 0) multiply_add(uint32_t{1} << rest, 0);
  }

  // Takes off another number that is not larger.
  void subtract(const BigInteger& other) {
    uint64_t borrow = 0;
    for (int i = 0; i < size_; ++i) {
      const uint64_t taken = borrow + (i < other.size_ ? other.words_[index(i)] : 0);
      borrow = words_[index(i)] < taken ? 1 : 0;
      words_[index(i)] = static_cast<uint32_t>(words_[index(i)] - taken);
    }
    while (size_ > 0 && words_[last()] == 0) --size_;
  }

  bool operator>=(const BigInteger& other) const {
    if (size_ != other.size_) return size_ > other.size_;
    for (int i = size_ - 1; i >= 0; --i) {
      if (words_[index(i)] != other.words_[index(i)]) return words_[index(i)] > other.words_[index(i)];
    }
    return true;
  }

 private:
  static constexpr int kWords = 128;
  static size_t index(int i) { return static_cast<size_t>(i); }
  size_t last() const { return index(size_ - 1); }

  std::array<uint32_t, kWords> words_{};  // the lowest first
  int size_ = 0;                          // without zeros at the top
};

}  // namespace nm
