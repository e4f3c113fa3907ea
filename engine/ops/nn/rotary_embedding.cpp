// RotaryEmbedding, the standard one and com.microsoft's: turns pairs of a head's elements by angles that depend on the
// position. They differ in the order of their inputs and in how positions and heads may be given.
#include "engine/op/check.h"
#include "engine/op/numbers.h"
#include "engine/op/registry.h"
#include "engine/ops/nn/rotary.h"

namespace nm {
namespace {

class RotaryEmbedding final : public Operator {
 public:
  RotaryEmbedding(Attributes& a, bool microsoft)
      : microsoft_(microsoft),
        interleaved_(a.flag("interleaved", false)),
        turned_(a.integer("rotary_embedding_dim", 0)),
        heads_(a.integer("num_heads", 0)) {
    if (microsoft) {
      if (a.flag("is_packed_batching", false)) a.unsupported("packed batches are not supported");
      if (a.number("scale", 1) != 1) a.unsupported("a scale of positions is not supported");
    }
    if (turned_ < 0 || turned_ % 2 != 0) a.fail("the attribute 'rotary_embedding_dim' must be even and not negative");
  }

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, microsoft_ ? 4 : 3));
    NM_TRY(check_float(inference, 0, "the input"));
    for (const size_t i : {cosines(), sines()}) {
      if (inference.type(0) != DType::Undefined)
        NM_TRY(check_type(inference, i, text("input ", i), {inference.type(0)}));
    }
    NM_TRY(check_type(inference, positions(), text("the positions (input ", positions(), ")"), {DType::Int64}));
    output_like(inference, 0, 0);
    for (size_t i = 0; i < inference.input_count(); ++i) {
      if (inference.has(i) && (!inference.has_shape(i) || !inference.shape(i).known())) return {};
    }
    const Shape& x = inference.shape(0);
    if (x.rank() != 3 && x.rank() != 4) return wrong_shape("the input", x, "three or four dimensions");
    const Shape& angles = inference.shape(cosines());
    if (angles.rank() < 2 || angles.back() > kLargest) return wrong_shape("the cosines", angles, "[positions, angles]");
    if (microsoft_ && heads_ < 1 && x.rank() == 3 && (angles.back() == 0 || x[2] % (2 * angles.back()) != 0)) {
      return wrong_shape("the input", x, text("heads of ", 2 * angles.back(), ", or the attribute 'num_heads'"));
    }
    if (x.rank() == 3 && (heads_ < 1 ? !microsoft_ : x[2] % heads_ != 0)) {
      return {Code::InvalidModel,
              text("an input of three dimensions needs the attribute 'num_heads' to divide ", x[2])};
    }
    const Layout l = layout(x, angles);
    if (l.turned > l.head || l.head % 2 != 0) {
      return wrong_shape("the input", x, text("heads of an even size of at least ", l.turned));
    }
    const bool placed = inference.has(positions());
    const bool first_only = microsoft_ && inference.shape(positions()) == Shape{1};
    if (placed && !first_only && inference.shape(positions()) != Shape{l.batch, l.length}) {
      return wrong_shape("the positions", inference.shape(positions()), to_string(Shape{l.batch, l.length}));
    }
    for (const size_t i : {cosines(), sines()}) {
      const Shape& cache = inference.shape(i);
      const Shape rows =
          placed ? Shape{cache.rank() > 0 ? cache[0] : 0, l.turned / 2} : Shape{l.batch, l.length, l.turned / 2};
      if (cache != rows || cache != angles)
        return wrong_shape(text("the angles (input ", i, ")"), cache, to_string(rows));
    }
    return {};
  }

  Status run(Execution& execution) override {
    return with_float(execution.input(0).dtype(), [&]<class T>() { return run_as<T>(execution); });
  }

  bool in_place(size_t i) const override { return i == 0; }
  double flops(const Inference& inference) const override {
    return 3 * static_cast<double>(inference.shape(0).count());
  }

 private:
  struct Layout {
    int64_t batch, length, heads, head, turned;
    int64_t head_step, length_step;  // elements between neighbours
  };

  static constexpr int64_t kLargest = int64_t{1} << 40;
  size_t positions() const { return microsoft_ ? 1 : 3; }
  size_t cosines() const { return microsoft_ ? 2 : 1; }
  size_t sines() const { return cosines() + 1; }

  Layout layout(const Shape& x, const Shape& angles) const {
    Layout l{};
    l.batch = x[0];
    if (x.rank() == 4) {  // [batch, heads, length, head]
      l.heads = x[1];
      l.length = x[2];
      l.head = x[3];
      l.head_step = l.length * l.head;
      l.length_step = l.head;
    } else {  // [batch, length, heads·head]
      l.head = heads_ > 0 ? x[2] / heads_ : 2 * angles.back();
      l.heads = heads_ > 0 ? heads_ : x[2] / l.head;
      l.length = x[1];
      l.head_step = l.head;
      l.length_step = x[2];
    }
    l.turned = turned_ > 0 ? turned_ : microsoft_ ? 2 * angles.back() : l.head;
    return l;
  }

  template <class T>
  Status run_as(Execution& execution) const {
    const Layout l = layout(execution.input(0).shape(), execution.input(cosines()).shape());
    const int64_t half = l.turned / 2;
    const int64_t* at = execution.has(positions()) ? execution.data<int64_t>(positions()) : nullptr;
    const bool first_only = at != nullptr && microsoft_ && execution.input(positions()).rank() == 1;
    const auto position = [&](int64_t r) { return at == nullptr ? r : first_only ? at[0] + r % l.length : at[r]; };
    if (at != nullptr) {
      const int64_t rows = execution.input(cosines()).dim(0);
      if (first_only && (at[0] < 0 || at[0] > rows)) return outside(at[0], rows);
      for (int64_t i = 0; i < l.batch * l.length; ++i) {
        if (position(i) < 0 || position(i) >= rows) return outside(position(i), rows);
      }
    }
    for_rows(l.batch * l.length, l.heads * l.head, [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; ++r) {
        const int64_t row = position(r) * half;
        const int64_t start = r / l.length * l.length * l.heads * l.head + r % l.length * l.length_step;
        for (int64_t h = 0; h < l.heads; ++h) {
          const int64_t head = start + h * l.head_step;
          turn_head(execution.data<T>(0) + head, execution.out<T>(0) + head, execution.data<T>(cosines()) + row,
                    execution.data<T>(sines()) + row, l.turned, l.head, interleaved_);
        }
      }
    });
    return {};
  }

  static Status outside(int64_t position, int64_t rows) {
    return {Code::InvalidData, text("the position ", position, " is outside of caches with ", rows, " rows")};
  }

  bool microsoft_;
  bool interleaved_;
  int64_t turned_;
  int64_t heads_;
};

}  // namespace

constexpr OperatorEntry kEntries[] = {
    entry<RotaryEmbedding, false>("RotaryEmbedding", 23, {.inputs = 4, .outputs = 1, .layout = layout::opaque}),
    entry_in<RotaryEmbedding, true>(kMicrosoftDomain, "RotaryEmbedding", 1,
                                    {.inputs = 4, .outputs = 1, .layout = layout::opaque}),
};

NM_OPERATORS(rotary_embedding, kEntries)

}  // namespace nm
