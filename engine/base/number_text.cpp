// The C library does all this in 30 KB of WebAssembly, with floats of 128 bits; std::to_chars has tables that weigh
// more. Here decimals and floats are compared as ratios of whole numbers, which is exact and small.
#include "engine/base/number_text.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

#include "engine/base/big_integer.h"

namespace nm {
namespace {

// Bits of a float's significand, and the exponent of the smallest number that has all of them.
struct Format {
  int bits;
  int smallest;
};
constexpr Format kFloat{24, -126}, kDouble{53, -1022};

// Significant digits of which each can decide between two doubles; of what is behind them it matters whether it is
// zero.
constexpr int kMostDigits = 768;
// Beyond, decimals are infinite or zero in every format.
constexpr int kMostPower = 400;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

// digits · 10^power, rounded to the nearest, of two equally near ones to the even one.
double nearest(BigInteger numerator, int power, const Format& format) {
  if (numerator.zero()) return 0;
  BigInteger denominator(1);
  (power < 0 ? denominator : numerator).multiply_power_of_ten(std::abs(power));
  // The ratio as r · 2^exponent, 1 <= r < 2.
  int exponent = numerator.bits() - denominator.bits();
  (exponent < 0 ? numerator : denominator).shift_left(std::abs(exponent));
  if (!(numerator >= denominator)) {
    numerator.shift_left(1);
    --exponent;
  }
  const int bits = std::min(format.bits, format.bits + exponent - format.smallest);
  if (bits < 0) return 0;
  const auto next_bit = [&] {
    const bool set = numerator >= denominator;
    if (set) numerator.subtract(denominator);
    numerator.shift_left(1);
    return set;
  };
  uint64_t significand = 0;
  for (int i = 0; i < bits; ++i) significand = significand << 1 | uint64_t{next_bit()};
  if (next_bit() && (!numerator.zero() || (significand & 1) != 0)) ++significand;
  const double value = std::ldexp(static_cast<double>(significand), exponent + 1 - bits);
  return format.bits == kFloat.bits ? double{static_cast<float>(value)} : value;
}

// The digits of a positive number: d.ddd · 10^power.
struct Decimal {
  static constexpr int kCount = 18;  // one more than tell any two doubles apart
  int digits[kCount] = {};
  int power = 0;
  bool more = false;  // behind the last digit

  explicit Decimal(double value) {
    int exponent = 0;
    const auto significand = static_cast<uint64_t>(std::ldexp(std::frexp(value, &exponent), 53));
    BigInteger numerator(significand), denominator(1);
    (exponent < 53 ? denominator : numerator).shift_left(std::abs(exponent - 53));
    // Within one of the logarithm, by log10(2) = 1233 / 4096.
    power = ((exponent - 1) * 1233) >> 12;
    (power > 0 ? denominator : numerator).multiply_power_of_ten(std::abs(power));
    BigInteger ten = denominator;
    ten.multiply_add(10, 0);
    if (numerator >= ten) {
      denominator = ten;
      ++power;
    }
    if (!(numerator >= denominator)) {
      numerator.multiply_add(10, 0);
      --power;
    }
    for (int& digit : digits) {
      for (; numerator >= denominator; ++digit) numerator.subtract(denominator);
      numerator.multiply_add(10, 0);
    }
    more = !numerator.zero();
  }

  // Rounded to the first n digits, 0 < n < kCount, as a number of n digits.
  uint64_t rounded(int n) const {
    uint64_t number = 0;
    for (int i = 0; i < n; ++i) number = number * 10 + static_cast<uint64_t>(digits[i]);
    const bool rest = more || std::any_of(digits + n + 1, digits + kCount, [](int d) { return d != 0; });
    if (digits[n] > 5 || (digits[n] == 5 && (rest || number % 2 != 0))) ++number;
    return number;
  }
};

// d.ddd · 10^power as "%g" writes it, without zeros at the end.
std::string general(std::string digits, int power, int precision) {
  digits.resize(std::min(digits.size(), digits.find_last_not_of('0') + 1));
  if (power < -4 || power >= precision) {
    const std::string exponent = std::to_string(std::abs(power));
    if (digits.size() > 1) digits.insert(1, ".");
    return digits + (power < 0 ? "e-" : "e+") + (exponent.size() < 2 ? "0" : "") + exponent;
  }
  if (power < 0) return "0." + std::string(static_cast<size_t>(-power) - 1, '0') + digits;
  const size_t whole = static_cast<size_t>(power) + 1;
  if (digits.size() <= whole) return digits + std::string(whole - digits.size(), '0');
  return digits.insert(whole, ".");
}

std::string positive_text(double value, const Format& format) {
  const Decimal decimal(value);
  int n = 1;
  const auto reads_back = [&] {
    return nearest(BigInteger(decimal.rounded(n)), decimal.power - (n - 1), format) == value;
  };
  while (n < Decimal::kCount - 1 && !reads_back()) ++n;
  // Whole numbers are written out, though their last digits may be zeros.
  const bool whole = decimal.power >= n && decimal.power < 16;
  if (whole) n = decimal.power + 1;
  std::string digits = std::to_string(decimal.rounded(n));
  // 9.96 is 10.0 with three digits.
  const int power = decimal.power + static_cast<int>(digits.size()) - n;
  return general(std::move(digits), power, whole ? power + 1 : n);
}

// A number's sign, if there is one, comes off the front of the text.
bool take_sign(std::string_view& text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  return negative;
}

bool is_word(std::string_view text, std::string_view word) {
  return std::equal(text.begin(), text.end(), word.begin(), word.end(), [](char a, char b) { return (a | 0x20) == b; });
}

std::string_view without_blanks(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

// "12.5e-3" without a sign.
bool parse_decimal(std::string_view text, double& value) {
  BigInteger digits;
  int count = 0, power = 0;
  bool point = false, any = false, more = false;
  size_t i = 0;
  for (; i < text.size() && (is_digit(text[i]) || (text[i] == '.' && !point)); ++i) {
    if (text[i] == '.') {
      point = true;
      continue;
    }
    any = true;
    if (count < kMostDigits) {
      digits.multiply_add(10, static_cast<uint32_t>(text[i] - '0'));
      if (!digits.zero()) ++count;
      if (point) power = std::max(power - 1, -kMostPower - kMostDigits);
    } else {
      more |= text[i] != '0';
      if (!point) power = std::min(power + 1, kMostPower);
    }
  }
  if (!any) return false;
  if (i < text.size() && (text[i] | 0x20) == 'e') {
    std::string_view rest = text.substr(i + 1);
    const bool negative = take_sign(rest);
    if (rest.empty() || !std::all_of(rest.begin(), rest.end(), is_digit)) return false;
    int exponent = 0;
    for (const char c : rest) exponent = std::min(exponent * 10 + (c - '0'), 100'000);
    power += negative ? -exponent : exponent;
  } else if (i < text.size()) {
    return false;
  }
  if (more) {
    digits.multiply_add(10, 1);
    --power;
  }
  // The power of the first digit.
  const int first = power + count;
  value = digits.zero() || first < -kMostPower ? 0
          : first > kMostPower                 ? std::numeric_limits<double>::infinity()
                                               : nearest(digits, power, kDouble);
  return true;
}

}  // namespace

std::string real_text(double value, bool wide) {
  if (std::isnan(value)) return "nan";
  const std::string sign = std::signbit(value) ? "-" : "";
  if (std::isinf(value)) return sign + "inf";
  if (value == 0) return sign + "0";
  return sign + positive_text(std::fabs(value), wide ? kDouble : kFloat);
}

bool parse_real(const std::string& text, double& value) {
  std::string_view rest = without_blanks(text);
  const bool negative = take_sign(rest);
  if (is_word(rest, "inf") || is_word(rest, "infinity")) {
    value = std::numeric_limits<double>::infinity();
  } else if (is_word(rest, "nan")) {
    value = std::numeric_limits<double>::quiet_NaN();
  } else if (!parse_decimal(rest, value)) {
    return false;
  }
  if (negative) value = -value;
  return true;
}

bool parse_integer(const std::string& text, int64_t& value) {
  std::string_view rest = without_blanks(text);
  const bool negative = take_sign(rest);
  uint64_t magnitude = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), magnitude);
  // What is above the largest int64 is an uint64's bits.
  if (error != std::errc() || end != rest.data() + rest.size()) return false;
  if (negative && magnitude > uint64_t{1} << 63) return false;
  value = static_cast<int64_t>(negative ? 0 - magnitude : magnitude);
  return true;
}

}  // namespace nm
