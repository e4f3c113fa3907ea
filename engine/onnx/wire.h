// Reads protobuf's wire format from bytes that may say anything. Nothing is copied; every length is checked.
#pragma once
#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "engine/base/status.h"

namespace nm::onnx {

using Bytes = std::span<const uint8_t>;

enum class WireType : uint8_t { Varint = 0, Fixed64 = 1, Length = 2, Fixed32 = 5 };

// Walks the fields of one message: while (reader.next()) switch (reader.field()) … A malformed field ends the walk
// and status() says so.
class WireReader {
 public:
  explicit WireReader(Bytes bytes) : p_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  bool next();
  uint32_t field() const { return field_; }
  WireType type() const { return type_; }
  Status status() const {
    return malformed_ ? Status(Code::InvalidModel,
                               "the model file is damaged or not an ONNX model: a protobuf field is malformed or cut "
                               "short; download or export it again")
                      : Status();
  }

  // The current field as a scalar. A field of another wire type makes the message malformed.
  uint64_t varint() {
    expect(WireType::Varint);
    return scalar_;
  }
  int64_t int64() { return static_cast<int64_t>(varint()); }
  float float32() {
    expect(WireType::Fixed32);
    return std::bit_cast<float>(static_cast<uint32_t>(scalar_));
  }
  Bytes bytes() {
    expect(WireType::Length);
    return type_ == WireType::Length ? payload_ : Bytes();
  }
  std::string_view string() {
    const Bytes b = bytes();
    return {reinterpret_cast<const char*>(b.data()), b.size()};
  }

  // Repeated numbers come packed or one by one; each value is given to `sink`.
  template <class Sink>
  void varints(Sink sink) {
    if (type_ != WireType::Length) return sink(varint());
    const uint8_t* p = payload_.data();
    const uint8_t* end = p + payload_.size();
    while (p < end) {
      uint64_t v = 0;
      if (!read_varint(p, end, v)) return fail();
      sink(v);
    }
  }
  template <class T, class Sink>  // float, double
  void fixeds(Sink sink) {
    constexpr WireType kType = sizeof(T) == 4 ? WireType::Fixed32 : WireType::Fixed64;
    using Bits = std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>;
    if (type_ == kType) return sink(std::bit_cast<T>(static_cast<Bits>(scalar_)));
    if (type_ != WireType::Length || payload_.size() % sizeof(T) != 0) return fail();
    for (size_t i = 0; i < payload_.size(); i += sizeof(T)) {
      T v;
      std::memcpy(&v, payload_.data() + i, sizeof v);
      sink(v);
    }
  }

 private:
  static bool read_varint(const uint8_t*& p, const uint8_t* end, uint64_t& value);
  void expect(WireType type) {
    if (type_ != type) fail();
  }
  void fail() {
    malformed_ = true;
    p_ = end_;
  }

  const uint8_t* p_;
  const uint8_t* end_;
  uint32_t field_ = 0;
  WireType type_ = WireType::Varint;
  uint64_t scalar_ = 0;
  Bytes payload_;
  bool malformed_ = false;
};

}  // namespace nm::onnx
