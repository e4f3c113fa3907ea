// An ONNX file as plain structs, a mirror of the published schema's messages. Texts and raw data are views of the
// file's bytes, which must outlive them.
#pragma once
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/status.h"
#include "engine/onnx/wire.h"

namespace nm::onnx {

using Properties = std::vector<std::pair<std::string_view, std::string_view>>;

struct TensorProto {
  std::string_view name;
  std::vector<int64_t> dims;
  int32_t data_type = 0;
  Bytes raw_data;
  bool has_raw_data = false;
  // Elements given as numbers instead of raw data; which one depends on the type.
  std::vector<float> float_data;
  std::vector<int32_t> int32_data;
  std::vector<std::string_view> string_data;
  std::vector<int64_t> int64_data;
  std::vector<double> double_data;
  std::vector<uint64_t> uint64_data;
  bool external = false;
  Properties external_data;  // location, offset, length
};

struct SparseTensorProto {
  TensorProto values;
  TensorProto indices;
  std::vector<int64_t> dims;
};

struct TypeProto;

struct DimensionProto {
  int64_t value = -1;
  std::string_view param;
};

struct TypeProto {
  enum class Kind : uint8_t { None, Tensor, Sequence, Optional, Map, SparseTensor };
  Kind kind = Kind::None;
  int32_t elem_type = 0;  // of tensors; key type of maps
  bool has_shape = false;
  std::vector<DimensionProto> shape;
  std::vector<TypeProto> element;  // one entry for sequence, optional, map
};

struct ValueInfoProto {
  std::string_view name;
  TypeProto type;
};

struct GraphProto;

struct AttributeProto {
  std::string_view name;
  std::string_view ref_attr_name;  // inside functions: the caller's attribute
  int32_t type = 0;
  float f = 0;
  int64_t i = 0;
  std::string_view s;
  std::vector<TensorProto> tensors;  // t (one entry) or tensors
  std::vector<SparseTensorProto> sparse_tensors;
  std::vector<GraphProto> graphs;  // g (one entry) or graphs
  std::vector<TypeProto> type_protos;
  std::vector<float> floats;
  std::vector<int64_t> ints;
  std::vector<std::string_view> strings;
};

struct NodeProto {
  std::string_view name;
  std::string_view op_type;
  std::string_view domain;
  std::string_view overload;
  std::vector<std::string_view> inputs;
  std::vector<std::string_view> outputs;
  std::vector<AttributeProto> attributes;
};

struct GraphProto {
  std::string_view name;
  std::vector<NodeProto> nodes;
  std::vector<TensorProto> initializers;
  std::vector<SparseTensorProto> sparse_initializers;
  std::vector<ValueInfoProto> inputs;
  std::vector<ValueInfoProto> outputs;
  std::vector<ValueInfoProto> value_infos;
};

struct OpsetId {
  std::string_view domain;
  int64_t version = 0;
};

struct FunctionProto {
  std::string_view name;
  std::string_view domain;
  std::string_view overload;
  std::vector<std::string_view> inputs;
  std::vector<std::string_view> outputs;
  std::vector<std::string_view> attributes;
  std::vector<AttributeProto> attribute_defaults;
  std::vector<NodeProto> nodes;
  std::vector<OpsetId> opsets;
};

struct ModelProto {
  int64_t ir_version = 0;
  std::string_view producer_name;
  std::string_view producer_version;
  std::vector<OpsetId> opsets;
  Properties metadata;
  GraphProto graph;
  std::vector<FunctionProto> functions;
};

// A file in the layout of ONNX's backend tests: tensors, sequences and optionals as data.
struct SequenceProto {
  int32_t elem_type = 0;
  std::vector<TensorProto> tensors;
  std::vector<SequenceProto> sequences;
};

Result<ModelProto> read_model(Bytes bytes);
Result<TensorProto> read_tensor(Bytes bytes);
Result<SequenceProto> read_sequence(Bytes bytes);
// The OptionalProto's content, if it has one, as the sub-message's bytes; `elem_type` says which message.
struct OptionalProto {
  int32_t elem_type = 0;
  Bytes content;
};
Result<OptionalProto> read_optional(Bytes bytes);

}  // namespace nm::onnx
