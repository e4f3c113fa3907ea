// Operators that ai.onnx had before its first stable versions, and that old files still hold.
#include "engine/op/composition.h"
#include "engine/op/registry.h"

namespace nm {
namespace {

void affine(Composition& c) {
  c.require(1);
  Attributes& a = c.attributes();
  const ValueId x = c.add("Mul", {c.input(0), c.number(a.number("alpha", 1))});
  c.finish("Add", {x, c.number(a.number("beta", 0))});
}

void scaled_tanh(Composition& c) {
  c.require(1);
  Attributes& a = c.attributes();
  const ValueId x = c.add("Mul", {c.input(0), c.number(a.number("beta", 1))});
  c.finish("Mul", {c.add("Tanh", {x}), c.number(a.number("alpha", 1))});
}

void parametric_softplus(Composition& c) {
  c.require(1);
  Attributes& a = c.attributes();
  const ValueId x = c.add("Mul", {c.input(0), c.number(a.number("beta", 1))});
  c.finish("Mul", {c.add("Softplus", {x}), c.number(a.number("alpha", 1))});
}

void image_scaler(Composition& c) {
  c.require(1);
  Attributes& a = c.attributes();
  const ValueId x = c.add("Mul", {c.input(0), c.number(a.number("scale", 1))});
  const ValueId bias = c.add("Constant", {}, {{"value_floats", a.numbers("bias")}});
  c.finish("Add", {x, c.add("Reshape", {bias, c.integers({1, -1, 1, 1})})});
}

// `border` is what is cut at the left, top, right and bottom; with `scale` the last two follow from height and width.
void crop(Composition& c) {
  c.require(1);
  const std::vector<int64_t> border = c.attributes().integers("border"), size = c.attributes().integers("scale");
  if (border.size() != 4 || (!size.empty() && size.size() != 2)) {
    c.attributes().fail("the attribute 'border' must hold four numbers, and 'scale' two");
    return;
  }
  constexpr int64_t kMost = int64_t{1} << 31;
  for (const std::vector<int64_t>& numbers : {border, size}) {
    for (const int64_t n : numbers) {
      if (n < 0 || n > kMost) c.attributes().fail("the attributes 'border' and 'scale' must not be negative or huge");
    }
  }
  const int64_t top = border[1], left = border[0];
  const auto end = [](int64_t cut) { return cut == 0 ? kMost : -cut; };
  const std::vector<int64_t> ends = size.empty() ? std::vector<int64_t>{end(border[3]), end(border[2])}
                                                 : std::vector<int64_t>{top + size[0], left + size[1]};
  c.finish("Slice", {c.input(0), c.integers({top, left}), c.integers(ends), c.integers({2, 3})});
}

}  // namespace

constexpr OperatorEntry kEntries[] = {
    composition_in("", "Affine", 1, {.inputs = 1, .outputs = 1}, affine),
    composition_in("", "ScaledTanh", 1, {.inputs = 1, .outputs = 1}, scaled_tanh),
    composition_in("", "ParametricSoftplus", 1, {.inputs = 1, .outputs = 1}, parametric_softplus),
    composition_in("", "ImageScaler", 1, {.inputs = 1, .outputs = 1}, image_scaler),
    composition_in("", "Crop", 1, {.inputs = 1, .outputs = 1}, crop),
};

NM_OPERATORS(early_compositions, kEntries)

}  // namespace nm
