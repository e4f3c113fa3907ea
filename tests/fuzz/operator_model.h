// Models out of bytes: every string of bytes describes a model of one to four nodes, and one that has been a mutation
// of another describes a similar one. Operators, versions, attributes, types, shapes, constants and the outputs wanted
// are all chosen, sensible ones and others. A string that ends too early goes on with zeros.
//
//   model      set, 1 + n % 4 nodes
//   node       operator (2), flags, attributes % 8, each; inputs % 10, each; outputs
//   attribute  its number among those that the operator's file reads, kind (0: what the file expects), value
//   input      how (see Given), and what belongs to it: a type, dims, contents; or the number of an earlier value
//   number     a small one in one byte, one of kExtremes, or any in nine
#pragma once
#include <string>
#include <vector>

#include "engine/tensor/value.h"
#include "tests/fuzz/targets.h"

namespace nm::fuzz {

struct OperatorModel {
  std::string file;           // an ONNX model
  std::vector<Value> inputs;  // for its inputs; empty where they should be random
};

OperatorModel decode_model(Bytes bytes);

// How a node comes by an input.
enum class Given : uint8_t {
  Nothing,      // it is left out
  Initializer,  // constant
  Input,        // given to the run, its shape declared
  OpenDims,     // the same, with names for its dims
  OpenRank,     // the same, without a shape
  Earlier,      // the output of an earlier node, or what an earlier one takes
  Hidden,       // its shape is known only while the model runs
  InSequence,   // a sequence of one or two of these tensors
};
inline constexpr int kGivens = 8;

// How a tensor's contents are written.
enum class Contents : uint8_t { Raw, Count, Zeros, Ones, Extremes, Numbers, Fractions };
inline constexpr int kContents = 7;

inline constexpr DType kTypes[] = {
    DType::Float32, DType::Int64,  DType::Int32,      DType::UInt8,      DType::Bool,         DType::Float64,
    DType::Float16, DType::String, DType::Int8,       DType::BFloat16,   DType::UInt64,       DType::UInt32,
    DType::Int16,   DType::UInt16, DType::Complex64,  DType::Complex128, DType::Float8E4M3FN, DType::Float8E5M2,
    DType::UInt4,   DType::Int4,   DType::Float4E2M1, DType::Float8E8M0, DType::UInt2,        DType::Int2,
};

// A number's first byte: from kSmallest on as it is, then the extremes, then what eight bytes hold.
inline constexpr int kSmallest = -16;
inline constexpr int kSmallCount = 160;
inline constexpr int kExtremeCount = 64;

}  // namespace nm::fuzz
