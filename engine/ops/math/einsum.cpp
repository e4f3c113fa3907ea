// Einsum: products of tensors summed over the letters that the result does not have.
//
// Two operands are taken at a time. Letters fall into four kinds: batch (in both and still needed), rows (only left),
// columns (only right), and inner (in both, not needed again); each pair is so one batched matrix product.
#include <algorithm>
#include <bit>

#include "engine/kernels/kernels.h"
#include "engine/op/check.h"
#include "engine/op/numbers.h"
#include "engine/op/registry.h"
#include "engine/ops/math/product.h"
#include "engine/tensor/strided.h"

namespace nm {
namespace {

// Letters are numbers: A-Z 0-25, a-z 26-51, the dimensions of an ellipsis from 52 on, the last one first.
constexpr int kLetters = 52 + kMaxRank;
using Term = std::vector<int>;
using Letters = uint64_t;  // a set
constexpr int kEllipsis = -1;
static_assert(kLetters <= 64);

Letters set_of(const Term& term) {
  Letters set = 0;
  for (const int l : term) set |= Letters{1} << l;
  return set;
}

struct Equation {
  std::vector<Term> terms;
  Term out;
  bool has_out = false;
};

// Terms of letters, `...` as kEllipsis.
std::optional<Equation> parse(std::string_view text) {
  Equation e;
  Term* term = &e.terms.emplace_back();
  for (size_t i = 0; i < text.size(); ++i) {
    const char ch = text[i];
    if (ch == ' ') continue;
    if (ch >= 'A' && ch <= 'Z') {
      term->push_back(ch - 'A');
    } else if (ch >= 'a' && ch <= 'z') {
      term->push_back(26 + ch - 'a');
    } else if (text.substr(i, 3) == "..." && std::count(term->begin(), term->end(), kEllipsis) == 0) {
      term->push_back(kEllipsis);
      i += 2;
    } else if (ch == ',' && !e.has_out) {
      term = &e.terms.emplace_back();
    } else if (text.substr(i, 2) == "->" && !e.has_out) {
      e.has_out = true;
      term = &e.out;
      ++i;
    } else {
      return std::nullopt;
    }
  }
  return e;
}

// `rank` letters of a term whose ellipsis is spelled out.
Result<Term> spell(const Term& term, int rank) {
  const auto at = std::find(term.begin(), term.end(), kEllipsis);
  const int named = static_cast<int>(term.size()) - (at != term.end());
  if (at == term.end() ? named != rank : named > rank) {
    return Status(Code::ShapeMismatch,
                  text("an input has ", rank, " dimensions where the equation names ", named, " of them"));
  }
  Term out;
  for (const int l : term) {
    if (l != kEllipsis) {
      out.push_back(l);
      continue;
    }
    for (int i = rank - named; i-- > 0;) out.push_back(52 + i);
  }
  return out;
}

struct Labelled {
  Term letters;
  Tensor tensor;
};

class Einsum final : public Operator {
 public:
  explicit Einsum(Attributes& a) {
    a.require("equation");
    const std::string equation = a.string("equation", "");
    auto parsed = parse(equation);
    if (!parsed) a.fail(text("the equation '", equation, "' cannot be read"));
    if (parsed) equation_ = std::move(*parsed);
  }

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, inference.input_count()));
    if (inference.input_count() != equation_.terms.size()) {
      return {Code::InvalidModel,
              text("the equation names ", equation_.terms.size(), " inputs, there are ", inference.input_count())};
    }
    NM_TRY(check_number(inference, 0, "input 0"));
    NM_ASSIGN(const DType type, common_type(inference, 0, inference.input_count()));
    inference.output(0, type);
    std::vector<Shape> shapes;
    for (size_t i = 0; i < inference.input_count(); ++i) {
      if (!inference.has_shape(i)) return {};
      shapes.push_back(inference.shape(i));
    }
    NM_ASSIGN(const Plan plan, resolve(shapes));
    Shape out;
    for (const int l : plan.out) out.push_back(plan.sizes[static_cast<size_t>(l)]);
    inference.output(0, type, out);
    return {};
  }

  Status run(Execution& execution) override {
    std::vector<Shape> shapes;
    for (size_t i = 0; i < execution.input_count(); ++i) shapes.push_back(execution.input(i).shape());
    NM_ASSIGN(const Plan plan, resolve(shapes));
    Tensor& out = execution.output(0);
    if (out.count() == 0) return {};
    Labelled left;
    for (size_t i = 0; i < plan.terms.size(); ++i) {
      Letters later = set_of(plan.out);
      for (size_t k = i + 1; k < plan.terms.size(); ++k) later |= set_of(plan.terms[k]);
      NM_ASSIGN(Labelled next,
                reduced(execution.input(i), plan.terms[i], i == 0 ? later : later | set_of(left.letters)));
      if (i == 0) {
        left = std::move(next);
      } else {
        NM_ASSIGN(left, contract(execution, left, next, later));
      }
    }
    return arrange(left, plan.out, out);
  }

 private:
  struct Plan {
    std::vector<Term> terms;
    Term out;
    std::array<int64_t, kLetters> sizes{};
  };

  Result<Plan> resolve(const std::vector<Shape>& shapes) const {
    Plan plan;
    plan.sizes.fill(1);
    std::array<int, kLetters> uses{};
    int ellipsis = 0;
    for (size_t i = 0; i < shapes.size(); ++i) {
      NM_ASSIGN(Term term, spell(equation_.terms[i], shapes[i].rank()));
      for (int d = 0; d < shapes[i].rank(); ++d) {
        const auto l = static_cast<size_t>(term[static_cast<size_t>(d)]);
        ++uses[l];
        if (l >= 52) ellipsis = std::max(ellipsis, static_cast<int>(l) - 51);
        int64_t& size = plan.sizes[l];
        const int64_t dim = shapes[i][d];
        if (size != dim && size != 1 && dim != 1 && size >= 0 && dim >= 0) {
          return Status(Code::ShapeMismatch,
                        text("a letter of the equation stands for dimensions of ", size, " and of ", dim));
        }
        if (size == 1 || (size < 0 && dim >= 0 && dim != 1)) size = dim;
      }
      plan.terms.push_back(std::move(term));
    }
    if (equation_.has_out) {
      const bool has = std::count(equation_.out.begin(), equation_.out.end(), kEllipsis) != 0;
      NM_ASSIGN(plan.out, spell(equation_.out, static_cast<int>(equation_.out.size()) + (has ? ellipsis - 1 : 0)));
    } else {  // the ellipsis, then the letters that occur once
      for (int i = ellipsis; i-- > 0;) plan.out.push_back(52 + i);
      for (int l = 0; l < 52; ++l) {
        if (uses[static_cast<size_t>(l)] == 1) plan.out.push_back(l);
      }
    }
    if (plan.out.size() > kMaxRank) return Status(Code::ShapeMismatch, "the result would have too many dimensions");
    if (std::popcount(set_of(plan.out)) != static_cast<int>(plan.out.size())) {
      return Status(Code::InvalidModel, "a letter occurs twice in the result of the equation");
    }
    for (const int l : plan.out) {
      if (l < 52 && uses[static_cast<size_t>(l)] == 0) {
        return Status(Code::InvalidModel, "the result of the equation has a letter that no input has");
      }
    }
    return plan;
  }

  // An operand without repeated letters (their diagonal is taken), summed over those that nobody needs.
  static Result<Labelled> reduced(const Tensor& in, const Term& term, Letters needed) {
    const Strides strides = row_major(in.shape());
    Labelled out;
    StridedSource from{in.raw(), 0, {}};
    Shape kept, summed, extent;
    // A letter's extent is the largest of its dimensions; a dimension of 1 beside it stands still.
    const auto visit = [&](bool keep) {
      for (size_t d = 0; d < term.size(); ++d) {
        const int l = term[d];
        if (std::find(term.begin(), term.begin() + static_cast<int64_t>(d), l) !=
            term.begin() + static_cast<int64_t>(d))
          continue;
        if (static_cast<bool>(needed >> l & 1) != keep) continue;
        int64_t size = 1;
        int64_t step = 0;
        for (size_t k = d; k < term.size(); ++k) {
          if (term[k] != l || in.dim(static_cast<int>(k)) == 1) continue;
          size = in.dim(static_cast<int>(k));
          step += strides[k];
        }
        from.strides[static_cast<size_t>(extent.rank())] = step;
        extent.push_back(size);
        (keep ? kept : summed).push_back(size);
        if (keep) out.letters.push_back(l);
      }
    };
    visit(true);
    visit(false);
    if (extent == in.shape() && from.strides == strides && summed.rank() == 0) {
      out.tensor = in;
      return out;
    }
    NM_ASSIGN(Tensor copy, Tensor::create(in.dtype(), extent));
    copy_strided(in.dtype(), extent, from, {copy.raw(), 0, row_major(extent)});
    const int64_t n = summed.count();
    if (n == 1) {
      out.tensor = copy.reshaped(kept);
      return out;
    }
    NM_ASSIGN(out.tensor, Tensor::create(in.dtype(), kept));
    if (in.dtype() == DType::Float32) {
      for_rows(out.tensor.count(), n, [&](int64_t begin, int64_t end) {
        kernels().rows.reduce(Reduce::Sum, end - begin, n, copy.data<float>() + begin * n, n,
                              out.tensor.data<float>() + begin);
      });
      return out;
    }
    NM_TRY(with_number(in.dtype(), [&]<class T>() -> Status {
      for (int64_t i = 0; i < out.tensor.count(); ++i) {
        T sum{0};
        for (int64_t k = 0; k < n; ++k) sum = add(sum, copy.data<T>()[i * n + k]);
        out.tensor.data<T>()[i] = sum;
      }
      return {};
    }));
    return out;
  }

  static int64_t size_in(const Labelled& t, int l) {
    const auto at = std::find(t.letters.begin(), t.letters.end(), l);
    return at == t.letters.end() ? 1 : t.tensor.dim(static_cast<int>(at - t.letters.begin()));
  }

  // The operand with its dimensions in the order of `letters`, under the shape `groups`.
  static Result<Tensor> ordered(const Labelled& t, const Term& letters, const Shape& groups) {
    const Strides strides = row_major(t.tensor.shape());
    StridedSource from{t.tensor.raw(), 0, {}};
    Shape extent;
    for (const int l : letters) {
      const auto at = static_cast<size_t>(std::find(t.letters.begin(), t.letters.end(), l) - t.letters.begin());
      from.strides[static_cast<size_t>(extent.rank())] = strides[at];
      extent.push_back(t.tensor.dim(static_cast<int>(at)));
    }
    if (letters == t.letters) return t.tensor.reshaped(groups);
    NM_ASSIGN(Tensor copy, Tensor::create(t.tensor.dtype(), extent));
    copy_strided(copy.dtype(), extent, from, {copy.raw(), 0, row_major(extent)});
    return copy.reshaped(groups);
  }

  // A letter that only one side has in full (1 on the other) counts as that side's own.
  static Result<Labelled> contract(Execution& execution, const Labelled& a, const Labelled& b, Letters needed) {
    Term batch, rows, columns, inner, a_ones, b_ones;
    int64_t m = 1, n = 1, k = 1, batches = 1;
    for (const int l : a.letters) {
      const int64_t size = size_in(a, l);
      const bool shared = set_of(b.letters) >> l & 1;
      const int64_t other = size_in(b, l);
      if (shared && other != size) {
        (size == 1 ? a_ones : b_ones).push_back(l);
        if (size == 1) continue;
      }
      if (!shared || other != size) {
        rows.push_back(l);
        m *= size;
      } else if (needed >> l & 1) {
        batch.push_back(l);
        batches *= size;
      } else {
        inner.push_back(l);
        k *= size;
      }
    }
    for (const int l : b.letters) {
      const bool shared = set_of(a.letters) >> l & 1;
      if (shared && size_in(a, l) != 1) continue;
      if (shared && size_in(b, l) == 1) continue;
      columns.push_back(l);
      n *= size_in(b, l);
    }
    const auto joined = [](std::initializer_list<const Term*> parts) {
      Term all;
      for (const Term* p : parts) all.insert(all.end(), p->begin(), p->end());
      return all;
    };
    NM_ASSIGN(const Tensor left, ordered(a, joined({&batch, &rows, &inner, &a_ones}), Shape{batches, m, k}));
    NM_ASSIGN(const Tensor right, ordered(b, joined({&batch, &inner, &columns, &b_ones}), Shape{batches, k, n}));
    NM_ASSIGN(Tensor product, Tensor::create(left.dtype(), Shape{batches, m, n}));
    if (left.dtype() == DType::Float32) {
      NM_TRY(multiply(execution, left, right, PackedMatrices(), Operands(), Epilogue(), product));
    } else {
      NM_TRY(multiply_generic(left, right, product));
    }
    Labelled out;
    out.letters = joined({&batch, &rows, &columns});
    if (out.letters.size() > kMaxRank) {
      return Status(Code::UnsupportedOperator, text("an intermediate result has more than ", kMaxRank, " dimensions"));
    }
    Shape shape;
    for (const int l : out.letters) shape.push_back(size_in(a, l) != 1 ? size_in(a, l) : size_in(b, l));
    out.tensor = product.reshaped(shape);
    // What was only full on one side may have been needed by nobody any more.
    return reduced(out.tensor, out.letters, needed);
  }

  static Status arrange(const Labelled& t, const Term& letters, Tensor& out) {
    const Strides strides = row_major(t.tensor.shape());
    StridedSource from{t.tensor.raw(), 0, {}};
    for (size_t i = 0; i < letters.size(); ++i) {
      const auto at =
          static_cast<size_t>(std::find(t.letters.begin(), t.letters.end(), letters[i]) - t.letters.begin());
      from.strides[i] = at == t.letters.size() || t.tensor.dim(static_cast<int>(at)) == 1 ? 0 : strides[at];
    }
    copy_strided(out.dtype(), out.shape(), from, {out.raw(), 0, row_major(out.shape())});
    return {};
  }

  Equation equation_;
};

}  // namespace

constexpr OperatorEntry kEntries[] = {
    entry<Einsum>("Einsum", 12, {.inputs = kAny, .outputs = 1, .layout = layout::opaque}),
};

NM_OPERATORS(einsum, kEntries)

}  // namespace nm
