// What a node may have in its operator's version: how many inputs and outputs, and which attributes. More than that is
// a node of another version, or of another operator, and what it says would be lost.
#include <algorithm>
#include <span>

#include "engine/ops/operator.h"

namespace nm {
namespace {

constexpr uint8_t kAny = 255;

// The largest numbers of inputs and outputs from this operator set on, until the next row of the same name.
struct Counts {
  std::string_view name;
  uint8_t since, inputs, outputs;
};

constexpr Counts kStandard[] = {
    {"Abs", 1, 1, 1},
    {"Acos", 7, 1, 1},
    {"Acosh", 9, 1, 1},
    {"Add", 1, 2, 1},
    {"Affine", 1, 1, 1},
    {"AffineGrid", 20, 2, 1},
    {"And", 1, 2, 1},
    {"ArgMax", 1, 1, 1},
    {"ArgMin", 1, 1, 1},
    {"Asin", 7, 1, 1},
    {"Asinh", 9, 1, 1},
    {"Atan", 7, 1, 1},
    {"Atanh", 9, 1, 1},
    {"Attention", 23, 6, 4},
    {"Attention", 24, 7, 4},
    {"AveragePool", 1, 1, 1},
    {"BatchNormalization", 1, 5, 5},
    {"BatchNormalization", 14, 5, 3},
    {"Bernoulli", 15, 1, 1},
    {"BitCast", 26, 1, 1},
    {"BitShift", 11, 2, 1},
    {"BitwiseAnd", 18, 2, 1},
    {"BitwiseNot", 18, 1, 1},
    {"BitwiseOr", 18, 2, 1},
    {"BitwiseXor", 18, 2, 1},
    {"BlackmanWindow", 17, 1, 1},
    {"Cast", 1, 1, 1},
    {"CastLike", 15, 2, 1},
    {"CausalConvWithState", 27, 4, 2},
    {"Ceil", 1, 1, 1},
    {"Celu", 12, 1, 1},
    {"CenterCropPad", 18, 2, 1},
    {"Clip", 1, 1, 1},
    {"Clip", 11, 3, 1},
    {"Col2Im", 18, 3, 1},
    {"Compress", 9, 2, 1},
    {"Concat", 1, kAny, 1},
    {"ConcatFromSequence", 11, 1, 1},
    {"Constant", 1, 0, 1},
    {"ConstantOfShape", 9, 1, 1},
    {"Conv", 1, 3, 1},
    {"ConvInteger", 10, 4, 1},
    {"ConvTranspose", 1, 3, 1},
    {"Cos", 7, 1, 1},
    {"Cosh", 9, 1, 1},
    {"Crop", 1, 1, 1},
    {"CumProd", 26, 2, 1},
    {"CumSum", 11, 2, 1},
    {"DFT", 17, 2, 1},
    {"DFT", 20, 3, 1},
    {"DeformConv", 19, 5, 1},
    {"DepthToSpace", 1, 1, 1},
    {"DequantizeLinear", 10, 3, 1},
    {"Det", 11, 1, 1},
    {"Div", 1, 2, 1},
    {"Dropout", 1, 1, 2},
    {"Dropout", 12, 3, 2},
    {"DynamicQuantizeLinear", 11, 1, 3},
    {"Einsum", 12, kAny, 1},
    {"Elu", 1, 1, 1},
    {"Equal", 1, 2, 1},
    {"Erf", 9, 1, 1},
    {"Exp", 1, 1, 1},
    {"Expand", 8, 2, 1},
    {"EyeLike", 9, 1, 1},
    {"Flatten", 1, 1, 1},
    {"Floor", 1, 1, 1},
    {"GRU", 1, 6, 2},
    {"Gather", 1, 2, 1},
    {"GatherElements", 11, 2, 1},
    {"GatherND", 11, 2, 1},
    {"Gelu", 20, 1, 1},
    {"Gemm", 1, 3, 1},
    {"GlobalAveragePool", 1, 1, 1},
    {"GlobalLpPool", 1, 1, 1},
    {"GlobalMaxPool", 1, 1, 1},
    {"Greater", 1, 2, 1},
    {"GreaterOrEqual", 12, 2, 1},
    {"GridSample", 16, 2, 1},
    {"GroupNormalization", 18, 3, 1},
    {"GroupedMatMul", 29, 4, 1},
    {"HammingWindow", 17, 1, 1},
    {"HannWindow", 17, 1, 1},
    {"HardSigmoid", 1, 1, 1},
    {"HardSwish", 14, 1, 1},
    {"Hardmax", 1, 1, 1},
    {"Identity", 1, 1, 1},
    {"If", 1, 1, kAny},
    {"ImageDecoder", 20, 1, 1},
    {"ImageScaler", 1, 1, 1},
    {"InstanceNormalization", 1, 3, 1},
    {"IsInf", 10, 1, 1},
    {"IsNaN", 9, 1, 1},
    {"LRN", 1, 1, 1},
    {"LSTM", 1, 8, 3},
    {"LayerNormalization", 1, 3, 3},
    {"LeakyRelu", 1, 1, 1},
    {"Less", 1, 2, 1},
    {"LessOrEqual", 12, 2, 1},
    {"LinearAttention", 27, 6, 2},
    {"Log", 1, 1, 1},
    {"LogSoftmax", 1, 1, 1},
    {"Loop", 1, kAny, kAny},
    {"LpNormalization", 1, 1, 1},
    {"LpPool", 1, 1, 1},
    {"MatMul", 1, 2, 1},
    {"MatMulInteger", 10, 4, 1},
    {"Max", 1, kAny, 1},
    {"MaxPool", 1, 1, 1},
    {"MaxPool", 8, 1, 2},
    {"MaxRoiPool", 1, 2, 1},
    {"MaxUnpool", 9, 3, 1},
    {"Mean", 1, kAny, 1},
    {"MeanVarianceNormalization", 1, 1, 1},
    {"MelWeightMatrix", 17, 5, 1},
    {"Min", 1, kAny, 1},
    {"Mish", 18, 1, 1},
    {"Mod", 10, 2, 1},
    {"Mul", 1, 2, 1},
    {"Multinomial", 7, 1, 1},
    {"Neg", 1, 1, 1},
    {"NegativeLogLikelihoodLoss", 12, 3, 1},
    {"NonMaxSuppression", 10, 5, 1},
    {"NonZero", 9, 1, 1},
    {"Not", 1, 1, 1},
    {"OneHot", 9, 3, 1},
    {"Optional", 15, 1, 1},
    {"OptionalGetElement", 15, 1, 1},
    {"OptionalHasElement", 15, 1, 1},
    {"Or", 1, 2, 1},
    {"PRelu", 1, 2, 1},
    {"Pad", 1, 1, 1},
    {"Pad", 11, 3, 1},
    {"Pad", 18, 4, 1},
    {"ParametricSoftplus", 1, 1, 1},
    {"Pow", 1, 2, 1},
    {"QLinearConv", 10, 9, 1},
    {"QLinearMatMul", 10, 8, 1},
    {"QuantizeLinear", 10, 3, 1},
    {"RMSNormalization", 23, 2, 1},
    {"RNN", 1, 6, 2},
    {"RandomNormal", 1, 0, 1},
    {"RandomNormalLike", 1, 1, 1},
    {"RandomUniform", 1, 0, 1},
    {"RandomUniformLike", 1, 1, 1},
    {"Range", 11, 3, 1},
    {"Reciprocal", 1, 1, 1},
    {"ReduceL1", 1, 1, 1},
    {"ReduceL1", 18, 2, 1},
    {"ReduceL2", 1, 1, 1},
    {"ReduceL2", 18, 2, 1},
    {"ReduceLogSum", 1, 1, 1},
    {"ReduceLogSum", 18, 2, 1},
    {"ReduceLogSumExp", 1, 1, 1},
    {"ReduceLogSumExp", 18, 2, 1},
    {"ReduceMax", 1, 1, 1},
    {"ReduceMax", 18, 2, 1},
    {"ReduceMean", 1, 1, 1},
    {"ReduceMean", 18, 2, 1},
    {"ReduceMin", 1, 1, 1},
    {"ReduceMin", 18, 2, 1},
    {"ReduceProd", 1, 1, 1},
    {"ReduceProd", 18, 2, 1},
    {"ReduceSum", 1, 1, 1},
    {"ReduceSum", 13, 2, 1},
    {"ReduceSumSquare", 1, 1, 1},
    {"ReduceSumSquare", 18, 2, 1},
    {"RegexFullMatch", 20, 1, 1},
    {"Relu", 1, 1, 1},
    {"Reshape", 1, 1, 1},
    {"Reshape", 5, 2, 1},
    {"Resize", 10, 2, 1},
    {"Resize", 11, 4, 1},
    {"ReverseSequence", 10, 2, 1},
    {"RoiAlign", 10, 3, 1},
    {"RotaryEmbedding", 23, 4, 1},
    {"Round", 11, 1, 1},
    {"STFT", 17, 4, 1},
    {"ScaledTanh", 1, 1, 1},
    {"Scan", 8, kAny, kAny},
    {"Scatter", 9, 3, 1},
    {"ScatterElements", 11, 3, 1},
    {"ScatterND", 11, 3, 1},
    {"Selu", 1, 1, 1},
    {"SequenceAt", 11, 2, 1},
    {"SequenceConstruct", 11, kAny, 1},
    {"SequenceEmpty", 11, 0, 1},
    {"SequenceErase", 11, 2, 1},
    {"SequenceInsert", 11, 3, 1},
    {"SequenceLength", 11, 1, 1},
    {"SequenceMap", 17, kAny, kAny},
    {"Shape", 1, 1, 1},
    {"Shrink", 9, 1, 1},
    {"Sigmoid", 1, 1, 1},
    {"Sign", 9, 1, 1},
    {"SimplifiedLayerNormalization", 1, 2, 2},
    {"Sin", 7, 1, 1},
    {"Sinh", 9, 1, 1},
    {"Size", 1, 1, 1},
    {"Slice", 1, 1, 1},
    {"Slice", 10, 5, 1},
    {"Softmax", 1, 1, 1},
    {"SoftmaxCrossEntropyLoss", 12, 3, 2},
    {"Softplus", 1, 1, 1},
    {"Softsign", 1, 1, 1},
    {"SpaceToDepth", 1, 1, 1},
    {"Split", 1, 2, kAny},
    {"Split", 2, 1, kAny},
    {"Split", 13, 2, kAny},
    {"SplitToSequence", 11, 2, 1},
    {"Sqrt", 1, 1, 1},
    {"Squeeze", 1, 1, 1},
    {"Squeeze", 13, 2, 1},
    {"StringConcat", 20, 2, 1},
    {"StringNormalizer", 10, 1, 1},
    {"StringSplit", 20, 1, 2},
    {"Sub", 1, 2, 1},
    {"Sum", 1, kAny, 1},
    {"SwiGLU", 28, 2, 1},
    {"Swish", 24, 1, 1},
    {"Tan", 7, 1, 1},
    {"Tanh", 1, 1, 1},
    {"TensorScatter", 24, 3, 1},
    {"TfIdfVectorizer", 9, 1, 1},
    {"ThresholdedRelu", 1, 1, 1},
    {"Tile", 1, 3, 1},
    {"Tile", 6, 2, 1},
    {"TopK", 1, 1, 2},
    {"TopK", 10, 2, 2},
    {"Transpose", 1, 1, 1},
    {"Trilu", 14, 2, 1},
    {"Unique", 11, 1, 4},
    {"Unsqueeze", 1, 1, 1},
    {"Unsqueeze", 13, 2, 1},
    {"Upsample", 1, 1, 1},
    {"Upsample", 9, 2, 1},
    {"Where", 9, 3, 1},
    {"Xor", 1, 2, 1},
};

constexpr Counts kMl[] = {
    {"ArrayFeatureExtractor", 1, 2, 1},
    {"Binarizer", 1, 1, 1},
    {"CastMap", 1, 1, 1},
    {"CategoryMapper", 1, 1, 1},
    {"DictVectorizer", 1, 1, 1},
    {"FeatureVectorizer", 1, kAny, 1},
    {"Imputer", 1, 1, 1},
    {"LabelEncoder", 1, 1, 1},
    {"LinearClassifier", 1, 1, 2},
    {"LinearRegressor", 1, 1, 1},
    {"Normalizer", 1, 1, 1},
    {"OneHotEncoder", 1, 1, 1},
    {"SVMClassifier", 1, 1, 2},
    {"SVMRegressor", 1, 1, 1},
    {"Scaler", 1, 1, 1},
    {"TreeEnsemble", 5, 1, 1},
    {"TreeEnsembleClassifier", 1, 1, 2},
    {"TreeEnsembleRegressor", 1, 1, 1},
    {"ZipMap", 1, 1, 1},
};

constexpr Counts kMicrosoft[] = {
    {"Attention", 1, 7, 2},
    {"BiasAdd", 1, 3, 1},
    {"BiasDropout", 1, 5, 2},
    {"BiasGelu", 1, 2, 1},
    {"BiasSoftmax", 1, 2, 1},
    {"BiasSplitGelu", 1, 2, 1},
    {"CDist", 1, 2, 1},
    {"CropAndResize", 1, 4, 1},
    {"DequantizeLinear", 1, 3, 1},
    {"DynamicQuantizeLSTM", 1, 12, 3},
    {"DynamicQuantizeMatMul", 1, 5, 1},
    {"DynamicTimeWarping", 1, 1, 1},
    {"EmbedLayerNormalization", 1, 9, 3},
    {"ExpandDims", 1, 2, 1},
    {"FastGelu", 1, 2, 1},
    {"FusedConv", 1, 4, 1},
    {"FusedGemm", 1, 3, 1},
    {"FusedMatMul", 1, 2, 1},
    {"FusedMatMulActivation", 1, 2, 1},
    {"GatedAdd", 1, 4, 1},
    {"GatedRMSNorm", 1, 3, 1},
    {"GatedRelativePositionBias", 1, 7, 1},
    {"GatherBlockQuantized", 1, 4, 1},
    {"GatherND", 1, 2, 1},
    {"Gelu", 1, 1, 1},
    {"GemmFastGelu", 1, 3, 1},
    {"GemmaRotaryEmbedding", 1, 5, 2},
    {"GridSample", 1, 2, 1},
    {"GroupNorm", 1, 3, 1},
    {"GroupQueryAttention", 1, 17, 4},
    {"Inverse", 1, 1, 1},
    {"IsAllFinite", 1, kAny, 1},
    {"MatMulInteger16", 1, 2, 1},
    {"MatMulIntegerToFloat", 1, 7, 1},
    {"MatMulNBits", 1, 6, 1},
    {"MulInteger", 1, 4, 1},
    {"MultiHeadAttention", 1, 10, 4},
    {"MurmurHash3", 1, 1, 1},
    {"NGramRepeatBlock", 1, 2, 1},
    {"NhwcConv", 1, 3, 1},
    {"NhwcFusedConv", 1, 4, 1},
    {"NhwcMaxPool", 1, 1, 1},
    {"Pad", 1, 3, 1},
    {"QAttention", 1, 9, 2},
    {"QEmbedLayerNormalization", 1, 18, 2},
    {"QGemm", 1, 9, 1},
    {"QLinearAdd", 1, 8, 1},
    {"QLinearAveragePool", 1, 5, 1},
    {"QLinearConcat", 1, kAny, 1},
    {"QLinearConv", 1, 9, 1},
    {"QLinearGlobalAveragePool", 1, 5, 1},
    {"QLinearLeakyRelu", 1, 5, 1},
    {"QLinearMul", 1, 8, 1},
    {"QLinearReduceMean", 1, 5, 1},
    {"QLinearSigmoid", 1, 5, 1},
    {"QLinearSoftmax", 1, 5, 1},
    {"QLinearWhere", 1, 9, 1},
    {"QuantizeLinear", 1, 3, 1},
    {"QuickGelu", 1, 1, 1},
    {"Range", 1, 3, 1},
    {"ReduceSumInteger", 1, 1, 1},
    {"RelativePositionBias", 1, 3, 1},
    {"RotaryEmbedding", 1, 4, 1},
    {"SampleOp", 1, 1, 1},
    {"ScaledSiLU", 1, 2, 1},
    {"SimplifiedLayerNormalization", 1, 2, 2},
    {"SkipGroupNorm", 1, 5, 2},
    {"SkipLayerNormalization", 1, 5, 4},
    {"SkipSimplifiedLayerNormalization", 1, 4, 4},
    {"SwiGLU", 1, 2, 1},
    {"Tokenizer", 1, 1, 1},
    {"TorchEmbedding", 1, 4, 1},
    {"TransposeMatMul", 1, 2, 1},
    {"Trilu", 1, 2, 1},
    {"UnfoldTensor", 1, 1, 1},
    {"Unique", 1, 1, 3},
};

constexpr uint8_t kLast = 255;

// Attributes that a constructor reads for the sake of other versions, or of other operators of its family, and the
// operator sets that have them (none: 0 to 0).
struct Range {
  std::string_view op, attribute;
  uint8_t first, last;
};

constexpr Range kRanges[] = {
    {"And", "axis", 1, 6},
    {"ArgMax", "select_last_index", 12, kLast},
    {"ArgMin", "select_last_index", 12, kLast},
    {"Attention", "left_window_size", 25, kLast},
    {"Attention", "right_window_size", 25, kLast},
    {"AveragePool", "ceil_mode", 10, kLast},
    {"AveragePool", "count_include_pad", 7, kLast},
    {"AveragePool", "dilations", 19, kLast},
    {"AveragePool", "storage_order", 0, 0},
    {"BitShift", "axis", 0, 0},
    {"BitwiseAnd", "axis", 0, 0},
    {"BitwiseOr", "axis", 0, 0},
    {"BitwiseXor", "axis", 0, 0},
    {"Cast", "round_mode", 24, kLast},
    {"Cast", "saturate", 19, kLast},
    {"CastLike", "round_mode", 24, kLast},
    {"CastLike", "saturate", 19, kLast},
    {"Col2Im", "auto_pad", 0, 0},
    {"Col2Im", "ceil_mode", 0, 0},
    {"Col2Im", "kernel_shape", 0, 0},
    {"Constant", "sparse_value", 11, kLast},
    {"Constant", "value_float", 12, kLast},
    {"Constant", "value_floats", 12, kLast},
    {"Constant", "value_int", 12, kLast},
    {"Constant", "value_ints", 12, kLast},
    {"Constant", "value_string", 12, kLast},
    {"Constant", "value_strings", 12, kLast},
    {"Conv", "ceil_mode", 0, 0},
    {"ConvInteger", "ceil_mode", 0, 0},
    {"ConvTranspose", "ceil_mode", 0, 0},
    {"DFT", "axis", 17, 19},
    {"DeformConv", "auto_pad", 0, 0},
    {"DeformConv", "ceil_mode", 0, 0},
    {"DepthToSpace", "mode", 11, kLast},
    {"DequantizeLinear", "axis", 13, kLast},
    {"DequantizeLinear", "block_size", 21, kLast},
    {"DequantizeLinear", "output_dtype", 23, kLast},
    {"Dropout", "ratio", 1, 11},
    {"Dropout", "seed", 12, kLast},
    {"Equal", "axis", 1, 6},
    {"GRU", "layout", 14, kLast},
    {"GRU", "linear_before_reset", 3, kLast},
    {"GatherND", "batch_dims", 12, kLast},
    {"Greater", "axis", 1, 6},
    {"GreaterOrEqual", "axis", 0, 0},
    {"LSTM", "layout", 14, kLast},
    {"LabelEncoder", "keys_tensor", 4, kLast},
    {"LabelEncoder", "values_tensor", 4, kLast},
    {"Less", "axis", 1, 6},
    {"LessOrEqual", "axis", 0, 0},
    {"LpPool", "ceil_mode", 18, kLast},
    {"LpPool", "count_include_pad", 0, 0},
    {"LpPool", "dilations", 18, kLast},
    {"LpPool", "storage_order", 0, 0},
    {"MaxPool", "ceil_mode", 10, kLast},
    {"MaxPool", "count_include_pad", 0, 0},
    {"MaxPool", "dilations", 10, kLast},
    {"MaxPool", "storage_order", 8, kLast},
    {"MaxUnpool", "auto_pad", 0, 0},
    {"MaxUnpool", "ceil_mode", 0, 0},
    {"MaxUnpool", "dilations", 0, 0},
    {"Or", "axis", 1, 6},
    {"Pad", "pads", 2, 10},
    {"Pad", "value", 1, 10},
    {"Pow", "axis", 1, 6},
    {"QLinearConv", "ceil_mode", 0, 0},
    {"QuantizeLinear", "axis", 13, kLast},
    {"QuantizeLinear", "block_size", 21, kLast},
    {"QuantizeLinear", "output_dtype", 21, kLast},
    {"QuantizeLinear", "saturate", 19, kLast},
    {"RNN", "layout", 14, kLast},
    {"RandomNormalLike", "shape", 0, 0},
    {"RandomUniformLike", "shape", 0, 0},
    {"ReduceL1", "noop_with_empty_axes", 18, kLast},
    {"ReduceL2", "noop_with_empty_axes", 18, kLast},
    {"ReduceLogSum", "noop_with_empty_axes", 18, kLast},
    {"ReduceLogSumExp", "noop_with_empty_axes", 18, kLast},
    {"ReduceMax", "noop_with_empty_axes", 18, kLast},
    {"ReduceMean", "noop_with_empty_axes", 18, kLast},
    {"ReduceMin", "noop_with_empty_axes", 18, kLast},
    {"ReduceProd", "noop_with_empty_axes", 18, kLast},
    {"ReduceSum", "noop_with_empty_axes", 13, kLast},
    {"ReduceSumSquare", "noop_with_empty_axes", 18, kLast},
    {"Reshape", "allowzero", 14, kLast},
    {"Reshape", "shape", 1, 4},
    {"Resize", "antialias", 18, kLast},
    {"Resize", "axes", 18, kLast},
    {"Resize", "keep_aspect_ratio_policy", 18, kLast},
    {"RoiAlign", "coordinate_transformation_mode", 16, kLast},
    {"Scan", "scan_input_axes", 9, kLast},
    {"Scan", "scan_output_axes", 9, kLast},
    {"Scan", "scan_output_directions", 9, kLast},
    {"ScatterElements", "reduction", 16, kLast},
    {"ScatterND", "reduction", 16, kLast},
    {"Shape", "end", 15, kLast},
    {"Shape", "start", 15, kLast},
    {"SpaceToDepth", "mode", 28, kLast},
    {"Split", "num_outputs", 18, kLast},
    {"Split", "split", 1, 12},
    {"Squeeze", "axes", 1, 12},
    {"TopK", "k", 1, 9},
    {"TopK", "largest", 11, kLast},
    {"TopK", "sorted", 11, kLast},
    {"TreeEnsembleClassifier", "base_values_as_tensor", 3, kLast},
    {"TreeEnsembleClassifier", "class_weights_as_tensor", 3, kLast},
    {"TreeEnsembleClassifier", "nodes_values_as_tensor", 3, kLast},
    {"TreeEnsembleRegressor", "base_values_as_tensor", 3, kLast},
    {"TreeEnsembleRegressor", "nodes_values_as_tensor", 3, kLast},
    {"TreeEnsembleRegressor", "target_weights_as_tensor", 3, kLast},
    {"Unsqueeze", "axes", 1, 12},
    {"Upsample", "axes", 0, 0},
    {"Xor", "axis", 1, 6},
};

bool is_of_other_versions(const Node& node, std::string_view attribute) {
  if (!node.domain.empty() && node.domain != kMlDomain) return false;
  const Range* r = std::lower_bound(std::begin(kRanges), std::end(kRanges), node.op_type,
                                    [](const Range& range, std::string_view op) { return range.op < op; });
  for (; r != std::end(kRanges) && r->op == node.op_type; ++r) {
    if (r->attribute == attribute) return node.version < r->first || (r->last != kLast && node.version > r->last);
  }
  return false;
}

const Counts* counts_of(const Node& node) {
  std::span<const Counts> all;
  if (node.domain.empty()) all = kStandard;
  if (node.domain == kMlDomain) all = kMl;
  if (node.domain == kMicrosoftDomain) all = kMicrosoft;
  auto at = std::lower_bound(all.begin(), all.end(), node.op_type,
                             [](const Counts& c, std::string_view name) { return c.name < name; });
  const Counts* found = nullptr;
  for (; at != all.end() && at->name == node.op_type && at->since <= node.version; ++at) found = &*at;
  return found;
}

// Without the absent ones at the end.
size_t present(std::span<const ValueId> ids) {
  while (!ids.empty() && ids.back() == kNone) ids = ids.first(ids.size() - 1);
  return ids.size();
}

Status too_many(const Node& node, std::string_view what, size_t given, size_t most) {
  return Status(Code::InvalidModel,
                text("the node has ", given, " ", what, "; ", node.op_type, " of operator set ", node.version,
                     " has at most ", most, ". The file mixes operator sets: export the model again"))
      .at(node.op_type, node.name);
}

// Whether the operator of this version reads the node's attribute.
bool has_attribute(Node node, int version, std::string_view attribute) {
  node.version = version;
  const OperatorEntry* entry = Registry::instance().find(node.domain, node.op_type, version);
  if (entry == nullptr || entry->make == nullptr) return false;
  const Attribute value = node.attributes.find(attribute)->second;
  node.attributes = {{std::string(attribute), value}};
  Attributes attributes(node);
  entry->make(attributes);
  return attributes.unread().empty();
}

}  // namespace

std::string_view Attributes::unread() const {
  for (const auto& [name, value] : node_.attributes) {
    // Ours, those that ONNX's own checker lets pass, and a hint of the first versions which inputs may be overwritten.
    if (name.starts_with(kInternalPrefix) || name.starts_with("__") || name == "consumed_inputs") continue;
    if (std::find(read_.begin(), read_.end(), name) == read_.end() || is_of_other_versions(node_, name)) return name;
  }
  return {};
}

Status unread_attribute(const Node& node, std::string_view attribute) {
  constexpr int kNewest = 40;
  const std::string domain = node.domain.empty() ? "" : text(" of ", node.domain);
  std::string where;
  for (int v = node.version - 1; v > 0 && where.empty(); --v) {
    if (has_attribute(node, v, attribute))
      where = text("; it ended with operator set ", v, ", and may be an input now");
  }
  for (int v = node.version + 1; v < kNewest && where.empty(); ++v) {
    if (has_attribute(node, v, attribute)) where = text("; it came with operator set ", v);
  }
  return Status(Code::InvalidModel, text(node.op_type, " has no attribute '", attribute, "' in operator set ",
                                         node.version, domain, where, ": export the model again"))
      .at(node.op_type, node.name);
}

Status check_signature(const Node& node) {
  if (const Counts* most = counts_of(node)) {
    const size_t inputs = present(std::span(node.inputs).first(std::min(node.explicit_inputs, node.inputs.size())));
    const size_t outputs = present(node.outputs);
    if (most->inputs != kAny && inputs > most->inputs) return too_many(node, "inputs", inputs, most->inputs);
    if (most->outputs != kAny && outputs > most->outputs) return too_many(node, "outputs", outputs, most->outputs);
  }
  const OperatorEntry* entry = Registry::instance().find(node.domain, node.op_type, node.version);
  if (entry == nullptr || entry->make == nullptr) return {};
  Attributes attributes(node);
  const OperatorPtr op = entry->make(attributes);
  if (Status s = attributes.take_status(); !s.ok()) return std::move(s).at(node.op_type, node.name);
  const std::string_view unread = attributes.unread();
  return unread.empty() ? Status() : unread_attribute(node, unread);
}

}  // namespace nm
