// The two roofs over every kernel, measured on this machine in this process, with one thread (Williams, Waterman and
// Patterson, "Roofline", 2009): a step that does F operations on B bytes cannot take less than
// max(F / peak_flops, B / peak_bytes).
#pragma once
#include "engine/kernels/kernels.h"

namespace nm::bench {

// FLOP/s of a loop of multiply-adds that stays in the registers of the instruction set.
double peak_flops(const KernelTable& table);

// Bytes per second, read and written, of adding arrays of a few megabytes, which lie in the last cache.
double peak_bytes(const KernelTable& table);

}  // namespace nm::bench
