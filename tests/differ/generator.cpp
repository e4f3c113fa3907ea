#include "tests/differ/generator.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "engine/base/random.h"
#include "engine/op/composition.h"
#include "engine/op/registry.h"

namespace nm::differ {
namespace {

constexpr int64_t kMostElements = 4096;
using Ints = std::vector<int64_t>;

struct Known {
  std::string name;
  DType dtype;
  Shape shape;
  const Tensor* constant = nullptr;
};

class Generator {
 public:
  explicit Generator(uint64_t seed) : random_(seed) {}

  Sketch make() {
    static constexpr int kSets[] = {11, 13, 17, 18, 20, 22};
    sketch_.set = kSets[below(std::size(kSets))];
    begin();
    const int statements = 2 + static_cast<int>(below(14));
    for (int i = 0, tries = 0; i < statements && tries < 80; ++tries) {
      if (statement()) ++i;
    }
    // What nobody reads is an output, and now and then something that is read.
    for (const Known& k : known_) {
      if (k.constant != nullptr || is_input(k.name)) continue;
      const bool read = std::any_of(sketch_.nodes.begin(), sketch_.nodes.end(), [&](const SketchNode& n) {
        return std::find(n.inputs.begin(), n.inputs.end(), k.name) != n.inputs.end();
      });
      if (!read || below(12) == 0) sketch_.outputs.push_back(k.name);
    }
    sketch_.tidy();
    return std::move(sketch_);
  }

 private:
  using Id = std::optional<size_t>;  // in known_

  // 0 where nothing is below.
  size_t below(size_t n) { return static_cast<size_t>(random_.next() % std::max<size_t>(n, 1)); }
  bool chance(int percent) { return below(100) < static_cast<size_t>(percent); }
  template <class T>
  T one_of(std::initializer_list<T> list) {
    return list.begin()[below(list.size())];
  }
  const Known& at(Id id) const { return known_[*id]; }
  bool is_input(const std::string& name) const {
    return std::any_of(sketch_.inputs.begin(), sketch_.inputs.end(), [&](const auto& i) { return i.name == name; });
  }
  std::string fresh(const char* prefix) { return prefix + std::to_string(next_++); }

  Tensor floats(const Shape& shape, double low, double high) {
    auto t = Tensor::create(DType::Float32, shape);
    for (float& v : t->span<float>()) v = static_cast<float>(low + (high - low) * random_.uniform());
    return std::move(*t);
  }
  static Tensor integers(const Shape& shape, const Ints& values) {
    auto t = Tensor::create(DType::Int64, shape);
    std::copy(values.begin(), values.end(), t->data<int64_t>());
    return std::move(*t);
  }
  Id constant(Tensor t) {
    const std::string name = fresh("c");
    const Tensor& kept = sketch_.constants.emplace(name, std::move(t)).first->second;
    known_.push_back({name, kept.dtype(), kept.shape(), &kept});
    return known_.size() - 1;
  }
  Id random_constant(const Shape& shape, double low = -1, double high = 1) {
    return constant(floats(shape, low, high));
  }
  Id list(const Ints& values) { return constant(integers({static_cast<int64_t>(values.size())}, values)); }
  // A number as exporters write it: a scalar, a list of one, a tensor of one; rarely one for each of the last
  // dimension.
  Id number(float v, Id beside = {}) {
    Shape shape;
    for (size_t rank = chance(70) ? 0 : 1 + below(3); rank > 0; --rank) shape.push_back(1);
    if (beside && chance(8) && at(beside).shape.rank() > 0) shape = {at(beside).shape.back()};
    auto t = Tensor::create(DType::Float32, shape);
    std::fill_n(t->data<float>(), t->count(), v);
    return constant(std::move(*t));
  }
  float usual() {
    return one_of<float>({0.5f,          1,         2,      3,     -1, 0,       0.70710678f, 1.41421356f,
                          0.7978845608f, 0.044715f, 1.702f, 1e-5f, 6,  1.f / 6, 0.2f,        -0.5f,
                          0.1f,          1e-6f,     4,      0.25f});
  }
  float nearly(float v) { return chance(85) ? v : v * one_of<float>({1.01f, 0.9f, -1, 2, 1.0001f}); }

  Id input(const Shape& shape, DType dtype = DType::Float32) {
    Tensor t = floats(shape, -2, 2);
    if (dtype == DType::Int64) {
      Ints values(static_cast<size_t>(t.count()));
      for (int64_t& v : values) v = static_cast<int64_t>(below(7)) - 3;
      t = integers(shape, values);
    }
    const std::string name = fresh("x");
    sketch_.inputs.push_back({name, std::move(t), chance(40)});
    known_.push_back({name, dtype, shape, nullptr});
    return known_.size() - 1;
  }

  void begin() {
    switch (below(5)) {
      case 0:
        input({1, one_of<int64_t>({1, 3, 4, 8}), one_of<int64_t>({4, 5, 7, 8}), one_of<int64_t>({4, 6, 8, 9})});
        break;
      case 1:
        input({one_of<int64_t>({1, 2}), one_of<int64_t>({1, 3, 5}), one_of<int64_t>({4, 8, 16})});
        break;
      case 2:
        input({2, 2, one_of<int64_t>({3, 4}), one_of<int64_t>({4, 8})});
        break;
      case 3:
        input({one_of<int64_t>({1, 2, 6}), one_of<int64_t>({4, 5, 16})});
        break;
      default:
        input({1, one_of<int64_t>({4, 16}), 6, 6});
        input({1, one_of<int64_t>({4, 16}), 6, 6});
    }
    if (chance(30)) input(known_[0].shape);
  }

  // The latest more often than the rest; nothing when no value fits.
  template <class F>
  Id pick(F&& fits) {
    std::vector<size_t> all;
    for (size_t i = 0; i < known_.size(); ++i) {
      if (known_[i].constant == nullptr && fits(known_[i])) all.push_back(i);
    }
    if (all.empty()) return {};
    if (chance(60)) return all.back();
    return all[below(all.size())];
  }
  Id any_float(int least_rank = 0) {
    return pick([=](const Known& k) { return k.dtype == DType::Float32 && k.shape.rank() >= least_rank; });
  }
  Id image() {
    return pick([](const Known& k) { return k.dtype == DType::Float32 && k.shape.rank() == 4; });
  }
  Id like(const Shape& shape) {
    return pick([&](const Known& k) { return k.dtype == DType::Float32 && k.shape == shape; });
  }

  // Adds the node if it makes sense; its outputs' places, the first of them.
  Id emit(std::string op, std::vector<Id> inputs, AttributeMap attributes = {}, size_t outputs = 1,
          std::string domain = "") {
    Node node;
    node.op_type = op;
    node.domain = domain;
    node.version = domain.empty() ? sketch_.set : 1;
    node.attributes = attributes;
    SketchNode s{std::move(op), std::move(domain), {}, {}, std::move(attributes)};
    Inference inference(inputs.size(), outputs);
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (!inputs[i]) {
        node.inputs.push_back(kNone);
        s.inputs.emplace_back();
        continue;
      }
      const Known& k = at(inputs[i]);
      node.inputs.push_back(static_cast<ValueId>(*inputs[i]));
      s.inputs.push_back(k.name);
      inference.input_slot(i) = {ValueType::tensor(k.dtype), k.shape, k.constant, true};
    }
    node.explicit_inputs = node.inputs.size();
    for (size_t o = 0; o < outputs; ++o) {
      node.outputs.push_back(static_cast<ValueId>(known_.size() + o));
      inference.output_slot(o).wanted = true;
    }
    auto created = operator_of(node);
    if (!created.ok() || !(*created)->infer_outputs(inference).ok()) return {};
    std::vector<Known> results;
    for (size_t o = 0; o < outputs; ++o) {
      const Inference::Output& said = inference.output_slot(o);
      const bool sized = said.type.is_tensor() && said.type.dtype != DType::Undefined && said.shape &&
                         said.shape->known() && said.shape->count() >= 0 && said.shape->count() <= kMostElements;
      if (!sized) return {};
      results.push_back({fresh("v"), said.type.dtype, *said.shape, nullptr});
      s.outputs.push_back(results.back().name);
    }
    sketch_.nodes.push_back(std::move(s));
    for (const Known& k : results) {
      if (k.dtype == DType::Float32) sketch_.floats.insert(k.name);
    }
    const size_t first = known_.size();
    known_.insert(known_.end(), results.begin(), results.end());
    return first;
  }
  Id emit(const char* op, Id a, AttributeMap attributes = {}) {
    return a ? emit(op, std::vector<Id>{a}, std::move(attributes)) : Id();
  }
  Id emit(const char* op, Id a, Id b) {
    if (!a || !b) return {};
    const bool commutes = std::string_view(op) == "Add" || std::string_view(op) == "Mul";
    return commutes && chance(40) ? emit(op, std::vector<Id>{b, a}) : emit(op, std::vector<Id>{a, b});
  }
  bool axes_are_inputs(const char* op) const { return sketch_.set >= (std::string_view(op) == "ReduceSum" ? 13 : 18); }
  Id reduce(const char* op, Id x, Ints axes, bool keep) {
    if (!x) return {};
    const int64_t k = keep;
    if (axes_are_inputs(op)) return emit(op, std::vector<Id>{x, list(axes)}, {{"keepdims", k}});
    return emit(op, x, {{"axes", axes}, {"keepdims", k}});
  }
  // Unsqueeze and Squeeze, whose axes moved in version 13.
  Id with_axes(const char* op, Id x, Ints axes) {
    if (sketch_.set >= 13) return emit(op, std::vector<Id>{x, list(axes)});
    return emit(op, x, {{"axes", axes}});
  }
  Id softmax(Id x) { return emit("Softmax", x, {{"axis", int64_t{-1}}}); }

  bool statement() {
    switch (below(30)) {
      case 0:
      case 1:
        return unary().has_value();
      case 2:
      case 3:
        return with_number().has_value();
      case 4:
        return binary().has_value();
      case 5:
      case 6:
        return convolution().has_value();
      case 7:
        return after_convolution().has_value();
      case 8:
      case 9:
        return product().has_value();
      case 10:
        return pool().has_value();
      case 11:
        return transpose().has_value();
      case 12:
        return reshape().has_value();
      case 13:
        return cut().has_value();
      case 14:
        return reduction().has_value();
      case 15:
        return norm().has_value();
      case 16:
        return activation_of_parts().has_value();
      case 17:
        return attention().has_value();
      case 18:
        return quantized().has_value();
      case 19:
        return twin().has_value();
      case 20:
        return by_shape().has_value();
      case 21:
        return pad().has_value();
      case 22:
        return choice().has_value();
      case 23:
        return casts().has_value();
      case 24:
        return resize().has_value();
      case 25:
        return join().has_value();
      case 26:
        return residual().has_value();
      case 27:
        return nothing().has_value();
      case 28:
        return unary().has_value() && with_number().has_value();
      default:
        return binary().has_value() && unary().has_value();
    }
  }

  Id unary() {
    const Id x = any_float();
    if (!x) return {};
    switch (below(12)) {
      case 0:
        return emit("Clip",
                    std::vector<Id>{x, constant(floats({}, -1, 0)), chance(80) ? constant(floats({}, 0.5, 6)) : Id()});
      case 1:
        return emit("LeakyRelu", x, {{"alpha", nearly(0.1f)}});
      case 2:
        return emit("HardSigmoid", x, {{"alpha", nearly(1.f / 6)}, {"beta", nearly(0.5f)}});
      case 3:
        return emit("Elu", x);
      case 4:
        return emit("Sqrt", emit("Abs", x));
      case 5:
        return emit("Exp", emit("Clip", std::vector<Id>{x, number(-3), number(2)}));
      case 6:
        return emit("Softplus", x);
      default:
        return emit(one_of({"Relu", "Sigmoid", "Tanh", "Neg", "Abs", "Erf", "Floor", "Identity", "Softsign", "Sin",
                            "Relu", "Sigmoid", "Round", "Ceil", "Reciprocal", "Sign"}),
                    x);
    }
  }

  Id with_number() {
    const Id x = any_float();
    if (!x) return {};
    const Id n = number(usual(), x);
    if (chance(20)) return emit(one_of({"Sub", "Div", "Pow", "Max", "Min"}), n, x);
    if (chance(15)) return emit("Pow", emit("Abs", x), number(one_of<float>({2, 0.5f, 3, 1, -0.5f, -1, 0})));
    return emit(one_of({"Add", "Mul", "Sub", "Div", "Mul", "Add", "Max", "Min"}), x, n);
  }

  Id binary() {
    const Id x = any_float();
    if (!x) return {};
    Id y;
    if (chance(50)) {
      // A constant that broadcasts, one way or the other.
      Shape shape = at(x).shape;
      for (int i = 0; i < shape.rank(); ++i) shape[i] = chance(50) ? 1 : shape[i];
      while (shape.rank() > 0 && shape[0] == 1 && chance(60)) shape.erase(0);
      y = random_constant(shape, 0.5, 1.5);
    } else {
      y = chance(70) ? like(at(x).shape) : any_float();
    }
    return emit(one_of({"Add", "Mul", "Sub", "Div", "Max", "Min", "Add", "Mul"}), x, y);
  }

  Id convolution() {
    const Id x = image();
    if (!x) return {};
    const Shape in = at(x).shape;
    const bool depthwise = chance(25);
    const int64_t group = depthwise ? std::max<int64_t>(in[1], 1) : in[1] % 2 == 0 && chance(15) ? 2 : 1;
    const int64_t out = depthwise ? in[1] * one_of<int64_t>({1, 1, 2}) : one_of<int64_t>({1, 2, 4, 8, in[1], in[1]});
    const int64_t k = one_of<int64_t>({1, 3, 3, 5, 2}), p = chance(60) ? k / 2 : 0;
    AttributeMap a{{"group", group}, {"kernel_shape", Ints{k, k}}};
    if (chance(15)) {
      a["auto_pad"] = std::string(one_of({"SAME_UPPER", "SAME_LOWER", "VALID"}));
    } else {
      a["pads"] = chance(85) ? Ints{p, p, p, p} : Ints{0, 1, p, 0};
    }
    if (chance(30)) a["strides"] = Ints{2, chance(80) ? 2 : 1};
    if (chance(10)) a["dilations"] = Ints{2, 2};
    const Id w = random_constant({out, in[1] / group, k, k}, -0.5, 0.5);
    std::vector<Id> inputs{x, w};
    if (chance(50)) inputs.push_back(random_constant({out}));
    if (chance(8))
      return emit("ConvTranspose", std::vector<Id>{x, random_constant({in[1], 2, k, k}, -0.5, 0.5)},
                  {{"strides", Ints{2, 2}}});
    const Id y = emit("Conv", inputs, a);
    if (y && chance(25)) return normalized(y);
    if (y && chance(40))
      return emit(one_of({"Relu", "Sigmoid", "Tanh", "HardSwish", "Mish", "LeakyRelu"}), y).value_or(*y);
    return y;
  }

  Id normalized(Id y) {
    const Shape c{at(y).shape[1]};
    return emit("BatchNormalization",
                std::vector<Id>{y, random_constant(c, 0.5, 1.5), random_constant(c), random_constant(c),
                                random_constant(c, 0.5, 2)},
                {{"epsilon", nearly(1e-5f)}});
  }

  Id after_convolution() {
    const Id x = image();
    if (!x) return {};
    const int64_t c = at(x).shape[1];
    switch (below(5)) {
      case 0:
        return normalized(x);
      case 1:
        return emit("Add", x, random_constant({1, c, 1, 1}));
      case 2:
        return emit("Mul", x, random_constant({c, 1, 1}, 0.5, 1.5));
      case 3: {
        // A gate of channels, as squeeze and excitation has it.
        const Id gate = emit("Sigmoid", emit("GlobalAveragePool", x));
        return emit("Mul", x, gate);
      }
      default:
        return emit("Mul", x, emit("Sigmoid", x));
    }
  }

  Id product() {
    const Id x = any_float(1);
    if (!x) return {};
    const int64_t k = at(x).shape.back();
    const int64_t n = one_of<int64_t>({1, 3, 4, 8, k});
    Id y;
    if (at(x).shape.rank() == 2 && chance(40)) {
      const int64_t flip = chance(50);
      std::vector<Id> inputs{x, flip ? random_constant({n, k}) : random_constant({k, n})};
      if (chance(70)) inputs.push_back(random_constant(chance(80) ? Shape{n} : Shape{1}));
      AttributeMap a{{"transB", flip}};
      if (chance(20)) a["alpha"] = usual();
      if (chance(20)) a["beta"] = usual();
      y = emit("Gemm", inputs, a);
    } else {
      y = emit("MatMul", x, random_constant(chance(85) ? Shape{k, n} : chance(50) ? Shape{k} : Shape{2, k, n}));
      if (y && chance(60)) {
        const Id sum = emit("Add", y, random_constant(chance(80) ? Shape{n} : chance(50) ? Shape{1, n} : Shape{1}));
        y = sum ? sum : y;
      }
    }
    if (y && chance(30)) return emit(one_of({"Relu", "Sigmoid", "Tanh", "Gelu", "Softmax"}), y).value_or(*y);
    if (y && chance(15)) return emit("Mul", y, number(usual(), y));
    return y;
  }

  Id pool() {
    const Id x = image();
    if (!x) return {};
    if (chance(25)) return emit(one_of({"GlobalAveragePool", "GlobalMaxPool"}), x);
    const int64_t k = one_of<int64_t>({2, 3}), p = chance(40) ? 1 : 0;
    AttributeMap a{{"kernel_shape", Ints{k, k}}, {"pads", Ints{p, p, p, p}}};
    if (chance(70)) a["strides"] = Ints{2, 2};
    if (chance(25)) a["ceil_mode"] = int64_t{1};
    if (chance(60)) return emit("MaxPool", x, a);
    if (chance(40)) a["count_include_pad"] = int64_t{1};
    return emit("AveragePool", x, a);
  }

  Id transpose() {
    const Id x = any_float(2);
    if (!x) return {};
    const int rank = at(x).shape.rank();
    Ints perm;
    for (int i = 0; i < rank; ++i) perm.push_back(i);
    if (rank == 4 && chance(50)) {
      perm = chance(50) ? Ints{0, 2, 3, 1} : Ints{0, 3, 1, 2};
    } else {
      for (int i = rank - 1; i > 0; --i)
        std::swap(perm[static_cast<size_t>(i)], perm[below(static_cast<size_t>(i) + 1)]);
    }
    const Id y = emit("Transpose", x, {{"perm", perm}});
    if (!y || !chance(40)) return y;
    const Id z = chance(60) ? emit(one_of({"Relu", "Sigmoid", "Neg"}), y) : y;
    Ints back(perm.size());
    for (size_t i = 0; i < perm.size(); ++i) back[static_cast<size_t>(perm[i])] = static_cast<int64_t>(i);
    return emit("Transpose", z, {{"perm", back}});
  }

  Id reshape() {
    const Id x = any_float(1);
    if (!x) return {};
    const Shape s = at(x).shape;
    switch (below(5)) {
      case 0:
        return emit("Flatten", x, {{"axis", static_cast<int64_t>(below(static_cast<size_t>(s.rank()) + 1))}});
      case 1:
        return with_axes("Unsqueeze", x, {static_cast<int64_t>(below(static_cast<size_t>(s.rank()) + 1))});
      case 2: {
        Ints ones;
        for (int i = 0; i < s.rank(); ++i) {
          if (s[i] == 1) ones.push_back(i);
        }
        return ones.empty() ? Id() : with_axes("Squeeze", x, {ones[below(ones.size())]});
      }
      case 3: {
        Ints dims(s.begin(), s.end());
        if (dims.back() % 2 == 0) {
          dims.back() /= 2;
          dims.push_back(2);
        }
        dims[below(dims.size())] = -1;
        return emit("Reshape", std::vector<Id>{x, list(dims)});
      }
      default:
        return emit("Reshape", std::vector<Id>{x, list({s[0], -1})});
    }
  }

  Id cut() {
    const Id x = any_float(1);
    if (!x) return {};
    const Shape s = at(x).shape;
    const auto axis = static_cast<int64_t>(below(static_cast<size_t>(s.rank())));
    const int64_t dim = s[static_cast<int>(axis)];
    if (chance(40) && dim % 2 == 0) {
      std::vector<Id> inputs{x};
      AttributeMap a{{"axis", axis}};
      const Ints halves{dim / 2, dim / 2};
      if (sketch_.set >= 13) {
        inputs.push_back(list(halves));
      } else {
        a["split"] = halves;
      }
      const Id y = emit("Split", inputs, a, 2);
      if (y && chance(50)) return emit("Concat", std::vector<Id>{chance(50) ? *y : *y + 1, y}, {{"axis", axis}});
      return y;
    }
    if (chance(30)) {
      return emit("Gather", std::vector<Id>{x, chance(50) ? constant(integers({}, {0})) : list({0, dim - 1, -1})},
                  {{"axis", axis}});
    }
    const auto from = static_cast<int64_t>(below(static_cast<size_t>(dim)));
    return emit("Slice", std::vector<Id>{x, list({from}), list({chance(50) ? INT64_MAX : dim}), list({axis}),
                                         chance(60) ? Id() : list({one_of<int64_t>({1, 2, 1})})});
  }

  Id reduction() {
    const Id x = any_float(1);
    if (!x) return {};
    const int rank = at(x).shape.rank();
    Ints axes{-1};
    if (rank == 4 && chance(50)) axes = {2, 3};
    if (chance(20)) axes = {static_cast<int64_t>(below(static_cast<size_t>(rank)))};
    if (chance(12)) return emit(one_of({"ArgMax", "ArgMin"}), x, {{"axis", axes[0]}});
    return reduce(one_of({"ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceL2", "ReduceProd", "ReduceMean",
                          "ReduceSumSquare", "ReduceLogSumExp"}),
                  x, axes, chance(60));
  }

  Id norm() {
    const Id x = any_float(2);
    if (!x) return {};
    const int64_t n = at(x).shape.back();
    if (at(x).shape.rank() >= 3 && chance(20)) {
      const Shape c{at(x).shape[1]};
      return emit("InstanceNormalization", std::vector<Id>{x, random_constant(c, 0.5, 1.5), random_constant(c)},
                  {{"epsilon", 1e-5f}});
    }
    if (sketch_.set >= 17 && chance(20)) {
      std::vector<Id> inputs{x, random_constant({n}, 0.5, 1.5)};
      if (chance(60)) inputs.push_back(random_constant({n}));
      return emit("LayerNormalization", inputs, {{"axis", int64_t{-1}}});
    }
    const Ints axes{-1};
    Id centred = x;
    if (chance(75)) centred = emit("Sub", x, reduce("ReduceMean", x, axes, true));
    const Id square = chance(60) ? emit("Pow", centred, number(nearly(2))) : emit("Mul", centred, centred);
    const Id variance = emit("Add", reduce("ReduceMean", square, axes, chance(95)), number(nearly(1e-5f)));
    Id scaled;
    if (chance(60)) {
      scaled = emit("Div", centred, emit("Sqrt", variance));
    } else {
      scaled =
          emit("Mul", centred,
               chance(50) ? emit("Reciprocal", emit("Sqrt", variance)) : emit("Pow", variance, number(nearly(-0.5f))));
    }
    if (!scaled) return {};
    if (chance(80)) scaled = emit("Mul", scaled, random_constant(chance(85) ? Shape{n} : Shape{2, 1, n}, 0.5, 1.5));
    if (scaled && chance(60)) {
      const Id sum = emit("Add", scaled, random_constant({n}));
      return sum ? sum : scaled;
    }
    return scaled;
  }

  // GELUs and their like, one number of which may be another.
  Id activation_of_parts() {
    const Id x = any_float();
    if (!x) return {};
    switch (below(6)) {
      case 0: {
        const Id erf = emit("Erf", chance(50) ? emit("Div", x, number(nearly(1.41421356f), x))
                                              : emit("Mul", x, number(nearly(0.70710678f), x)));
        const Id sum = emit("Add", erf, number(nearly(1), x));
        return chance(50) ? emit("Mul", emit("Mul", x, sum), number(nearly(0.5f), x))
                          : emit("Mul", emit("Mul", x, number(nearly(0.5f), x)), sum);
      }
      case 1: {
        const Id cube = chance(50) ? emit("Pow", x, number(nearly(3))) : emit("Mul", emit("Mul", x, x), x);
        const Id inner = emit("Add", x, emit("Mul", cube, number(nearly(0.044715f), x)));
        const Id tanh = emit("Tanh", emit("Mul", inner, number(nearly(0.7978845608f), x)));
        return emit("Mul", emit("Mul", x, number(nearly(0.5f), x)), emit("Add", tanh, number(nearly(1), x)));
      }
      case 2:
        return emit("Mul", x, emit("Sigmoid", emit("Mul", x, number(nearly(1.702f), x))));
      case 3:
        return emit("Mul", x, emit("Sigmoid", x));
      case 4: {
        const Id clip = emit("Clip", std::vector<Id>{emit("Add", x, number(nearly(3))), number(0), number(nearly(6))});
        return emit("Div", emit("Mul", x, clip), number(nearly(6)));
      }
      default:
        return emit("Mul", x, emit("Tanh", emit("Softplus", x)));
    }
  }

  Id attention() {
    const Id x = pick([](const Known& k) {
      return k.dtype == DType::Float32 && k.shape.rank() >= 3 && k.shape.back() > 1 && k.shape.count() <= 256;
    });
    if (!x) return {};
    const int rank = at(x).shape.rank();
    const int64_t k = at(x).shape.back();
    const Id key = chance(50) ? x : emit("MatMul", x, random_constant({k, k}));
    const Id value = chance(50) ? x : emit("MatMul", x, random_constant({k, k}));
    if (!key || !value) return {};
    Ints perm;
    for (int i = 0; i < rank; ++i) perm.push_back(i);
    std::swap(perm[perm.size() - 1], perm[perm.size() - 2]);
    Id scores = emit("MatMul", x, emit("Transpose", key, {{"perm", perm}}));
    if (!scores) return {};
    const float scale = 1 / std::sqrt(static_cast<float>(k));
    if (chance(80))
      scores = chance(50) ? emit("Mul", scores, number(nearly(scale))) : emit("Div", scores, number(nearly(1 / scale)));
    if (!scores) return {};
    const int64_t length = at(scores).shape.back();
    if (chance(40)) {
      Shape mask{length, length};
      if (chance(50)) mask = {1, length};
      if (chance(20)) mask = {1, 1, length, length};
      if (chance(50)) {
        scores = emit("Add", scores, random_constant(mask, -3, 0));
      } else {
        auto t = Tensor::create(DType::Bool, mask);
        for (bool& b : t->span<bool>()) b = chance(60);
        scores = emit("Where", std::vector<Id>{constant(std::move(*t)), scores,
                                               number(one_of<float>({-1e9f, -INFINITY, -10000}))});
      }
    }
    return emit("MatMul", softmax(scores), value);
  }

  Id quantized() {
    const Id x = any_float(1);
    if (!x) return {};
    const auto byte = [&](DType t, int64_t v) {
      auto tensor = Tensor::create(t, Shape{});
      *static_cast<uint8_t*>(tensor->raw()) = static_cast<uint8_t>(v);
      return constant(std::move(*tensor));
    };
    const DType type = chance(60) ? DType::UInt8 : DType::Int8;
    const auto there_and_back = [&](Id v) {
      const Id scale = constant(floats({}, 0.01, 0.05));
      const Id zero = byte(type, type == DType::UInt8 ? one_of<int64_t>({0, 128, 100}) : 0);
      if (!v) return Id();
      const Id q = emit("QuantizeLinear", std::vector<Id>{v, scale, zero});
      return q ? emit("DequantizeLinear", std::vector<Id>{q, scale, zero}) : Id();
    };
    const Id a = there_and_back(x);
    if (!a || chance(30)) return a;
    const auto weights = [&](const Shape& shape) {
      auto t = Tensor::create(DType::Int8, shape);
      for (int8_t& v : t->span<int8_t>()) v = static_cast<int8_t>(static_cast<int>(below(255)) - 127);
      return emit("DequantizeLinear",
                  std::vector<Id>{constant(std::move(*t)), constant(floats({}, 0.005, 0.02)), byte(DType::Int8, 0)});
    };
    const Shape s = at(a).shape;
    Id y;
    if (s.rank() == 4) {
      const int64_t out = one_of<int64_t>({4, 8}), k = one_of<int64_t>({1, 3});
      std::vector<Id> inputs{a, weights({out, s[1], k, k})};
      if (!inputs[1]) return {};
      if (chance(50)) inputs.push_back(random_constant({out}));
      y = emit("Conv", inputs, {{"pads", Ints{k / 2, k / 2, k / 2, k / 2}}});
    } else {
      y = emit("MatMul", a, weights({s.back(), 8}));
    }
    if (y && chance(50)) y = emit("Relu", y);
    return chance(70) ? there_and_back(y) : y;
  }

  // A node like an earlier one, or nearly.
  Id twin() {
    if (sketch_.nodes.empty()) return {};
    const SketchNode n = sketch_.nodes[below(sketch_.nodes.size())];
    std::vector<Id> inputs;
    for (const std::string& name : n.inputs) {
      Id id;
      for (size_t i = 0; i < known_.size(); ++i) {
        if (known_[i].name == name) id = i;
      }
      inputs.push_back(id);
    }
    AttributeMap a = n.attributes;
    if (chance(30) && a.size() > 0) {
      const auto it = std::next(a.begin(), static_cast<ptrdiff_t>(below(a.size())));
      const std::string name = it->first;
      if (auto* v = std::get_if<int64_t>(&a[name])) *v = *v == 0 ? 1 : 0;
      if (auto* f = std::get_if<float>(&a[name])) *f *= 1.5f;
    }
    return emit(n.op, inputs, a, n.outputs.size(), n.domain);
  }

  // Reshape by arithmetic on shapes.
  Id by_shape() {
    const Id x = any_float(2);
    if (!x) return {};
    const Id shape = emit("Shape", x);
    if (!shape) return {};
    const Id first = emit("Gather", std::vector<Id>{shape, list({0})}, {{"axis", int64_t{0}}});
    if (chance(50)) {
      const Id target = emit("Concat", std::vector<Id>{first, list({-1})}, {{"axis", int64_t{0}}});
      // What the target holds is not known to inference here, only to the passes; so it is said once more.
      const Id flat = emit("Flatten", x, {{"axis", int64_t{1}}});
      if (!target || !flat) return {};
      const Known result{fresh("v"), DType::Float32, at(flat).shape, nullptr};
      sketch_.nodes.push_back({"Reshape", "", {at(x).name, at(target).name}, {result.name}, {}});
      known_.push_back(result);
      sketch_.floats.insert(result.name);
      return known_.size() - 1;
    }
    const Id ones =
        emit("ConstantOfShape", std::vector<Id>{list({at(x).shape.back()})}, {{"value", floats({1}, 1, 2)}});
    return emit("Mul", x, ones);
  }

  Id pad() {
    const Id x = image();
    if (!x) return {};
    const auto p = static_cast<int64_t>(1 + below(2));
    const Ints pads{0, 0, p, p, 0, 0, p, chance(80) ? p : 0};
    std::vector<Id> inputs{x, list(pads)};
    if (chance(30)) inputs.push_back(number(one_of<float>({0, 0, 1, -INFINITY})));
    const Id y = emit("Pad", inputs, {{"mode", std::string(one_of({"constant", "constant", "edge", "reflect"}))}});
    if (!y) return {};
    const int64_t c = at(y).shape[1];
    if (chance(60)) return emit("Conv", std::vector<Id>{y, random_constant({2, c, 3, 3})});
    return chance(50) ? emit("MaxPool", y, {{"kernel_shape", Ints{3, 3}}})
                      : emit("AveragePool", y, {{"kernel_shape", Ints{2, 2}}});
  }

  Id choice() {
    const Id x = any_float();
    if (!x) return {};
    const Id y = like(at(x).shape);
    const Id condition = emit(one_of({"Greater", "Less"}), x, number(0));
    if (!condition) return {};
    return emit("Where", std::vector<Id>{condition, x, chance(50) ? y : number(0, x)});
  }

  Id casts() {
    const Id x = any_float();
    if (!x) return {};
    const auto to = one_of<int64_t>({10, 16, 1, 11, 6, 7, 10});
    const Id y = emit("Cast", x, {{"to", to}});
    if (!y) return {};
    const Id z = to == 10 && chance(60) ? emit(one_of({"Relu", "Sigmoid", "Neg"}), y) : y;
    return emit("Cast", z, {{"to", int64_t{1}}});
  }

  Id resize() {
    const Id x = image();
    if (!x) return {};
    auto scales = Tensor::create(DType::Float32, Shape{4});
    const float by = one_of<float>({2, 0.5f, 1, 1.5f});
    const float values[] = {1, 1, by, by};
    std::copy_n(values, 4, scales->data<float>());
    return emit("Resize", std::vector<Id>{x, Id(), constant(std::move(*scales))},
                {{"mode", std::string(one_of({"nearest", "linear", "cubic"}))},
                 {"coordinate_transformation_mode",
                  std::string(one_of({"asymmetric", "half_pixel", "align_corners", "pytorch_half_pixel"}))}});
  }

  Id join() {
    const Id x = any_float(1);
    if (!x) return {};
    const Id y = like(at(x).shape);
    const auto axis = static_cast<int64_t>(below(static_cast<size_t>(at(x).shape.rank())));
    return emit("Concat", std::vector<Id>{x, y, chance(20) ? x : y}, {{"axis", axis}});
  }

  Id residual() {
    const Id x = image();
    if (!x) return {};
    const int64_t c = at(x).shape[1];
    const Id y = emit("Conv", std::vector<Id>{x, random_constant({c, c, 3, 3}, -0.3, 0.3), random_constant({c})},
                      {{"pads", Ints{1, 1, 1, 1}}});
    const Id sum = emit("Add", y, chance(80) ? x : like(at(x).shape));
    return sum && chance(70) ? emit("Relu", sum) : sum;
  }

  // What does nothing, or next to nothing.
  Id nothing() {
    const Id x = any_float(1);
    if (!x) return {};
    switch (below(6)) {
      case 0:
        return emit("Identity", x);
      case 1:
        return emit("Dropout", x);
      case 2:
        return emit("Mul", x, number(1, x));
      case 3:
        return emit("Add", x, number(one_of<float>({0, -0.f}), x));
      case 4:
        return emit("Pow", x, number(one_of<float>({1, 2}), x));
      default: {
        const Shape s = at(x).shape;
        return emit("Expand", std::vector<Id>{x, list(Ints(s.begin(), s.end()))});
      }
    }
  }

  Random random_;
  Sketch sketch_;
  std::vector<Known> known_;
  int next_ = 0;
};

}  // namespace

Sketch random_graph(uint64_t seed) { return Generator(seed).make(); }

}  // namespace nm::differ
