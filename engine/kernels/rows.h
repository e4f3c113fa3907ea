// Softmax, normalisations and reductions in f32 over rows. All run on the calling thread: the caller splits rows.
// Rows are contiguous, ld* elements apart. Output may be the input.
#pragma once
#include <cstdint>

namespace nm {

enum class Reduce : uint8_t { Sum, Mean, Max, Min, Prod, SumSquare, L1, L2, LogSum, LogSumExp };

struct RowKernels {
  // Over the n elements of each row. A row of n = 0 writes nothing.
  void (*softmax)(int64_t rows, int64_t n, const float* x, int64_t ldx, float* y, int64_t ldy);
  void (*log_softmax)(int64_t rows, int64_t n, const float* x, int64_t ldx, float* y, int64_t ldy);
  // Over the middle axis of [outer, n, inner], inner > 1.
  void (*softmax_strided)(int64_t outer, int64_t n, int64_t inner, const float* x, float* y);
  void (*log_softmax_strided)(int64_t outer, int64_t n, int64_t inner, const float* x, float* y);

  // y = (x - mean) / sqrt(var + epsilon) · scale + bias per row; bias, mean and inv_std (one per row) may be null.
  void (*layer_norm)(int64_t rows, int64_t n, const float* x, int64_t ldx, const float* scale, const float* bias,
                     float epsilon, float* y, int64_t ldy, float* mean, float* inv_std);
  // y = x / sqrt(mean(x²) + epsilon) · scale; scale may be null; inv_rms (one per row) may be null.
  void (*rms_norm)(int64_t rows, int64_t n, const float* x, int64_t ldx, const float* scale, float epsilon, float* y,
                   int64_t ldy, float* inv_rms);
  // Mean and biased variance of each row (instance and group normalisation of planes).
  void (*mean_variance)(int64_t rows, int64_t n, const float* x, int64_t ldx, float* mean, float* variance);
  // Mean and biased variance of each column: instance normalisation of a channels-last image.
  void (*column_mean_variance)(int64_t rows, int64_t n, const float* x, int64_t ldx, float* mean, float* variance);

  // y[r] = reduction of row r. n = 0 gives the neutral element (NaN for Mean).
  void (*reduce)(Reduce op, int64_t rows, int64_t n, const float* x, int64_t ldx, float* y);
  // y[i] = reduction over the rows of column i.
  void (*reduce_columns)(Reduce op, int64_t rows, int64_t n, const float* x, int64_t ldx, float* y);

  // Recurrent cells, one row of `hidden` units. `gates` holds pre-activations in ONNX's order, hidden each.
  // LSTM, gates i,o,f,c: c = σ(f)·c + σ(i)·tanh(c'); h = σ(o)·tanh(c). Peepholes (null or i,o,f) as in ONNX.
  void (*lstm_cell)(int64_t hidden, const float* gates, const float* peepholes, float* c, float* h);
  // GRU, linear_before_reset ≠ 0. x_gates and h_gates hold z,r,h from the input and the recurrent side, biases
  // included: n = tanh(x_h + σ(r)·h_h); h' = (1-σ(z))·n + σ(z)·h.
  void (*gru_cell)(int64_t hidden, const float* x_gates, const float* h_gates, float* h);
};

}  // namespace nm
