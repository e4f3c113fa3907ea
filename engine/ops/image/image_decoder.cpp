#include "engine/op/operator.h"
#include "engine/op/registry.h"

namespace nm {
namespace {

// Refused: decoders for eight formats would outweigh the engine, and every host has them.
class ImageDecoder final : public Operator {
 public:
  explicit ImageDecoder(Attributes& a) {
    a.unsupported(
        "images are not decoded inside a model; decode them before the run (in a page: createImageBitmap, drawImage on "
        "a canvas, getImageData), and cut the model behind this node so that it takes the pixels, uint8 [height, "
        "width, channels], as an input");
  }

  Status infer(Inference&) const override { return {}; }
  Status run(Execution&) override { return {}; }
};

}  // namespace

constexpr OperatorEntry kEntries[] = {
    entry<ImageDecoder>("ImageDecoder", 20, {.inputs = 1, .outputs = 1, .layout = layout::opaque}),
};

NM_OPERATORS(image_decoder, kEntries)

}  // namespace nm
