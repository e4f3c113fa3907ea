#include "tests/ops/operator_test.h"

using namespace nm;
using namespace nm::test;

namespace {

Tensor words(std::initializer_list<std::string> values) {
  return tensor<std::string>({static_cast<int64_t>(values.size())}, values);
}

}  // namespace

TEST_CASE("Text is joined, split and normalised", "[ops][strings]") {
  check(node("StringConcat", 20), {words({"a", "b"}), tensor<std::string>({}, {"!"})}, {words({"a!", "b!"})});
  check(node("StringSplit", 20, {{"delimiter", "."}}), {words({"a.b.", "c", ""})},
        {tensor<std::string>({3, 3}, {"a", "b", "", "c", "", "", "", "", ""}), tensor<int64_t>({3}, {3, 1, 0})});
  check(node("StringSplit", 20, {{"maxsplit", int64_t{1}}}), {words({"  a  b c "})},
        {tensor<std::string>({1, 2}, {"a", "b c"}), tensor<int64_t>({1}, {2})});
  check(node("StringNormalizer", 10, {{"case_change_action", "UPPER"}, {"stopwords", std::vector<std::string>{"Mon"}}}),
        {words({"mon", "tue"})}, {words({"TUE"})});
  check(
      node("StringNormalizer", 10, {{"is_case_sensitive", int64_t{1}}, {"stopwords", std::vector<std::string>{"mon"}}}),
      {tensor<std::string>({1, 1}, {"mon"})}, {tensor<std::string>({1, 1}, {""})});
  check_fails(node("StringNormalizer", 10, {{"case_change_action", "up"}}), {words({"a"})}, Code::InvalidModel);
  check_fails(node("StringConcat", 20), {words({"a"}), tensor<float>({1}, {1})}, Code::TypeMismatch);
}

TEST_CASE("RegexFullMatch looks at every text", "[ops][regex_full_match]") {
  check(node("RegexFullMatch", 20, {{"pattern", "a+|b"}}), {tensor<std::string>({2, 2}, {"aa", "b", "ab", ""})},
        {tensor<bool>({2, 2}, {true, true, false, false})});
  check(node("RegexFullMatch", 20, {{"pattern", ""}}), {tensor<std::string>({}, {""})}, {tensor<bool>({}, {true})});
  check_fails(node("RegexFullMatch", 20, {{"pattern", "("}}), {words({"a"})}, Code::InvalidModel);
  check_fails(node("RegexFullMatch", 20, {{"pattern", "\\pL"}}), {words({"a"})}, Code::UnsupportedOperator);
  check_fails(node("RegexFullMatch", 20), {words({"a"})}, Code::InvalidModel);
  check_fails(node("RegexFullMatch", 20, {{"pattern", "a"}}), {tensor<float>({1}, {1})}, Code::TypeMismatch);
}

TEST_CASE("Tokenizer finds tokens or what is between separators", "[ops][tokenizer]") {
  const auto tokenizer = [](AttributeMap a) {
    a.emplace("pad_value", std::string("#"));
    a.emplace("mincharnum", int64_t{1});
    return node("Tokenizer", 1, std::move(a), "com.microsoft");
  };
  const auto by = [](std::vector<std::string> patterns) { return AttributeMap{{"separators", std::move(patterns)}}; };
  const Tensor in = words({"ab,c", "x;yz", ""});
  check(tokenizer({{"tokenexp", std::string("[a-z]+")}}), {in},
        {tensor<std::string>({3, 2}, {"ab", "c", "x", "yz", "#", "#"})});
  check(tokenizer({{"tokenexp", std::string("[a-z]+")}, {"mincharnum", int64_t{2}}}), {in},
        {tensor<std::string>({3, 1}, {"ab", "yz", "#"})});
  // The longest match counts, and word edges see the character before.
  check(
      tokenizer({{"tokenexp", std::string("\\b\\w|\\w\\w")}, {"mark", int64_t{1}}}), {in},
      {tensor<std::string>({3, 4}, {"\x02", "ab", "c", "\x03", "\x02", "x", "yz", "\x03", "\x02", "\x03", "#", "#"})});
  check(tokenizer(by({",", ";"})), {in}, {tensor<std::string>({3, 2}, {"ab", "c", "x", "yz", "#", "#"})});
  // An earlier separator goes before a longer one.
  check(tokenizer(by({"b", "ab"})), {words({"ab,c"})}, {tensor<std::string>({1, 2}, {"a", ",c"})});
  check(tokenizer(by({""})), {words({"aé", "z"})}, {tensor<std::string>({2, 2}, {"a", "é", "z", "#"})});
  check(tokenizer(by({","})), {words({"", ","})}, {tensor<std::string>({2, 0}, {})});
  check_fails(tokenizer(by({"("})), {in}, Code::InvalidModel);
  check_fails(tokenizer({}), {in}, Code::InvalidModel);
}
