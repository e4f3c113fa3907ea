// Looking up many elements among a list of keys: what LabelEncoder, OneHotEncoder and others of ai.onnx.ml do.
#pragma once
#include <span>
#include <string>
#include <vector>

#include "engine/op/operator.h"

namespace nm {

// A list attribute as a tensor of one dimension.
Tensor list_tensor(Attributes& a, std::span<const int64_t> values);
Tensor list_tensor(Attributes& a, std::span<const float> values);
Tensor list_tensor(Attributes& a, std::span<const std::string> values);

class Dictionary {
 public:
  Dictionary() = default;
  // Keys are floats of 32 or 64 bits, integers of 16 to 64, or texts; NaN is equal to itself. Of equal keys the last
  // one counts.
  explicit Dictionary(Tensor keys);
  static bool can_be_key(DType t);

  DType dtype() const { return keys_.dtype(); }
  int64_t size() const { return keys_.count(); }
  const Tensor& keys() const { return keys_; }
  // For each element of `wanted`, which has the keys' type, the position of its key; -1 where there is none.
  void find(const Tensor& wanted, int64_t* positions) const;

 private:
  Tensor keys_;
  std::vector<int64_t> order_;  // positions by ascending key
};

}  // namespace nm
