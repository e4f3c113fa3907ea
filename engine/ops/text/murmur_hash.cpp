// com.microsoft's MurmurHash3: the 32-bit hash of each element's bytes, or of each text.
#include <bit>
#include <cstring>

#include "engine/op/check.h"
#include "engine/op/numbers.h"
#include "engine/op/registry.h"

namespace nm {
namespace {

uint32_t murmur3(const uint8_t* data, size_t size, uint32_t hash) {
  const auto scramble = [](uint32_t k) { return std::rotl(k * 0xcc9e2d51u, 15) * 0x1b873593u; };
  size_t i = 0;
  for (; i + 4 <= size; i += 4) {
    uint32_t word;
    std::memcpy(&word, data + i, 4);
    hash = std::rotl(hash ^ scramble(word), 13) * 5 + 0xe6546b64u;
  }
  uint32_t rest = 0;
  for (size_t k = size; k > i; --k) rest = rest << 8 | data[k - 1];
  if (size > i) hash ^= scramble(rest);
  hash ^= static_cast<uint32_t>(size);
  hash = (hash ^ hash >> 16) * 0x85ebca6bu;
  hash = (hash ^ hash >> 13) * 0xc2b2ae35u;
  return hash ^ hash >> 16;
}

class MurmurHash3 final : public Operator {
 public:
  explicit MurmurHash3(Attributes& a)
      : seed_(static_cast<uint32_t>(a.integer("seed", 0))),
        type_(a.flag("positive", true) ? DType::UInt32 : DType::Int32) {}

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 1));
    NM_TRY(check_type(
        inference, 0, "the input",
        {DType::UInt32, DType::Int32, DType::UInt64, DType::Int64, DType::Float32, DType::Float64, DType::String}));
    inference.output(0, type_);
    if (inference.has_shape(0)) inference.output(0, type_, inference.shape(0));
    return {};
  }

  Status run(Execution& execution) override {
    const Tensor& in = execution.input(0);
    auto* out = static_cast<uint32_t*>(execution.output(0).raw());
    const auto size = static_cast<size_t>(dtype_bits(in.dtype()) / 8);
    for (int64_t i = 0; i < in.count(); ++i) {
      if (in.dtype() == DType::String) {
        const std::string& s = in.data<std::string>()[i];
        out[i] = murmur3(reinterpret_cast<const uint8_t*>(s.data()), s.size(), seed_);
      } else {
        out[i] = murmur3(static_cast<const uint8_t*>(in.raw()) + static_cast<size_t>(i) * size, size, seed_);
      }
    }
    return {};
  }

 private:
  uint32_t seed_;
  DType type_;
};

}  // namespace

constexpr OperatorEntry kEntries[] = {
    entry_in<MurmurHash3>(kMicrosoftDomain, "MurmurHash3", 1, {.inputs = 1, .outputs = 1, .layout = layout::opaque}),
};

NM_OPERATORS(murmur_hash, kEntries)

}  // namespace nm
