// What an operator is. One file per operator (or per family) in engine/ops implements Operator and states in a table
// how the registry knows it:
//
//   class Softmax final : public Operator {
//    public:
//     explicit Softmax(Attributes& a) : axis_(a.integer("axis", a.version() < 13 ? 1 : -1)) {}
//     Status infer(Inference& inference) const override { … inference.output(0, inference.type(0), …); … }
//     Status run(Execution& execution) override { … execution.input(0) … execution.output(0) … }
//   };
//   constexpr OperatorEntry kEntries[] = {
//       entry<Softmax>("Softmax", 1, {.inputs = 1, .outputs = 1, .layout = layout::along_axis<-1, 13>}),
//   };
//   NM_OPERATORS(softmax, kEntries)
//
// The first argument of NM_OPERATORS is the file's name without extension; the build finds it there. What a row states
// is in engine/op/registry.h.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/reserve.h"
#include "engine/base/status.h"
#include "engine/base/text.h"
#include "engine/graph/graph.h"
#include "engine/kernels/elementwise.h"
#include "engine/op/attributes.h"
#include "engine/op/body.h"
#include "engine/op/execution.h"
#include "engine/op/inference.h"
#include "engine/op/preparation.h"
#include "engine/tensor/tensor.h"

namespace nm {

// An output that is nothing but (a contiguous part of) an input's bytes under another shape.
struct View {
  size_t input = 0;
  int64_t element_offset = 0;
};

class Extents;

class Operator {
 public:
  virtual ~Operator() = default;

  // The outputs' types and shapes as far as they follow from what is known. OutOfMemory when an output could not be
  // addressed: whatever reads the shapes afterwards can rely on their sizes.
  Status infer_outputs(Inference& inference) const;
  // Weights and other constants into the form the kernels want.
  virtual Status prepare(Preparation&) { return {}; }
  // Code::Suspended when the run's slice is over, or while the host computes (control flow and custom operators only):
  // called again, it goes on where it stopped.
  virtual Status run(Execution& execution) = 0;
  // Drops what a suspended `run` holds; that run is not continued.
  virtual void abandon() {}

  // Asked with all shapes known: is output `o` a view? Then the step needs no run for it.
  virtual std::optional<View> view(const Inference&, size_t /*o*/) const { return std::nullopt; }
  // May output 0 take the memory of input i, when that has the same size and nobody needs it any more?
  virtual bool in_place(size_t /*i*/) const { return false; }
  // The input that output `o` is with more rows behind it along an axis, where `run` makes it by Execution::lengthened:
  // a state that the caller keeps, like a cache of keys, then grows in place.
  virtual std::optional<size_t> growth(const Inference&, size_t /*o*/) const { return std::nullopt; }
  // From the next run on output `o` is such a state for whoever runs the graph, and no other node reads it. For
  // operators that have it from a subgraph, where it then grows.
  virtual void keep_output(size_t /*o*/, Stored) {}
  // Does `run` read input i by Execution::strided_input, or give it to a subgraph, so that it may be such a state?
  virtual bool takes_growing(size_t /*i*/) const { return false; }
  // The input that output `o` is with other elements in some places: where both have the same memory, `run` writes
  // those that `written` lists, and no others. A cache of a fixed length is then written in place.
  virtual std::optional<size_t> rewrites(const Inference&, size_t /*o*/) const { return std::nullopt; }
  // The same places for all such outputs, which are not there yet. Of inputs for which `run` would fail it fails as
  // well.
  virtual Status written(const Execution&, Extents&) const { return {}; }
  // Random operators, and others whose result is not a function of their inputs, are never folded.
  virtual bool pure() const { return true; }
  // Does `run` take float16 and bfloat16 as they are? Others get float32: a pass puts Casts around them.
  virtual bool native_float16() const { return false; }
  // May constant input i stay float16 or bfloat16 all the same, because `prepare` packs it into float32 itself?
  virtual bool packs_float16(size_t /*i*/) const { return false; }
  // The kernel that is all there is to `run` on float32, with what is known of the inputs: a function of input 0 and
  // numbers that the operator knows, or of all inputs, the first two and then the result with the next.
  virtual std::optional<Pointwise> pointwise(const Inference&) const { return std::nullopt; }
  // Floating-point operations of one run, for profiles; 0 when nobody has said.
  virtual double flops(const Inference&) const { return 0; }
  // Which kernel runs, for profiles: "gemm 6x8", "depthwise 3x3".
  virtual std::string kernel(const Inference&) const { return {}; }

 protected:
  // Says the outputs' types and shapes, and refuses inputs that do not fit. Called by infer_outputs only.
  virtual Status infer(Inference& inference) const = 0;
};

using OperatorPtr = std::unique_ptr<Operator>;

// Sentences that many operators need.
Status wrong_type(std::string_view what, DType actual, std::string_view expected);
Status wrong_shape(std::string_view what, const Shape& actual, std::string_view expected);

}  // namespace nm
