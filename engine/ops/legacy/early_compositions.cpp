// Operators that ai.onnx had before its first stable versions, and that old files still hold.
#include "engine/op/composition.h"
#include "engine/op/registry.h"

namespace nm {
namespace {

void affine(Composition& composition) {
  composition.require(1);
  Attributes& a = composition.attributes();
  const ValueId x = composition.add("Mul", {composition.input(0), composition.number(a.number("alpha", 1))});
  composition.finish("Add", {x, composition.number(a.number("beta", 0))});
}

void scaled_tanh(Composition& composition) {
  composition.require(1);
  Attributes& a = composition.attributes();
  const ValueId x = composition.add("Mul", {composition.input(0), composition.number(a.number("beta", 1))});
  composition.finish("Mul", {composition.add("Tanh", {x}), composition.number(a.number("alpha", 1))});
}

void parametric_softplus(Composition& composition) {
  composition.require(1);
  Attributes& a = composition.attributes();
  const ValueId x = composition.add("Mul", {composition.input(0), composition.number(a.number("beta", 1))});
  composition.finish("Mul", {composition.add("Softplus", {x}), composition.number(a.number("alpha", 1))});
}

void image_scaler(Composition& composition) {
  composition.require(1);
  Attributes& a = composition.attributes();
  const ValueId x = composition.add("Mul", {composition.input(0), composition.number(a.number("scale", 1))});
  const ValueId bias = composition.add("Constant", {}, {{"value_floats", a.numbers("bias")}});
  composition.finish("Add", {x, composition.add("Reshape", {bias, composition.integers({1, -1, 1, 1})})});
}

// `border` is what is cut at the left, top, right and bottom; with `scale` the last two follow from height and width.
void crop(Composition& composition) {
  composition.require(1);
  const std::vector<int64_t> border = composition.attributes().integers("border"),
                             size = composition.attributes().integers("scale");
  if (border.size() != 4 || (!size.empty() && size.size() != 2)) {
    composition.attributes().fail("the attribute 'border' must hold four numbers, and 'scale' two");
    return;
  }
  constexpr int64_t kMost = int64_t{1} << 31;
  for (const std::vector<int64_t>& numbers : {border, size}) {
    for (const int64_t n : numbers) {
      if (n < 0 || n > kMost)
        composition.attributes().fail("the attributes 'border' and 'scale' must not be negative or huge");
    }
  }
  const int64_t top = border[1], left = border[0];
  const auto end = [](int64_t cut) { return cut == 0 ? kMost : -cut; };
  const std::vector<int64_t> ends = size.empty() ? std::vector<int64_t>{end(border[3]), end(border[2])}
                                                 : std::vector<int64_t>{top + size[0], left + size[1]};
  composition.finish("Slice", {composition.input(0), composition.integers({top, left}), composition.integers(ends),
                               composition.integers({2, 3})});
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
