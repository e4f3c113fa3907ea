// Weights of products in blocks of 4 bits, tables that indices look up in such of 8, as com.microsoft's MatMulNBits and
// GatherBlockQuantized have them: they are multiplied as integers and stay as small in memory.
#include <algorithm>
#include <array>
#include <cmath>

#include "engine/passes/passes.h"
#include "engine/passes/rewrite.h"

namespace nm {
namespace {

constexpr int64_t kBlock = 32;
constexpr int64_t kFewest = 4096;  // weights of a node for which it pays
// Activations as integers of 8 bits, a scale for each 32: their steps are an eighteenth of the weights', and products
// are 1.7 times (one row) to 3 times (many) as fast as with integers of 16 (`./dev bench --wasm bits`, relaxed SIMD).
constexpr int64_t kAccuracyLevel = 4;

using Block = std::array<float, kBlock>;

// Up to kBlock numbers `stride` apart, and zeros.
Block block_of(const float* x, int64_t stride, int64_t count) {
  Block block{};
  for (int64_t i = 0; i < std::min(count, kBlock); ++i) block[static_cast<size_t>(i)] = x[i * stride];
  return block;
}

float extreme_of(const Block& block) {
  return *std::max_element(block.begin(), block.end(), [](float a, float b) { return std::abs(a) < std::abs(b); });
}

struct Codes {
  std::array<uint8_t, kBlock> codes{};
  float scale = 0;
};

// Integers from -8 to 7, plus 8. The extreme number is tried at -7 to -9: to cut it off can serve all others. For the
// integers x/s ≈ q, the scale with the least squares is Σxq/Σq², and what it leaves of Σx² is less by (Σxq)²/Σq².
Codes four_bits(const Block& block) {
  Codes best;
  best.codes.fill(8);
  const float extreme = extreme_of(block);
  double most = 0;
  for (int step = 0; step <= 8; ++step) {
    const float by = -(7 + 0.25f * static_cast<float>(step)) / extreme;
    if (!std::isfinite(by)) break;  // all are zero, or too small to tell
    Codes tried;
    double products = 0, squares = 0;
    for (size_t i = 0; i < block.size(); ++i) {
      const float q = std::clamp(std::nearbyint(block[i] * by), -8.f, 7.f);
      tried.codes[i] = static_cast<uint8_t>(static_cast<int>(q) + 8);
      products += static_cast<double>(block[i]) * q;
      squares += static_cast<double>(q) * q;
    }
    tried.scale = static_cast<float>(products / squares);
    if (const double explained = products * products / squares; explained > most) {
      most = explained;
      best = tried;
    }
  }
  return best;
}

// Integers from -127 to 127, plus 128.
Codes eight_bits(const Block& block) {
  Codes codes;
  const float extreme = std::abs(extreme_of(block));
  codes.scale = extreme / 127;
  for (size_t i = 0; i < block.size(); ++i) {
    const float q = extreme > 0 ? std::nearbyint(block[i] / extreme * 127) : 0;
    codes.codes[i] = static_cast<uint8_t>(static_cast<int>(q) + 128);
  }
  return codes;
}

bool finite(const Tensor& tensor) {
  const auto elements = tensor.span<float>();
  return std::all_of(elements.begin(), elements.end(), [](float x) { return std::isfinite(x); });
}

class WeightQuantization {
 public:
  explicit WeightQuantization(Graph& graph) : graph_(graph) {}

  Status run() {
    for (Node& node : graph_.nodes) {
      NM_TRY(product(node));
      NM_TRY(look_up(node));
    }
    remove_dead_nodes(graph_);
    return infer_types(graph_);
  }

 private:
  // A float32 matrix that is worth it.
  const Tensor* matrix(ValueId id) const {
    const Tensor* t = graph_.constant(id);
    const bool fits = t != nullptr && t->dtype() == DType::Float32 && t->rank() == 2 && t->count() >= kFewest;
    return fits && finite(*t) ? t : nullptr;
  }

  Status product(Node& node) {
    const bool gemm = node.is("Gemm");
    if (!gemm && !node.is("MatMul")) return {};
    const Tensor* b = matrix(node.input(1));
    if (b == nullptr || !is_float32(graph_.value(node.input(0)))) return {};
    const bool transposed = gemm && attribute(node, "transB", int64_t{0}) != 0;
    const int64_t k = b->dim(transposed ? 1 : 0), n = b->dim(transposed ? 0 : 1);
    if (k < kBlock) return {};
    const ValueId bias = gemm ? node.input(2) : kNone;
    if (gemm && !plain(node, bias, n)) return {};

    const int64_t blocks = (k + kBlock - 1) / kBlock;
    NM_ASSIGN(Tensor codes, Tensor::create(DType::UInt8, Shape{n, blocks, kBlock / 2}));
    NM_ASSIGN(Tensor scales, Tensor::create(DType::Float32, Shape{n, blocks}));
    auto* to = codes.data<uint8_t>();
    auto* scale = scales.data<float>();
    for (int64_t column = 0; column < n; ++column) {
      for (int64_t at = 0; at < k; at += kBlock) {
        const float* from = b->data<float>() + (transposed ? column * k + at : at * n + column);
        const Codes block = four_bits(block_of(from, transposed ? 1 : n, k - at));
        *scale++ = block.scale;
        for (size_t i = 0; i < kBlock; i += 2) *to++ = static_cast<uint8_t>(block.codes[i] | block.codes[i + 1] << 4);
      }
    }
    become(node, "MatMulNBits", {node.inputs[0], codes_of(node, std::move(codes)), scales_of(node, std::move(scales))},
           {{"K", k}, {"N", n}, {"bits", int64_t{4}}, {"block_size", kBlock}, {"accuracy_level", kAccuracyLevel}});
    if (bias != kNone) {
      node.inputs.insert(node.inputs.end(), {kNone, kNone, bias});
      node.explicit_inputs = node.inputs.size();
    }
    return {};
  }

  // A Gemm that is the product of rows, and of a bias for each column at most.
  bool plain(const Node& gemm, ValueId bias, int64_t n) const {
    if (attribute(gemm, "transA", int64_t{0}) != 0 || attribute(gemm, "alpha", 1.f) != 1.f) return false;
    if (bias == kNone) return true;
    const Tensor* c = graph_.constant(bias);
    return attribute(gemm, "beta", 1.f) == 1.f && c != nullptr && c->rank() == 1 && c->count() == n;
  }

  Status look_up(Node& node) {
    if (!node.is("Gather") || attribute(node, "axis", int64_t{0}) != 0) return {};
    const Tensor* table = matrix(node.input(0));
    if (table == nullptr || table->dim(1) < kBlock) return {};
    const int64_t rows = table->dim(0), length = table->dim(1), blocks = (length + kBlock - 1) / kBlock;
    NM_ASSIGN(Tensor codes, Tensor::create(DType::UInt8, table->shape()));
    NM_ASSIGN(Tensor scales, Tensor::create(DType::Float32, Shape{rows, blocks}));
    auto* to = codes.data<uint8_t>();
    auto* scale = scales.data<float>();
    for (int64_t row = 0; row < rows; ++row) {
      for (int64_t at = 0; at < length; at += kBlock) {
        const Codes block = eight_bits(block_of(table->data<float>() + row * length + at, 1, length - at));
        *scale++ = block.scale;
        to = std::copy_n(block.codes.begin(), std::min(kBlock, length - at), to);
      }
    }
    become(node, "GatherBlockQuantized",
           {codes_of(node, std::move(codes)), node.inputs[1], scales_of(node, std::move(scales))},
           {{"gather_axis", int64_t{0}},
            {"quantize_axis", int64_t{1}},
            {"block_size", kBlock},
            {"bits", int64_t{8}},
            {"nm_strict", int64_t{1}}});
    return {};
  }

  // The node's output has a name even where the node has none.
  ValueId codes_of(const Node& node, Tensor codes) { return add(node, ".codes", std::move(codes)); }
  ValueId scales_of(const Node& node, Tensor scales) { return add(node, ".scales", std::move(scales)); }
  ValueId add(const Node& node, const char* what, Tensor tensor) {
    return graph_.add_constant(graph_.value(node.outputs[0]).name + what, std::move(tensor));
  }

  static void become(Node& node, const char* type, std::vector<ValueId> inputs, AttributeMap attributes) {
    node.op_type = type;
    node.domain = kMicrosoftDomain;
    node.version = 1;
    node.inputs = std::move(inputs);
    node.explicit_inputs = node.inputs.size();
    node.attributes = std::move(attributes);
  }

  Graph& graph_;
};

}  // namespace

Status quantize_weights(Graph& graph) {
  NM_ASSIGN(const bool folded, fold_all_but_weights(graph));  // weights may be transposed or cast first
  if (folded) NM_TRY(infer_types(graph));
  NM_TRY(WeightQuantization(graph).run());
  for (Node& node : graph.nodes) {
    for (const auto& [name, attribute] : node.attributes) {
      if (const auto* body = std::get_if<std::shared_ptr<Graph>>(&attribute)) NM_TRY(quantize_weights(**body));
    }
  }
  return {};
}

}  // namespace nm
