#include "demo/edge/cpp/recognizer.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>
#include <string>

#include "demo/edge/cpp/pictures/picture.h"

extern "C" uint8_t digits_model[];
extern "C" const uint32_t digits_model_size;
extern "C" uint8_t __stack_low;  // the linker's

namespace digits {
namespace {

// The order of models/handwriting/labels.json.
constexpr char kSigns[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

const nm::Shape kImage = {1, 1, kSide, kSide};

std::unique_ptr<nm::Session> opened;

nm::Result<std::unique_ptr<nm::Session>> open() {
  nm::IncomingModel file(digits_model_size);
  NM_TRY(file.append({digits_model, digits_model_size}));
  return nm::Session::load(std::move(file), {});
}

// A first run is planned, and no more: what a run computes would be bytes in the file.
nm::Status plan() {
  NM_ASSIGN(nm::Session * ready, session());
  NM_ASSIGN(nm::Tensor * image, ready->input(0, nm::DType::Float32, kImage));
  std::ranges::fill(image->span<float>(), 0.0F);
  return ready->begin();
}

// What is not used any more is written over with zeros, which a file need not hold: memory that was given back, which
// the allocator hands out again, and the stack below this call.
void clear_unused() {
  std::vector<void*> taken;
  taken.reserve(1024);
  const size_t pages = __builtin_wasm_memory_size(0);
  for (size_t size = pages * 65536 / 8; size >= 64 && taken.size() < taken.capacity();) {
    void* block = std::malloc(size);
    if (__builtin_wasm_memory_size(0) > pages) {
      std::free(block);  // it was not there before
      block = nullptr;
    }
    if (block == nullptr) {
      size /= 2;
      continue;
    }
    std::memset(block, 0, size);
    taken.push_back(block);
  }
  std::ranges::for_each(taken, std::free);
  const auto* here = static_cast<const uint8_t*>(__builtin_frame_address(0));
  constexpr ptrdiff_t kOwn = 1024;  // of memset
  std::memset(&__stack_low, 0, here - kOwn - &__stack_low);
}

}  // namespace

nm::Result<nm::Session*> session() {
  if (opened == nullptr) {
    NM_ASSIGN(opened, open());
  }
  return opened.get();
}

nm::Result<std::array<Sign, 3>> recognize(const std::vector<float>& ink) {
  NM_ASSIGN(nm::Session * ready, session());
  // Of another size it is another picture, and the engine says so.
  const nm::Shape shape = ink.size() == size_t{kSide} * kSide ? kImage : nm::Shape{static_cast<int64_t>(ink.size())};
  NM_ASSIGN(nm::Tensor * image, ready->input(0, nm::DType::Float32, shape));
  std::ranges::copy(ink, image->data<float>());
  NM_TRY(ready->run());
  const std::span<const float> probabilities = ready->output(0).tensor()->span<float>();
  std::vector<Sign> signs;
  for (size_t i = 0; i < probabilities.size(); ++i) signs.push_back({kSigns[i], probabilities[i]});
  std::ranges::stable_sort(signs, [](const Sign& a, const Sign& b) { return a.probability > b.probability; });
  return std::array{signs[0], signs[1], signs[2]};
}

}  // namespace digits

// Called while the module is built: all instances begin with the memory that this leaves. Returns a null pointer, or
// what went wrong.
extern "C" __attribute__((export_name("prepare"))) const char* prepare() {
  static std::string wrong;
  if (const nm::Status status = digits::plan(); !status.ok()) {
    wrong = status.message();
    return wrong.c_str();
  }
  std::memset(digits_model, 0, digits_model_size);  // the session has its own
  digits::clear_unused();
  return nullptr;
}
