// The rewrites of each pass that is written as text, so that tests can make graphs of the texts themselves.
#pragma once
#include <span>

#include "engine/passes/pattern.h"

namespace nm {

std::span<const Rewrite> spelling_rewrites();   // fuse_functions
std::span<const Rewrite> function_rewrites();   // fuse_functions
std::span<const Rewrite> norm_rewrites();       // fuse_norms
std::span<const Rewrite> attention_rewrites();  // fuse_attention
std::span<const Rewrite> head_rewrites();       // fuse_attention
std::span<const Rewrite> transpose_rewrites();  // merge_transposes

}  // namespace nm
