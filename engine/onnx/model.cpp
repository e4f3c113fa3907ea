#include "engine/onnx/model.h"

#include "engine/base/text.h"
#include "engine/onnx/foreign_format.h"
#include "onnx_schema.h"

namespace nm::onnx {
namespace {

// Subgraphs and types nest; real models stay below ten levels.
constexpr int kMaxDepth = 64;

Status too_deep() {
  return {Code::InvalidModel, "the model nests graphs or types more than 64 levels deep; no exporter writes that"};
}

// Every parse(bytes, out, depth) fills `out` from one message; unknown fields are skipped, as protobuf wants.
Status parse(Bytes bytes, TensorProto& m, int depth);
Status parse(Bytes bytes, SparseTensorProto& m, int depth);
Status parse(Bytes bytes, DimensionProto& m, int depth);
Status parse(Bytes bytes, TypeProto& m, int depth);
Status parse(Bytes bytes, ValueInfoProto& m, int depth);
Status parse(Bytes bytes, AttributeProto& m, int depth);
Status parse(Bytes bytes, NodeProto& m, int depth);
Status parse(Bytes bytes, GraphProto& m, int depth);
Status parse(Bytes bytes, OpsetId& m, int depth);
Status parse(Bytes bytes, FunctionProto& m, int depth);
Status parse(Bytes bytes, SequenceProto& m, int depth);

template <class Message>
Status append(Bytes bytes, std::vector<Message>& list, int depth) {
  if (depth > kMaxDepth) return too_deep();
  return parse(bytes, list.emplace_back(), depth + 1);
}

Status parse_entry(Bytes bytes, Properties& list) {
  namespace F = schema::StringStringEntryProto;
  auto& [key, value] = list.emplace_back();
  WireReader r(bytes);
  while (r.next()) {
    switch (r.field()) {
      case F::key:
        key = r.string();
        break;
      case F::value:
        value = r.string();
        break;
    }
  }
  return r.status();
}

Status parse(Bytes bytes, TensorProto& t, int) {
  namespace F = schema::TensorProto;
  WireReader r(bytes);
  while (r.next()) {
    switch (r.field()) {
      case F::dims:
        r.varints([&](uint64_t v) { t.dims.push_back(static_cast<int64_t>(v)); });
        break;
      case F::data_type:
        t.data_type = static_cast<int32_t>(r.varint());
        break;
      case F::float_data:
        r.fixeds<float>([&](float v) { t.float_data.push_back(v); });
        break;
      case F::int32_data:
        r.varints([&](uint64_t v) { t.int32_data.push_back(static_cast<int32_t>(v)); });
        break;
      case F::string_data:
        t.string_data.push_back(r.string());
        break;
      case F::int64_data:
        r.varints([&](uint64_t v) { t.int64_data.push_back(static_cast<int64_t>(v)); });
        break;
      case F::name:
        t.name = r.string();
        break;
      case F::raw_data:
        t.raw_data = r.bytes();
        t.has_raw_data = true;
        break;
      case F::double_data:
        r.fixeds<double>([&](double v) { t.double_data.push_back(v); });
        break;
      case F::uint64_data:
        r.varints([&](uint64_t v) { t.uint64_data.push_back(v); });
        break;
      case F::external_data:
        NM_TRY(parse_entry(r.bytes(), t.external_data));
        break;
      case F::data_location:
        t.external = r.varint() == F::DataLocation::EXTERNAL;
        break;
    }
  }
  return r.status();
}

Status parse(Bytes bytes, SparseTensorProto& t, int depth) {
  namespace F = schema::SparseTensorProto;
  WireReader r(bytes);
  while (r.next()) {
    switch (r.field()) {
      case F::values:
        NM_TRY(parse(r.bytes(), t.values, depth));
        break;
      case F::indices:
        NM_TRY(parse(r.bytes(), t.indices, depth));
        break;
      case F::dims:
        r.varints([&](uint64_t v) { t.dims.push_back(static_cast<int64_t>(v)); });
        break;
    }
  }
  return r.status();
}

Status parse(Bytes bytes, DimensionProto& d, int) {
  namespace F = schema::TensorShapeProto::Dimension;
  WireReader r(bytes);
  while (r.next()) {
    switch (r.field()) {
      case F::dim_value:
        d.value = r.int64();
        break;
      case F::dim_param:
        d.param = r.string();
        break;
    }
  }
  return r.status();
}

// TypeProto.Tensor and TypeProto.SparseTensor share their layout.
Status parse_tensor_type(Bytes bytes, TypeProto& t, int depth) {
  namespace F = schema::TypeProto::Tensor;
  WireReader r(bytes);
  while (r.next()) {
    switch (r.field()) {
      case F::elem_type:
        t.elem_type = static_cast<int32_t>(r.varint());
        break;
      case F::shape: {
        t.has_shape = true;
        WireReader dims(r.bytes());
        while (dims.next()) {
          if (dims.field() == schema::TensorShapeProto::dim) NM_TRY(append(dims.bytes(), t.shape, depth));
        }
        NM_TRY(dims.status());
        break;
      }
    }
  }
  return r.status();
}

Status parse_map_type(Bytes bytes, TypeProto& t, int depth) {
  namespace F = schema::TypeProto::Map;
  WireReader r(bytes);
  while (r.next()) {
    switch (r.field()) {
      case F::key_type:
        t.elem_type = static_cast<int32_t>(r.varint());
        break;
      case F::value_type:
        NM_TRY(append(r.bytes(), t.element, depth));
        break;
    }
  }
  return r.status();
}

// Sequence and Optional types hold nothing but their element's type, field 1 in both.
Status parse_nested_type(Bytes bytes, TypeProto& t, int depth) {
  static_assert(schema::TypeProto::Sequence::elem_type == schema::TypeProto::Optional::elem_type);
  WireReader r(bytes);
  while (r.next()) {
    if (r.field() == schema::TypeProto::Sequence::elem_type) NM_TRY(append(r.bytes(), t.element, depth));
  }
  return r.status();
}

Status parse(Bytes bytes, TypeProto& t, int depth) {
  namespace F = schema::TypeProto;
  WireReader r(bytes);
  while (r.next()) {
    switch (r.field()) {
      case F::tensor_type:
        t.kind = TypeProto::Kind::Tensor;
        NM_TRY(parse_tensor_type(r.bytes(), t, depth));
        break;
      case F::sparse_tensor_type:
        t.kind = TypeProto::Kind::SparseTensor;
        NM_TRY(parse_tensor_type(r.bytes(), t, depth));
        break;
      case F::sequence_type:
        t.kind = TypeProto::Kind::Sequence;
        NM_TRY(parse_nested_type(r.bytes(), t, depth));
        break;
      case F::optional_type:
        t.kind = TypeProto::Kind::Optional;
        NM_TRY(parse_nested_type(r.bytes(), t, depth));
        break;
      case F::map_type:
        t.kind = TypeProto::Kind::Map;
        NM_TRY(parse_map_type(r.bytes(), t, depth));
        break;
    }
  }
  return r.status();
}

Status parse(Bytes bytes, ValueInfoProto& v, int depth) {
  namespace F = schema::ValueInfoProto;
  WireReader r(bytes);
  while (r.next()) {
    switch (r.field()) {
      case F::name:
        v.name = r.string();
        break;
      case F::type:
        NM_TRY(parse(r.bytes(), v.type, depth));
        break;
    }
  }
  return r.status();
}

Status parse(Bytes bytes, AttributeProto& a, int depth) {
  namespace F = schema::AttributeProto;
  WireReader r(bytes);
  while (r.next()) {
    switch (r.field()) {
      case F::name:
        a.name = r.string();
        break;
      case F::ref_attr_name:
        a.ref_attr_name = r.string();
        break;
      case F::type:
        a.type = static_cast<int32_t>(r.varint());
        break;
      case F::f:
        a.f = r.float32();
        break;
      case F::i:
        a.i = r.int64();
        break;
      case F::s:
        a.s = r.string();
        break;
      case F::t:
      case F::tensors:
        NM_TRY(append(r.bytes(), a.tensors, depth));
        break;
      case F::sparse_tensor:
      case F::sparse_tensors:
        NM_TRY(append(r.bytes(), a.sparse_tensors, depth));
        break;
      case F::g:
      case F::graphs:
        NM_TRY(append(r.bytes(), a.graphs, depth));
        break;
      case F::tp:
      case F::type_protos:
        NM_TRY(append(r.bytes(), a.type_protos, depth));
        break;
      case F::floats:
        r.fixeds<float>([&](float v) { a.floats.push_back(v); });
        break;
      case F::ints:
        r.varints([&](uint64_t v) { a.ints.push_back(static_cast<int64_t>(v)); });
        break;
      case F::strings:
        a.strings.push_back(r.string());
        break;
    }
  }
  return r.status();
}

Status parse(Bytes bytes, NodeProto& n, int depth) {
  namespace F = schema::NodeProto;
  WireReader r(bytes);
  while (r.next()) {
    switch (r.field()) {
      case F::name:
        n.name = r.string();
        break;
      case F::op_type:
        n.op_type = r.string();
        break;
      case F::domain:
        n.domain = r.string();
        break;
      case F::overload:
        n.overload = r.string();
        break;
      case F::input:
        n.inputs.push_back(r.string());
        break;
      case F::output:
        n.outputs.push_back(r.string());
        break;
      case F::attribute:
        NM_TRY(append(r.bytes(), n.attributes, depth));
        break;
    }
  }
  return r.status();
}

Status parse(Bytes bytes, GraphProto& g, int depth) {
  namespace F = schema::GraphProto;
  WireReader r(bytes);
  while (r.next()) {
    switch (r.field()) {
      case F::name:
        g.name = r.string();
        break;
      case F::node:
        NM_TRY(append(r.bytes(), g.nodes, depth));
        break;
      case F::initializer:
        NM_TRY(append(r.bytes(), g.initializers, depth));
        break;
      case F::sparse_initializer:
        NM_TRY(append(r.bytes(), g.sparse_initializers, depth));
        break;
      case F::input:
        NM_TRY(append(r.bytes(), g.inputs, depth));
        break;
      case F::output:
        NM_TRY(append(r.bytes(), g.outputs, depth));
        break;
      case F::value_info:
        NM_TRY(append(r.bytes(), g.value_infos, depth));
        break;
    }
  }
  return r.status();
}

Status parse(Bytes bytes, OpsetId& o, int) {
  namespace F = schema::OperatorSetIdProto;
  WireReader r(bytes);
  while (r.next()) {
    switch (r.field()) {
      case F::domain:
        o.domain = r.string();
        break;
      case F::version:
        o.version = r.int64();
        break;
    }
  }
  return r.status();
}

Status parse(Bytes bytes, FunctionProto& f, int depth) {
  namespace F = schema::FunctionProto;
  WireReader r(bytes);
  while (r.next()) {
    switch (r.field()) {
      case F::name:
        f.name = r.string();
        break;
      case F::domain:
        f.domain = r.string();
        break;
      case F::overload:
        f.overload = r.string();
        break;
      case F::input:
        f.inputs.push_back(r.string());
        break;
      case F::output:
        f.outputs.push_back(r.string());
        break;
      case F::attribute:
        f.attributes.push_back(r.string());
        break;
      case F::attribute_proto:
        NM_TRY(append(r.bytes(), f.attribute_defaults, depth));
        break;
      case F::node:
        NM_TRY(append(r.bytes(), f.nodes, depth));
        break;
      case F::opset_import:
        NM_TRY(append(r.bytes(), f.opsets, depth));
        break;
    }
  }
  return r.status();
}

Status parse(Bytes bytes, SequenceProto& s, int depth) {
  namespace F = schema::SequenceProto;
  WireReader r(bytes);
  while (r.next()) {
    switch (r.field()) {
      case F::elem_type:
        s.elem_type = static_cast<int32_t>(r.varint());
        break;
      case F::tensor_values:
        NM_TRY(append(r.bytes(), s.tensors, depth));
        break;
      case F::sequence_values:
        NM_TRY(append(r.bytes(), s.sequences, depth));
        break;
    }
  }
  return r.status();
}

}  // namespace

namespace {

Result<ModelProto> parse_model(Bytes bytes) {
  namespace F = schema::ModelProto;
  ModelProto m;
  bool has_graph = false;
  WireReader r(bytes);
  while (r.next()) {
    switch (r.field()) {
      case F::ir_version:
        m.ir_version = r.int64();
        break;
      case F::producer_name:
        m.producer_name = r.string();
        break;
      case F::producer_version:
        m.producer_version = r.string();
        break;
      case F::graph:
        has_graph = true;
        NM_TRY(parse(r.bytes(), m.graph, 0));
        break;
      case F::opset_import:
        NM_TRY(append(r.bytes(), m.opsets, 0));
        break;
      case F::metadata_props:
        NM_TRY(parse_entry(r.bytes(), m.metadata));
        break;
      case F::functions:
        NM_TRY(append(r.bytes(), m.functions, 0));
        break;
    }
  }
  NM_TRY(r.status());
  if (!has_graph) {
    return Status(Code::InvalidModel, bytes.empty()
                                          ? "the model file is empty; check that the download or export succeeded"
                                          : "the bytes hold no ONNX graph; give the contents of an .onnx file");
  }
  return m;
}

}  // namespace

Result<ModelProto> read_model(Bytes bytes) {
  Result<ModelProto> model = parse_model(bytes);
  if (model.ok()) return model;
  const std::string_view what = foreign_format(bytes);
  if (what.empty()) return model;
  return Status(Code::InvalidModel, nm::text("the file is no ONNX model but ", what));
}

Result<TensorProto> read_tensor(Bytes bytes) {
  TensorProto t;
  NM_TRY(parse(bytes, t, 0));
  return t;
}

Result<SequenceProto> read_sequence(Bytes bytes) {
  SequenceProto s;
  NM_TRY(parse(bytes, s, 0));
  return s;
}

Result<OptionalProto> read_optional(Bytes bytes) {
  namespace F = schema::OptionalProto;
  OptionalProto o;
  WireReader r(bytes);
  while (r.next()) {
    switch (r.field()) {
      case F::elem_type:
        o.elem_type = static_cast<int32_t>(r.varint());
        break;
      case F::tensor_value:
      case F::sparse_tensor_value:
      case F::sequence_value:
      case F::optional_value:
      case F::map_value:
        o.content = r.bytes();
        break;
    }
  }
  NM_TRY(r.status());
  return o;
}

}  // namespace nm::onnx
