// One table per instruction set; each is defined in a file that is compiled with that set's flags.
#pragma once
#include "engine/kernels/kernels.h"

namespace nm::targets {

#if defined(NM_SCALAR)
extern const KernelTable scalar;
#elif defined(__wasm_simd128__)
extern const KernelTable wasm;
#elif defined(__x86_64__)
extern const KernelTable sse2;
extern const KernelTable avx2;
extern const KernelTable avx512;
#elif defined(__i386__)
extern const KernelTable sse2;
#elif defined(__aarch64__)
extern const KernelTable neon;
#else
#error "no kernels for this processor: x86-64, arm64 and wasm with simd128 are supported, and any with NM_SCALAR"
#endif

}  // namespace nm::targets
