// Between the engine's values and those of the interface (component/wit). What the bindings hand in belongs to the
// callee, what is handed out is made with malloc and freed by the bindings.
#pragma once
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include "component/bindings/engine.h"
#include "engine/tensor/value.h"

struct exports_neuromancer_inference_inference_tensor_t {
  nm::Tensor tensor;
};

namespace nm::component {

using WitError = exports_neuromancer_inference_inference_error_t;
using WitTensor = exports_neuromancer_inference_inference_own_tensor_t;
using WitValue = exports_neuromancer_inference_inference_value_t;

inline std::string_view text_of(const engine_string_t& s) { return {reinterpret_cast<const char*>(s.ptr), s.len}; }

// A list of `count` items, whose items are to be written.
template <class List>
List list_of(size_t count) {
  using Item = std::remove_pointer_t<decltype(List::ptr)>;
  if (count == 0) return {nullptr, 0};
  void* items = std::malloc(count * sizeof(Item));
  if (items == nullptr) std::abort();
  return {static_cast<Item*>(items), count};
}

// With U+FFFD in place of what is no UTF-8.
engine_string_t string_of(std::string_view text);

// Writes the error and returns false, as functions of the bindings that fail do.
bool fail(const Status& status, WitError* error);

WitTensor tensor_of(Tensor tensor);

// Every handle that `value` holds is used up, whether or not this succeeds.
Result<Value> take(const WitValue& value);

// OutOfMemory, or InvalidArgument for what the interface cannot express.
Result<WitValue> give(const Value& value);

}  // namespace nm::component
