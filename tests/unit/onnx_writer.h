// Writes small ONNX models for tests, field by field, with the published schema's numbers.
#pragma once
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/memory.h"
#include "engine/session/session.h"
#include "engine/tensor/dtype.h"
#include "onnx_schema.h"

namespace nm::test {

namespace schema = onnx::schema;

class Message {
 public:
  Message& number(int field, float value) {
    varint(static_cast<uint64_t>(field) << 3 | 5);
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof(value));
    return *this;
  }
  Message& integer(int field, int64_t value) {
    varint(static_cast<uint64_t>(field) << 3);
    varint(static_cast<uint64_t>(value));
    return *this;
  }
  Message& text(int field, std::string_view value) {
    varint(static_cast<uint64_t>(field) << 3 | 2);
    varint(value.size());
    bytes_ += value;
    return *this;
  }
  Message& fixed32(int field, float value) {
    varint(static_cast<uint64_t>(field) << 3 | 5);
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
    return *this;
  }
  Message& message(int field, const Message& value) { return text(field, value.bytes_); }
  const std::string& bytes() const { return bytes_; }

 private:
  void varint(uint64_t v) {
    for (; v >= 0x80; v >>= 7) bytes_ += static_cast<char>(v | 0x80);
    bytes_ += static_cast<char>(v);
  }
  std::string bytes_;
};

inline Message tensor_proto(std::string_view name, DType dtype, const std::vector<int64_t>& dims,
                            std::string_view raw) {
  Message m;
  for (const int64_t d : dims) m.integer(schema::TensorProto::dims, d);
  m.integer(schema::TensorProto::data_type, static_cast<int>(dtype)).text(schema::TensorProto::name, name);
  return m.text(schema::TensorProto::raw_data, raw);
}

template <class T>
Message tensor_proto(std::string_view name, const std::vector<int64_t>& dims, const std::vector<T>& values) {
  return tensor_proto(name, dtype_of<T>, dims,
                      {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)});
}

// A dimension is a number, or a name ("batch").
inline Message value_info(std::string_view name, DType dtype, const std::vector<std::string>& dims) {
  Message shape;
  for (const std::string& d : dims) {
    Message dim;
    if (d.find_first_not_of("0123456789") == std::string::npos) {
      dim.integer(schema::TensorShapeProto::Dimension::dim_value, std::stoll(d));
    } else {
      dim.text(schema::TensorShapeProto::Dimension::dim_param, d);
    }
    shape.message(schema::TensorShapeProto::dim, dim);
  }
  Message tensor;
  tensor.integer(schema::TypeProto::Tensor::elem_type, static_cast<int>(dtype));
  tensor.message(schema::TypeProto::Tensor::shape, shape);
  Message type;
  type.message(schema::TypeProto::tensor_type, tensor);
  return Message().text(schema::ValueInfoProto::name, name).message(schema::ValueInfoProto::type, type);
}

inline Message int_attribute(std::string_view name, int64_t value) {
  return Message()
      .text(schema::AttributeProto::name, name)
      .integer(schema::AttributeProto::i, value)
      .integer(schema::AttributeProto::type, schema::AttributeProto::AttributeType::INT);
}

inline Message float_attribute(std::string_view name, float value) {
  return Message()
      .text(schema::AttributeProto::name, name)
      .number(schema::AttributeProto::f, value)
      .integer(schema::AttributeProto::type, schema::AttributeProto::AttributeType::FLOAT);
}

inline Message node_proto(std::string_view op, const std::vector<std::string>& inputs,
                          const std::vector<std::string>& outputs, const std::vector<Message>& attributes = {},
                          std::string_view domain = "") {
  Message m;
  for (const auto& i : inputs) m.text(schema::NodeProto::input, i);
  for (const auto& o : outputs) m.text(schema::NodeProto::output, o);
  m.text(schema::NodeProto::name, std::string(op) + "_of_" + (outputs.empty() ? "nothing" : outputs[0]));
  m.text(schema::NodeProto::op_type, op);
  if (!domain.empty()) m.text(schema::NodeProto::domain, domain);
  for (const Message& a : attributes) m.message(schema::NodeProto::attribute, a);
  return m;
}

struct GraphParts {
  std::vector<Message> nodes;
  std::vector<Message> initializers;
  std::vector<Message> inputs;
  std::vector<Message> outputs;
};

inline Message graph_proto(const GraphParts& parts) {
  Message graph;
  for (const Message& n : parts.nodes) graph.message(schema::GraphProto::node, n);
  graph.text(schema::GraphProto::name, "test");
  for (const Message& t : parts.initializers) graph.message(schema::GraphProto::initializer, t);
  for (const Message& v : parts.inputs) graph.message(schema::GraphProto::input, v);
  for (const Message& v : parts.outputs) graph.message(schema::GraphProto::output, v);
  return graph;
}

inline Message graph_attribute(std::string_view name, const GraphParts& parts) {
  return Message()
      .text(schema::AttributeProto::name, name)
      .message(schema::AttributeProto::g, graph_proto(parts))
      .integer(schema::AttributeProto::type, schema::AttributeProto::AttributeType::GRAPH);
}

inline std::string model_bytes(const GraphParts& parts, int opset = 17, bool microsoft = false) {
  Message opset_id;
  opset_id.text(schema::OperatorSetIdProto::domain, "").integer(schema::OperatorSetIdProto::version, opset);
  Message model;
  model.integer(schema::ModelProto::ir_version, 8).message(schema::ModelProto::graph, graph_proto(parts));
  model.message(schema::ModelProto::opset_import, opset_id);
  if (microsoft) {
    model.message(schema::ModelProto::opset_import, Message()
                                                        .text(schema::OperatorSetIdProto::domain, "com.microsoft")
                                                        .integer(schema::OperatorSetIdProto::version, 1));
  }
  return model.bytes();
}

inline Result<std::unique_ptr<Session>> load(std::string_view bytes, bool optimize = true) {
  onnx::ModelFile file(bytes.size());
  NM_TRY(file.append({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}));
  LoadOptions options;
  options.optimize = optimize;
  return Session::load(std::move(file), std::move(options));
}

}  // namespace nm::test
