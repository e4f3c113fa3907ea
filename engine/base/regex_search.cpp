// All matches in a text, in time that grows with the product of text and pattern. Looking for the longest match at each
// place alone would not: where most places only nearly match, each would read the text to its end. So the text is read
// backwards first: from which places of the program can the end be reached from here on? Reading forwards, only those
// are followed, and the search for a match stops exactly where it ends.
#include <algorithm>
#include <cmath>

#include "engine/base/regex_places.h"

namespace nm {
namespace {

struct Text {
  std::vector<size_t> at;           // where each character begins, and the end
  std::vector<int32_t> characters;  // kBadCharacter where it is not UTF-8

  explicit Text(std::string_view s) {
    for (size_t p = 0; p < s.size();) {
      at.push_back(p);
      characters.push_back(next_character(s, p));
    }
    at.push_back(s.size());
  }
  size_t size() const { return characters.size(); }
  int32_t before(size_t i) const { return i > 0 ? characters[i - 1] : kNoCharacter; }
  int32_t after(size_t i) const { return i < characters.size() ? characters[i] : kNoCharacter; }
};

// For each position of a text, the places of the program from which the program's end can be reached. Of all positions
// only every so many are kept; the rows in between are made again, for one stretch at a time, so memory grows with the
// root of the text's length.
class Live {
 public:
  Live(const Regex::Program& program, const std::vector<Regex::Set>& sets, const Text& text)
      : program_(program),
        sets_(sets),
        text_(text),
        words_((program.size() + 64) / 64),
        stretch_(std::max<size_t>(64, static_cast<size_t>(std::sqrt(static_cast<double>(text.size()))))),
        sources_(program.size() + 1) {
    for (size_t p = 0; p < program.size(); ++p) {
      const Regex::Instruction& i = program[p];
      const auto source = static_cast<int32_t>(p);
      if (i.kind == Regex::Kind::Set) {
        consuming_.push_back(source);
        continue;
      }
      const bool jumps = i.kind == Regex::Kind::Split || i.kind == Regex::Kind::Jump;
      sources_[p + static_cast<size_t>(jumps ? i.a : 1)].push_back(source);
      if (i.kind == Regex::Kind::Split) sources_[p + static_cast<size_t>(i.b)].push_back(source);
    }
    const size_t stretches = text.size() / stretch_ + 1;
    borders_.resize(stretches * words_);
    rows_.resize((stretch_ + 1) * words_);
    for (size_t s = stretches; s-- > 0;) make(s);
  }

  // Positions are asked for in order.
  bool at(size_t position, int32_t place) {
    const size_t s = position / stretch_;
    if (s != made_) make(s);
    return get(row(position % stretch_), static_cast<size_t>(place));
  }

 private:
  static bool get(const uint64_t* row, size_t p) { return row[p / 64] >> (p % 64) & 1; }
  uint64_t* row(size_t i) { return rows_.data() + i * words_; }

  // The rows of a stretch, from the first one of the next.
  void make(size_t s) {
    const size_t first = s * stretch_, last = std::min(first + stretch_, text_.size() + 1);
    if (last <= text_.size()) std::copy_n(borders_.data() + (s + 1) * words_, words_, row(last - first));
    for (size_t i = last; i-- > first;) {
      fill(i, row(i - first), i < text_.size() ? row(i - first + 1) : nullptr);
    }
    std::copy_n(row(0), words_, borders_.data() + s * words_);
    made_ = s;
  }

  void fill(size_t position, uint64_t* own, const uint64_t* next) {
    std::fill_n(own, words_, 0);
    const int32_t before = text_.before(position), after = text_.after(position);
    const auto reach = [&](int32_t p) {
      uint64_t& word = own[p / 64];
      const uint64_t bit = uint64_t{1} << (p % 64);
      if ((word & bit) == 0) {
        word |= bit;
        open_.push_back(p);
      }
    };
    reach(static_cast<int32_t>(program_.size()));
    if (next != nullptr && after >= 0) {
      for (const int32_t p : consuming_) {
        const auto at = static_cast<size_t>(p);
        if (get(next, at + 1) && contains(sets_[static_cast<size_t>(program_[at].a)], after)) reach(p);
      }
    }
    while (!open_.empty()) {
      const auto p = static_cast<size_t>(open_.back());
      open_.pop_back();
      for (const int32_t source : sources_[p]) {
        const Regex::Kind kind = program_[static_cast<size_t>(source)].kind;
        const bool free = kind == Regex::Kind::Split || kind == Regex::Kind::Jump;
        if (free || holds(kind, before, after)) reach(source);
      }
    }
  }

  const Regex::Program& program_;
  const std::vector<Regex::Set>& sets_;
  const Text& text_;
  size_t words_;                               // of a row
  size_t stretch_;                             // positions
  std::vector<std::vector<int32_t>> sources_;  // by place: which lead there without a character
  std::vector<int32_t> consuming_;
  std::vector<uint64_t> borders_;  // the first row of each stretch
  std::vector<uint64_t> rows_;     // of the stretch at hand, and the row behind it
  std::vector<int32_t> open_;
  size_t made_ = SIZE_MAX;
};

}  // namespace

std::vector<std::pair<size_t, size_t>> Regex::all_matches(std::string_view s) const {
  std::vector<std::pair<size_t, size_t>> found;
  const Text text(s);
  Live live(program_, sets_, text);
  Places places[2] = {Places(program_), Places(program_)};
  Places* now = &places[0];
  Places* next = &places[1];
  for (size_t from = 0; from < text.size();) {
    now->clear();
    now->enter(0, text.before(from), text.after(from));
    size_t end = from;
    for (size_t i = from;; ++i) {
      if (now->ended()) end = i;
      const int32_t c = text.after(i);
      next->clear();
      bool going_on = false;
      for (const int32_t p : now->sets()) {
        if (!live.at(i, p)) continue;
        going_on = true;
        const auto at_set = static_cast<size_t>(p);
        if (contains(sets_[static_cast<size_t>(program_[at_set].a)], c)) {
          next->enter(at_set + 1, c, text.after(i + 1));
        }
      }
      if (!going_on) break;
      std::swap(now, next);
    }
    if (end > from) found.emplace_back(text.at[from], text.at[end]);
    from = std::max(end, from + 1);
  }
  return found;
}

}  // namespace nm
