#include "tests/passes/pass_test.h"

namespace nm::test {
namespace {

constexpr int64_t kBatch = 2, kHeads = 3, kRows = 5, kSize = 4;

struct Writer {
  GraphBuilder g;
  ValueId op(const char* name, std::vector<ValueId> inputs, AttributeMap attributes = {}) {
    return g.node(name, 14, std::move(inputs), std::move(attributes));
  }
  ValueId transpose(ValueId x, std::vector<int64_t> perm) { return op("Transpose", {x}, {{"perm", std::move(perm)}}); }
  ValueId split(ValueId x, int64_t heads = kHeads) {
    return op("Reshape", {x, g.constant(tensor<int64_t>({4}, {0, 0, heads, kSize}))});
  }
  // [batch, rows, heads·size] to [batch, heads, rows, size]
  ValueId heads(ValueId x) { return transpose(split(x), {0, 2, 1, 3}); }
  ValueId merge(ValueId y) {
    return op("Reshape", {transpose(y, {0, 2, 1, 3}), g.constant(tensor<int64_t>({3}, {0, 0, kHeads * kSize}))});
  }
  ValueId tokens() { return g.input({kBatch, kRows, kHeads * kSize}); }
  ValueId softmax(ValueId x) { return op("Softmax", {x}, {{"axis", int64_t{-1}}}); }
  // Attention of which all queries share one head of a cache, which `repeat` (Expand or Tile) gives to each.
  ValueId grouped(const char* repeat) {
    const auto repeated = [&](ValueId x) {
      const ValueId one = op("Unsqueeze", {x, g.constant(tensor<int64_t>({1}, {2}))});
      const ValueId all = op(repeat, {one, g.constant(tensor<int64_t>({5}, {1, 1, kHeads, 1, 1}))});
      return op("Reshape", {all, g.constant(tensor<int64_t>({4}, {0, kHeads, -1, kSize}))});
    };
    const Shape cached{kBatch, 1, 7, kSize};
    const ValueId kt = transpose(repeated(g.input(cached)), {0, 1, 3, 2});
    const ValueId scores = op("MatMul", {heads(tokens()), kt});
    return merge(op("MatMul", {softmax(scores), repeated(g.input(cached))}));
  }
};

struct Case {
  const char* after;
  ValueId (*build)(Writer&);
};

const Case kCases[] = {
    // transformers' BERT: scores / √d + mask
    {"Reshape Reshape Reshape Reshape Reshape Reshape Attention Reshape Reshape",
     [](Writer& w) {
       const ValueId kt = w.transpose(w.split(w.tokens()), {0, 2, 3, 1});
       const ValueId scores = w.op("Div", {w.op("MatMul", {w.heads(w.tokens()), kt}), w.g.scalar(2)});
       const ValueId mask = w.g.input({kBatch, 1, 1, kRows});
       return w.merge(w.op("MatMul", {w.softmax(w.op("Add", {scores, mask})), w.heads(w.tokens())}));
     }},
    // torch's SDPA as both exporters write it: both operands scaled, guarded against rows without keys
    {"Reshape Reshape Reshape Reshape Reshape Reshape Attention Reshape Reshape",
     [](Writer& w) {
       const ValueId q = w.op("Mul", {w.heads(w.tokens()), w.g.scalar(0.7071f)});
       const ValueId kt = w.op("Mul", {w.transpose(w.heads(w.tokens()), {0, 1, 3, 2}), w.g.scalar(0.7071f)});
       const ValueId p = w.softmax(w.op("MatMul", {q, kt}));
       const ValueId safe = w.op("Where", {w.op("IsNaN", {p}), w.g.scalar(0), p});
       return w.merge(w.op("MatMul", {safe, w.heads(w.tokens())}));
     }},
    // torch's newer exporter turns keys with the heads in the batch; a position bias and a mask, as MPNet has them
    {"Reshape Reshape Reshape Add Reshape Reshape Reshape Attention Reshape Reshape",
     [](Writer& w) {
       const ValueId k = w.heads(w.tokens());
       const ValueId in_batch = w.op("Reshape", {k, w.g.constant(tensor<int64_t>({3}, {-1, kRows, kSize}))});
       const ValueId kt = w.op("Reshape", {w.transpose(in_batch, {0, 2, 1}),
                                           w.g.constant(tensor<int64_t>({4}, {kBatch, kHeads, kSize, kRows}))});
       const ValueId scores = w.op("Div", {w.op("MatMul", {w.heads(w.tokens()), kt}), w.g.scalar(2)});
       const ValueId biased = w.op("Add", {scores, w.g.random({1, kHeads, kRows, kRows})});
       const ValueId masked = w.op("Add", {biased, w.g.input({kBatch, 1, 1, kRows})});
       return w.merge(w.op("MatMul", {w.softmax(masked), w.heads(w.tokens())}));
     }},
    // ViT: queries scaled, no mask
    {"Reshape Reshape Reshape Reshape Reshape Reshape Attention Reshape Reshape",
     [](Writer& w) {
       const ValueId kt = w.transpose(w.heads(w.tokens()), {0, 1, 3, 2});
       const ValueId q = w.op("Mul", {w.heads(w.tokens()), w.g.scalar(0.5f)});
       return w.merge(w.op("MatMul", {w.softmax(w.op("MatMul", {q, kt})), w.heads(w.tokens())}));
     }},
    // GPT-2: a causal mask by Where, one of padding by Add
    {"Reshape Reshape Reshape Reshape Reshape Reshape Attention Reshape Reshape",
     [](Writer& w) {
       const ValueId kt = w.transpose(w.heads(w.tokens()), {0, 1, 3, 2});
       const ValueId scores = w.op("Div", {w.op("MatMul", {w.heads(w.tokens()), kt}), w.g.scalar(2)});
       Tensor causal = std::move(*Tensor::create(DType::Bool, {1, 1, kRows, kRows}));
       for (int64_t i = 0; i < kRows * kRows; ++i) causal.data<bool>()[i] = i % kRows <= i / kRows;
       const ValueId seen = w.op("Where", {w.g.constant(std::move(causal)), scores, w.g.scalar(-3.4028235e38f)});
       const ValueId masked = w.op("Add", {seen, w.g.input({kBatch, 1, 1, kRows})});
       return w.merge(w.op("MatMul", {w.softmax(masked), w.heads(w.tokens())}));
     }},
    // masked_fill
    {"Reshape Reshape Reshape Not Reshape Reshape Reshape Attention Reshape Reshape",
     [](Writer& w) {
       const ValueId kt = w.transpose(w.heads(w.tokens()), {0, 1, 3, 2});
       const ValueId scores = w.op("MatMul", {w.heads(w.tokens()), kt});
       const ValueId hidden = w.g.constant(tensor<bool>({kRows}, {false, true, false, false, true}));
       const ValueId masked = w.op("Where", {hidden, w.g.scalar(-1e9f), scores});
       return w.merge(w.op("MatMul", {w.softmax(masked), w.heads(w.tokens())}));
     }},
    // Llama with a cache: one head of keys for three of queries, keys and values by head already
    {"Reshape Transpose Attention Transpose Reshape", [](Writer& w) { return w.grouped("Expand"); }},
    {"Reshape Transpose Attention Transpose Reshape", [](Writer& w) { return w.grouped("Tile"); }},
    // heads in the batch: torch's nn.MultiheadAttention
    {"Attention",
     [](Writer& w) {
       const Shape flat{kBatch * kHeads, kRows, kSize};
       const ValueId q = w.op("Mul", {w.g.input(flat), w.g.scalar(0.5f)});
       const ValueId kt = w.transpose(w.g.input(flat), {0, 2, 1});
       const ValueId scores = w.op("Add", {w.op("MatMul", {q, kt}), w.g.random({kRows, kRows})});
       return w.op("MatMul", {w.softmax(scores), w.g.input(flat)});
     }},
    // the softmax of columns
    {"Transpose MatMul Softmax MatMul",
     [](Writer& w) {
       const Shape heads{kBatch, kHeads, kRows, kSize};
       const ValueId kt = w.transpose(w.g.input(heads), {0, 1, 3, 2});
       const ValueId p = w.op("Softmax", {w.op("MatMul", {w.g.input(heads), kt})}, {{"axis", int64_t{2}}});
       return w.op("MatMul", {p, w.g.input(heads)});
     }},
    // keys for all samples, a mask for each query's head in the batch, scores that somebody wants
    {"Transpose MatMul Softmax MatMul",
     [](Writer& w) {
       const Shape heads{kBatch, kHeads, kRows, kSize};
       const ValueId kt = w.transpose(w.g.input({1, kHeads, kRows, kSize}), {0, 1, 3, 2});
       return w.op("MatMul", {w.softmax(w.op("MatMul", {w.g.input(heads), kt})), w.g.input(heads)});
     }},
    {"Transpose MatMul Add Softmax MatMul",
     [](Writer& w) {
       const Shape flat{kBatch, kRows, kSize};
       const ValueId kt = w.transpose(w.g.input(flat), {0, 2, 1});
       const ValueId scores = w.op("Add", {w.op("MatMul", {w.g.input(flat), kt}), w.g.input({kBatch, kRows, kRows})});
       return w.op("MatMul", {w.softmax(scores), w.g.input(flat)});
     }},
    {"Transpose MatMul Softmax MatMul",
     [](Writer& w) {
       const Shape flat{kBatch, kRows, kSize};
       const ValueId kt = w.transpose(w.g.input(flat), {0, 2, 1});
       const ValueId p = w.softmax(w.op("MatMul", {w.g.input(flat), kt}));
       w.g.output(p);
       return w.op("MatMul", {p, w.g.input(flat)});
     }},
};

TEST_CASE("Attention as exporters write it", "[passes]") {
  const size_t which = GENERATE(range(size_t{0}, std::size(kCases)));
  CAPTURE(which);
  Writer w;
  w.g.output(kCases[which].build(w));
  const bool fuses = std::string(kCases[which].after).find("Attention") != std::string::npos;
  CHECK(listing(check_pass(fuse_attention, w.g, fuses)) == kCases[which].after);
}

}  // namespace
}  // namespace nm::test
