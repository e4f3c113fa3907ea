#include "engine/packed/file.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "engine/base/reserve.h"
#include "engine/base/text.h"
#include "engine/packed/cursor.h"

namespace nm::packed {
namespace {

Status no_room(uint64_t at) {
  return {Code::OutOfMemory, text("there is no memory for the packed model, of which ", at,
                                  " bytes have been read; release other sessions or use a smaller model")};
}

}  // namespace

Status File::append(Bytes piece) {
  while (!piece.empty()) {
    if (part_ == Part::End) return damaged("bytes follow its end");
    const Bytes part = piece.first(static_cast<size_t>(std::min<uint64_t>(left_, piece.size())));
    NM_TRY(take(part));
    at_ += part.size();
    left_ -= part.size();
    piece = piece.subspan(part.size());
    while (left_ == 0 && part_ != Part::End) NM_TRY(begin_next());
  }
  return {};
}

Status File::take(Bytes bytes) {
  if (part_ != Part::Checksum) checksum_.add(bytes);
  const auto copy_to = [&](auto& fixed) {
    std::memcpy(reinterpret_cast<uint8_t*>(&fixed) + (sizeof fixed - left_), bytes.data(), bytes.size());
  };
  bool room = true;
  switch (part_) {
    case Part::Header:
      copy_to(header_);
      break;
    case Part::Graph:
      room = graph_.append(bytes);
      break;
    case Part::Block:
      room = blocks_.back()->append(bytes);
      break;
    case Part::Checksum:
      copy_to(stored_checksum_);
      break;
    case Part::Padding:
    case Part::End:
      break;
  }
  return room ? Status() : no_room(at_);
}

// The part that is whole is read; left_ becomes the next one's length.
Status File::begin_next() {
  switch (part_) {
    case Part::Header:
      return read_header();
    case Part::Graph:
      return read_blocks();
    case Part::Padding:
      part_ = Part::Block;
      left_ = lengths_[blocks_.size()];
      blocks_.push_back(std::make_shared<GatheredBytes>(left_, likely()));
      break;
    case Part::Block:
      begin_block();
      break;
    case Part::Checksum:
    case Part::End:
      part_ = Part::End;
      break;
  }
  return {};
}

Status File::read_header() {
  const Header& h = header_;
  if (std::memcmp(h.magic, kMagic, sizeof kMagic) != 0) {
    return {Code::InvalidModel,
            "this is not a model but begins like a packed one; if it has been sent as text, send it as a binary file"};
  }
  if (h.byte_order == __builtin_bswap32(kByteOrder)) {
    return {
        Code::InvalidModel,
        "the packed model was written on a machine of another byte order; pack the model again on one of this order"};
  }
  if (h.byte_order != kByteOrder) return damaged("its byte order is none");
  if (h.version != kVersion || h.flags != 0 || h.reserved != 0) {
    return {Code::InvalidModel, text("the packed model has version ", h.version,
                                     h.flags != 0 ? " with parts unknown" : "", " where this engine reads version ",
                                     kVersion, "; pack the model again with this version of Neuromancer")};
  }
  if (h.file_bytes < sizeof h + sizeof stored_checksum_ ||
      h.graph_bytes > h.file_bytes - sizeof h - sizeof stored_checksum_) {
    return damaged("its parts are longer than the whole");
  }
  part_ = Part::Graph;
  left_ = h.graph_bytes;
  graph_ = GatheredBytes(left_, likely());
  return {};
}

// The lengths of the blocks stand at the section's beginning; together they must give the file's length.
Status File::read_blocks() {
  Cursor cursor(graph());
  const size_t count = cursor.count();
  NM_TRY(room_for("the packed model's blocks", Size(count) * (sizeof(uint64_t) + 2 * sizeof(blocks_[0]))));
  lengths_.reserve(count);
  blocks_.reserve(count);
  Size end(at_);
  for (size_t i = 0; i < count && cursor.ok(); ++i) {
    lengths_.push_back(cursor.number());
    if (lengths_.back() == 0) cursor.fail("one of its blocks is empty");
    if (!end.addressable()) return no_memory("the packed model", end);
    end = Size(align_up(end.number())) + Size(lengths_.back());
  }
  NM_TRY(cursor.take_status());
  if ((end + sizeof stored_checksum_).number() != header_.file_bytes) {
    return damaged("its blocks do not make up its length");
  }
  begin_block();
  return {};
}

void File::begin_block() {
  const bool last = blocks_.size() == lengths_.size();
  part_ = last ? Part::Checksum : Part::Padding;
  left_ = last ? sizeof stored_checksum_ : align_up(at_) - at_;
}

Status File::check_complete() const {
  if (part_ != Part::End) {
    return {Code::InvalidModel, text("the packed model is cut short: ", at_, " bytes came",
                                     part_ == Part::Header ? "" : text(" of ", header_.file_bytes),
                                     "; download it or pack the model again")};
  }
  if (checksum_.value() != stored_checksum_) return damaged("its checksum is another");
  return {};
}

}  // namespace nm::packed
