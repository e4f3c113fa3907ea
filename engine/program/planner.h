// How a plan is made (planner.cpp), and made again for other shapes (replan.cpp).
#pragma once
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "engine/program/plan.h"

namespace nm {

class Planner {
 public:
  Planner(const PlanParts& parts, std::unique_ptr<Plan> plan);

  Result<std::unique_ptr<Plan>> make(const std::vector<Value>& inputs);
  Result<std::unique_ptr<Plan>> update(const std::vector<Value>& inputs);

 private:
  Slot& slot(ValueId id) { return plan_->slots[id]; }
  // Does the value outlive the run?
  bool is_owned(ValueId id) const { return owned_[id]; }

  // What a node's outputs are like, by inference; refused with the output's name where it is too large.
  Status infer(const Node& node, Operator& op, Inference& inference);
  // Runs the node now when all its inputs are known and its outputs small, or takes what inference knows already.
  Result<bool> fold(const Node& node, Operator& op, Inference& inference);
  void set_constant(ValueId id, Tensor value);
  // The view that output o would be of one of the node's inputs, where its memory can be shared.
  Result<std::optional<View>> view_of(const Node& node, Operator& op, const Inference& inference, size_t o);
  // How many bytes behind its source's start a view of `dtype` begins; view_of gives whole bytes only.
  static size_t bytes_behind(const View& view, DType dtype);
  Status place();

  // Making.
  std::vector<bool> needed_nodes() const;
  void count_uses(const std::vector<bool>& needed);
  Status plan_node(uint32_t n, const Node& node);
  bool inputs_known(const Node& node);
  ValueId root(ValueId id);
  Result<bool> assign_view(uint32_t n, const Node& node, Operator& op, const Inference& inference, size_t o);
  void extend(ValueId root_id, ValueId id, uint32_t n);
  void assign_memory(uint32_t n, const Node& node, Operator& op, const Inference& inference, size_t o, Step& step);
  bool take_over(uint32_t n, const Node& node, Operator& op, size_t i, ValueId id);
  PerValue<bool> read_densely();
  void let_grow();
  void let_rewrite();
  bool may_rewrite(ValueId id, ValueId past, uint32_t n);
  void bind_steps();

  // Updating: false where the plan cannot stay.
  bool take_inputs(const std::vector<Value>& inputs);
  Result<bool> update_node(uint32_t n, const Node& node);
  Result<bool> update_output(const Node& node, Operator& op, const Inference& inference, size_t o);
  Status grow();

  const PlanParts& parts_;
  const Graph& graph_;
  std::unique_ptr<Plan> plan_;
  PerValue<bool> owned_;                 // graph outputs that outlive the run
  PerValue<bool> kept_;                  // those that the caller asked for
  PerValue<int32_t> last_use_;           // node index; the node count for graph outputs
  std::map<ValueId, size_t> allocated_;  // Heap values, and views of them: the step that allocates
  std::map<ValueId, int32_t> first_;     // Arena values with memory of their own: the node that writes them
  std::map<ValueId, ValueId> longer_;    // outputs that the caller keeps, and inputs that they lengthen
  // Outputs that the caller keeps, and the nodes and inputs that they may be with some elements written anew.
  std::map<ValueId, std::pair<uint32_t, ValueId>> rewriters_;
  PerValue<bool> changed_;  // values whose shape or contents are others than before
};

}  // namespace nm
