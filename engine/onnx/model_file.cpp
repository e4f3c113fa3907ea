#include "engine/onnx/model_file.h"

#include <algorithm>

#include "engine/base/text.h"
#include "onnx_schema.h"

namespace nm::onnx {
namespace {

// Smaller tensors are cheaper copied than kept apart.
constexpr uint64_t kDetachBytes = 1024;

// What lies deeper is copied like everything else.
constexpr size_t kMaxOpen = 64;

}  // namespace

ModelFile::ModelFile(uint64_t expected) : expected_(expected), open_{{Message::Model, UINT64_MAX, 0, 0}} {}

ModelFile::Message ModelFile::inside(Message message, uint32_t field) {
  switch (message) {
    case Message::Model: {
      namespace F = schema::ModelProto;
      return field == F::graph ? Message::Graph : field == F::functions ? Message::Function : Message::Other;
    }
    case Message::Graph: {
      namespace F = schema::GraphProto;
      if (field == F::node) return Message::Node;
      if (field == F::initializer) return Message::Tensor;
      return field == F::sparse_initializer ? Message::SparseTensor : Message::Other;
    }
    case Message::Function:
      return field == schema::FunctionProto::node ? Message::Node : Message::Other;
    case Message::Node:
      return field == schema::NodeProto::attribute ? Message::Attribute : Message::Other;
    case Message::Attribute: {
      namespace F = schema::AttributeProto;
      if (field == F::t || field == F::tensors) return Message::Tensor;
      if (field == F::g || field == F::graphs) return Message::Graph;
      return field == F::sparse_tensor || field == F::sparse_tensors ? Message::SparseTensor : Message::Other;
    }
    case Message::SparseTensor: {
      namespace F = schema::SparseTensorProto;
      return field == F::values || field == F::indices ? Message::Tensor : Message::Other;
    }
    case Message::Tensor:
      return field == schema::TensorProto::raw_data ? Message::RawData : Message::Other;
    case Message::RawData:
    case Message::Other:
      break;
  }
  return Message::Other;
}

Status ModelFile::append(Bytes piece) {
  while (!piece.empty()) {
    const bool raw = open_.back().message == Message::RawData;
    const uint64_t run = raw ? left() : std::max<uint64_t>(copying_, 1);
    const Bytes part = piece.first(static_cast<size_t>(std::min<uint64_t>(run, piece.size())));
    if (!(raw ? *raw_ : rest_).append(part)) {
      return {Code::OutOfMemory, text("there is no memory for the model, of which ", at_,
                                      " bytes have been read; release other sessions or use a smaller model")};
    }
    at_ += part.size();
    piece = piece.subspan(part.size());
    if (copying_ > 0) {
      copying_ -= part.size();
    } else if (!raw) {
      header_byte(part[0]);
    }
    end_messages();
  }
  return {};
}

void ModelFile::header_byte(uint8_t byte) {
  varint_ |= static_cast<uint64_t>(byte & 0x7f) << shift_;
  shift_ += 7;
  if (byte >= 0x80) {
    if (shift_ >= 64) give_up();
    return;
  }
  const uint64_t value = varint_;
  varint_ = 0;
  shift_ = 0;
  const Expect expected = expect_;
  expect_ = Expect::Tag;
  if (expected == Expect::Tag) tag(value);
  if (expected == Expect::Length) begin(value);
}

void ModelFile::tag(uint64_t value) {
  if (value > UINT32_MAX || value < 8) return give_up();
  field_ = static_cast<uint32_t>(value >> 3);
  switch (static_cast<WireType>(value & 7)) {
    case WireType::Varint:
      expect_ = Expect::Number;
      return;
    case WireType::Length:
      expect_ = Expect::Length;
      length_at_ = rest_.size();
      return;
    case WireType::Fixed64:
      return skip(8);
    case WireType::Fixed32:
      return skip(4);
  }
  give_up();
}

void ModelFile::begin(uint64_t length) {
  if (length > left()) return give_up();
  const Message message = inside(open_.back().message, field_);
  const bool small = message == Message::RawData && length < kDetachBytes;
  if (message == Message::Other || small || open_.size() == kMaxOpen) return skip(length);
  open_.push_back({message, at_ + length, length_at_, rest_.size()});
  if (message == Message::RawData)
    raw_ = std::make_shared<GatheredBytes>(length, expected_ > at_ ? expected_ - at_ : 0);
}

void ModelFile::skip(uint64_t length) {
  if (length > left()) return give_up();
  copying_ = length;
}

void ModelFile::end_messages() {
  for (; open_.size() > 1 && left() == 0; open_.pop_back()) {
    if (expect_ != Expect::Tag || shift_ != 0) return give_up();
    const Open& open = open_.back();
    if (open.message == Message::RawData) {
      const Bytes bytes(raw_->data(), raw_->size());
      detached_.push_back({open.content_at, {std::move(raw_), bytes}});
    }
    shorten(open);
  }
}

// Writes the length that the message has in rest_ over the one it had in the file, which took at least as many bytes.
void ModelFile::shorten(const Open& open) {
  uint64_t length = rest_.size() - open.content_at;
  for (size_t i = open.length_at; i < open.content_at; ++i, length >>= 7) {
    rest_.data()[i] = static_cast<uint8_t>((length & 0x7f) | (i + 1 < open.content_at ? 0x80 : 0));
  }
}

// Malformed, as the reader will find too, be it because the lengths of messages that are open stay too large.
void ModelFile::give_up() {
  open_.erase(open_.begin() + 1, open_.end());
  copying_ = UINT64_MAX;
}

const Block* ModelFile::detached(Bytes raw) const {
  if (!raw.empty() || raw.data() < rest_.data() || raw.data() > rest_.data() + rest_.size()) return nullptr;
  const auto at = static_cast<size_t>(raw.data() - rest_.data());
  const auto found = std::lower_bound(detached_.begin(), detached_.end(), at,
                                      [](const Detached& d, size_t offset) { return d.content_at < offset; });
  return found != detached_.end() && found->content_at == at ? &found->block : nullptr;
}

}  // namespace nm::onnx
