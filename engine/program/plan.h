// A program's plan for given input shapes: every value's type, shape and place, and the steps left to run.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "engine/graph/per_value.h"
#include "engine/op/operator.h"
#include "engine/program/arena.h"
#include "engine/tensor/edition.h"

namespace nm {

enum class Place : uint8_t {
  Unused,    // nobody computes or reads it
  Constant,  // an initialiser, or computed while planning
  Input,     // bound anew by every run
  Arena,     // at a fixed offset
  Heap,      // allocated while running: its shape depends on data, or the caller keeps it
};

struct Slot {
  Place place = Place::Unused;
  Value value;  // Arena: a view that `Plan::bind_arena` points at its memory
  ValueType type;
  std::optional<Shape> shape;        // concrete where present
  size_t offset = 0;                 // Arena: of the first byte
  ValueId within = kNone;            // the value of the same place in whose memory this one lives, if any
  size_t behind = 0;                 // so many bytes behind its start
  bool is_view = false;              // of an input of its node, in whatever place
  bool growing = false;              // an input, an output that lengthens it, or a view of one, that may all be Growing
  Stored stored = Stored::F32;       // an output, where it grows
  ValueId rewrites = kNone;          // an output's: the input that it is with some elements written anew
  std::shared_ptr<Edition> edition;  // an input's or such an output's, whose contents `value` is

  void forget() { value = Value(), edition = nullptr; }
};

struct Step {
  uint32_t node = 0;
  bool infer = false;              // some input's or output's shape is known only now
  std::vector<ValueId> allocate;   // heap outputs whose shape the plan knows
  std::vector<ValueId> rewritten;  // outputs that are written into inputs' memory
  std::vector<ValueId> views;      // of heap outputs, in an order in which they can be bound
  std::vector<ValueId> release;    // heap values nobody reads after this step
  std::optional<Execution> execution;
};

// What became of a node.
enum class Fate : uint8_t { Nothing, Folded, Views, Step };

struct Plan {
  std::vector<int64_t> signature;
  std::vector<bool> unwanted;  // outputs, as PlanOptions had them
  PerValue<Slot> slots;        // never resized once steps point into it
  std::vector<Step> steps;
  std::vector<Fate> fates;           // by node
  std::vector<ValueId> input_views;  // of inputs, in an order in which they can be bound
  std::vector<ArenaBlock> blocks;    // the arena's
  std::vector<ValueId> in_blocks;    // the value that each is for
  Size arena_bytes;                  // addressable
  uint64_t live_bytes = 0;           // of the arena, where most are alive at once
  ValueId largest = kNone;           // in the arena
  const uint8_t* bound_to = nullptr;

  void bind_arena(uint8_t* base);
  // Points a slot at the memory of the input or heap value that it is a view of.
  void bind_view(ValueId id);
  // Lets go of the values of the last run that are neither the arena's nor constant, except what outputs need.
  void forget_inputs(const Graph& graph);
  void forget_values();
};

struct PlanOptions {
  bool own_outputs = false;  // graph outputs outlive the run: they go to the heap
  // By index: these do in any case, and where they grow they are stored like this; may be shorter than the outputs.
  std::vector<std::optional<Stored>> kept;
  std::vector<bool> unwanted;  // by index: these are not computed; may be shorter, too
};

// What is said when the arena cannot be had: names the largest value in it.
Status no_arena(const Graph& graph, const Plan& plan);

// What operators are told of a node whose inputs and outputs are `slots` of a plan.
Inference inference_of(const Node& node, const PerValue<Slot>& slots);

// What plans are made of.
struct PlanParts {
  const Graph& graph;
  const std::vector<OperatorPtr>& operators;
  const std::vector<ValueId>& input_ids;  // the graph's inputs, then its captures
  Scratch& scratch;
  RunControl& control;
  const PlanOptions& options;
};

// `inputs` are the values of this run, one for each of input_ids.
// Fails with OutOfMemory where the intermediate results could not be addressed.
Result<std::unique_ptr<Plan>> make_plan(const PlanParts& parts, const std::vector<Value>& inputs);

// Brings a plan that was made for other shapes up to date, which takes the time of the nodes whose inputs' shapes
// differ. Null where the steps would not be the same ones.
Result<std::unique_ptr<Plan>> update_plan(const PlanParts& parts, std::unique_ptr<Plan> plan,
                                          const std::vector<Value>& inputs);

}  // namespace nm
