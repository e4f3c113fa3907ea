// -msimd128, and -mrelaxed-simd in the artefacts that use it.
#include "engine/kernels/targets/table.h"
#include "engine/kernels/targets/targets.h"

namespace nm::targets {

#if defined(__wasm_relaxed_simd__)
constinit const KernelTable wasm = make_table<xsimd::wasm>("relaxed-simd");
#else
constinit const KernelTable wasm = make_table<xsimd::wasm>("simd128");
#endif

}  // namespace nm::targets
