#include "engine/ops/nn/attention_core.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/kernels/kernels.h"
#include "engine/op/numbers.h"

namespace nm {
namespace {

constexpr float kMasked = -std::numeric_limits<float>::infinity();
// Scores that a thread works on at a time, so that they stay in a core's own cache. In Whisper's encoder (1,500 keys,
// V8) attention took 0.98 of the time of its products with 4 MiB shared by all threads, and takes 0.80 with 256 KiB for
// each; with two threads 1.06 and 0.84. Other sizes were not tried.
constexpr int64_t kScores = int64_t{1} << 16;
// Rows at a time where each sees fewer keys than the next, so that little is computed that none sees.
constexpr int64_t kCausalRows = 128;
// Where there are few matrices, their rows are cut into as many pieces as give threads something to share.
constexpr int64_t kTasks = 8, kFewestRows = 32;

class Attend {
 public:
  explicit Attend(const AttentionCall& call) : a_(call) {}

  Status run(Execution& execution) {
    const int64_t matrices = a_.batch * a_.q_heads;
    if (matrices == 0 || a_.q_len == 0) return {};
    if (a_.kv_len == 0) {  // nothing to see
      for (int64_t m = 0; m < matrices; ++m) {
        for (int64_t i = 0; i < a_.q_len; ++i) {
          std::fill_n(a_.y.at(m / a_.q_heads, m % a_.q_heads) + i * a_.y.row, a_.v_size, 0.f);
        }
      }
      return {};
    }
    if (a_.q_len == 1) return run_single(execution, matrices);
    // The same blocks for any number of threads.
    const auto pieces = [](int64_t n, int64_t size) { return (n + size - 1) / size; };
    int64_t height = std::max(kScores / a_.kv_len, kFewestRows);
    if (a_.causal) height = std::min(height, kCausalRows);
    const int64_t shared = std::min(pieces(kTasks, matrices), pieces(a_.q_len, kFewestRows));
    height = pieces(a_.q_len, std::max(pieces(a_.q_len, height), shared));
    const int64_t blocks = pieces(a_.q_len, height), group = a_.q_heads / a_.kv_heads;
    const GemmKernels& gemm = kernels().gemm;
    const int64_t keys = gemm.packed_size(a_.head_size, a_.kv_len), values = gemm.packed_size(a_.kv_len, a_.v_size);
    const bool narrow = a_.k.rows.scales != nullptr || a_.v.rows.scales != nullptr;
    const int64_t wide = narrow ? a_.kv_len * std::max(a_.head_size, a_.v_size) : 0;
    const int64_t floats = height * a_.kv_len + keys + values + wide;
    NM_ASSIGN(float* scratch, execution.scratch<float>(Size(floats) * thread_pool::size()));
    const int64_t tasks = matrices * blocks, work = height * a_.kv_len * (a_.head_size + a_.v_size);
    thread_pool::parallel_for(tasks, thread_pool::chunk(tasks, work), [&](int64_t begin, int64_t end, int thread) {
      Block block;
      block.scores = scratch + thread * floats;
      block.keys = block.scores + height * a_.kv_len;
      block.values = block.keys + keys;
      block.wide = block.values + values;
      for (int64_t task = begin; task < end; ++task) {
        // Heads that share keys and values follow each other.
        const int64_t matrix = task / (group * blocks) * group + task % group, row = task / group % blocks * height;
        run_block(block, matrix, row, std::min(height, a_.q_len - row));
      }
    });
    return {};
  }

 private:
  // One query for each head, as a decoder has them: nothing is packed.
  Status run_single(Execution& execution, int64_t matrices) {
    const GemmKernels& gemm = kernels().gemm;
    const int64_t threads = thread_pool::size(), group = a_.q_heads / a_.kv_heads, heads = a_.batch * a_.kv_heads;
    // Queries that share a head of keys and values read it together, which is 1.3 times as fast for three (V8, 1,024
    // keys of 64), unless a third of the threads would have nothing to do meanwhile.
    const bool together = 3 * heads >= 2 * threads * ((heads + threads - 1) / threads);
    const int64_t rows = together ? group : 1, tasks = matrices / rows;
    NM_ASSIGN(float* scratch, execution.scratch<float>(Size(rows) * a_.kv_len * threads));
    const int64_t chunk = std::max(int64_t{1}, kElementChunk / (rows * a_.kv_len * a_.head_size + 1));
    thread_pool::parallel_for(tasks, chunk, [&](int64_t begin, int64_t end, int thread) {
      float* scores = scratch + thread * rows * a_.kv_len;
      for (int64_t m = begin * rows; m < end * rows; m += rows) {
        const int64_t b = m / a_.q_heads, h = m % a_.q_heads, n = a_.kv_len;
        const StoredHeads &k = a_.k, &v = a_.v;
        const int64_t shared = kv_head(h);
        gemm.dot_rows({rows, n, a_.head_size, a_.q.at(b, h), a_.q.head, k.at(b, shared), k.row, scores, n, a_.scale,
                       k.rows.stored});
        scale_columns(k.scales(b, shared), rows, n, scores);
        for (int64_t i = 0; i < rows; ++i) soften(m + i, 0, n, scores + i * n);
        scale_columns(v.scales(b, shared), rows, n, scores);
        gemm.weigh_rows(
            {rows, a_.v_size, n, scores, n, v.at(b, shared), v.row, a_.y.at(b, h), a_.y.head, 1, v.rows.stored});
      }
    });
    return {};
  }

  // Scores of keys that are stored narrower, and weights of such values, by the scales of their rows.
  static void scale_columns(const float* scales, int64_t rows, int64_t n, float* x) {
    if (scales == nullptr) return;
    for (int64_t i = 0; i < rows; ++i, x += n) kernels().elementwise.binary(Binary::Mul, x, scales, x, n);
  }

  // What a thread has of the block that it works on: scores, and keys and values as products take them.
  struct Block {
    float* scores = nullptr;
    float* keys = nullptr;
    float* values = nullptr;
    float* wide = nullptr;          // keys or values, on their way there
    int64_t packed = -1, rows = 0;  // whose keys and values they are, and how many
  };

  // Rows [row, row + rows) of a matrix.
  void run_block(Block& block, int64_t matrix, int64_t row, int64_t rows) const {
    const GemmKernels& gemm = kernels().gemm;
    const int64_t b = matrix / a_.q_heads, h = matrix % a_.q_heads, shared = b * a_.kv_heads + kv_head(h);
    const int64_t seen = reach(b, row + rows - 1);
    if (block.packed != shared || block.rows != seen) {
      const Heads<const float> k = floats(a_.k, b, kv_head(h), seen, a_.head_size, block.wide);
      gemm.pack_b(a_.head_size, seen, k.data, SourceType::F32, 1, k.row, a_.scale, block.keys);
      const Heads<const float> v = floats(a_.v, b, kv_head(h), seen, a_.v_size, block.wide);
      gemm.pack_b(seen, a_.v_size, v.data, SourceType::F32, v.row, 1, 1, block.values);
      block.packed = shared;
      block.rows = seen;
    }
    const float* q = a_.q.at(b, h) + row * a_.q.row;
    float* y = a_.y.at(b, h) + row * a_.y.row;
    gemm.run_rows({rows, seen, a_.head_size, q, a_.q.row, block.keys, block.scores, a_.kv_len}, 0, rows);
    for (int64_t i = 0; i < rows; ++i) soften(matrix, row + i, seen, block.scores + i * a_.kv_len);
    gemm.run_rows({rows, a_.v_size, seen, block.scores, a_.kv_len, block.values, y, a_.y.row}, 0, rows);
  }

  // One head's first `rows` rows as floats, in `wide` where they are stored narrower.
  static Heads<const float> floats(const StoredHeads& x, int64_t b, int64_t h, int64_t rows, int64_t size,
                                   float* wide) {
    if (x.rows.scales == nullptr) return {static_cast<const float*>(x.at(b, h)), 0, 0, x.row};
    for (int64_t i = 0, at = x.offset(b, h); i < rows; ++i, at += x.row) {
      copy_row(x.rows, at, {Stored::F32, wide}, i * size, size);
    }
    return {wide, 0, 0, size};
  }

  // Several query heads may share a head of keys and values.
  int64_t kv_head(int64_t h) const { return h / (a_.q_heads / a_.kv_heads); }

  struct Range {
    int64_t begin, end;
  };

  // Keys that query i of batch b may see, as far as causality, windows and lengths say.
  Range visible(int64_t b, int64_t i) const {
    const int64_t n = a_.lengths != nullptr ? std::clamp(a_.lengths[b], int64_t{0}, a_.kv_len) : a_.kv_len;
    const int64_t offset = a_.lengths != nullptr ? n - a_.q_len : a_.offset;
    const int64_t position = i + (a_.offsets != nullptr ? a_.offsets[b] : offset);
    int64_t ahead = a_.causal ? 0 : n;
    if (a_.right_window >= 0) ahead = std::min(ahead, a_.right_window);
    const int64_t behind = a_.left_window >= 0 ? std::min(a_.left_window, a_.kv_len + a_.q_len) : a_.kv_len + a_.q_len;
    const int64_t end = a_.causal || a_.right_window >= 0 ? std::clamp(position + 1 + ahead, int64_t{0}, n) : n;
    return {std::clamp(position - behind, int64_t{0}, end), end};
  }

  // Keys that some query of batch b up to row i may see: none behind them is worked on.
  int64_t reach(int64_t b, int64_t i) const {
    return a_.scores != nullptr ? a_.kv_len : std::max(int64_t{1}, visible(b, i).end);
  }

  // One row of scores, of which the first `reach` are worked on, into probabilities.
  void soften(int64_t matrix, int64_t i, int64_t reach, float* x) const {
    using Scores = AttentionCall::Scores;
    const int64_t b = matrix / a_.q_heads;
    const ElementwiseKernels& k = kernels().elementwise;
    const auto show = [&](Scores after) {
      if (a_.scores == nullptr || a_.scores_after != after) return;
      std::copy_n(x, a_.kv_len, a_.scores + (matrix * a_.q_len + i) * a_.kv_len);
    };
    show(Scores::Product);
    if (a_.softcap != 0) {
      k.unary(Unary::Affine, x, x, reach, 1 / a_.softcap, 0);
      k.unary(Unary::Tanh, x, x, reach, 0, 0);
      k.unary(Unary::Affine, x, x, reach, a_.softcap, 0);
    }
    show(Scores::Softcap);
    Range seen = visible(b, i);
    for (const AttentionMask* m : {&a_.mask, &a_.padding}) {
      if (m->bias == nullptr && m->seen == nullptr) continue;
      if (m->column != 0) seen.end = std::clamp(m->columns, seen.begin, seen.end);
      apply(*m, b * m->batch + matrix % a_.q_heads * m->head + i * m->row, seen, x);
    }
    std::fill(x, x + seen.begin, kMasked);
    std::fill(x + seen.end, x + reach, kMasked);
    show(Scores::Mask);
    const bool blind = std::all_of(x + seen.begin, x + seen.end, [](float v) { return v == kMasked; });
    if (blind && a_.nan_rows == AttentionCall::NanRows::Kept) {
      std::fill(x, x + reach, std::numeric_limits<float>::quiet_NaN());
      return;
    }
    if (blind) seen.end = seen.begin;
    std::fill(x, x + seen.begin, 0.f);
    std::fill(x + seen.end, x + reach, 0.f);
    const int64_t n = seen.end - seen.begin;
    if (n > 0) {
      const RowKernels& rows = kernels().rows;
      float all = 0;  // the logarithm of what the keys weigh together
      if (a_.sinks != nullptr) rows.reduce(Reduce::LogSumExp, 1, n, x + seen.begin, n, &all);
      rows.softmax(1, n, x + seen.begin, n, x + seen.begin, n);
      if (a_.sinks != nullptr) {
        const float share = 1 / (1 + std::exp(a_.sinks[matrix % a_.q_heads] - all));
        k.unary(Unary::Affine, x + seen.begin, x + seen.begin, n, share, 0);
      }
      // One NaN makes all of a row NaN.
      if (a_.nan_rows == AttentionCall::NanRows::Zero && std::isnan(x[seen.begin])) std::fill_n(x + seen.begin, n, 0.f);
    }
    show(Scores::Softmax);
  }

  void apply(const AttentionMask& m, int64_t at, const Range& seen, float* x) const {
    if (m.bias == nullptr) {
      for (int64_t j = seen.begin; j < seen.end; ++j) {
        if (!m.seen[at + j * m.column]) x[j] = a_.low;
      }
      return;
    }
    if (m.column == 1) {
      float* first = x + seen.begin;
      kernels().elementwise.binary(Binary::Add, first, m.bias + at + seen.begin, first, seen.end - seen.begin);
    } else {
      for (int64_t j = seen.begin; j < seen.end; ++j) x[j] += m.bias[at];  // one column serves all
    }
  }

  const AttentionCall& a_;
};

}  // namespace

void copy_rows(const HeadRows& r, const Heads<float>& to) {
  for_rows(r.batch * r.heads, r.rows * r.size, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t b = i / r.heads, h = i % r.heads;
      const float* from = r.from.at(b, h);
      float* row = to.at(b, h);
      for (int64_t n = 0; n < r.rows; ++n, from += r.from.row, row += to.row) {
        if (r.bias == nullptr) {
          std::copy_n(from, r.size, row);
        } else {
          kernels().elementwise.binary(Binary::Add, from, r.bias + h * r.size, row, r.size);
        }
      }
    }
  });
}

Result<Present> present(Execution& execution, size_t past, size_t o, const Shape& shape, int64_t kept) {
  const int axis = shape.rank() - 2;
  Present p;
  if (execution.has(past) && execution.wants(o)) {
    NM_ASSIGN(p.last, execution.lengthened(o, past, axis, kept, shape[axis]));
    p.all = rows_of(execution.output_value(o));
    return p;
  }
  p.all.strides = p.last.at.strides = row_major(shape);
  if (execution.wants(o)) {
    p.last.at.data = execution.out<float>(o);
  } else {
    Size count(1);
    for (const int64_t d : shape) count = count * d;
    NM_ASSIGN(p.last.at.data, execution.scratch<float>(count));
  }
  p.all.rows.data = p.last.at.data;
  if (!execution.has(past)) return p;
  Shape extent = execution.input_shape(past);
  extent[axis] = kept;
  copy_first(execution.input_value(past), extent, p.last.at);
  p.last.at.offset = kept * p.last.at.strides[axis];
  return p;
}

Result<StoredHeads> joined(Execution& execution, size_t past, size_t o, const Shape& shape, int64_t kept,
                           const HeadRows& now) {
  NM_ASSIGN(const Present p, present(execution, past, o, shape, kept));
  copy_rows(now, p.now());
  p.last.settle();
  return StoredHeads(p.all.rows, p.all.strides);
}

Result<RowsTensor> float_rows(Execution& execution, size_t i) {
  const RowsTensor x = execution.rows_input(i);
  if (x.rows.scales == nullptr) return x;
  const Shape& shape = execution.input_shape(i);
  NM_ASSIGN(float* own, execution.scratch<float>(Size(shape.count())));
  copy_first(execution.input_value(i), shape, {own, 0, row_major(shape)});
  return RowsTensor{{Stored::F32, own}, row_major(shape)};
}

Status attend(Execution& execution, const AttentionCall& call) { return Attend(call).run(execution); }

}  // namespace nm
