#include "engine/base/thread_pool.h"
#include "engine/kernels/kernels.h"
#include "engine/op/check.h"
#include "engine/op/movement.h"
#include "engine/op/registry.h"
#include "engine/tensor/element.h"
#include "engine/tensor/strided.h"

namespace nm {
namespace {

class Transpose final : public Movement {
 public:
  explicit Transpose(Attributes& a) : perm_(a.integers("perm")), given_(a.has("perm")) {}

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 1));
    inference.output(0, inference.type(0));
    if (!inference.has_shape(0)) return {};
    const Shape& in = inference.shape(0);
    if (given_) {
      if (static_cast<int>(perm_.size()) != in.rank()) {
        return wrong_shape("the input", in, text("rank ", perm_.size(), ", as the attribute 'perm' has it"));
      }
      NM_TRY(check_axes(perm_, in.rank()).take_status());
    }
    Shape out;
    for (int i = 0; i < in.rank(); ++i) out.push_back(in[source(i, in.rank())]);
    inference.output(0, inference.type(0), out);
    return {};
  }

  Status run(Execution& execution) override {
    const Tensor& in = execution.input(0);
    Tensor& out = execution.output(0);
    const int rank = in.rank();
    if (moves_nothing(in.shape())) {
      copy_all(in, out);
      return {};
    }
    if (in.dtype() != DType::String && !is_packed(in.dtype())) {
      std::array<int, kMaxRank> axes{};
      for (int i = 0; i < rank; ++i) axes[i] = source(i, rank);
      kernels().layout.permute(rank, in.shape().data(), axes.data(), in.raw(), out.raw(),
                               static_cast<size_t>(dtype_bits(in.dtype()) / 8));
      return {};
    }
    const Strides from = row_major(in.shape());
    Strides moved{};
    for (int i = 0; i < rank; ++i) moved[i] = from[source(i, rank)];
    copy_strided(in.dtype(), out.shape(), {in.raw(), 0, moved}, {out.raw(), 0, row_major(out.shape())});
    return {};
  }

  std::optional<View> view(const Inference& inference, size_t) const override {
    return moves_nothing(inference.shape(0)) ? std::optional<View>(View{}) : std::nullopt;
  }

 private:
  int source(int i, int rank) const {
    return given_ ? normalize_axis(perm_[static_cast<size_t>(i)], rank) : rank - 1 - i;
  }

  // Only dimensions of one change places, so the elements stay where they are.
  bool moves_nothing(const Shape& in) const {
    if (in.count() == 0) return true;
    int last = -1;
    for (int i = 0; i < in.rank(); ++i) {
      const int axis = source(i, in.rank());
      if (in[axis] == 1) continue;
      if (axis < last) return false;
      last = axis;
    }
    return true;
  }

  std::vector<int64_t> perm_;
  bool given_;
};

}  // namespace

constexpr OperatorEntry kEntries[] = {
    entry<Transpose>("Transpose", 1, {.inputs = 1, .outputs = 1, .layout = layout::opaque, .moves = Moves::First}),
};

NM_OPERATORS(transpose, kEntries)

}  // namespace nm
