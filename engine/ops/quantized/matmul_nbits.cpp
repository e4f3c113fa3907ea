// com.microsoft's MatMulNBits: a product with weights of 2, 4 or 8 bits in blocks, which stay as small in memory.
// One row or a few go through the codes directly, those of 2 and 4 bits as integers; for more, blocks of columns are
// widened and multiplied as floats, unless 8 bits are enough for the left matrix.
#include <algorithm>

#include "engine/base/memory.h"
#include "engine/kernels/kernels.h"
#include "engine/op/check.h"
#include "engine/op/numbers.h"
#include "engine/op/registry.h"

namespace nm {
namespace {

constexpr size_t kA = 0, kCodes = 1, kScales = 2, kZeros = 3, kGroups = 4, kBias = 5;

// So many rows are cheaper through the codes.
constexpr int64_t kFewRows = 64;
// Columns that are widened at a time.
constexpr int64_t kColumns = 128;

class MatMulNBits final : public Operator {
 public:
  explicit MatMulNBits(Attributes& a)
      : k_(a.integer("K", 0)),
        n_(a.integer("N", 0)),
        bits_(a.integer("bits", 4)),
        block_(a.integer("block_size", 0)),
        bytes_(a.integer("accuracy_level", 0) >= 4) {
    constexpr int64_t kMost = int64_t{1} << 31;  // what products of sizes can bear
    a.ignore({"accuracy_level"});                // always float32
    if (k_ < 1 || n_ < 1 || k_ > kMost || n_ > kMost) {
      a.fail("the attributes 'K' and 'N' must be the weights' dimensions");
    }
    if (bits_ != 2 && bits_ != 4 && bits_ != 8)
      a.unsupported(text("weights of ", bits_, " bits; there are 2, 4 and 8"));
    if (block_ < 16 || block_ > kMost || (block_ & (block_ - 1)) != 0) {
      a.fail(text("the attribute 'block_size' is ", block_, "; it must be a power of two and 16 at least"));
    }
    if (a.integer("weight_prepacked", 0) != 0) a.unsupported("weights packed for a GPU; export the model without");
  }

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 3));
    const auto floats = {DType::Float32, DType::Float16, DType::BFloat16};
    for (const size_t i : {kA, kScales, kBias}) NM_TRY(check_type(inference, i, text("input ", i), floats));
    NM_TRY(check_type(inference, kCodes, "the weights (input 1)", {DType::UInt8}));
    NM_TRY(check_type(inference, kZeros, "the zero points (input 3)",
                      {DType::UInt8, DType::Float32, DType::Float16, DType::BFloat16}));
    NM_TRY(check_type(inference, kGroups, "the groups (input 4)", {DType::Int32}));
    inference.output(0, inference.type(kA));
    NM_TRY(check_parameters(inference));
    if (!inference.has_shape(kA)) return {};
    Shape y = inference.shape(kA);
    if (y.rank() == 0 || (y.back() >= 0 && y.back() != k_)) {
      return wrong_shape("the left matrix (input 0)", y, text("rows of ", k_));
    }
    y[y.rank() - 1] = n_;
    inference.output(0, inference.type(kA), y);
    return {};
  }

  Status prepare(Preparation& preparation) override {
    const Tensor* codes = preparation.constant(kCodes);
    const Tensor* scales = preparation.constant(kScales);
    const Tensor* zeros = preparation.constant(kZeros);
    if (bits_ == 8 || codes == nullptr || codes->count() == 0 || scales == nullptr ||
        preparation.node().input(kGroups) != kNone || (zeros == nullptr && preparation.node().input(kZeros) != kNone)) {
      return {};
    }
    NM_ASSIGN(const NBits w, weights(codes, scales, zeros));
    packed_ = Buffer(panel_bytes(w));
    if (!packed_.ok()) return no_memory("packed weights", panel_bytes(w));
    panels_ = pack(w, packed_.data());
    preparation.keeps(packed_.size());
    for (const size_t i : {kCodes, kScales, kZeros}) preparation.consume(i);
    return {};
  }

  Status run(Execution& execution) override {
    const Tensor& a = execution.input(kA);
    if (a.dtype() != DType::Float32) return no_arithmetic(a.dtype());
    const int64_t rows = a.count() / k_;
    if (rows == 0) return {};
    Epilogue epilogue;
    if (execution.has(kBias)) epilogue.bias = execution.data<float>(kBias);
    if (packed_.ok()) return run_panels(execution, panels_, rows, epilogue);
    if (execution.input(kCodes).count() == 0) return fill(execution, rows, epilogue.bias);
    NM_ASSIGN(const NBits w, weights(&execution.input(kCodes), &execution.input(kScales),
                                     execution.has(kZeros) ? &execution.input(kZeros) : nullptr));
    if (execution.has(kGroups)) return run_grouped(execution, w, rows, epilogue);
    if (bits_ == 8)
      return rows > kFewRows ? run_floats(execution, w, rows, epilogue) : run_codes(execution, w, rows, epilogue.bias);
    NM_ASSIGN(uint8_t * packed, execution.scratch<uint8_t>(panel_bytes(w)));
    return run_panels(execution, pack(w, packed), rows, epilogue);
  }

  double flops(const Inference& inference) const override {
    return 2 * static_cast<double>(inference.shape(kA).count()) * static_cast<double>(n_);
  }
  std::string kernel(const Inference&) const override { return text(bits_, " bits in blocks of ", block_); }

 private:
  int64_t blocks() const { return (k_ + block_ - 1) / block_; }

  // The weights as the kernels take them. `zeros` may be null.
  Result<NBits> weights(const Tensor* codes, const Tensor* scales, const Tensor* zeros) const {
    NBits w;
    w.bits = static_cast<int>(bits_);
    w.block = block_;
    w.blocks = blocks();
    w.codes = codes->data<uint8_t>();
    if (scales->dtype() != DType::Float32) return no_arithmetic(scales->dtype());
    w.scales = scales->data<float>();
    if (zeros == nullptr) return w;
    if (zeros->dtype() == DType::UInt8) {
      w.packed_zeros = zeros->data<uint8_t>();
    } else if (zeros->dtype() == DType::Float32) {
      w.zeros = zeros->data<float>();
    } else {
      return no_arithmetic(zeros->dtype());
    }
    return w;
  }

  static bool has_offsets(const NBits& w) { return w.bits != 4 || w.zeros != nullptr || w.packed_zeros != nullptr; }

  Size panel_bytes(const NBits& w) const {
    const NBitsPanels p = panels(w);
    const Size columns = Size(p.panels()) * NBitsPanels::columns;
    return columns * (p.length() / 2) + columns * p.blocks * (has_offsets(w) ? 2 : 1) * sizeof(float);
  }

  NBitsPanels panels(const NBits& w) const {
    NBitsPanels p;
    p.n = n_;
    p.block = w.block;
    p.blocks = w.blocks;
    return p;
  }

  // `memory` has panel_bytes(w).
  NBitsPanels pack(const NBits& w, uint8_t* memory) const {
    NBitsPanels p = panels(w);
    const int64_t columns = p.panels() * NBitsPanels::columns;
    p.codes = memory;
    p.scales = reinterpret_cast<float*>(memory + columns * p.length() / 2);
    if (has_offsets(w)) p.offsets = p.scales + columns * p.blocks;
    for_rows(p.panels(), NBitsPanels::columns * k_,
             [&](int64_t begin, int64_t end) { kernels().nbits.pack(w, p, begin, end); });
    return p;
  }

  // The last dimensions of scales and zero points may be flattened, as older exporters wrote them.
  Status check_parameters(const Inference& inference) const {
    const Shape codes{n_, blocks(), block_ * bits_ / 8};
    const auto count = [&](size_t i) {
      return inference.has_shape(i) && inference.shape(i).known() ? inference.shape(i).count() : -1;
    };
    if (count(kCodes) == 0) {
      for (int i = 0; i < 3; ++i) {
        if (inference.shape(kCodes).rank() != 3 ||
            (inference.shape(kCodes)[i] != codes[i] && inference.shape(kCodes)[i] != 0)) {
          return wrong_shape("the weights (input 1)", inference.shape(kCodes), to_string(codes));
        }
      }
    } else {
      if (count(kCodes) > 0 && inference.shape(kCodes) != codes) {
        return wrong_shape("the weights (input 1)", inference.shape(kCodes), to_string(codes));
      }
      if (count(kScales) >= 0 && count(kScales) != n_ * blocks()) {
        return wrong_shape("the scales (input 2)", inference.shape(kScales), to_string(Shape{n_, blocks()}));
      }
      const Shape zeros{n_, inference.type(kZeros) == DType::UInt8 ? (blocks() * bits_ + 7) / 8 : blocks()};
      if (count(kZeros) >= 0 && count(kZeros) != zeros.count()) {
        return wrong_shape("the zero points (input 3)", inference.shape(kZeros), to_string(zeros));
      }
      if (count(kGroups) >= 0 && count(kGroups) != k_ && count(kGroups) != blocks() * block_) {
        return wrong_shape("the groups (input 4)", inference.shape(kGroups), to_string(Shape{k_}));
      }
    }
    if (count(kBias) >= 0 && count(kBias) != n_) {
      return wrong_shape("the bias (input 5)", inference.shape(kBias), to_string(Shape{n_}));
    }
    return {};
  }

  // Weights that are not there count as zero.
  Status fill(Execution& execution, int64_t rows, const float* bias) const {
    float* y = execution.out<float>(0);
    for (int64_t r = 0; r < rows; ++r, y += n_) bias ? void(std::copy_n(bias, n_, y)) : void(std::fill_n(y, n_, 0.f));
    return {};
  }

  Status run_panels(Execution& execution, const NBitsPanels& w, int64_t rows, const Epilogue& epilogue) const {
    const NBitsKernels& k = kernels().nbits;
    if (bytes_ && k.dot8 != nullptr)
      return run_integers<int8_t>(execution, w, rows, epilogue.bias, k.quantize8, k.dot8);
    if (rows <= kFewRows) return run_integers<int16_t>(execution, w, rows, epilogue.bias, k.quantize16, k.dot16);
    NM_ASSIGN(float* a, execution.scratch<float>(Size(rows) * w.length()));
    for_rows(rows, k_, [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; ++r) {
        std::fill_n(std::copy_n(execution.data<float>(kA) + r * k_, k_, a + r * w.length()), w.length() - k_, 0.f);
      }
    });
    return multiply(execution, w.length(), rows, a, epilogue, [&](int64_t begin, int64_t end, float* to) {
      k.widen_panels(w, begin / NBitsPanels::columns, (end + NBitsPanels::columns - 1) / NBitsPanels::columns, to);
    });
  }

  template <class X, class Quantize, class Dot>
  Status run_integers(Execution& execution, const NBitsPanels& w, int64_t rows, const float* bias, Quantize quantize,
                      Dot dot) const {
    NM_ASSIGN(X * integers, execution.scratch<X>(Size(rows) * w.length()));
    NM_ASSIGN(float* scales, execution.scratch<float>(Size(rows) * w.pieces<X>()));
    NM_ASSIGN(int32_t * sums, execution.scratch<int32_t>(Size(rows) * w.pieces<X>()));
    for_rows(rows, k_, [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; ++r) {
        quantize(w, k_, execution.data<float>(kA) + r * k_,
                 {integers + r * w.length(), scales + r * w.pieces<X>(), sums + r * w.pieces<X>()});
      }
    });
    float* y = execution.out<float>(0);
    // Integers are several times as fast as the multiply-adds by which work is cut.
    const int64_t chunk = thread_pool::chunk(w.panels(), std::max<int64_t>(1, NBitsPanels::columns * rows * k_ / 4));
    thread_pool::parallel_for(w.panels(), chunk, [&](int64_t begin, int64_t end, int) {
      dot(w, rows, {integers, scales, sums}, begin, end, y, n_);
      add_bias(y + begin * NBitsPanels::columns, rows, begin * NBitsPanels::columns,
               std::min(n_, end * NBitsPanels::columns), bias);
    });
    return {};
  }

  void add_bias(float* y, int64_t rows, int64_t begin, int64_t end, const float* bias) const {
    for (int64_t r = 0; bias != nullptr && r < rows; ++r) {
      for (int64_t n = begin; n < end; ++n) y[r * n_ + n] += bias[n];
    }
  }

  Status run_codes(Execution& execution, const NBits& w, int64_t rows, const float* bias) const {
    NM_ASSIGN(float* padded, execution.scratch<float>(Size(rows) * w.length()));
    NM_ASSIGN(float* sums, execution.scratch<float>(Size(rows) * w.blocks));
    const NBitsKernels& k = kernels().nbits;
    for (int64_t r = 0; r < rows; ++r) {
      k.pad(w, k_, execution.data<float>(kA) + r * k_, padded + r * w.length(), sums + r * w.blocks);
    }
    float* y = execution.out<float>(0);
    for_rows(n_, k_, [&](int64_t begin, int64_t end) {
      k.dot(w, rows, padded, sums, begin, end, y + begin, n_);
      add_bias(y, rows, begin, end, bias);
    });
    return {};
  }

  Status run_floats(Execution& execution, const NBits& w, int64_t rows, const Epilogue& epilogue) const {
    NM_ASSIGN(float* padded, execution.scratch<float>(Size(rows) * w.length()));
    for_rows(rows, k_, [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; ++r) {
        kernels().nbits.pad(w, k_, execution.data<float>(kA) + r * k_, padded + r * w.length(), nullptr);
      }
    });
    return multiply(execution, w.length(), rows, padded, epilogue,
                    [&](int64_t begin, int64_t end, float* to) { kernels().nbits.widen(w, begin, end, to); });
  }

  // Where input 4 says which scale each row of the weights has, codes lie in the order of K.
  Status run_grouped(Execution& execution, const NBits& w, int64_t rows, const Epilogue& epilogue) const {
    const int32_t* groups = execution.data<int32_t>(kGroups);
    for (int64_t i = 0; i < k_; ++i) {
      if (groups[i] < 0 || groups[i] >= w.blocks) {
        return {Code::InvalidData, text("the group ", groups[i], " is outside of ", w.blocks, " blocks")};
      }
    }
    const int64_t per_byte = 8 / bits_;
    return multiply(
        execution, k_, rows, execution.data<float>(kA), epilogue, [&](int64_t begin, int64_t end, float* to) {
          for (int64_t n = begin; n < end; ++n) {
            const uint8_t* codes = w.codes + n * w.length() / per_byte;
            for (int64_t i = 0; i < k_; ++i) {
              const int code = codes[i / per_byte] >> (i % per_byte * bits_) & ((1 << bits_) - 1);
              *to++ = (static_cast<float>(code) - zero(w, n, groups[i])) * w.scales[n * w.blocks + groups[i]];
            }
          }
        });
  }

  static float zero(const NBits& w, int64_t n, int64_t block) {
    if (w.zeros != nullptr) return w.zeros[n * w.blocks + block];
    if (w.packed_zeros == nullptr) return static_cast<float>(1 << (w.bits - 1));
    const int64_t row = (w.blocks * w.bits + 7) / 8, at = block * w.bits;
    return static_cast<float>(w.packed_zeros[n * row + at / 8] >> (at % 8) & ((1 << w.bits) - 1));
  }

  // Rows of `depth` times weights, of which `columns(begin, end, to)` writes some as floats, one column after the
  // other.
  template <class F>
  Status multiply(Execution& execution, int64_t depth, int64_t rows, const float* a, const Epilogue& epilogue,
                  F&& columns) const {
    const GemmKernels& gemm = kernels().gemm;
    const int64_t together = std::min(kColumns, n_);
    // Panels have columns that n may lack.
    const int64_t wide = (together + NBitsPanels::columns - 1) * depth, packed = gemm.packed_size(depth, together);
    NM_ASSIGN(float* work, execution.scratch<float>((Size(wide) + Size(packed)) * thread_pool::size()));
    float* y = execution.out<float>(0);
    thread_pool::parallel_for((n_ + together - 1) / together, 1, [&](int64_t begin, int64_t end, int thread) {
      float* floats = work + thread * (wide + packed);
      for (int64_t task = begin; task < end; ++task) {
        const int64_t n0 = task * together, n1 = std::min(n0 + together, n_);
        columns(n0, n1, floats);
        gemm.pack_b(depth, n1 - n0, floats, SourceType::F32, 1, depth, 1, floats + wide);
        Gemm g{rows, n1 - n0, depth, a, depth, floats + wide, y + n0, n_, epilogue};
        if (g.epilogue.bias != nullptr) g.epilogue.bias += n0;
        gemm.run_rows(g, 0, rows);
      }
    });
    return {};
  }

  int64_t k_, n_, bits_, block_;
  bool bytes_;  // the model allows activations of 8 bits
  Buffer packed_;
  NBitsPanels panels_;  // in packed_, when the weights are constant and have 2 or 4 bits
};

}  // namespace

constexpr OperatorEntry kEntries[] = {
    entry_in<MatMulNBits>(kMicrosoftDomain, "MatMulNBits", 1, {.inputs = 6, .outputs = 1, .layout = layout::opaque}),
};

NM_OPERATORS(matmul_nbits, kEntries)

}  // namespace nm
