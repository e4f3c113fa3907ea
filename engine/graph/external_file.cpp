#include "engine/graph/external_file.h"

#include <algorithm>
#include <charconv>

#include "engine/base/function_ref.h"
#include "engine/base/sort_positions.h"
#include "engine/base/text.h"
#include "engine/tensor/dtype.h"

namespace nm {
namespace {

using Visit = function_ref<void(const onnx::TensorProto&)>;

void visit_tensors(const onnx::GraphProto& graph, Visit visit);

void visit_tensors(const onnx::SparseTensorProto& sparse, Visit visit) {
  visit(sparse.values);
  visit(sparse.indices);
}

void visit_tensors(const std::vector<onnx::AttributeProto>& attributes, Visit visit) {
  for (const onnx::AttributeProto& a : attributes) {
    for (const onnx::TensorProto& t : a.tensors) visit(t);
    for (const onnx::SparseTensorProto& t : a.sparse_tensors) visit_tensors(t, visit);
    for (const onnx::GraphProto& g : a.graphs) visit_tensors(g, visit);
  }
}

void visit_tensors(const std::vector<onnx::NodeProto>& nodes, Visit visit) {
  for (const onnx::NodeProto& node : nodes) visit_tensors(node.attributes, visit);
}

void visit_tensors(const onnx::GraphProto& graph, Visit visit) {
  for (const onnx::TensorProto& t : graph.initializers) visit(t);
  for (const onnx::SparseTensorProto& t : graph.sparse_initializers) visit_tensors(t, visit);
  visit_tensors(graph.nodes, visit);
}

void visit_references(const onnx::ModelProto& model, function_ref<void(const ExternalReference&)> visit) {
  const auto look = [&](const onnx::TensorProto& t) {
    if (!t.external) return;
    // A damaged one is reported when its tensor is decoded.
    if (const auto reference = external_reference(t); reference.ok()) visit(*reference);
  };
  visit_tensors(model.graph, look);
  for (const onnx::FunctionProto& f : model.functions) {
    visit_tensors(f.attribute_defaults, look);
    visit_tensors(f.nodes, look);
  }
}

// What the tensor's type and dimensions ask for; nothing where they make no sense.
std::optional<uint64_t> declared_bytes(const onnx::TensorProto& t) {
  if (!dtype_valid(t.data_type)) return std::nullopt;
  Size count(1);
  for (const int64_t d : t.dims) count = count * d;
  const Size bytes = dtype_bytes(static_cast<DType>(t.data_type), count);
  return bytes.addressable() ? std::optional(bytes.number()) : std::nullopt;
}

}  // namespace

Status damaged_tensor(const onnx::TensorProto& t, std::string_view why) {
  return Status(Code::InvalidModel, text("the model's tensor '", t.name, "' is damaged: ", why)).about(t.name, "", "");
}

Result<ExternalReference> external_reference(const onnx::TensorProto& t) {
  ExternalReference reference;
  for (const auto& [key, value] : t.external_data) {
    const auto number = [&](uint64_t& out) {
      const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), out);
      return error == std::errc() && end == value.data() + value.size();
    };
    if (key == "location") reference.location = value;
    if (key == "offset" && !number(reference.offset)) {
      return damaged_tensor(t, "its external data offset is not a number");
    }
    if (key == "length" && !number(reference.length.emplace())) {
      return damaged_tensor(t, "its external data length is not a number");
    }
  }
  // Without a length, or with 0, which some writers put there, the data are as long as the tensor is.
  if (!reference.length || *reference.length == 0) reference.length = declared_bytes(t);
  return reference;
}

std::set<std::string, std::less<>> external_locations(const onnx::ModelProto& model) {
  std::set<std::string, std::less<>> locations;
  visit_references(model, [&](const ExternalReference& r) { locations.emplace(r.location); });
  return locations;
}

ExternalFile::ExternalFile(const onnx::ModelProto& model, std::string_view location, uint64_t expected)
    : location_(location), expected_(expected) {
  visit_references(model, [&](const ExternalReference& r) {
    if (r.location != location) return;
    const bool open = !r.length || *r.length > UINT64_MAX - r.offset;
    parts_.push_back({r.offset, open ? UINT64_MAX : r.offset + *r.length, nullptr});
  });
  sort_list(parts_, [](const Part& a, const Part& b) { return a.begin < b.begin; });
  size_t count = 0;  // tensors that share bytes share a block
  for (const Part& part : parts_) {
    if (count > 0 && part.begin < parts_[count - 1].end) {
      parts_[count - 1].end = std::max(parts_[count - 1].end, part.end);
    } else if (part.begin < part.end) {
      parts_[count++] = part;
    }
  }
  parts_.resize(count);
}

Status ExternalFile::append(onnx::Bytes piece) {
  const uint64_t end = at_ + piece.size();
  for (; next_ < parts_.size() && parts_[next_].begin < end; ++next_) {
    Part& part = parts_[next_];
    const uint64_t from = std::max(part.begin, at_), to = std::min(part.end, end);
    if (part.bytes == nullptr) {
      part.bytes = std::make_shared<GatheredBytes>(part.end - from, expected_ > from ? expected_ - from : 0);
    }
    if (!part.bytes->append(piece.subspan(static_cast<size_t>(from - at_), static_cast<size_t>(to - from)))) {
      return {Code::OutOfMemory, text("there is no memory for the external file '", location_, "', of which ", from,
                                      " bytes have been read; release other sessions or use a smaller model")};
    }
    if (part.end > end) break;
  }
  at_ = end;
  return {};
}

std::optional<onnx::Block> ExternalFile::find(const ExternalReference& r) const {
  if (r.offset > at_ || (r.length && *r.length > at_ - r.offset)) return std::nullopt;
  const auto length = static_cast<size_t>(r.length.value_or(at_ - r.offset));
  if (length == 0) return onnx::Block();
  const auto after = std::upper_bound(parts_.begin(), parts_.end(), r.offset,
                                      [](uint64_t offset, const Part& part) { return offset < part.begin; });
  if (after == parts_.begin() || std::prev(after)->end - r.offset < length) return std::nullopt;
  const Part& part = *std::prev(after);
  return onnx::Block{part.bytes, {part.bytes->data() + (r.offset - part.begin), length}};
}

}  // namespace nm
