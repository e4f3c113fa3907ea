// arm64 baseline: no extra flags.
#include "engine/kernels/targets/table.h"
#include "engine/kernels/targets/targets.h"

namespace nm::targets {

constinit const KernelTable neon = make_table<xsimd::neon64>("neon");

}  // namespace nm::targets
