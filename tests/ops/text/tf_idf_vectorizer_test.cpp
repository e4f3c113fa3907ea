#include "tests/ops/operator_test.h"

using namespace nm;
using namespace nm::test;

namespace {

using Integers = std::vector<int64_t>;

// Single items 2, 3, 5, 4 and the pairs 5 6, 7 8, 6 7 of the standard's example.
AttributeMap grams(std::string mode, int64_t shortest, int64_t longest, int64_t skips) {
  return {{"mode", std::move(mode)},
          {"min_gram_length", shortest},
          {"max_gram_length", longest},
          {"max_skip_count", skips},
          {"ngram_counts", Integers{0, 4}},
          {"ngram_indexes", Integers{0, 1, 2, 3, 4, 5, 6}},
          {"pool_int64s", Integers{2, 3, 5, 4, 5, 6, 7, 8, 6, 7}}};
}

Tensor row() { return tensor<int32_t>({12}, {1, 1, 3, 3, 3, 7, 8, 6, 7, 5, 6, 8}); }

}  // namespace

TEST_CASE("TfIdfVectorizer counts n-grams", "[ops][tf_idf_vectorizer]") {
  check(node("TfIdfVectorizer", 9, grams("TF", 2, 2, 0)), {row()}, {tensor<float>({7}, {0, 0, 0, 0, 1, 1, 1})});
  check(node("TfIdfVectorizer", 9, grams("TF", 2, 2, 5)), {row()}, {tensor<float>({7}, {0, 0, 0, 0, 1, 3, 1})});
  check(node("TfIdfVectorizer", 9, grams("TF", 1, 2, 5)), {row()}, {tensor<float>({7}, {0, 3, 1, 0, 1, 3, 1})});
  check(node("TfIdfVectorizer", 9, grams("TF", 1, 1, 0)), {row()}, {tensor<float>({7}, {0, 3, 1, 0, 0, 0, 0})});
  check(node("TfIdfVectorizer", 9, grams("TF", 1, 2, 0)), {tensor<int64_t>({2, 3}, {2, 2, 9, 7, 8, 4})},
        {tensor<float>({2, 7}, {2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0})});
  check(node("TfIdfVectorizer", 9, grams("TF", 1, 2, 0)), {tensor<int64_t>({0}, {})},
        {tensor<float>({7}, {0, 0, 0, 0, 0, 0, 0})});
}

TEST_CASE("TfIdfVectorizer weighs, and knows texts", "[ops][tf_idf_vectorizer]") {
  const std::vector<float> weights{1, 0.5f, 1, 1, 1, 4, 1};
  for (const auto& [mode, three, pair] : {std::tuple{"IDF", 0.5f, 4.0f}, {"TFIDF", 1.5f, 12.0f}}) {
    auto attributes = grams(mode, 1, 2, 5);
    attributes["weights"] = weights;
    check(node("TfIdfVectorizer", 9, attributes), {row()}, {tensor<float>({7}, {0, three, 1, 0, 1, pair, 1})});
  }
  const AttributeMap texts{{"mode", "TF"},
                           {"min_gram_length", int64_t{1}},
                           {"max_gram_length", int64_t{3}},
                           {"max_skip_count", int64_t{0}},
                           {"ngram_counts", Integers{0, 1, 3}},
                           {"ngram_indexes", Integers{2, 0, 1}},
                           {"pool_strings", std::vector<std::string>{"a", "a", "b", "a", "b", "c"}}};
  check(node("TfIdfVectorizer", 9, texts), {tensor<std::string>({4}, {"a", "b", "c", "a"})},
        {tensor<float>({3}, {1, 1, 2})});
  check_fails(node("TfIdfVectorizer", 9, texts), {tensor<int64_t>({1}, {1})}, Code::TypeMismatch);
}

TEST_CASE("TfIdfVectorizer refuses pools that make no sense", "[ops][tf_idf_vectorizer]") {
  const auto wrong = [](std::string_view name, const Attribute& value) {
    auto attributes = grams("TF", 1, 2, 0);
    attributes[std::string(name)] = value;
    check_fails(node("TfIdfVectorizer", 9, attributes), {row()}, Code::InvalidModel);
  };
  wrong("mode", "DF");
  wrong("min_gram_length", int64_t{3});
  wrong("max_skip_count", int64_t{-1});
  wrong("ngram_counts", Integers{0, 11});
  wrong("ngram_counts", Integers{0, 3});
  wrong("ngram_counts", Integers{4, 0});
  wrong("ngram_indexes", Integers{0, 1, 2, 3, 4, 5, -6});
  wrong("ngram_indexes", Integers{0, 1, 2, 3, 4, 5, INT64_MAX});
  wrong("ngram_indexes", Integers{0});
  wrong("weights", std::vector<float>{1});
  wrong("pool_strings", std::vector<std::string>{"a"});
}
