#include "engine/onnx/wire.h"

#include <string>

#include "catch_amalgamated.hpp"

using namespace nm::onnx;

namespace {

Bytes bytes_of(const std::string& s) { return {reinterpret_cast<const uint8_t*>(s.data()), s.size()}; }

bool malformed(const std::string& s) {
  WireReader r(bytes_of(s));
  while (r.next()) {
  }
  return !r.status().ok();
}

}  // namespace

TEST_CASE("fields are read with their numbers and types") {
  const std::string s(
      "\x08\x96\x01\x12\x03"
      "abc"
      "\x1d\x00\x00\x80\x3f",
      13);
  WireReader r(bytes_of(s));
  REQUIRE(r.next());
  CHECK(r.field() == 1);
  CHECK(r.varint() == 150);
  REQUIRE(r.next());
  CHECK(r.string() == "abc");
  REQUIRE(r.next());
  CHECK(r.float32() == 1.0f);
  CHECK(!r.next());
  CHECK(r.status().ok());
}

TEST_CASE("what is cut short or not protobuf is malformed") {
  CHECK(malformed("\x08"));  // no value
  CHECK(
      malformed("\x12\x05"
                "ab"));                                                  // fewer bytes than said
  CHECK(malformed("\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"));      // an absurd length
  CHECK(malformed("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"));  // a varint without end
  CHECK(malformed("\x0b"));                                              // a group
  CHECK(malformed(std::string("\x00\x01", 2)));                          // field 0
  CHECK(
      malformed("\x1d"
                "abc"));  // three bytes of a float
}

TEST_CASE("a field of an unexpected type makes the message malformed") {
  const std::string s("\x0a\x01x", 3);
  WireReader r(bytes_of(s));
  REQUIRE(r.next());
  CHECK(r.varint() == 0);
  CHECK(!r.status().ok());
}
