#include "engine/packed/checksum.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace nm::packed {
namespace {

// An odd number, half of whose bits are set: multiplying by it loses nothing and moves every bit upwards.
constexpr uint64_t kFactor = 0x9e3779b97f4a7c15;

using Sums = std::array<uint64_t, 4>;

// Each step can be undone, so a change of one word cannot be lost on the way.
void add_stripe(Sums& sums, const uint8_t* stripe) {
  for (size_t i = 0; i < sums.size(); ++i) {
    uint64_t word;
    std::memcpy(&word, stripe + i * sizeof word, sizeof word);
    sums[i] = std::rotl((sums[i] ^ word) * kFactor, 29);
  }
}

}  // namespace

void Checksum::add(Bytes bytes) {
  const size_t pending = size_ % kStripe;
  size_ += bytes.size();
  if (pending > 0) {
    const size_t more = std::min(kStripe - pending, bytes.size());
    std::copy_n(bytes.data(), more, pending_.data() + pending);
    if (pending + more < kStripe) return;
    add_stripe(sums_, pending_.data());
    bytes = bytes.subspan(more);
  }
  Sums sums = sums_;
  size_t at = 0;
  for (; bytes.size() - at >= kStripe; at += kStripe) add_stripe(sums, bytes.data() + at);
  sums_ = sums;
  std::copy(bytes.begin() + static_cast<std::ptrdiff_t>(at), bytes.end(), pending_.begin());
}

uint64_t Checksum::value() const {
  Sums sums = sums_;
  std::array<uint8_t, kStripe> last{};
  std::copy_n(pending_.begin(), size_ % kStripe, last.begin());
  add_stripe(sums, last.data());
  uint64_t value = size_;
  for (const uint64_t sum : sums) {
    value = (value ^ sum) * kFactor;
    value ^= value >> 32;
  }
  return value;
}

}  // namespace nm::packed
