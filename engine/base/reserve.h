// What happens when containers and small objects find no memory.
//
// Tensors, weights, arenas and scratch come from `allocate` and fail with a Status. Everything else (vectors, strings,
// maps, nodes of a graph) is ordinary C++, whose allocations cannot report failure without exceptions. For these a
// reserve is kept: when an allocation fails, the reserve is given up, the allocation is tried again and succeeds, and
// `memory_exhausted()` is true from then on. The work in progress looks at that flag at every place where it takes
// memory for a tensor, and between nodes, steps and passes, and ends in OutOfMemory there; what it held goes as its
// owners go. The next call from outside refills the reserve first, and is refused when that is not possible.
//
// The reserve is larger than what is taken between two looks at the flag. Containers whose size a model chooses may be
// larger: before they grow, `room_for` asks whether the memory is there. Where even that was not enough, a WebAssembly
// instance traps with the flag set (see nm_exhausted), so that its host can tell why, and a process ends as C++ does.
#pragma once
#include <algorithm>
#include <vector>

#include "engine/base/size.h"
#include "engine/base/status.h"

namespace nm {

// Makes sure that the reserve is there; called when a call from outside begins.
Status refill_reserve();
// An allocation has failed since the reserve was last filled.
bool memory_exhausted();
// OutOfMemory when memory_exhausted().
Status check_memory();
// OutOfMemory, and memory_exhausted() from then on, when a container of so many bytes could not be made now. `what`
// names it for the message.
Status room_for(std::string_view what, Size bytes);
// What is said when memory cannot be had: `what` is "a tensor float32[8]", "the packed weights", …
Status no_memory(std::string_view what, Size bytes);

// push_back for lists whose length a model chooses.
template <class T>
Status append(std::vector<T>& list, T item, std::string_view what) {
  if (list.size() == list.capacity()) {
    const size_t capacity = std::max<size_t>(16, 2 * list.size());
    NM_TRY(room_for(what, Size(capacity) * sizeof(T)));
    list.reserve(capacity);
  }
  list.push_back(std::move(item));
  return {};
}

}  // namespace nm
