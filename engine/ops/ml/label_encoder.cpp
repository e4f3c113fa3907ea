// LabelEncoder and CategoryMapper of ai.onnx.ml: a dictionary from keys to values.
#include <numeric>

#include "engine/op/check.h"
#include "engine/op/registry.h"
#include "engine/ops/ml/dictionary.h"
#include "engine/tensor/element.h"

namespace nm {
namespace {

// "keys" or "values", in whichever of the four attributes holds them.
Tensor read(Attributes& a, const std::string& what) {
  if (a.has(what + "_tensor")) return a.tensor(what + "_tensor");
  if (a.has(what + "_strings")) return list_tensor(a, a.strings(what + "_strings"));
  if (a.has(what + "_int64s")) return list_tensor(a, a.integers(what + "_int64s"));
  if (a.has(what + "_floats")) return list_tensor(a, a.numbers(what + "_floats"));
  a.fail(text("none of the attributes '", what, "_…' is there"));
  return {};
}

// Replaces each element by the value that stands where its key does, or by `fallback`, which has one element.
Status translate(Execution& execution, const Dictionary& keys, const Tensor& values, const Tensor& fallback) {
  const Tensor& in = execution.input(0);
  NM_ASSIGN(int64_t * positions, execution.scratch<int64_t>(Size(in.count())));
  keys.find(in, positions);
  with_element(values.dtype(), [&]<class V>() {
    const V* from = static_cast<const V*>(values.raw());
    const V* missing = static_cast<const V*>(fallback.raw());
    V* to = static_cast<V*>(execution.output(0).raw());
    for (int64_t i = 0; i < in.count(); ++i) to[i] = positions[i] < 0 ? *missing : from[positions[i]];
  });
  return {};
}

class LabelEncoder final : public Operator {
 public:
  explicit LabelEncoder(Attributes& a) {
    const Tensor keys = read(a, "keys");
    values_ = read(a, "values");
    a.ignore({"default_string", "default_int64", "default_float"});  // the values' type chooses one
    if (!keys.defined() || !values_.defined()) return;
    if (!Dictionary::can_be_key(keys.dtype()))
      a.fail(text("keys of type ", dtype_name(keys.dtype()), " are not ONNX's"));
    if (keys.count() != values_.count()) {
      a.fail(text("there are ", keys.count(), " keys, but ", values_.count(), " values"));
    }
    if (is_packed(values_.dtype())) a.unsupported("values of less than a byte are not supported");
    fallback_ = read_default(a);
    if (fallback_.dtype() != values_.dtype() || fallback_.count() != 1) {
      a.fail(text("the default must be one ", dtype_name(values_.dtype()), ", as the values are"));
    }
    keys_ = Dictionary(keys);
  }

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 1));
    if (inference.type(0) != DType::Undefined && inference.type(0) != keys_.dtype()) {
      return wrong_type("the input", inference.type(0), dtype_name(keys_.dtype()));
    }
    inference.output(0, values_.dtype());
    if (inference.has_shape(0)) inference.output(0, values_.dtype(), inference.shape(0));
    return {};
  }

  Status run(Execution& execution) override { return translate(execution, keys_, values_, fallback_); }

 private:
  Tensor read_default(Attributes& a) const {
    if (a.has("default_tensor")) return a.tensor("default_tensor");
    switch (values_.dtype()) {
      case DType::String:
        return list_tensor(a, std::vector{a.string("default_string", "_Unused")});
      case DType::Int64:
        return list_tensor(a, std::vector{a.integer("default_int64", -1)});
      case DType::Float32:
        return list_tensor(a, std::vector{a.number("default_float", -0.f)});
      default:
        return unwritten_default(a);
    }
  }

  // -1 of an integer and -0.0 of a float, for types that only tensors hold.
  Tensor unwritten_default(Attributes& a) const {
    auto t = Tensor::create(values_.dtype(), Shape{1});
    if (!t.ok()) return a.fail(t.status().message()), Tensor();
    auto* bytes = static_cast<uint8_t*>(t->raw());
    std::fill_n(bytes, t->bytes(), is_float(values_.dtype()) ? 0x00 : 0xff);
    if (is_float(values_.dtype())) bytes[t->bytes() - 1] = 0x80;
    return std::move(*t);
  }

  Dictionary keys_;
  Tensor values_, fallback_;
};

// Texts become integers and integers texts.
class CategoryMapper final : public Operator {
 public:
  // `classes`: LabelEncoder before version 2, where the integers count up from 0.
  explicit CategoryMapper(Attributes& a, bool classes)
      : texts_(list_tensor(a, a.strings(classes ? "classes_strings" : "cats_strings"))) {
    std::vector<int64_t> numbers(static_cast<size_t>(texts_.size()));
    std::iota(numbers.begin(), numbers.end(), int64_t{0});
    if (!classes) numbers = a.integers("cats_int64s");
    numbers_ = Dictionary(list_tensor(a, numbers));
    if (numbers_.size() != texts_.size()) {
      a.fail(text("there are ", texts_.size(), " texts, but ", numbers_.size(), " integers"));
    }
    default_text_ = list_tensor(a, std::vector{a.string("default_string", "_Unused")});
    default_number_ = list_tensor(a, std::vector{a.integer("default_int64", -1)});
  }

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 1));
    NM_TRY(check_type(inference, 0, "the input", {DType::String, DType::Int64}));
    if (inference.type(0) == DType::Undefined) return {};
    const DType out = inference.type(0) == DType::String ? DType::Int64 : DType::String;
    inference.output(0, out);
    if (inference.has_shape(0)) inference.output(0, out, inference.shape(0));
    return {};
  }

  Status run(Execution& execution) override {
    return execution.input(0).dtype() == DType::String ? translate(execution, texts_, numbers_.keys(), default_number_)
                                                       : translate(execution, numbers_, texts_.keys(), default_text_);
  }

 private:
  Dictionary texts_, numbers_;
  Tensor default_text_, default_number_;
};

}  // namespace

constexpr AttributeRange kLabelEncoderAttributes[] = {{"keys_tensor", 4}, {"values_tensor", 4}};

constexpr OperatorEntry kEntries[] = {
    entry_in<CategoryMapper, true>(kMlDomain, "LabelEncoder", 1, {.inputs = 1, .outputs = 1, .layout = layout::opaque}),
    entry_in<LabelEncoder>(
        kMlDomain, "LabelEncoder", 2,
        {.inputs = 1, .outputs = 1, .layout = layout::opaque, .attributes = kLabelEncoderAttributes}),
    entry_in<CategoryMapper, false>(kMlDomain, "CategoryMapper", 1,
                                    {.inputs = 1, .outputs = 1, .layout = layout::opaque}),
};

NM_OPERATORS(label_encoder, kEntries)

}  // namespace nm
