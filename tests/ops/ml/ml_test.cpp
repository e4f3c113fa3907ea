#include <cmath>

#include "tests/ops/operator_test.h"

namespace nm::test {
namespace {

using Ints = std::vector<int64_t>;
using Floats = std::vector<float>;
using Texts = std::vector<std::string>;

Node ml(std::string op, AttributeMap a, int version = 1) {
  return node(std::move(op), version, std::move(a), "ai.onnx.ml");
}

AttributeMap with(AttributeMap base, const AttributeMap& more) {
  for (const auto& [name, value] : more) base[name] = value;
  return base;
}

const float kNan = std::nanf("");

// Two trees over two features: x0 <= 0.5 ? (x1 > 2 ? leaf : leaf) : leaf, and a tree that is one leaf.
AttributeMap two_trees(const std::string& prefix) {
  return {{"nodes_treeids", Ints{0, 0, 0, 0, 0, 7}},
          {"nodes_nodeids", Ints{0, 1, 2, 3, 4, 0}},
          {"nodes_featureids", Ints{0, 1, 0, 0, 0, 0}},
          {"nodes_values", Floats{0.5f, 2, 0, 0, 0, 0}},
          {"nodes_modes", Texts{"BRANCH_LEQ", "BRANCH_GT", "LEAF", "LEAF", "LEAF", "LEAF"}},
          {"nodes_truenodeids", Ints{1, 2, 0, 0, 0, 0}},
          {"nodes_falsenodeids", Ints{4, 3, 0, 0, 0, 0}},
          {"nodes_missing_value_tracks_true", Ints{1, 0, 0, 0, 0, 0}},
          {prefix + "_treeids", Ints{0, 0, 0, 0, 7}},
          {prefix + "_nodeids", Ints{2, 3, 4, 4, 0}},
          {prefix + "_ids", Ints{0, 1, 0, 1, 1}},
          {prefix + "_weights", Floats{1, 2, -3, -4, 10}}};
}

TEST_CASE("TreeEnsembleRegressor adds, averages and takes extremes", "[ops][tree_ensemble]") {
  const AttributeMap trees = with(two_trees("target"), {{"n_targets", int64_t{2}}});
  // The rows reach leaves 2, 3, 4; NaN goes to the true side at node 0 and to the false side at node 1.
  const Tensor x = tensor<float>({4, 2}, {0.5f, 3, 0, 2, 1, 0, kNan, kNan});
  const auto how = [&](const char* name) { return with(trees, {{"aggregate_function", std::string(name)}}); };
  check(ml("TreeEnsembleRegressor", trees), {x}, {tensor<float>({4, 2}, {1, 10, 0, 12, -3, 6, 0, 12})});
  check(ml("TreeEnsembleRegressor", how("AVERAGE")), {x}, {tensor<float>({4, 2}, {0.5f, 5, 0, 6, -1.5f, 3, 0, 6})});
  check(ml("TreeEnsembleRegressor", how("MIN")), {x}, {tensor<float>({4, 2}, {1, 10, 0, 2, -3, -4, 0, 2})});
  check(ml("TreeEnsembleRegressor", how("MAX")), {x}, {tensor<float>({4, 2}, {1, 10, 0, 10, -3, 10, 0, 10})});
  check(ml("TreeEnsembleRegressor", with(trees, {{"base_values", Floats{100, 200}}})), {x},
        {tensor<float>({4, 2}, {101, 210, 100, 212, 97, 206, 100, 212})});
  check(ml("TreeEnsembleRegressor", with(trees, {{"post_transform", std::string("SOFTMAX")}})),
        {tensor<float>({2}, {1, 0})}, {tensor<float>({1, 2}, {1.2339458e-4f, 0.9998766f})});
  check(ml("TreeEnsembleRegressor", trees), {tensor<int64_t>({1, 2}, {0, 3})}, {tensor<float>({1, 2}, {1, 10})});
  check(ml("TreeEnsembleRegressor", trees), {tensor<int32_t>({1, 2}, {0, 3})}, {tensor<float>({1, 2}, {1, 10})});
  check(ml("TreeEnsembleRegressor", trees), {tensor<float>({0, 2}, {})}, {tensor<float>({0, 2}, {})});
  // A threshold that only a double can tell from the value.
  AttributeMap doubles = with(trees, {{"nodes_values_as_tensor", tensor<double>({6}, {0.1, 2, 0, 0, 0, 0})}});
  doubles.erase("nodes_values");
  check(ml("TreeEnsembleRegressor", doubles, 3), {tensor<double>({2, 2}, {0.1, 3, 0.1000000001, 3})},
        {tensor<float>({2, 2}, {1, 10, -3, 6})});
}

TEST_CASE("Trees that are none are refused", "[ops][tree_ensemble]") {
  const AttributeMap trees = with(two_trees("target"), {{"n_targets", int64_t{2}}});
  const Tensor x = tensor<float>({1, 2}, {0, 0});
  const AttributeMap wrong[] = {
      {{"nodes_truenodeids", Ints{9, 2, 0, 0, 0, 0}}},   // no such node
      {{"nodes_truenodeids", Ints{0, 2, 0, 0, 0, 0}}},   // a circle of one
      {{"nodes_falsenodeids", Ints{1, 3, 0, 0, 0, 0}}},  // both sides lead to one inner node
      {{"nodes_truenodeids", Ints{1, 0, 0, 0, 0, 0}}},   // a circle of two, which no root leads to
      {{"nodes_nodeids", Ints{0, 1, 2, 3, 3, 0}}},       // a number twice
      {{"nodes_featureids", Ints{-1, 1, 0, 0, 0, 0}}},
      {{"nodes_featureids", Ints{int64_t{1} << 40, 1, 0, 0, 0, 0}}},
      {{"nodes_modes", Texts{"BRANCH_LEQ", "BRANCH_UP", "LEAF", "LEAF", "LEAF", "LEAF"}}},
      {{"nodes_values", Floats{0.5f}}},
      {{"target_ids", Ints{0, 1, 0, 2, 1}}},
      {{"target_ids", Ints{0, 1, 0, -1, 1}}},
      {{"target_nodeids", Ints{2, 3, 4, 5, 0}}},
      {{"target_weights", Floats{1}}},
      {{"base_values", Floats{1, 2, 3}}},
      {{"n_targets", int64_t{0}}},
      {{"aggregate_function", std::string("MEDIAN")}},
      {{"post_transform", std::string("SQUARE")}},
  };
  for (const AttributeMap& one : wrong) {
    CAPTURE(one.begin()->first);
    check_fails(ml("TreeEnsembleRegressor", with(trees, one)), {x}, Code::InvalidModel);
  }
  check_fails(ml("TreeEnsembleRegressor", trees), {tensor<float>({1, 1}, {0})}, Code::ShapeMismatch);
  check_fails(ml("TreeEnsembleRegressor", trees), {tensor<bool>({1, 2}, {false, true})}, Code::TypeMismatch);
}

TEST_CASE("TreeEnsembleClassifier names the winner", "[ops][tree_ensemble]") {
  const Tensor x = tensor<float>({3, 2}, {0.5f, 3, 0, 2, 1, 0});
  const auto classifier = [](const AttributeMap& more) {
    return ml("TreeEnsembleClassifier", with(two_trees("class"), more));
  };
  check(classifier({{"classlabels_strings", Texts{"a", "b"}}}), {x},
        {tensor<std::string>({3}, {"b", "b", "b"}), tensor<float>({3, 2}, {1, 10, 0, 12, -3, 6})});
  check(classifier({{"classlabels_int64s", Ints{5, 6, 7}}, {"base_values", Floats{0, 0, 11}}}), {x},
        {tensor<int64_t>({3}, {7, 6, 7}), tensor<float>({3, 3}, {1, 10, 11, 0, 12, 11, -3, 6, 11})});
  // All votes in one column: they are about the second of two classes.
  const AttributeMap one = {{"classlabels_int64s", Ints{5, 6}}, {"class_ids", Ints{0, 0, 0, 0, 0}}};
  check(classifier(one), {x}, {tensor<int64_t>({3}, {6, 6, 6}), tensor<float>({3, 2}, {-11, 11, -12, 12, -3, 3})});
  check(classifier(with(one, {{"post_transform", std::string("LOGISTIC")}, {"base_values", Floats{-12}}})), {x},
        {tensor<int64_t>({3}, {5, 5, 5}),
         tensor<float>({3, 2}, {0.7310586f, 0.26894143f, 0.5f, 0.5f, 0.9998766f, 1.2339458e-4f})});
  check(classifier(with(one, {{"class_weights", Floats{0.25f, 0.5f, 0, 0, 0.25f}}})), {x},
        {tensor<int64_t>({3}, {5, 6, 5}), tensor<float>({3, 2}, {0.5f, 0.5f, 0.25f, 0.75f, 0.75f, 0.25f})});
  check_fails(classifier({}), {x}, Code::InvalidModel, 2);
}

TEST_CASE("TreeEnsemble tests sets of members", "[ops][tree_ensemble]") {
  // Root: x0 in {1, 4} ? leaf 0 : node 1; node 1: x0 in {2} ? leaf 1 : leaf 2.
  const AttributeMap sets = {{"tree_roots", Ints{0}},
                             {"n_targets", int64_t{1}},
                             {"nodes_featureids", Ints{0, 0}},
                             {"nodes_modes", tensor<uint8_t>({2}, {6, 6})},
                             {"nodes_splits", tensor<float>({2}, {0, 0})},
                             {"nodes_truenodeids", Ints{0, 1}},
                             {"nodes_trueleafs", Ints{1, 1}},
                             {"nodes_falsenodeids", Ints{1, 2}},
                             {"nodes_falseleafs", Ints{0, 1}},
                             {"membership_values", tensor<float>({5}, {4, 1, kNan, 2, kNan})},
                             {"leaf_targetids", Ints{0, 0, 0}},
                             {"leaf_weights", tensor<float>({3}, {10, 20, 30})}};
  check(ml("TreeEnsemble", sets, 5), {tensor<float>({5, 1}, {1, 4, 2, 3, kNan})},
        {tensor<float>({5, 1}, {10, 10, 20, 30, 30})});
  check(ml("TreeEnsemble", with(sets, {{"post_transform", int64_t{2}}}), 5), {tensor<double>({1, 1}, {1})},
        {tensor<double>({1, 1}, {0.9999546021312976})});
  for (const AttributeMap& wrong :
       {AttributeMap{{"tree_roots", Ints{2}}}, AttributeMap{{"tree_roots", Ints{0, 0}}},
        AttributeMap{{"nodes_falsenodeids", Ints{0, 2}}}, AttributeMap{{"nodes_truenodeids", Ints{0, 3}}},
        AttributeMap{{"nodes_modes", tensor<uint8_t>({2}, {6, 7})}},
        AttributeMap{{"membership_values", tensor<float>({1}, {4})}},
        AttributeMap{{"leaf_targetids", Ints{0, 1, 0}}}}) {
    CAPTURE(wrong.begin()->first);
    check_fails(ml("TreeEnsemble", with(sets, wrong), 5), {tensor<float>({1, 1}, {1})}, Code::InvalidModel);
  }
}

TEST_CASE("Linear models", "[ops][linear_model]") {
  const Tensor x = tensor<float>({2, 2}, {1, 2, -3, 1});
  check(ml("LinearRegressor",
           {{"coefficients", Floats{2, 3, -1, 0}}, {"intercepts", Floats{1, 5}}, {"targets", int64_t{2}}}),
        {x}, {tensor<float>({2, 2}, {9, 4, -2, 8})});
  check(ml("LinearClassifier", {{"coefficients", Floats{2, 3, -1, 0}},
                                {"intercepts", Floats{1, 5}},
                                {"classlabels_strings", Texts{"a", "b"}}}),
        {x}, {tensor<std::string>({2}, {"a", "b"}), tensor<float>({2, 2}, {9, 4, -2, 8})});
  check(ml("LinearClassifier", {{"coefficients", Floats{2, 3}},
                                {"intercepts", Floats{1}},
                                {"classlabels_ints", Ints{3, 4}},
                                {"post_transform", std::string("LOGISTIC")}}),
        {x},
        {tensor<int64_t>({2}, {4, 3}), tensor<float>({2, 2}, {1.2339458e-4f, 0.9998766f, 0.88079708f, 0.11920292f})});
  check_fails(ml("LinearRegressor", {{"coefficients", Floats{2}}}), {x}, Code::ShapeMismatch);
}

TEST_CASE("Support vectors", "[ops][svm]") {
  const Tensor x = tensor<float>({2, 2}, {1, 2, 0, -1});
  const AttributeMap regressor = {{"support_vectors", Floats{1, 0, 0, 1}},
                                  {"n_supports", int64_t{2}},
                                  {"coefficients", Floats{2, -1}},
                                  {"rho", Floats{0.5f}}};
  const auto kernel = [](const char* name) {
    return AttributeMap{{"kernel_type", std::string(name)}, {"kernel_params", Floats{0.5f, 1, 2}}};
  };
  check(ml("SVMRegressor", regressor), {x}, {tensor<float>({2, 1}, {0.5f, 1.5f})});
  check(ml("SVMRegressor", with(regressor, kernel("POLY"))), {x}, {tensor<float>({2, 1}, {1, 2.25f})});
  check(ml("SVMRegressor", with(regressor, kernel("RBF"))), {x},
        {tensor<float>({2, 1}, {2 * 0.13533528f - 0.36787944f + 0.5f, 2 * 0.36787944f - 0.13533528f + 0.5f})});
  check(ml("SVMRegressor", with(regressor, kernel("SIGMOID"))), {x},
        {tensor<float>({2, 1}, {2 * 0.90514825f - 0.96402758f + 0.5f, 2 * 0.76159416f - 0.46211716f + 0.5f})});
  check(ml("SVMRegressor", with(regressor, {{"one_class", int64_t{1}}, {"rho", Floats{-1}}})), {x},
        {tensor<float>({2, 1}, {-1, -1})});
  check(ml("SVMRegressor", {{"coefficients", Floats{2, 3}}, {"rho", Floats{1}}}), {x},
        {tensor<float>({2, 1}, {9, -2})});

  // Three classes with one vector each: the pairs' scores are those of (0,1), (0,2) and (1,2).
  const AttributeMap three = {{"support_vectors", Floats{1, 0, 0, 1, 1, 1}},
                              {"vectors_per_class", Ints{1, 1, 1}},
                              {"coefficients", Floats{1, -1, 1, 2, 1, -2}},
                              {"rho", Floats{0, 0.5f, 1}},
                              {"classlabels_ints", Ints{7, 8, 9}}};
  check(ml("SVMClassifier", three), {x},
        {tensor<int64_t>({2}, {7, 7}), tensor<float>({2, 3}, {-1, 5.5f, -3, 1, -0.5f, 2})});
  const AttributeMap sure = {{"prob_a", Floats{-1, -1, -1}}, {"prob_b", Floats{0, 0, 0}}};
  check(ml("SVMClassifier", with(three, sure)), {x},
        {tensor<int64_t>({2}, {7, 7}),  // the winner has the most votes, not the highest probability
         tensor<float>({2, 3}, {0.4802409f, 0.3065827f, 0.2131764f, 0.4295305f, 0.3384091f, 0.2320605f})});
  check_fails(ml("SVMClassifier", with(three, {{"rho", Floats{0}}})), {x}, Code::InvalidModel, 2);
  check_fails(ml("SVMClassifier", with(three, {{"vectors_per_class", Ints{1, 1}}})), {x}, Code::InvalidModel, 2);
  check_fails(ml("SVMClassifier", with(three, {{"vectors_per_class", Ints{1, -1, 3}}})), {x}, Code::InvalidModel, 2);
  check_fails(ml("SVMRegressor", with(regressor, kernel("CUBE"))), {x}, Code::InvalidModel);
  check_fails(ml("SVMRegressor", regressor), {tensor<float>({1, 3}, {1, 2, 3})}, Code::ShapeMismatch);
}

TEST_CASE("Rows are scaled and normalised", "[ops][feature_scaling]") {
  const Tensor x = tensor<float>({2, 2}, {-3, 4, 0, 0});
  const auto norm = [](const char* name) { return ml("Normalizer", {{"norm", std::string(name)}}); };
  check(norm("MAX"), {x}, {tensor<float>({2, 2}, {-0.75f, 1, 0, 0})});
  check(norm("L1"), {x}, {tensor<float>({2, 2}, {-3 / 7.f, 4 / 7.f, 0, 0})});
  check(norm("L2"), {x}, {tensor<float>({2, 2}, {-0.6f, 0.8f, 0, 0})});
  check(ml("Scaler", {{"offset", Floats{1, 2}}, {"scale", Floats{2}}}), {tensor<int32_t>({2}, {3, 4})},
        {tensor<float>({2}, {4, 4})});
  check_fails(ml("Scaler", {{"offset", Floats{1, 2, 3}}}), {x}, Code::ShapeMismatch);
}

TEST_CASE("Imputer and Binarizer", "[ops][imputer]") {
  check(ml("Imputer", {{"imputed_value_floats", Floats{8, 9}}, {"replaced_value_float", kNan}}),
        {tensor<float>({2, 2}, {kNan, 1, 2, kNan})}, {tensor<float>({2, 2}, {8, 1, 2, 9})});
  check(ml("Imputer", {{"imputed_value_floats", Floats{8}}, {"replaced_value_float", 1.0f}}),
        {tensor<double>({3}, {1, 0.5, std::nan("")})}, {tensor<double>({3}, {8, 0.5, std::nan("")})});
  check(ml("Imputer", {{"imputed_value_int64s", Ints{8}}, {"replaced_value_int64", int64_t{-1}}}),
        {tensor<int32_t>({2}, {-1, 3})}, {tensor<int32_t>({2}, {8, 3})});
  check_fails(ml("Imputer", {{"imputed_value_int64s", Ints{8}}}), {tensor<float>({1}, {1})}, Code::TypeMismatch);
  check_fails(ml("Imputer", {}), {tensor<float>({1}, {1})}, Code::InvalidModel);
  check_fails(ml("Imputer", {{"imputed_value_int64s", Ints{8, 9}}}), {tensor<int64_t>({3}, {1, 2, 3})},
              Code::ShapeMismatch);
  check(ml("Binarizer", {{"threshold", 1.0f}}), {tensor<float>({3}, {1, 1.5f, kNan})}, {tensor<float>({3}, {0, 1, 0})});
  check(ml("Binarizer", {}), {tensor<int64_t>({2}, {1, 0})}, {tensor<int64_t>({2}, {1, 0})});
}

TEST_CASE("Categories become columns, numbers and texts", "[ops][one_hot_encoder][label_encoder]") {
  check(ml("OneHotEncoder", {{"cats_int64s", Ints{3, 1}}}), {tensor<float>({3}, {1.5f, 3, kNan})},
        {tensor<float>({3, 2}, {0, 1, 1, 0, 0, 0})});
  check(ml("OneHotEncoder", {{"cats_strings", Texts{"a", "b"}}}), {tensor<std::string>({1, 2}, {"b", "x"})},
        {tensor<float>({1, 2, 2}, {0, 1, 0, 0})});
  check_fails(ml("OneHotEncoder", {{"cats_int64s", Ints{3}}, {"zeros", int64_t{0}}}), {tensor<int32_t>({1}, {2})},
              Code::InvalidData);
  check_fails(ml("OneHotEncoder", {{"cats_int64s", Ints{3}}}), {tensor<std::string>({1}, {"3"})}, Code::TypeMismatch);
  const AttributeMap pairs = {{"cats_int64s", Ints{7, 8}}, {"cats_strings", Texts{"x", "y"}}};
  check(ml("CategoryMapper", pairs), {tensor<std::string>({3}, {"y", "x", "z"})}, {tensor<int64_t>({3}, {8, 7, -1})});
  check(ml("CategoryMapper", pairs), {tensor<int64_t>({2}, {8, 9})}, {tensor<std::string>({2}, {"y", "_Unused"})});
  check_fails(ml("CategoryMapper", {{"cats_int64s", Ints{7}}}), {tensor<int64_t>({1}, {1})}, Code::InvalidModel);
  // The last of equal keys counts, and defaults of types that only tensors hold.
  check(ml("LabelEncoder",
           {{"keys_tensor", tensor<int32_t>({3}, {1, 2, 1})}, {"values_tensor", tensor<int16_t>({3}, {4, 5, 6})}}, 4),
        {tensor<int32_t>({3}, {1, 2, 3})}, {tensor<int16_t>({3}, {6, 5, -1})});
  check(
      ml("LabelEncoder", {{"keys_tensor", tensor<double>({1}, {0.5})}, {"values_tensor", tensor<double>({1}, {4})}}, 4),
      {tensor<double>({2}, {0.5, 1})}, {tensor<double>({2}, {4, -0.0})});
}

TEST_CASE("Features are put side by side and picked out", "[ops][feature_vectorizer][array_feature_extractor]") {
  const Tensor a = tensor<double>({2, 1}, {1, 2});
  const Tensor b = tensor<int64_t>({2, 2}, {3, 4, 5, 6});
  check(ml("FeatureVectorizer", {{"inputdimensions", Ints{1, 2}}}), {a, b},
        {tensor<float>({2, 3}, {1, 3, 4, 2, 5, 6})});
  check(ml("FeatureVectorizer", {{"inputdimensions", Ints{2, 1}}}), {a, b},
        {tensor<float>({2, 3}, {1, 0, 3, 2, 0, 5})});
  check(ml("FeatureVectorizer", {}), {tensor<float>({2}, {1, 2})}, {tensor<float>({1, 2}, {1, 2})});
  check_fails(ml("FeatureVectorizer", {}), {a, tensor<float>({3, 1}, {1, 2, 3})}, Code::ShapeMismatch);
  check_fails(ml("FeatureVectorizer", {{"inputdimensions", Ints{-1}}}), {a}, Code::InvalidModel);
  check(ml("ArrayFeatureExtractor", {}), {b, tensor<int64_t>({1, 3}, {1, 0, 1})},
        {tensor<int64_t>({2, 3}, {4, 3, 4, 6, 5, 6})});
  check(ml("ArrayFeatureExtractor", {}), {tensor<std::string>({2}, {"a", "b"}), tensor<int64_t>({1}, {1})},
        {tensor<std::string>({1, 1}, {"b"})});
  check_fails(ml("ArrayFeatureExtractor", {}), {b, tensor<int64_t>({1}, {2})}, Code::InvalidData);
  check_fails(ml("ArrayFeatureExtractor", {}), {b, tensor<int64_t>({1}, {-1})}, Code::InvalidData);
}

Value map_of(Tensor keys, Tensor values) {
  auto map = std::make_shared<Map>();
  map->keys = std::move(keys);
  map->values = std::move(values);
  return std::shared_ptr<const Map>(std::move(map));
}

TEST_CASE("ZipMap makes a map of each row", "[ops][zip_map]") {
  for (const bool texts : {false, true}) {
    const Node zip = texts ? ml("ZipMap", {{"classlabels_strings", Texts{"a", "b"}}})
                           : ml("ZipMap", {{"classlabels_int64s", Ints{7, 3}}});
    const auto out = run(zip, {tensor<float>({2, 2}, {0.25f, 0.75f, 1, 0})});
    REQUIRE(out.ok());
    const Sequence* rows = (*out)[0].sequence();
    REQUIRE(rows != nullptr);
    REQUIRE(rows->items.size() == 2);
    const Map* map = rows->items[1].map();
    REQUIRE(map != nullptr);
    check_equal(map->keys, texts ? tensor<std::string>({2}, {"a", "b"}) : tensor<int64_t>({2}, {7, 3}));
    check_equal(map->values, tensor<float>({2}, {1, 0}));
  }
  check_fails(ml("ZipMap", {{"classlabels_int64s", Ints{7}}}), {tensor<float>({1, 2}, {1, 0})}, Code::ShapeMismatch);
  check_fails(ml("ZipMap", {}), {tensor<float>({1, 2}, {1, 0})}, Code::InvalidModel);
}

TEST_CASE("Maps become tensors", "[ops][map_to_tensor]") {
  const Value numbers = map_of(tensor<int64_t>({3}, {5, 0, 2}), tensor<float>({3}, {1.5f, -2, 3}));
  const auto one = [](const Node& n, const Value& v, const Tensor& expected) {
    const auto out = run(n, {v});
    REQUIRE(out.ok());
    check_equal((*out)[0], expected);
  };
  const auto cast = [](const char* to, const char* form) {
    return ml("CastMap", {{"cast_to", std::string(to)}, {"map_form", std::string(form)}, {"max_map", int64_t{6}}});
  };
  one(cast("TO_FLOAT", "DENSE"), numbers, tensor<float>({1, 3}, {-2, 3, 1.5f}));
  one(cast("TO_INT64", "SPARSE"), numbers, tensor<int64_t>({1, 6}, {-2, 0, 3, 0, 0, 1}));
  one(cast("TO_STRING", "DENSE"), numbers, tensor<std::string>({1, 3}, {"-2", "3", "1.5"}));
  const Value texts = map_of(tensor<int64_t>({1}, {6}), tensor<std::string>({1}, {"2.5"}));
  one(cast("TO_FLOAT", "DENSE"), texts, tensor<float>({1, 1}, {2.5f}));
  check_fails(cast("TO_FLOAT", "SPARSE"), {texts}, Code::InvalidData);
  check_fails(cast("TO_INT8", "SPARSE"), {texts}, Code::InvalidModel);
  check_fails(cast("TO_FLOAT", "DENSE"), {tensor<float>({1}, {1})}, Code::TypeMismatch);

  const Node vectorizer = ml("DictVectorizer", {{"string_vocabulary", Texts{"a", "c", "b", "z"}}});
  one(vectorizer, map_of(tensor<std::string>({2}, {"a", "c"}), tensor<int64_t>({2}, {4, 8})),
      tensor<int64_t>({1, 4}, {4, 8, 0, 0}));
  check_fails(vectorizer, {numbers}, Code::TypeMismatch);
  check_fails(ml("DictVectorizer", {}), {numbers}, Code::InvalidModel);
}

}  // namespace
}  // namespace nm::test
