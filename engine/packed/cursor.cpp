#include "engine/packed/cursor.h"

#include "engine/base/text.h"

namespace nm::packed {

uint64_t Cursor::number() {
  uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    if (at_ == bytes_.size()) break;
    const uint8_t byte = bytes_[at_++];
    value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  fail("a number in it has no end");
  return 0;
}

int64_t Cursor::signed_number() {
  const uint64_t n = number();
  return static_cast<int64_t>(n >> 1 ^ (~(n & 1) + 1));
}

size_t Cursor::count() {
  const uint64_t n = number();
  if (n <= bytes_.size() - at_) return static_cast<size_t>(n);
  fail("a list in it is longer than the file");
  return 0;
}

size_t Cursor::index(size_t end) {
  const uint64_t n = number();
  if (n < end) return static_cast<size_t>(n);
  fail("it refers to something that is not there");
  return 0;
}

Bytes Cursor::bytes(uint64_t size) {
  if (size > bytes_.size() - at_) {
    fail("its contents are longer than the file");
    return {};
  }
  const Bytes found = bytes_.subspan(at_, static_cast<size_t>(size));
  at_ += found.size();
  return found;
}

void Cursor::fail(std::string_view why) { fail(damaged(why)); }

void Cursor::fail(Status status) {
  if (ok()) status_ = std::move(status);
  at_ = bytes_.size();
}

Status damaged(std::string_view why) {
  return {Code::InvalidModel, text("the packed model is damaged: ", why, "; download it or pack the model again")};
}

}  // namespace nm::packed
