#include "engine/onnx/wire.h"

namespace nm::onnx {

bool WireReader::read_varint(const uint8_t*& p, const uint8_t* end, uint64_t& value) {
  value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    if (p == end) return false;
    const uint8_t byte = *p++;
    value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

bool WireReader::next() {
  if (p_ == end_) return false;
  uint64_t tag = 0;
  if (!read_varint(p_, end_, tag) || tag > UINT32_MAX || tag < 8) {
    fail();
    return false;
  }
  field_ = static_cast<uint32_t>(tag >> 3);
  type_ = static_cast<WireType>(tag & 7);
  const auto left = static_cast<uint64_t>(end_ - p_);
  switch (type_) {
    case WireType::Varint:
      if (read_varint(p_, end_, scalar_)) return true;
      break;
    case WireType::Fixed64:
      if (left < 8) break;
      std::memcpy(&scalar_, p_, 8);
      p_ += 8;
      return true;
    case WireType::Fixed32: {
      if (left < 4) break;
      uint32_t v = 0;
      std::memcpy(&v, p_, 4);
      scalar_ = v;
      p_ += 4;
      return true;
    }
    case WireType::Length: {
      uint64_t length = 0;
      if (!read_varint(p_, end_, length) || length > static_cast<uint64_t>(end_ - p_)) break;
      payload_ = Bytes(p_, static_cast<size_t>(length));
      p_ += length;
      return true;
    }
  }
  fail();  // groups, which ONNX does not use, end here too
  return false;
}

}  // namespace nm::onnx
