// How far the outputs of one session are from those of another.
#pragma once
#include "cli/model_run.h"

namespace nm::cli {

// Runs both on the same inputs, and prints a line for each output: the largest difference of two elements, in parts of
// the reference's largest number; the signal to noise ratio, 10·log10(Σy² / Σ(x - y)²) for elements x and the
// reference's y; and in how many rows along the last axis the largest element has the same place.
Status print_accuracy(Session& session, Session& reference, const InputOptions& inputs);

}  // namespace nm::cli
