// ai.onnx.ml LabelEncoder: a dictionary from keys to values. The types are float, double, int16, int64 and string.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "engine/base/positions.h"
#include "engine/ops/check.h"
#include "engine/ops/numbers.h"
#include "engine/tensor/element.h"

namespace nm {
namespace {

template <class T>
Tensor list(Attributes& a, const std::vector<T>& values) {
  auto t = Tensor::from<T>(Shape{static_cast<int64_t>(values.size())}, std::span<const T>(values));
  if (t.ok()) return std::move(*t);
  a.fail(t.status().message());
  return {};
}

// "keys" or "values", in whichever of the four attributes holds them.
Tensor read(Attributes& a, const std::string& what) {
  if (a.has(what + "_tensor")) return a.tensor(what + "_tensor");
  if (a.has(what + "_strings")) return list(a, a.strings(what + "_strings"));
  if (a.has(what + "_int64s")) return list(a, a.integers(what + "_int64s"));
  if (a.has(what + "_floats")) return list(a, a.numbers(what + "_floats"));
  a.fail(text("none of the attributes '", what, "_…' is there"));
  return {};
}

// The types of keys.
template <class F>
Status with_label(DType t, F&& f) {
  switch (t) {
    case DType::String:
      return f.template operator()<std::string>();
    case DType::Int16:
      return f.template operator()<int16_t>();
    case DType::Int64:
      return f.template operator()<int64_t>();
    default:
      return with_float(t, f);
  }
}

// NaN is equal to itself and before everything else.
template <class T>
bool before(const T& a, const T& b) {
  if constexpr (std::is_floating_point_v<T>) {
    if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && !std::isnan(b);
  }
  return a < b;
}

class LabelEncoder final : public Operator {
 public:
  explicit LabelEncoder(Attributes& a) {
    if (a.version() < 2) {
      classes_ = list(a, a.strings("classes_strings"));
      std::vector<int64_t> numbers(static_cast<size_t>(classes_.count()));
      std::iota(numbers.begin(), numbers.end(), int64_t{0});
      numbers_ = list(a, numbers);
      default_string_ = list(a, std::vector<std::string>{a.string("default_string", "_Unused")});
      default_number_ = list(a, std::vector<int64_t>{a.integer("default_int64", -1)});
      return;
    }
    keys_ = read(a, "keys");
    values_ = read(a, "values");
    if (!keys_.defined() || !values_.defined()) return;
    if (keys_.count() != values_.count()) {
      a.fail(text("there are ", keys_.count(), " keys, but ", values_.count(), " values"));
    }
    if (is_packed(values_.dtype())) a.unsupported("values of less than a byte are not supported");
    fallback_ = read_default(a);
    if (fallback_.dtype() != values_.dtype() || fallback_.count() != 1) {
      a.fail(text("the default must be one ", dtype_name(values_.dtype()), ", as the values are"));
    }
    order_ = sorted(keys_);
  }

  Status infer(Inference& c) const override {
    NM_TRY(check_tensors(c, 1));
    DType out = values_.dtype();
    if (classes_.defined()) {
      NM_TRY(check_type(c, 0, "the input", {DType::String, DType::Int64}));
      if (c.type(0) == DType::Undefined) return {};
      out = c.type(0) == DType::String ? DType::Int64 : DType::String;
    } else if (c.type(0) != DType::Undefined && c.type(0) != keys_.dtype()) {
      return wrong_type("the input", c.type(0), dtype_name(keys_.dtype()));
    }
    c.output(0, out);
    if (c.has_shape(0)) c.output(0, out, c.shape(0));
    return {};
  }

  Status run(Execution& c) override {
    if (!classes_.defined()) return translate(c, keys_, order_, values_, fallback_);
    if (c.input(0).dtype() == DType::Int64) return translate(c, numbers_, sorted(numbers_), classes_, default_string_);
    return translate(c, classes_, sorted(classes_), numbers_, default_number_);
  }

 private:
  using Order = std::vector<int64_t>;

  Tensor read_default(Attributes& a) const {
    if (a.has("default_tensor")) return a.tensor("default_tensor");
    switch (values_.dtype()) {
      case DType::String:
        return list(a, std::vector<std::string>{a.string("default_string", "_Unused")});
      case DType::Int64:
        return list(a, std::vector<int64_t>{a.integer("default_int64", -1)});
      case DType::Int16:
        return list(a, std::vector<int16_t>{-1});
      case DType::Float64:
        return list(a, std::vector<double>{-0.0});
      default:
        return list(a, std::vector<float>{a.number("default_float", -0.f)});
    }
  }

  // The keys' positions in ascending order; of equal keys the first comes first.
  static Order sorted(const Tensor& keys) {
    Order order;
    const Status ignored = with_label(keys.dtype(), [&]<class K>() -> Status {
      const K* k = keys.data<K>();
      order =
          sorted_positions(static_cast<size_t>(keys.count()), [k](int64_t a, int64_t b) { return before(k[a], k[b]); });
      return {};
    });
    return order;
  }

  static Status translate(Execution& c, const Tensor& keys, const Order& order, const Tensor& values,
                          const Tensor& fallback) {
    const Tensor& in = c.input(0);
    NM_ASSIGN(int64_t * positions, c.scratch<int64_t>(in.count()));  // among the values; -1: none
    NM_TRY(with_label(keys.dtype(), [&]<class K>() -> Status {
      const K* k = keys.data<K>();
      for (int64_t i = 0; i < in.count(); ++i) {
        const K& wanted = in.data<K>()[i];
        const auto at = std::lower_bound(order.begin(), order.end(), wanted,
                                         [k](int64_t position, const K& key) { return before(k[position], key); });
        positions[i] = at != order.end() && !before(wanted, k[*at]) ? *at : -1;
      }
      return {};
    }));
    with_element(values.dtype(), [&]<class V>() {
      const V* from = static_cast<const V*>(values.raw());
      const V* missing = static_cast<const V*>(fallback.raw());
      V* to = static_cast<V*>(c.output(0).raw());
      for (int64_t i = 0; i < in.count(); ++i) to[i] = positions[i] < 0 ? *missing : from[positions[i]];
    });
    return {};
  }

  Tensor classes_, numbers_, default_string_, default_number_;  // version 1, which goes both ways
  Tensor keys_, values_, fallback_;
  Order order_;
};

}  // namespace

NM_OPERATORS(label_encoder) { r.add_in<LabelEncoder>(kMlDomain, "LabelEncoder", 1); }

}  // namespace nm
