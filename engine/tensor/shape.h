// A tensor's dimensions. A negative entry is not known yet: -1 nothing is known, other negative numbers name a
// symbol of the graph (equal numbers are equal dimensions).
#pragma once
#include <array>
#include <cassert>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>

namespace nm {

inline constexpr int kMaxRank = 12;
inline constexpr int64_t kUnknownDim = -1;

class Shape {
 public:
  Shape() = default;
  Shape(std::initializer_list<int64_t> dims) {
    for (const int64_t d : dims) push_back(d);
  }
  explicit Shape(std::span<const int64_t> dims) {
    for (const int64_t d : dims) push_back(d);
  }
  static Shape filled(int rank, int64_t dim) {
    Shape s;
    for (int i = 0; i < rank; ++i) s.push_back(dim);
    return s;
  }

  int rank() const { return rank_; }
  int64_t operator[](int i) const { return dims_[i]; }
  int64_t& operator[](int i) { return dims_[i]; }
  int64_t back() const { return dims_[rank_ - 1]; }
  // The caller has checked that rank < kMaxRank.
  void push_back(int64_t dim) {
    assert(rank_ < kMaxRank);
    dims_[rank_++] = dim;
  }
  void insert(int at, int64_t dim) {
    push_back(0);
    for (int i = rank_ - 1; i > at; --i) dims_[i] = dims_[i - 1];
    dims_[at] = dim;
  }
  void erase(int at) {
    for (int i = at; i + 1 < rank_; ++i) dims_[i] = dims_[i + 1];
    --rank_;
  }

  const int64_t* begin() const { return dims_.data(); }
  const int64_t* end() const { return dims_.data() + rank_; }
  const int64_t* data() const { return dims_.data(); }
  std::span<const int64_t> dims() const { return {dims_.data(), static_cast<size_t>(rank_)}; }

  bool known() const {
    for (const int64_t d : *this) {
      if (d < 0) return false;
    }
    return true;
  }
  // Number of elements; all dimensions must be known. -1 when it does not fit an int64.
  int64_t count() const { return count(0, rank_); }
  // Product of the dimensions [from, to).
  int64_t count(int from, int to) const;

  friend bool operator==(const Shape& a, const Shape& b) {
    if (a.rank_ != b.rank_) return false;
    for (int i = 0; i < a.rank_; ++i) {
      if (a.dims_[i] != b.dims_[i]) return false;
    }
    return true;
  }

 private:
  std::array<int64_t, kMaxRank> dims_{};
  int rank_ = 0;
};

// "[1,3,?,224]"
std::string to_string(const Shape& shape);

// An axis in [-rank, rank) made non-negative; -1 when it is out of range.
inline int normalize_axis(int64_t axis, int rank) {
  if (axis < -rank || axis >= rank) return -1;
  return static_cast<int>(axis < 0 ? axis + rank : axis);
}

}  // namespace nm
