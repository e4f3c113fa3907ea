// The pictures that the service of demo/edge/cpp takes: files written by other programs, and damaged ones.
#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "catch_amalgamated.hpp"
#include "demo/edge/cpp/pictures/inflate.h"
#include "demo/edge/cpp/pictures/picture.h"
#include "demo/edge/cpp/pictures/png.h"

using namespace digits;

namespace {

using Bytes = std::vector<uint8_t>;

// zlib, level 0; level 9 with fixed codes and with codes of its own.
constexpr char kStored[] = "7801011500eaff696e6b2c20696e6b20616e64206d6f726520696e6b4f550759";
constexpr char kFixed[] =
    "7801335048ca2f29c9492d56c84f53c8cccb56c8cf5328c94855284fccc9d15130c42b6b8457d618afac095e5953bcb26678"
    "65cdf1ca5ae095b5c41f1a06f8a5f1879621fee032c41f5e86f803cc107f8819e20f3243fc6166883fd00cf1879a11fe5033"
    "2290c6f0879a11fe5033c21f6a46f843cd087fa819e10f3523fca166843fd400ba9033f9";
constexpr char kDynamic[] =
    "78da85d2bb0980401405d1565e0106deebbf1c054571d90d5cb07d3b18e3c90ed3c6566a4dfb13e5882bdf5172d4738f774d"
    "a9096135d60e6b8f75c03a629db0ce5817d66839b396984bec2506138b89c9c4666234b19a59cd3f8fb19a59cdac665633ab"
    "99d5cc6a66b50fba9033f9";
// Each row with another filter; in kWide interlaced, 16 bits; kIndexed 2 bits, with a palette; kFewBits 4 bits of grey.
constexpr char kGrey[] =
    "89504e470d0a1a0a0000000d4948445200000005000000070800000000e5ccd832000000144944415478da636050f5ca9fc2"
    "18ad0a044cd120c0bced806422a04200000015494441548383030b5884e1f81b41b3684625101b00de320a64927556350000"
    "000049454e44ae426082";
constexpr char kWide[] =
    "89504e470d0a1a0a0000000d494844520000000600000005100600000141cf7133000000144944415478da63606060e06590"
    "625067ec59d2b3b1675fcf00b729d6000000a8494441546926ae2fdc8cdc7cdcd2d3674c5f3a7dd3f4fdcc6e416ef16e396e"
    "952cdc5f209081b58ab59d750aeb42ef33de37bd9f797f9e2437497b92c5245746654d65336567e500a01614c804d401856c"
    "289059ea8cd425a99b52f7d59ea9a5214316a6bd4ca798ae333d011aa9a90285ca7820038739870b4720479c768276ae7695"
    "76bb5fa7df34bfc57e1b0a3715ee2f3c537873caed292fa67c9dcab4836587e00eb91dda0062aa4f16ccaab7fe0000000049"
    "454e44ae426082";
constexpr char kIndexed[] =
    "89504e470d0a1a0a0000000d494844520000000700000003020300000155aacdc00000000c504c5445000000ff000000ff00"
    "090807efaed8750000000274524e5300809b2b4e18000000144944415478da63606064605ac0dcc152c270873187010011b6"
    "162ab40000000349444154ec02f0d6b9f7f80000000049454e44ae426082";
constexpr char kFewBits[] =
    "89504e470d0a1a0a0000000d4948445200000004000000040400000000496a2ca3000000144944415478da63605466645462"
    "62606066140400029c00605a4bbd93000000004944415435af061e0000000049454e44ae426082";

Bytes bytes(std::string_view hex) {
  Bytes result;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    result.push_back(static_cast<uint8_t>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  }
  return result;
}

std::string bottles() {
  std::string text;
  for (int i = 0; i < 30; ++i) text += std::to_string(i) + " bottles of ink on the wall, ";
  return text;
}

std::string inflated(const Bytes& compressed, size_t size) {
  Bytes out(size);
  const char* wrong = inflate(compressed, out);
  return wrong == nullptr ? std::string(out.begin(), out.end()) : "";
}

Pixels decoded(std::string_view hex) {
  const auto result = decode_png(bytes(hex), 1000);
  if (const auto* refusal = std::get_if<Refusal>(&result)) FAIL(refusal->message);
  return std::get<Pixels>(result);
}

Refusal refused(const Bytes& file, size_t most = 1000) {
  const auto result = decode_png(file, most);
  REQUIRE(std::holds_alternative<Refusal>(result));
  return std::get<Refusal>(result);
}

}  // namespace

TEST_CASE("compressed data of each kind of block are inflated", "[digits][inflate]") {
  CHECK(inflated(bytes(kStored), 21) == "ink, ink and more ink");
  CHECK(inflated(bytes(kFixed), bottles().size()) == bottles());
  CHECK(inflated(bytes(kDynamic), bottles().size()) == bottles());
}

TEST_CASE("compressed data of another size are refused", "[digits][inflate]") {
  for (const char* hex : {kFixed, kDynamic}) {
    CHECK(inflated(bytes(hex), bottles().size() - 1).empty());
    CHECK(inflated(bytes(hex), bottles().size() + 1).empty());
  }
  CHECK(inflated(bytes(kStored), 20).empty());
  CHECK(inflated(bytes(kStored), 22).empty());
}

TEST_CASE("compressed data that are cut off or changed are refused", "[digits][inflate]") {
  const std::vector<std::pair<const char*, size_t>> cases = {
      {kStored, 21}, {kFixed, bottles().size()}, {kDynamic, bottles().size()}};
  for (const auto& [hex, size] : cases) {
    const Bytes whole = bytes(hex);
    for (size_t length = 0; length < whole.size(); ++length) {
      INFO(length << " bytes of " << hex);
      CHECK(inflated(Bytes(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(length)), size).empty());
    }
    const std::string text = inflated(whole, size);
    for (size_t bit = 0; bit < whole.size() * 8; ++bit) {
      Bytes changed = whole;
      changed[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
      const std::string got = inflated(changed, size);
      // Unused bits of a block's last byte, or of the header, may be anything.
      INFO("bit " << bit << " of " << hex);
      CHECK((got.empty() || got == text));
    }
  }
}

TEST_CASE("PNG files are read with every filter", "[digits][png]") {
  const Pixels grey = decoded(kGrey);
  CHECK((grey.width == 5 && grey.height == 7 && grey.channels == 1 && grey.most == 255));
  for (int y = 0; y < 7; ++y) {
    for (int x = 0; x < 5; ++x) CHECK(grey.values[y * 5 + x] == (37 * x + 91 * y) % 256);
  }
}

TEST_CASE("interlaced PNG files of 16 bits are read", "[digits][png]") {
  const Pixels wide = decoded(kWide);
  CHECK((wide.width == 6 && wide.height == 5 && wide.channels == 4 && wide.most == 65535));
  for (int y = 0; y < 5; ++y) {
    for (int x = 0; x < 6; ++x) {
      for (int c = 0; c < 4; ++c) CHECK(wide.values[(y * 6 + x) * 4 + c] == (9001 * x + 701 * y + 13 * c) % 65536);
    }
  }
}

TEST_CASE("a palette's colours are looked up, with opacity", "[digits][png]") {
  const Pixels indexed = decoded(kIndexed);
  CHECK((indexed.width == 7 && indexed.height == 3 && indexed.channels == 4 && indexed.most == 255));
  const std::vector<std::vector<uint16_t>> palette = {{0, 0, 0, 0}, {255, 0, 0, 128}, {0, 255, 0, 255}, {9, 8, 7, 255}};
  for (int y = 0; y < 3; ++y) {
    for (int x = 0; x < 7; ++x) {
      for (int c = 0; c < 4; ++c) CHECK(indexed.values[(y * 7 + x) * 4 + c] == palette[(x + y) % 4][c]);
    }
  }
}

TEST_CASE("what is no PNG file, or one of another kind, is refused by name", "[digits][png]") {
  CHECK(refused({}).message == "This is no PNG file.");
  CHECK(refused(Bytes(100, 0x89)).status == 400);
  const Refusal few = refused(bytes(kFewBits));
  CHECK(few.status == 415);
  CHECK(few.message == "The PNG file has 4 bits a channel; 8 and 16 are taken.");
  const Refusal large = refused(bytes(kGrey), 34);
  CHECK(large.status == 413);
  CHECK(large.message == "The picture has 5 × 7 pixels; up to 34 are taken.");
  Bytes none = bytes(kGrey);
  none[19] = 0;
  CHECK(refused(none).message == "The PNG file cannot be decoded: it has no pixels.");
}

TEST_CASE("damaged PNG files are refused, whatever is damaged", "[digits][png]") {
  for (const char* hex : {kGrey, kWide, kIndexed}) {
    const Bytes whole = bytes(hex);
    for (size_t length = 0; length < whole.size(); ++length) {
      INFO(length << " bytes of " << hex);
      CHECK(refused(Bytes(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(length))).status == 400);
    }
    for (size_t bit = 0; bit < whole.size() * 8; ++bit) {
      Bytes changed = whole;
      changed[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
      INFO("bit " << bit << " of " << hex);
      const int status = refused(changed).status;
      CHECK((status == 400 || status == 413));
    }
  }
}

TEST_CASE("a picture is brought into the frame", "[digits][picture]") {
  const std::vector<float> raw = ink_of_bytes(Bytes{0, 51, 255});
  CHECK(raw == std::vector<float>{0.0F, 0.2F, 1.0F});
  const auto result = ink_of_png(bytes(kGrey));
  REQUIRE(std::holds_alternative<std::vector<float>>(result));
  const auto& frame = std::get<std::vector<float>>(result);
  REQUIRE(frame.size() == 784);
  // The drawing is 20 high in a frame of 28.
  for (int x = 0; x < 28; ++x) {
    CHECK(frame[x] == 0.0F);
    CHECK(frame[27 * 28 + x] == 0.0F);
  }
  float most = 0;
  for (const float ink : frame) most = std::max(most, ink);
  CHECK(most > 0.5F);
  CHECK(most <= 1.0F);
}
