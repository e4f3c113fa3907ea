#include <algorithm>
#include <map>

#include "engine/base/sort_positions.h"
#include "engine/op/check.h"
#include "engine/op/registry.h"
#include "engine/tensor/integers.h"

namespace nm {
namespace {

constexpr int32_t kUnknown = -1;

// Counts n-grams, whose items may lie apart, against a pool of known ones.
class TfIdfVectorizer final : public Operator {
 public:
  explicit TfIdfVectorizer(Attributes& a)
      : mode_(a.string("mode", "TF")),
        shortest_(a.integer("min_gram_length", 1)),
        longest_(a.integer("max_gram_length", 1)),
        skips_(a.integer("max_skip_count", 0)),
        columns_(a.integers("ngram_indexes")),
        weights_(a.numbers("weights")),
        words_(a.strings("pool_strings")),
        numbers_(a.integers("pool_int64s")) {
    for (const char* name :
         {"mode", "min_gram_length", "max_gram_length", "max_skip_count", "ngram_counts", "ngram_indexes"}) {
      a.require(name);
    }
    if (mode_ != "TF" && mode_ != "IDF" && mode_ != "TFIDF") {
      a.fail(text("the attribute 'mode' is '", mode_, "'; expected TF, IDF or TFIDF"));
    }
    if (shortest_ < 1 || longest_ < shortest_ || skips_ < 0) {
      a.fail("n-grams must be at least 1 long, at most as long as 'max_gram_length', and skip 0 or more items");
    }
    if (words_.empty() == numbers_.empty()) a.fail("one of 'pool_strings' and 'pool_int64s' must be given");
    if (!weights_.empty() && weights_.size() != columns_.size()) {
      a.fail(text("there are ", weights_.size(), " weights for ", columns_.size(), " n-grams"));
    }
    for (const int64_t column : columns_) {
      if (column < 0 || column >= INT32_MAX) {
        a.fail(text("the attribute 'ngram_indexes' holds ", column, ", which is no column of the output"));
        return;
      }
      width_ = std::max(width_, column + 1);
    }
    std::vector<int32_t> pool;
    if (words_.empty()) {
      pool = number_pool(numbers_);
    } else {
      pool = number_pool(words_);
    }
    plant(a, pool, a.integers("ngram_counts"));
  }

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 1));
    if (words_.empty()) {
      NM_TRY(check_type(inference, 0, "the input", {DType::Int32, DType::Int64}));
    } else {
      NM_TRY(check_type(inference, 0, "the input", {DType::String}));
    }
    inference.output(0, DType::Float32);
    if (!inference.has_shape(0)) return {};
    const Shape& in = inference.shape(0);
    if (in.rank() != 1 && in.rank() != 2) return wrong_shape("the input", in, "[items] or [batch, items]");
    inference.output(0, DType::Float32, in.rank() == 1 ? Shape{width_} : Shape{in[0], width_});
    return {};
  }

  Status run(Execution& execution) override {
    const Tensor& in = execution.input(0);
    const int64_t n = in.shape().back();
    const int64_t rows = in.rank() == 1 ? 1 : in.dim(0);
    NM_ASSIGN(int32_t * items, execution.scratch<int32_t>(Size(n)));
    float* out = execution.out<float>(0);
    std::fill_n(out, rows * width_, 0.0f);
    for (int64_t r = 0; r < rows; ++r, out += width_) {
      for (int64_t i = 0; i < n; ++i) {
        items[i] = words_.empty() ? find(numbers_, integer_at(in, r * n + i))
                                  : find(words_, in.data<std::string>()[r * n + i]);
      }
      // Items of longer n-grams lie 1 to skips + 1 apart; those of single ones do not lie apart at all.
      count(items, n, 1, 1, out);
      for (int64_t apart = 1; apart <= std::min(skips_, n) + 1; ++apart) count(items, n, apart, 2, out);
    }
    return {};
  }

 private:
  struct Gram {
    int32_t next = 0;  // where longer ones continue
    int32_t index = kUnknown;
  };

  // Makes `values` a sorted list without repetitions and returns what was there as positions in it.
  template <class T>
  static std::vector<int32_t> number_pool(std::vector<T>& values) {
    const std::vector<T> given = values;
    const auto at = [&](int64_t i) -> const T& { return given[static_cast<size_t>(i)]; };
    values.clear();
    for (const int64_t i : sorted_positions(given.size(), [&](int64_t a, int64_t b) { return at(a) < at(b); })) {
      if (values.empty() || values.back() != at(i)) values.push_back(at(i));
    }
    std::vector<int32_t> pool;
    for (const T& v : given) pool.push_back(find(values, v));
    return pool;
  }
  template <class T>
  static int32_t find(const std::vector<T>& sorted, const T& value) {
    const auto it = std::lower_bound(sorted.begin(), sorted.end(), value);
    return it == sorted.end() || *it != value ? kUnknown : static_cast<int32_t>(it - sorted.begin());
  }

  // The n-grams of the pool as a tree whose edges are items. `starts[n - 1]` is where those of length n begin.
  void plant(Attributes& a, const std::vector<int32_t>& pool, const std::vector<int64_t>& starts) {
    size_t index = 0;
    for (size_t n = 1; n <= starts.size(); ++n) {
      const int64_t size = static_cast<int64_t>(pool.size());
      const int64_t begin = starts[n - 1];
      const int64_t end = n < starts.size() ? starts[n] : size;
      if (begin < 0 || begin > end || end > size || (end - begin) % static_cast<int64_t>(n) != 0) {
        a.fail(text("the attribute 'ngram_counts' gives ", n, "-grams the items ", begin, " to ", end, " of a pool of ",
                    size));
        return;
      }
      for (int64_t at = begin; at < end; ++index) {
        int32_t node = 0;
        Gram* gram = nullptr;
        for (size_t i = 0; i < n; ++i, ++at) {
          gram = &grams_[{node, pool[static_cast<size_t>(at)]}];
          if (gram->next == 0) gram->next = static_cast<int32_t>(grams_.size());
          node = gram->next;
        }
        gram->index = static_cast<int32_t>(index);
      }
    }
    if (index != columns_.size()) {
      a.fail(text("the pool holds ", index, " n-grams, but 'ngram_indexes' names ", columns_.size()));
    }
  }

  // Counts the n-grams of `least` items or more that lie `apart`.
  void count(const int32_t* items, int64_t n, int64_t apart, int64_t least, float* out) const {
    const int64_t most = least == 1 ? 1 : longest_;
    for (int64_t first = 0; first < n; ++first) {
      int32_t node = 0;
      int64_t length = 1;
      for (int64_t at = first; at < n && length <= most; at += apart, ++length) {
        const auto it = grams_.find({node, items[at]});
        if (it == grams_.end()) break;
        node = it->second.next;
        if (it->second.index != kUnknown && length >= std::max(least, shortest_)) {
          add(static_cast<size_t>(it->second.index), out);
        }
      }
    }
  }

  void add(size_t index, float* out) const {
    float& cell = out[columns_[index]];
    const float weight = weights_.empty() || mode_ == "TF" ? 1 : weights_[index];
    cell = mode_ == "IDF" ? weight : cell + weight;
  }

  std::string mode_;
  int64_t shortest_;
  int64_t longest_;
  int64_t skips_;
  std::vector<int64_t> columns_;  // of the output, for each n-gram of the pool
  std::vector<float> weights_;
  std::vector<std::string> words_;  // the items that occur in the pool: texts or numbers, sorted
  std::vector<int64_t> numbers_;
  int64_t width_ = 0;
  std::map<std::pair<int32_t, int32_t>, Gram> grams_;  // by tree node and item
};

}  // namespace

constexpr OperatorEntry kEntries[] = {
    entry<TfIdfVectorizer>("TfIdfVectorizer", 9, {.inputs = 1, .outputs = 1, .layout = layout::opaque}),
};

NM_OPERATORS(tf_idf_vectorizer, kEntries)

}  // namespace nm
