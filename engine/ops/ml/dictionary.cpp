#include "engine/ops/ml/dictionary.h"

#include <algorithm>
#include <cmath>

#include "engine/base/sort_positions.h"

namespace nm {
namespace {

template <class T>
Tensor as_tensor(Attributes& a, std::span<const T> values) {
  auto t = Tensor::from<T>(Shape{static_cast<int64_t>(values.size())}, values);
  if (t.ok()) return std::move(*t);
  a.fail(t.status().message());
  return {};
}

template <class F>
void with_key(DType t, F&& f) {
  switch (t) {
    case DType::String:
      return f.template operator()<std::string>();
    case DType::Int16:
      return f.template operator()<int16_t>();
    case DType::Int32:
      return f.template operator()<int32_t>();
    case DType::Int64:
      return f.template operator()<int64_t>();
    case DType::Float32:
      return f.template operator()<float>();
    case DType::Float64:
      return f.template operator()<double>();
    default:
      return;
  }
}

// NaN is before everything else.
template <class T>
bool before(const T& a, const T& b) {
  if constexpr (std::is_floating_point_v<T>) {
    if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && !std::isnan(b);
  }
  return a < b;
}

}  // namespace

Tensor list_tensor(Attributes& a, std::span<const int64_t> values) { return as_tensor(a, values); }
Tensor list_tensor(Attributes& a, std::span<const float> values) { return as_tensor(a, values); }
Tensor list_tensor(Attributes& a, std::span<const std::string> values) { return as_tensor(a, values); }

bool Dictionary::can_be_key(DType t) {
  return t == DType::String || t == DType::Int16 || t == DType::Int32 || t == DType::Int64 || t == DType::Float32 ||
         t == DType::Float64;
}

Dictionary::Dictionary(Tensor keys) : keys_(std::move(keys)) {
  with_key(keys_.dtype(), [&]<class K>() {
    const K* k = keys_.data<K>();
    order_ =
        sorted_positions(static_cast<size_t>(keys_.count()), [k](int64_t a, int64_t b) { return before(k[a], k[b]); });
  });
}

void Dictionary::find(const Tensor& wanted, int64_t* positions) const {
  with_key(keys_.dtype(), [&]<class K>() {
    const K* k = keys_.data<K>();
    for (int64_t i = 0; i < wanted.count(); ++i) {
      const K& key = wanted.data<K>()[i];
      const auto after = std::upper_bound(order_.begin(), order_.end(), key,
                                          [k](const K& w, int64_t position) { return before(w, k[position]); });
      positions[i] = after != order_.begin() && !before(k[after[-1]], key) ? after[-1] : -1;
    }
  });
}

}  // namespace nm
