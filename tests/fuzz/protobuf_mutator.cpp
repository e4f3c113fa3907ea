// Changes an ONNX file as its writers could have: numbers become others, above all those at the ends of their types;
// texts become others that the file has, so that nodes get other inputs; fields come twice, go, or change places. All
// lengths fit afterwards. Nothing is known of the schema: what can be read as a message is taken for one.
#include <algorithm>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "engine/onnx/wire.h"
#include "tests/fuzz/numbers.h"
#include "tests/fuzz/targets.h"

namespace nm::fuzz {
namespace {

using onnx::WireType;
using Random = std::minstd_rand;

constexpr int kDeepest = 12;

struct Field {
  uint32_t number = 0;
  WireType type = WireType::Varint;
  uint64_t scalar = 0;
  std::string payload;
};

bool parse(std::string_view bytes, std::vector<Field>& fields) {
  const auto* p = reinterpret_cast<const uint8_t*>(bytes.data());
  const uint8_t* const end = p + bytes.size();
  const auto varint = [&](uint64_t& v) {
    v = 0;
    for (int shift = 0; p != end && shift < 64; shift += 7) {
      const uint8_t byte = *p++;
      v |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return true;
    }
    return false;
  };
  while (p != end) {
    uint64_t tag = 0;
    if (!varint(tag) || tag < 8 || tag > 1 << 16) return false;
    Field f;
    f.number = static_cast<uint32_t>(tag >> 3);
    f.type = static_cast<WireType>(tag & 7);
    const auto left = static_cast<size_t>(end - p);
    if (f.type == WireType::Varint) {
      if (!varint(f.scalar)) return false;
    } else if (f.type == WireType::Fixed32 || f.type == WireType::Fixed64) {
      const size_t size = f.type == WireType::Fixed32 ? 4 : 8;
      if (left < size) return false;
      std::memcpy(&f.scalar, p, size);
      p += size;
    } else if (f.type == WireType::Length) {
      uint64_t length = 0;
      if (!varint(length) || length > static_cast<uint64_t>(end - p)) return false;
      f.payload.assign(reinterpret_cast<const char*>(p), static_cast<size_t>(length));
      p += length;
    } else {
      return false;
    }
    fields.push_back(std::move(f));
  }
  return true;
}

void write_varint(uint64_t v, std::string& out) {
  for (; v >= 0x80; v >>= 7) out += static_cast<char>(v | 0x80);
  out += static_cast<char>(v);
}

std::string write(const std::vector<Field>& fields) {
  std::string out;
  for (const Field& f : fields) {
    write_varint(static_cast<uint64_t>(f.number) << 3 | static_cast<uint64_t>(f.type), out);
    if (f.type == WireType::Varint) {
      write_varint(f.scalar, out);
    } else if (f.type == WireType::Length) {
      write_varint(f.payload.size(), out);
      out += f.payload;
    } else {
      out.append(reinterpret_cast<const char*>(&f.scalar), f.type == WireType::Fixed32 ? 4 : 8);
    }
  }
  return out;
}

bool is_text(std::string_view s) {
  for (const char c : s) {
    if (c < 0x20 || c > 0x7e) return false;
  }
  return !s.empty();
}

// All texts of a message and those in it.
void collect(std::string_view bytes, int depth, std::vector<std::string>& texts) {
  std::vector<Field> fields;
  if (depth == kDeepest || !parse(bytes, fields)) return;
  for (const Field& f : fields) {
    if (f.type != WireType::Length) continue;
    if (is_text(f.payload)) texts.push_back(f.payload);
    if (!is_text(f.payload)) collect(f.payload, depth + 1, texts);
  }
}

class Mutator {
 public:
  Mutator(uint32_t seed, const std::vector<std::string>& texts) : random_(seed), texts_(texts) {}

  std::string message(std::string_view bytes, int depth) {
    std::vector<Field> fields;
    if (!parse(bytes, fields) || fields.empty()) return leaf(std::string(bytes));
    const size_t at = pick(fields);
    switch (below(16)) {
      case 0:
        fields.erase(fields.begin() + static_cast<ptrdiff_t>(at));
        break;
      case 1:
        fields.push_back(fields[at]);
        break;
      case 2:
        std::swap(fields[at], fields[below(fields.size())]);
        break;
      default:
        change(fields[at], depth);
    }
    return write(fields);
  }

 private:
  size_t below(size_t n) { return random_() % n; }

  // The larger a field is, the more there is to change in it.
  size_t pick(const std::vector<Field>& fields) {
    size_t total = 0;
    for (const Field& f : fields) total += 4 + f.payload.size();
    size_t at = below(total);
    for (size_t i = 0; i < fields.size(); ++i) {
      const size_t weight = 4 + fields[i].payload.size();
      if (at < weight) return i;
      at -= weight;
    }
    return 0;
  }

  void change(Field& f, int depth) {
    if (f.type != WireType::Length) {
      f.scalar = number(f.scalar);
      return;
    }
    std::vector<Field> inside;
    if (depth < kDeepest && !is_text(f.payload) && parse(f.payload, inside) && !inside.empty()) {
      f.payload = message(f.payload, depth + 1);
    } else if (is_text(f.payload) && !texts_.empty() && below(4) != 0) {
      f.payload = texts_[below(texts_.size())];
    } else {
      f.payload = leaf(std::move(f.payload));
    }
  }

  uint64_t number(uint64_t old) {
    switch (below(4)) {
      case 0:
        return static_cast<uint64_t>(kExtremes[below(std::size(kExtremes))]);
      case 1:
        return old ^ uint64_t { 1 } << below(64);
      case 2:
        return below(32);
      default:
        return below(2) ? old + 1 : old - 1;
    }
  }

  // Bytes that are no message: elements, packed numbers, texts.
  std::string leaf(std::string bytes) {
    if (bytes.empty()) return std::string(below(9), '\1');
    const size_t at = below(bytes.size());
    switch (below(6)) {
      case 0:
        bytes.resize(at);
        break;
      case 1:
        bytes += bytes.substr(at);
        break;
      case 2:
        bytes[at] = static_cast<char>(random_());
        break;
      case 3:
        bytes[at] = static_cast<char>(bytes[at] ^ 1 << below(8));
        break;
      case 4:
        bytes[at] = static_cast<char>(below(2) ? 0xff : 0x7f);
        break;
      default: {
        const size_t size = size_t{1} << below(4);
        const auto value = static_cast<uint64_t>(kExtremes[below(std::size(kExtremes))]);
        const size_t start = at / size * size;
        std::memcpy(bytes.data() + start, &value, std::min(size, bytes.size() - start));
      }
    }
    return bytes;
  }

  Random random_;
  const std::vector<std::string>& texts_;
};

}  // namespace

size_t mutate_protobuf(uint8_t* data, size_t size, size_t capacity, uint32_t seed) {
  std::vector<std::string> texts;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  collect(bytes, 0, texts);
  Mutator mutator(seed, texts);
  const std::string changed = mutator.message(bytes, 0);
  if (changed.size() > capacity) return size;
  std::copy(changed.begin(), changed.end(), data);
  return changed.size();
}

}  // namespace nm::fuzz
