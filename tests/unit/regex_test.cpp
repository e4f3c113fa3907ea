#include "engine/base/regex.h"

#include <algorithm>
#include <string>
#include <vector>

#include "catch_amalgamated.hpp"

using namespace nm;

namespace {

bool matches(std::string_view pattern, std::string_view text) {
  auto regex = Regex::compile(pattern);
  INFO("/" << pattern << "/ and '" << text << "'");
  if (!regex.ok()) FAIL(regex.status().message());
  return regex->matches(text);
}

Code refusal(std::string_view pattern) {
  auto regex = Regex::compile(pattern);
  INFO("/" << pattern << "/");
  REQUIRE(!regex.ok());
  CHECK(!regex.status().message().empty());
  return regex.status().code();
}

// The longest match at each place, tried one after the other.
std::vector<std::string> found_slowly(const Regex& regex, std::string_view text) {
  std::vector<std::string> found;
  for (size_t at = 0; at < text.size();) {
    size_t longest = 0;
    for (size_t n = 1; n <= text.size() - at; ++n) {
      if (regex.matches(text.substr(at, n))) longest = n;
    }
    if (longest > 0) found.emplace_back(text.substr(at, longest));
    at += std::max<size_t>(longest, 1);
  }
  return found;
}

std::vector<std::string> found(std::string_view pattern, std::string_view text) {
  auto regex = Regex::compile(pattern);
  INFO("/" << pattern << "/ in '" << text << "'");
  if (!regex.ok()) FAIL(regex.status().message());
  std::vector<std::string> all;
  for (const auto& [begin, end] : regex->all_matches(text)) all.emplace_back(text.substr(begin, end - begin));
  return all;
}

struct Case {
  std::string_view pattern, yes, no;
};

}  // namespace

TEST_CASE("Regular expressions match whole texts") {
  const Case cases[] = {
      {"", "", "a"},
      {"abc", "abc", "abcd"},
      {"a|ab|", "ab", "abc"},
      {"a|ab|", "", "b"},
      {"(a|ab)(c|bcd)", "abcd", "abd"},
      {"a*", "aaa", "aab"},
      {"a+?b", "aab", "b"},
      {"(?:ab)?c", "abc", "ac"},
      {"a{2}", "aa", "a"},
      {"a{2,}", "aaaa", "a"},
      {"a{1,3}", "aaa", "aaaa"},
      {"a{0}b", "b", "ab"},
      {"(ab){0,2}", "abab", "ababab"},
      {"(a*)*", "aaaa", "b"},
      {"(a*)+", "", "b"},
      {"(|a)+b", "aab", "aa"},
      {"a{,2}", "a{,2}", "aa"},
      {"x{", "x{", "x"},
      {".", "é", "\n"},
      {"(?s).", "\n", "ab"},
      {"(?s:.).", "\na", "\n\n"},
      {"[a-c]", "b", "d"},
      {"[^a-c]", "\n", "b"},
      {"[]a]+", "]a", "b"},
      {"[a-]+", "a-", "b"},
      {"[\\d_]+", "1_2", "a"},
      {"[[:alpha:][:digit:]]+", "a1", "_"},
      {"[[:^alpha:]]", "1", "a"},
      {"[α-ω]+", "λογος", "λόγος"},
      {"\\w+@[\\w.]+", "a_1@b.c", "a b"},
      {"\\D\\S\\W", "ab-", "1b-"},
      {"\\s", "\f", "\v"},
      {"^a$", "a", "a\n"},
      {"(?m)a$\n^b", "a\nb", "ab"},
      {"a\\b.\\bc", "a-c", "abc"},
      {"\\Aab\\z", "ab", "a"},
      {"a\\B.", "ab", "a-"},
      {"\\x41\\x{1F600}\\101\\n", "A😀A\n", "AA"},
      {"\\Qa.b\\E+", "a.bb", "axb"},
      {"\\Q|)*", "|)*", "|"},
      {"\\Q\\Ea", "a", ""},
      {"\\.\\*\\\\", ".*\\", "a"},
      {"(?P<year>\\d{4})-(?<m>\\d\\d)", "2024-05", "24-05"},
      {"(?i)straßE", "STRAßE", "strasse"},
      {"(?i)[a-f]+", "CAFE", "G"},
      {"(?i)ΣÀЖ", "ςàж", "abc"},
      {"(?i)k", "\u212A", "x"},
      {"(?i)[^k]", "x", "K"},
      {"a(?i)b(?-i)c", "aBc", "aBC"},
      {"(?i:a)b", "Ab", "AB"},
      {"((?i)a)b", "Ab", "AB"},
      {"日本|語", "語", "本"},
      {"(www\\.[\\w.-]+\\.\\w+)", "www.example.com", "wwwXexample.com"},
  };
  for (const Case& c : cases) {
    INFO("/" << c.pattern << "/");
    CHECK(matches(c.pattern, c.yes));
    CHECK(!matches(c.pattern, c.no));
  }
  CHECK(!matches(".*", "\xff"));
  CHECK(!matches(".*", "\xc0\x80"));
}

TEST_CASE("Regular expressions that are wrong, or not supported, are refused") {
  for (const char* pattern : {"(",           ")",      "(a",      "a)",    "[a",      "[",    "*",   "+a",   "a**",
                              "a{2}{3}",     "a{3,2}", "a{1001}", "[b-a]", "\\",      "\\1",  "\\8", "\\y",  "\\xg",
                              "\\x{110000}", "(?a)",   "(?P<>a)", "(?i-",  "[[:a:]]", "\xff", "a|*", "(?=a)"}) {
    CHECK(refusal(pattern) == Code::InvalidModel);
  }
  for (const char* pattern : {"\\pL", "[\\p{Greek}]", "\\C"}) CHECK(refusal(pattern) == Code::UnsupportedOperator);
  CHECK(refusal("((a{1000}){1000}){1000}") == Code::InvalidModel);
  CHECK(refusal(std::string(100000, '(')) == Code::InvalidModel);
}

TEST_CASE("Regular expressions take no exponential time") {
  const std::string text(5000, 'a');
  CHECK(!matches("(a*)*b", text));
  CHECK(!matches("(a|aa)+b", text));
  CHECK(matches("(a?){1000}(a{1000}){4}", text));
}

TEST_CASE("Regular expressions find all that the longest match at each place would") {
  const char* patterns[] = {"a",      "a+",     "a*",       "(a*)*b", "a|a*b", "ab|a", "(a|ab)(c|bcd)", "b.*b",
                            "[^b]+b", "a{2,3}", "(aa|a)+c", "b|",     "",      "c$",   "a?b?c?"};
  uint32_t state = 1;
  for (const char* pattern : patterns) {
    const auto regex = Regex::compile(pattern);
    REQUIRE(regex.ok());
    for (int i = 0; i < 200; ++i) {
      std::string text;
      for (int n = i % 20; n > 0; --n)
        text += "abc"[(state = state * 1664525 + 1013904223) >> 24 & 1 ? 0 : state >> 20 & 1 ? 1 : 2];
      // What is around a match counts for $ alone here, and a part of the text has another end.
      if (std::string_view(pattern) == "c$") {
        CHECK(found(pattern, text).size() == static_cast<size_t>(text.ends_with('c')));
      } else {
        INFO("/" << pattern << "/ in '" << text << "'");
        CHECK(found(pattern, text) == found_slowly(regex.value(), text));
      }
    }
  }
}

TEST_CASE("Regular expressions see what is around a match, and end at what is no text") {
  using Words = std::vector<std::string>;
  CHECK(found("\\b\\w\\w+\\b", "I am a bee, you are") == Words{"am", "bee", "you", "are"});
  CHECK(found("(?m)^a", "a\na\nba") == Words{"a", "a"});
  CHECK(found("a+$", "aab aa") == Words{"aa"});
  CHECK(found("ä+|語", "xääy語") == Words{"ää", "語"});
  CHECK(found("[^x]+",
              "ab\xff"
              "cx\xc0"
              "d") == Words{"ab", "c", "d"});
  std::string large;
  for (int i = 0; i < 5000; ++i) large += "word ";
  CHECK(found("\\w+", large).size() == 5000);
}
