#include <algorithm>
#include <cstring>
#include <string>

#include "engine/base/memory.h"
#include "engine/packed/checksum.h"
#include "engine/packed/cursor.h"
#include "tests/fuzz/bounded_run.h"
#include "tests/fuzz/targets.h"

namespace nm::fuzz {
namespace {

constexpr uint64_t kMostBlockBytes = 1 << 18;

template <class T>
void put(std::string& file, const T& value) {
  file.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void put_checksum(std::string& file) {
  packed::Checksum checksum;
  checksum.add({reinterpret_cast<const uint8_t*>(file.data()), file.size()});
  put(file, checksum.value());
}

// The file around a graph section, with contents for the blocks that it wants; empty when these are too large.
std::string file_around(Bytes section) {
  std::string file(sizeof(packed::Header), '\0');
  file.append(reinterpret_cast<const char*>(section.data()), section.size());
  packed::Cursor cursor(section);
  for (size_t left = cursor.count(); left > 0 && cursor.ok(); --left) {
    const uint64_t bytes = cursor.number();
    if (bytes > kMostBlockBytes || file.size() > kMostBlockBytes) return {};
    file.resize(align_up(file.size()));
    for (uint64_t i = 0; i < bytes; ++i) file += static_cast<char>(i % 61);
  }
  packed::Header header{{}, packed::kByteOrder, packed::kVersion, 0, 0, section.size(), file.size() + sizeof(uint64_t)};
  std::copy(std::begin(packed::kMagic), std::end(packed::kMagic), header.magic);
  std::memcpy(file.data(), &header, sizeof header);
  put_checksum(file);
  return file;
}

}  // namespace

// The first byte says which of the two it is, and in what pieces the file comes.
void run_packed(Bytes bytes) {
  if (bytes.empty()) return;
  const uint8_t how = bytes[0];
  bytes = bytes.subspan(1);
  std::string file;
  if (how & 1) {
    file.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    put_checksum(file);
  } else {
    file = file_around(bytes);
  }
  auto session = load({reinterpret_cast<const uint8_t*>(file.data()), file.size()}, size_t{1} << (how >> 1) % 16, true);
  if (session.ok()) static_cast<void>(run(**session, {}, how));
}

}  // namespace nm::fuzz
