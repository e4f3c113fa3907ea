// The packed form of a model: its graph as the passes left it, with constants in the layout that operators take them.
//
//   offset  bytes  what
//        0      8  kMagic
//        8      4  kByteOrder, as the writer's machine stores it; all fixed numbers and constants are in that order
//       12      4  kVersion
//       16      4  flags, of which none is defined yet
//       20      4  0
//       24      8  bytes of the graph section
//       32      8  bytes of the file
//       40         the graph section
//    then          the blocks, each at the next multiple of kAlignment, zeros before it
//    then      8  Checksum of all bytes before
//
// The graph section is a sequence of numbers in LEB128 (signed ones zigzag: 0, -1, 1, -2, …) and of bytes:
//
//   section   = count { bytes of a block }         all blocks, in their order
//               count { length, UTF-8 }            texts, each once; others refer to them by index
//               count { text }                     symbols of dimensions; an empty text is one without a name
//               facts  graph
//   facts     = name producer  count { domain, signed version }  count { key, value }
//               count { port } of inputs  count { port } of outputs
//               count { operator, signed number of nodes }  count { warning }  signed nodes  signed bytes of weights
//   port      = name type shape
//   type      = kind (ValueType::Kind)  dtype (ONNX's number)  [type of the element: sequences, optionals, maps]
//   shape     = 0: not even the rank is known;  or 1 + rank, { signed dimension }
//               A dimension below -1 is symbol -2 - d.
//   graph     = name
//               count { value }
//               count { value id } of inputs  count { value id } of outputs
//               count { inner value id, input of the node around it } of captures
//               count { node }
//   value     = name  0 type shape  or  name  1 tensor
//   tensor    = dtype  rank { dimension }  Storage: Inline, bytes;  Block, index;  Texts, { text };
//               Narrow, Form, axis, index: a float32 tensor as narrower numbers (narrow.h)
//   node      = name operator domain version
//               explicit inputs  count { 0: none, or 1 + value id } of inputs, captures last
//               count { 0: none, or 1 + value id } of outputs
//               count { name, attribute } of attributes
//   attribute = AttributeKind: one of, or count and items
//
// Only values that something refers to are there. A value is defined once: as a constant, an input, a capture, or by
// the node that has it as an output; and before it is used.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

namespace nm::packed {

using Bytes = std::span<const uint8_t>;

// No ONNX file begins with this byte (protobuf's wire type 3), and the line ends show a transfer as text.
inline constexpr uint8_t kMagic[8] = {0x8b, 'N', 'M', 'P', '\r', '\n', 0x1a, '\n'};
inline constexpr uint32_t kByteOrder = 0x0a0b0c0d;
// Rises with whatever changes how a file is read or what is in a graph behind the passes: internal attributes and
// operators, kernels by their numbers.
inline constexpr uint32_t kVersion = 2;

struct Header {
  uint8_t magic[8];
  uint32_t byte_order;
  uint32_t version;
  uint32_t flags;
  uint32_t reserved;
  uint64_t graph_bytes;
  uint64_t file_bytes;
};
static_assert(sizeof(Header) == 40);

// Constants from this size on are blocks of their own.
inline constexpr size_t kBlockBytes = 1024;
// The more named ones there are, the longer each takes to find.
inline constexpr size_t kMostNamedSymbols = 8192;

enum class Storage : uint8_t { Inline, Block, Texts, Narrow };

// In the order of the alternatives of nm::Attribute.
enum class AttributeKind : uint8_t {
  Integer,   // signed
  Number,    // 4 bytes, float32
  Text,      // text
  Tensor,    // tensor
  Graph,     // graph
  Integers,  // count { signed }
  Numbers,   // count { 4 bytes }
  Texts,     // count { text }
  Tensors,   // count { tensor }
  Type,      // type
};

}  // namespace nm::packed
