#include "engine/graph/decode.h"

#include <cstring>

#include "engine/base/text.h"

namespace nm {
namespace {

Result<Shape> decode_dims(const std::vector<int64_t>& dims, std::string_view name) {
  if (dims.size() > static_cast<size_t>(kMaxRank)) {
    return Status(Code::InvalidModel, text("the model's tensor '", name, "' has ", dims.size(), " dimensions; at most ",
                                           kMaxRank, " are supported"));
  }
  Shape shape;
  for (const int64_t d : dims) {
    if (d < 0) return Status(Code::InvalidModel, text("the model's tensor '", name, "' has a negative dimension ", d));
    shape.push_back(d);
  }
  return shape;
}

Result<onnx::Block> external_data(const onnx::TensorProto& t, const ExternalFiles& files) {
  NM_ASSIGN(const ExternalReference reference, external_reference(t));
  const auto file = files.find(reference.location);
  if (file == files.end()) {
    std::string given;
    for (const auto& [name, other] : files) given += text(given.empty() ? " (given were '" : ", '", name, "'");
    return Status(Code::InvalidModel,
                  text("the model keeps tensor '", t.name, "' in the external file '", reference.location,
                       "', which was not given", given, given.empty() ? "" : ")", "; pass it as external data"));
  }
  if (const auto data = file->second.find(reference)) return *data;
  return damaged_tensor(t,
                        text("its external file '", reference.location, "' has only ", file->second.size(), " bytes"));
}

template <class To, class From>
Status copy_numbers(const onnx::TensorProto& proto, const std::vector<From>& from, Tensor& to) {
  if (from.size() != static_cast<size_t>(to.count())) {
    return damaged_tensor(proto, text("it has ", from.size(), " elements where its shape needs ", to.count()));
  }
  To* out = static_cast<To*>(to.raw());
  for (size_t i = 0; i < from.size(); ++i) out[i] = static_cast<To>(from[i]);
  return {};
}

// Elements given one by one instead of as raw bytes; the schema says which list holds which type.
Status copy_listed(const onnx::TensorProto& p, Tensor& t) {
  switch (t.dtype()) {
    case DType::Float32:
      return copy_numbers<float>(p, p.float_data, t);
    case DType::Float64:
      return copy_numbers<double>(p, p.double_data, t);
    case DType::Int64:
      return copy_numbers<int64_t>(p, p.int64_data, t);
    case DType::UInt64:
      return copy_numbers<uint64_t>(p, p.uint64_data, t);
    case DType::UInt32:
      return copy_numbers<uint32_t>(p, p.uint64_data, t);
    case DType::Int32:
      return copy_numbers<int32_t>(p, p.int32_data, t);
    case DType::Int16:
    case DType::UInt16:
    case DType::Float16:
    case DType::BFloat16:
      return copy_numbers<uint16_t>(p, p.int32_data, t);
    case DType::Int8:
    case DType::UInt8:
    case DType::Bool:
    case DType::Float8E4M3FN:
    case DType::Float8E4M3FNUZ:
    case DType::Float8E5M2:
    case DType::Float8E5M2FNUZ:
    case DType::Float8E8M0:
      return copy_numbers<uint8_t>(p, p.int32_data, t);
    case DType::UInt4:
    case DType::Int4:
    case DType::Float4E2M1:
    case DType::UInt2:
    case DType::Int2: {  // packed bytes, one in each int32
      if (p.int32_data.size() != t.bytes()) return damaged_tensor(p, "its packed elements do not fit its shape");
      auto* out = static_cast<uint8_t*>(t.raw());
      for (size_t i = 0; i < p.int32_data.size(); ++i) out[i] = static_cast<uint8_t>(p.int32_data[i]);
      return {};
    }
    case DType::Complex64:
    case DType::Complex128: {
      const bool wide = t.dtype() == DType::Complex128;
      const size_t count = wide ? p.double_data.size() : p.float_data.size();
      if (count != 2 * static_cast<size_t>(t.count())) return damaged_tensor(p, "its elements do not fit its shape");
      if (count == 0) return {};  // an empty list has no address to copy from
      std::memcpy(t.raw(), wide ? static_cast<const void*>(p.double_data.data()) : p.float_data.data(), t.bytes());
      return {};
    }
    case DType::String: {
      if (p.string_data.size() != static_cast<size_t>(t.count())) {
        return damaged_tensor(p, "its strings do not fit its shape");
      }
      auto* out = t.data<std::string>();
      for (size_t i = 0; i < p.string_data.size(); ++i) out[i] = p.string_data[i];
      return {};
    }
    case DType::Undefined:
      break;
  }
  return damaged_tensor(p, "it has no element type");
}

}  // namespace

Result<Tensor> decode_tensor(const onnx::TensorProto& p, const onnx::ModelFile* file, const ExternalFiles& files) {
  if (!dtype_valid(p.data_type))
    return damaged_tensor(p, text("its element type ", p.data_type, " is not one of ONNX's"));
  const auto dtype = static_cast<DType>(p.data_type);
  NM_ASSIGN(const Shape shape, decode_dims(p.dims, p.name));
  NM_TRY(check_addressable(text("the model's tensor '", p.name, "',"), dtype, shape));
  const int64_t count = shape.count();
  const size_t bytes = tensor_bytes(dtype, shape).value();

  onnx::Block data{nullptr, p.raw_data};
  if (p.external) {
    NM_ASSIGN(data, external_data(p, files));
  } else if (const onnx::Block* detached = file != nullptr ? file->detached(p.raw_data) : nullptr) {
    data = *detached;
  }
  const onnx::Bytes raw = data.bytes;
  if (p.has_raw_data || p.external) {
    if (dtype == DType::String) return damaged_tensor(p, "strings cannot be raw data");
    if (raw.size() != bytes) {
      return damaged_tensor(p, text("it has ", raw.size(), " bytes where ", describe(dtype, shape), " needs ", bytes));
    }
    const int element = std::max(1, std::min(dtype_bits(dtype) / 8, 8));
    if (data.owner && reinterpret_cast<uintptr_t>(raw.data()) % static_cast<uintptr_t>(element) == 0) {
      return Tensor::view(dtype, shape, const_cast<uint8_t*>(raw.data()), data.owner);
    }
    NM_ASSIGN(Tensor t, Tensor::create(dtype, shape));
    if (bytes > 0) std::memcpy(t.raw(), raw.data(), raw.size());
    return t;
  }
  // An absurd shape must not allocate before its elements are known to exist.
  const size_t listed = p.float_data.size() + p.int32_data.size() + p.string_data.size() + p.int64_data.size() +
                        p.double_data.size() + p.uint64_data.size();
  if (static_cast<uint64_t>(count) / 4 > listed) {
    return damaged_tensor(p, text("it has ", listed, " elements where its shape needs ", count));
  }
  NM_ASSIGN(Tensor t, Tensor::create(dtype, shape));
  NM_TRY(copy_listed(p, t));
  return t;
}

Result<Tensor> decode_sparse_tensor(const onnx::SparseTensorProto& p, const onnx::ModelFile* file,
                                    const ExternalFiles& files) {
  NM_ASSIGN(const Tensor values, decode_tensor(p.values, file, files));
  NM_ASSIGN(const Tensor indices, decode_tensor(p.indices, file, files));
  NM_ASSIGN(const Shape shape, decode_dims(p.dims, p.values.name));
  NM_TRY(check_addressable(text("the model's tensor '", p.values.name, "',"), values.dtype(), shape));
  const int64_t count = shape.count();
  // Indices are linear ([nnz]) or coordinates ([nnz, rank]).
  const bool linear = indices.rank() == 1;
  if (indices.dtype() != DType::Int64 || count < 0 || indices.rank() < 1 || indices.rank() > 2 ||
      indices.dim(0) != values.count() || (!linear && indices.dim(1) != shape.rank()) ||
      values.dtype() == DType::String || dtype_bits(values.dtype()) < 8) {
    return damaged_tensor(p.values, "its sparse indices do not fit its shape");
  }
  NM_ASSIGN(Tensor dense, Tensor::create(values.dtype(), shape));
  std::memset(dense.raw(), 0, dense.bytes());
  const size_t size = static_cast<size_t>(dtype_bits(values.dtype()) / 8);
  const int64_t* index = indices.data<int64_t>();
  for (int64_t i = 0; i < values.count(); ++i) {
    int64_t at = 0;
    if (linear) {
      at = index[i];
    } else {
      for (int d = 0; d < shape.rank(); ++d) {
        const int64_t k = index[i * shape.rank() + d];
        if (k < 0 || k >= shape[d]) return damaged_tensor(p.values, "a sparse index is outside its shape");
        at = at * shape[d] + k;
      }
    }
    if (at < 0 || at >= count) return damaged_tensor(p.values, "a sparse index is outside its shape");
    std::memcpy(static_cast<uint8_t*>(dense.raw()) + static_cast<size_t>(at) * size,
                static_cast<const uint8_t*>(values.raw()) + static_cast<size_t>(i) * size, size);
  }
  return dense;
}

Result<ValueType> decode_type(const onnx::TypeProto& p) {
  using Kind = onnx::TypeProto::Kind;
  const auto dtype = dtype_valid(p.elem_type) ? static_cast<DType>(p.elem_type) : DType::Undefined;
  ValueType type = ValueType::tensor(dtype);
  switch (p.kind) {
    case Kind::None:
      return type;
    case Kind::Tensor:
    case Kind::SparseTensor:
      if (p.elem_type != 0 && dtype == DType::Undefined) {
        return Status(Code::InvalidModel,
                      text("the model uses an element type ", p.elem_type, " that ONNX does not have"));
      }
      type.kind = p.kind == Kind::Tensor ? ValueType::Kind::Tensor : ValueType::Kind::SparseTensor;
      return type;
    case Kind::Sequence:
      type.kind = ValueType::Kind::Sequence;
      break;
    case Kind::Optional:
      type.kind = ValueType::Kind::Optional;
      break;
    case Kind::Map:
      type.kind = ValueType::Kind::Map;
      break;
  }
  if (p.element.empty()) {
    type.element = std::make_shared<const ValueType>();
  } else {
    NM_ASSIGN(ValueType element, decode_type(p.element.back()));
    type.element = std::make_shared<const ValueType>(std::move(element));
  }
  return type;
}

Result<std::optional<Shape>> decode_shape(const onnx::TypeProto& p, SymbolTable& symbols) {
  if (p.kind != onnx::TypeProto::Kind::Tensor || !p.has_shape) return std::optional<Shape>();
  if (p.shape.size() > static_cast<size_t>(kMaxRank)) {
    return Status(Code::InvalidModel, text("the model declares a tensor of ", p.shape.size(), " dimensions; at most ",
                                           kMaxRank, " are supported"));
  }
  Shape shape;
  for (const onnx::DimensionProto& d : p.shape) {
    // Exporters write 0 or -1 for "unknown" now and then.
    shape.push_back(d.value >= 0 ? d.value : d.param.empty() ? kUnknownDim : symbols.dim(d.param));
  }
  return std::optional<Shape>(shape);
}

}  // namespace nm
