// Checks of inputs and axes that many operators make while inferring.
#pragma once
#include <cstdint>
#include <initializer_list>
#include <span>

#include "engine/base/status.h"
#include "engine/op/operator.h"

namespace nm {

// The first `required` inputs are present, and all that are present are tensors as far as is known.
Status check_tensors(const Inference& inference, size_t required);
// Input i is a sequence, as far as is known.
Status check_sequence(const Inference& inference, size_t i);
// Input i has one of these types, or is unknown or absent. `what` names it: "the indices".
Status check_type(const Inference& inference, size_t i, std::string_view what, std::initializer_list<DType> allowed);
// For inputs and outputs that must have the same type. Takes the one that is known; refuses two that differ.
Result<DType> common_type(const Inference& inference, size_t first, size_t last);
// Input i has one element, as far as is known.
Status check_scalar(const Inference& inference, size_t i, std::string_view what);

// An attribute that holds an element type by its number.
DType type_attribute(Attributes& a, std::string_view name, DType fallback);

// The dimensions that an input gives for an output: none negative, at most kMaxRank.
Result<Shape> check_shape(std::span<const int64_t> dims);

// An axis in [-rank, rank), made non-negative.
Result<int> check_axis(int64_t axis, int rank);
// Axes in [-rank, rank) as a set of bits; none may occur twice.
Result<uint32_t> check_axes(std::span<const int64_t> axes, int rank);

}  // namespace nm
