#include "demo/edge/cpp/pictures/inflate.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace digits {
namespace {

constexpr int kLongestCode = 15;
constexpr int kLiterals = 288;
constexpr int kDistances = 30;
constexpr int kEndOfBlock = 256;

constexpr char kCutOff[] = "the compressed data are cut off";
constexpr char kBadCode[] = "the compressed data are damaged";
constexpr char kTooMuch[] = "it holds more pixels than it says";

// A canonical Huffman code: symbols in the order of their codes, and how many codes of each length there are.
struct Code {
  std::array<uint16_t, kLongestCode + 1> count{};
  std::array<uint16_t, kLiterals> symbols{};

  // False when the lengths are those of no code. A single code of one bit is allowed, as compressors write it.
  bool build(std::span<const uint8_t> lengths) {
    count = {};
    for (const uint8_t length : lengths) count[length] += 1;
    int left = 1;
    for (int length = 1; length <= kLongestCode; ++length) {
      left = left * 2 - count[length];
      if (left < 0) return false;
    }
    const int codes = static_cast<int>(lengths.size()) - count[0];
    if (left > 0 && !(codes == 1 && count[1] == 1) && codes != 0) return false;
    std::array<uint16_t, kLongestCode + 2> first{};
    for (int length = 1; length <= kLongestCode; ++length) first[length + 1] = first[length] + count[length];
    for (size_t symbol = 0; symbol < lengths.size(); ++symbol) {
      if (lengths[symbol] != 0) symbols[first[lengths[symbol]]++] = static_cast<uint16_t>(symbol);
    }
    return true;
  }
};

class Inflater {
 public:
  Inflater(std::span<const uint8_t> in, std::span<uint8_t> out) : in_(in), out_(out) {}

  const char* run() {
    for (bool last = false; !last;) {
      last = bits(1) == 1;
      const uint32_t kind = bits(2);
      const char* wrong = kind == 0 ? stored() : kind == 1 ? fixed() : kind == 2 ? dynamic() : kBadCode;
      if (wrong == nullptr && cut_off_) wrong = kCutOff;
      if (wrong != nullptr) return wrong;
    }
    if (end_ < out_.size()) return "it holds fewer pixels than it says";
    return checksum() ? nullptr : kBadCode;
  }

 private:
  // The next bits, low ones first; zeros where there are none left.
  uint32_t bits(int count) {
    while (held_ < count) {
      if (at_ == in_.size()) {
        cut_off_ = true;
        return 0;
      }
      buffer_ |= static_cast<uint32_t>(in_[at_++]) << held_;
      held_ += 8;
    }
    const uint32_t value = buffer_ & ((uint32_t{1} << count) - 1);
    buffer_ >>= count;
    held_ -= count;
    return value;
  }

  // The next symbol, or -1.
  int symbol(const Code& code) {
    int value = 0;
    int first = 0;
    int index = 0;
    for (int length = 1; length <= kLongestCode; ++length) {
      value |= static_cast<int>(bits(1));
      if (cut_off_) return -1;
      const int count = code.count[length];
      if (value - first < count) return code.symbols[index + value - first];
      index += count;
      first = (first + count) * 2;
      value *= 2;
    }
    return -1;
  }

  const char* stored() {
    buffer_ = 0;
    held_ = 0;
    if (in_.size() - at_ < 4) return kCutOff;
    const size_t length = in_[at_] | in_[at_ + 1] << 8;
    const size_t inverse = in_[at_ + 2] | in_[at_ + 3] << 8;
    if (inverse != (length ^ 0xffff)) return kBadCode;
    at_ += 4;
    if (in_.size() - at_ < length) return kCutOff;
    if (out_.size() - end_ < length) return kTooMuch;
    for (size_t i = 0; i < length; ++i) out_[end_++] = in_[at_++];
    return nullptr;
  }

  const char* fixed() {
    std::array<uint8_t, kLiterals + 32> lengths{};
    for (int i = 0; i < kLiterals; ++i) lengths[i] = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;
    for (size_t i = kLiterals; i < lengths.size(); ++i) lengths[i] = 5;
    return codes(lengths, kLiterals);
  }

  const char* dynamic() {
    constexpr std::array<uint8_t, 19> order = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
    const size_t literals = bits(5) + 257;
    const size_t distances = bits(5) + 1;
    const size_t given = bits(4) + 4;
    if (literals > 286 || distances > kDistances) return kBadCode;
    std::array<uint8_t, 19> of_lengths{};
    for (size_t i = 0; i < given; ++i) of_lengths[order[i]] = static_cast<uint8_t>(bits(3));
    Code code;
    if (cut_off_) return kCutOff;
    if (!code.build(of_lengths)) return kBadCode;
    std::array<uint8_t, kLiterals + 32> lengths{};
    for (size_t i = 0; i < literals + distances;) {
      const int next = symbol(code);
      if (next < 0) return cut_off_ ? kCutOff : kBadCode;
      if (next < 16) {
        lengths[i++] = static_cast<uint8_t>(next);
        continue;
      }
      if (next == 16 && i == 0) return kBadCode;
      const uint8_t repeated = next == 16 ? lengths[i - 1] : 0;
      const size_t times = next == 16 ? 3 + bits(2) : next == 17 ? 3 + bits(3) : 11 + bits(7);
      if (times > literals + distances - i) return kBadCode;
      for (size_t end = i + times; i < end;) lengths[i++] = repeated;
    }
    return codes(std::span(lengths).first(literals + distances), literals);
  }

  // A block in the codes with these lengths, of which the first `literals` are those of literals and lengths.
  const char* codes(std::span<const uint8_t> lengths, size_t literals) {
    constexpr std::array<uint16_t, 29> length_base = {3,  4,  5,  6,  7,  8,  9,  10, 11,  13,  15,  17,  19,  23, 27,
                                                      31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258};
    constexpr std::array<uint8_t, 29> length_extra = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2,
                                                      2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};
    Code literal;
    Code distance;
    if (!literal.build(lengths.first(literals)) || !distance.build(lengths.subspan(literals))) return kBadCode;
    for (;;) {
      const int next = symbol(literal);
      if (next == kEndOfBlock) return nullptr;
      if (next < 0 || next > 285) return cut_off_ ? kCutOff : kBadCode;
      if (next < kEndOfBlock) {
        if (end_ == out_.size()) return kTooMuch;
        out_[end_++] = static_cast<uint8_t>(next);
        continue;
      }
      const size_t length = length_base[next - 257] + bits(length_extra[next - 257]);
      const int far = symbol(distance);
      if (far < 0 || far >= kDistances) return cut_off_ ? kCutOff : kBadCode;
      const int extra = far < 4 ? 0 : far / 2 - 1;
      const size_t back = (far < 4 ? far + 1 : ((2 + far % 2) << extra) + 1) + bits(extra);
      if (cut_off_) return kCutOff;
      if (back > end_) return kBadCode;
      if (length > out_.size() - end_) return kTooMuch;
      for (size_t i = 0; i < length; ++i, ++end_) out_[end_] = out_[end_ - back];
    }
  }

  // Adler-32, which stands behind the last block.
  bool checksum() const {
    if (in_.size() - at_ < 4) return false;
    uint32_t a = 1;
    uint32_t b = 0;
    for (size_t i = 0; i < out_.size();) {
      // So many sums of bytes fit 32 bits before they are brought back.
      for (const size_t end = std::min(out_.size(), i + 5552); i < end; ++i) b += a += out_[i];
      a %= 65521;
      b %= 65521;
    }
    uint32_t said = 0;
    for (size_t i = 0; i < 4; ++i) said = said << 8 | in_[at_ + i];
    return said == (b << 16 | a);
  }

  std::span<const uint8_t> in_;
  std::span<uint8_t> out_;
  size_t at_ = 0;
  size_t end_ = 0;
  uint32_t buffer_ = 0;
  int held_ = 0;
  bool cut_off_ = false;
};

}  // namespace

const char* inflate(std::span<const uint8_t> in, std::span<uint8_t> out) {
  if (in.size() < 2) return kCutOff;
  // Method 8 with a window of at most 32 KiB, a header that divides by 31, and no dictionary.
  const bool zlib = (in[0] & 15) == 8 && in[0] >> 4 <= 7 && (in[0] << 8 | in[1]) % 31 == 0 && (in[1] & 32) == 0;
  return zlib ? Inflater(in.subspan(2), out).run() : kBadCode;
}

}  // namespace digits
