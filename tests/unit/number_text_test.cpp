#include "engine/base/number_text.h"

#include <bit>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "catch_amalgamated.hpp"
#include "engine/base/random.h"

namespace nm::test {
namespace {

// The C library's numbers, with the fewest digits that read back.
std::string shortest(double value, bool wide) {
  char buffer[400];
  int digits = 0;
  do {
    std::snprintf(buffer, sizeof buffer, "%.*g", ++digits, value);
  } while (wide ? std::strtod(buffer, nullptr) != value : std::strtof(buffer, nullptr) != static_cast<float>(value));
  if (std::strchr(buffer, 'e') != nullptr && std::fabs(value) >= 10 && std::fabs(value) < 1e16) {
    std::snprintf(buffer, sizeof buffer, "%.0f", value);
  }
  return buffer;
}

void check_reading(const std::string& text) {
  INFO(text);
  double value = 0;
  REQUIRE(parse_real(text, value));
  REQUIRE(std::bit_cast<uint64_t>(value) == std::bit_cast<uint64_t>(std::strtod(text.c_str(), nullptr)));
}

}  // namespace

TEST_CASE("number text: reals are written with the fewest digits that read back", "[number_text]") {
  Random random(5);
  const auto check = [](double value, bool wide) {
    INFO(value << (wide ? " double" : " float"));
    REQUIRE(real_text(value, wide) == shortest(value, wide));
  };
  for (int exponent = -1074; exponent < 1024; ++exponent) check(std::ldexp(1.0, exponent), true);
  for (int exponent = -149; exponent < 128; ++exponent) check(std::ldexp(1.0, exponent), false);
  for (int i = 0; i < 20'000; ++i) {
    const uint64_t bits = random.next();
    const auto wide = std::bit_cast<double>(bits);
    const auto narrow = std::bit_cast<float>(static_cast<uint32_t>(bits));
    if (std::isfinite(wide)) check(wide, true);
    if (std::isfinite(narrow)) check(double{narrow}, false);
    check(static_cast<double>(bits % 1'000'000) / 1000, true);
    check(static_cast<double>(static_cast<int64_t>(bits >> (bits % 64))), true);
  }
  CHECK(real_text(0, false) == "0");
  CHECK(real_text(-0.0, true) == "-0");
  CHECK(real_text(-INFINITY, false) == "-inf");
  CHECK(real_text(NAN, true) == "nan");
}

TEST_CASE("number text: decimals are read as the nearest double", "[number_text]") {
  Random random(6);
  for (int i = 0; i < 20'000; ++i) {
    std::string text = random.next() % 2 == 0 ? "-" : "";
    const uint64_t digits = 1 + random.next() % (i % 50 == 0 ? 900 : 25);
    for (uint64_t d = 0; d < digits; ++d) text += static_cast<char>('0' + random.next() % 10);
    if (random.next() % 2 == 0) text.insert(1 + random.next() % text.size(), ".");
    if (random.next() % 2 == 0) text += (random.next() % 2 == 0 ? "e-" : "E+") + std::to_string(random.next() % 360);
    check_reading(text);
  }
  // Half way between 1 and the next double, and one digit that is hundreds of places behind that.
  const std::string half = "1.00000000000000011102230246251565404236316680908203125";
  for (const std::string& text : {half, half + std::string(900, '0') + "1", half.substr(0, half.size() - 1) + "4999"}) {
    check_reading(text);
  }
  for (const char* text : {"1.7976931348623157e308", "1.7976931348623159e308", "4.9e-324", "2.4703282292062327e-324",
                           "2.4703282292062328e-324", "0e999999", "1e999999999999", "-1e-999999999999", " 5. ", ".5"}) {
    check_reading(text);
  }
  double value = 0;
  for (const char* text : {"", " ", ".", "e5", "1e", "1e+", "--1", "1 2", "1,5", "0x10", "in", "nano"}) {
    INFO(text);
    CHECK_FALSE(parse_real(text, value));
  }
  CHECK((parse_real(" -Infinity", value) && value == -INFINITY));
  CHECK((parse_real("NaN ", value) && std::isnan(value)));
}

TEST_CASE("number text: integers keep within 64 bits", "[number_text]") {
  int64_t value = 0;
  CHECK((parse_integer(" -9223372036854775808\n", value) && value == INT64_MIN));
  CHECK((parse_integer("+9223372036854775807", value) && value == INT64_MAX));
  CHECK((parse_integer("18446744073709551615", value) && value == -1));  // an uint64's bits
  for (const char* text : {"", "-", "18446744073709551616", "-9223372036854775809", "1.5", "1e3", "0x10", "- 1"}) {
    INFO(text);
    CHECK_FALSE(parse_integer(text, value));
  }
}

}  // namespace nm::test
