// RotaryEmbedding: turns pairs of a head's elements by angles that depend on the position.
#include "engine/ops/check.h"
#include "engine/ops/numbers.h"

namespace nm {
namespace {

class RotaryEmbedding final : public Operator {
 public:
  explicit RotaryEmbedding(Attributes& a)
      : interleaved_(a.flag("interleaved", false)),
        turned_(a.integer("rotary_embedding_dim", 0)),
        heads_(a.integer("num_heads", 0)) {
    if (turned_ < 0 || turned_ % 2 != 0) a.fail("the attribute 'rotary_embedding_dim' must be even and not negative");
  }

  Status infer(Inference& c) const override {
    NM_TRY(check_tensors(c, 3));
    NM_TRY(check_float(c, 0, "the input"));
    NM_TRY(common_type(c, 0, 3).take_status());
    NM_TRY(check_type(c, 3, "the positions (input 3)", {DType::Int64}));
    output_like(c, 0, 0);
    for (size_t i = 0; i < c.input_count(); ++i) {
      if (c.has(i) && (!c.has_shape(i) || !c.shape(i).known())) return {};
    }
    const Shape& x = c.shape(0);
    if (x.rank() != 3 && x.rank() != 4) return wrong_shape("the input", x, "three or four dimensions");
    if (x.rank() == 3 && (heads_ < 1 || x[2] % heads_ != 0)) {
      return {Code::InvalidModel,
              text("an input of three dimensions needs the attribute 'num_heads' to divide ", x[2])};
    }
    const Layout l = layout(x);
    if (l.turned > l.head || l.head % 2 != 0) {
      return wrong_shape("the input", x, text("heads of an even size of at least ", l.turned));
    }
    const bool positions = c.has(3);
    if (positions && c.shape(3) != Shape{l.batch, l.length}) {
      return wrong_shape("the positions (input 3)", c.shape(3), to_string(Shape{l.batch, l.length}));
    }
    for (const size_t i : {1, 2}) {
      const Shape& cache = c.shape(i);
      const Shape rows =
          positions ? Shape{cache.rank() > 0 ? cache[0] : 0, l.turned / 2} : Shape{l.batch, l.length, l.turned / 2};
      if (cache != rows || cache != c.shape(1)) {
        return wrong_shape(i == 1 ? "the cosines (input 1)" : "the sines (input 2)", cache, to_string(rows));
      }
    }
    return {};
  }

  Status run(Execution& c) override {
    return with_float(c.input(0).dtype(), [&]<class T>() { return run_as<T>(c); });
  }

  bool in_place(size_t i) const override { return i == 0; }
  double flops(const Inference& c) const override { return 3 * static_cast<double>(c.shape(0).count()); }

 private:
  struct Layout {
    int64_t batch, length, heads, head, turned;
    int64_t head_step, length_step;  // elements between neighbours
  };

  Layout layout(const Shape& x) const {
    Layout l{};
    l.batch = x[0];
    if (x.rank() == 4) {  // [batch, heads, length, head]
      l.heads = x[1];
      l.length = x[2];
      l.head = x[3];
      l.head_step = l.length * l.head;
      l.length_step = l.head;
    } else {  // [batch, length, heads·head]
      l.heads = heads_;
      l.length = x[1];
      l.head = x[2] / heads_;
      l.head_step = l.head;
      l.length_step = x[2];
    }
    l.turned = turned_ == 0 ? l.head : turned_;
    return l;
  }

  template <class T>
  Status run_as(Execution& c) const {
    const Layout l = layout(c.input(0).shape());
    const int64_t half = l.turned / 2;
    const int64_t* positions = c.has(3) ? c.data<int64_t>(3) : nullptr;
    if (positions != nullptr) {
      const int64_t rows = c.input(1).dim(0);
      for (int64_t i = 0; i < l.batch * l.length; ++i) {
        if (positions[i] < 0 || positions[i] >= rows) {
          return {Code::InvalidData, text("the position ", positions[i], " is outside of caches with ", rows, " rows")};
        }
      }
    }
    const T* cosines = c.data<T>(1);
    const T* sines = c.data<T>(2);
    for_rows(l.batch * l.length, l.heads * l.head, [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; ++r) {
        const int64_t row = (positions ? positions[r] : r) * half;
        const int64_t start = r / l.length * l.length * l.heads * l.head + r % l.length * l.length_step;
        for (int64_t h = 0; h < l.heads; ++h) {
          const int64_t at = start + h * l.head_step;
          turn(c.data<T>(0) + at, c.out<T>(0) + at, cosines + row, sines + row, half, l);
        }
      }
    });
    return {};
  }

  template <class T>
  void turn(const T* x, T* y, const T* cosines, const T* sines, int64_t half, const Layout& l) const {
    const int64_t step = interleaved_ ? 2 : 1;
    const int64_t apart = interleaved_ ? 1 : half;
    for (int64_t i = 0; i < half; ++i) {
      const T a = x[i * step];
      const T b = x[i * step + apart];
      y[i * step] = a * cosines[i] - b * sines[i];
      y[i * step + apart] = a * sines[i] + b * cosines[i];
    }
    for (int64_t i = l.turned; i < l.head; ++i) y[i] = x[i];
  }

  bool interleaved_;
  int64_t turned_;
  int64_t heads_;
};

}  // namespace

NM_OPERATORS(rotary_embedding) { r.add<RotaryEmbedding>("RotaryEmbedding", 23); }

}  // namespace nm
