#include "cli/accuracy.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "cli/numbers.h"

namespace nm::cli {
namespace {

int64_t equal_maxima(const std::vector<double>& x, const std::vector<double>& y, int64_t length) {
  int64_t equal = 0;
  for (auto a = x.begin(), b = y.begin(); a != x.end(); a += length, b += length) {
    equal += std::max_element(a, a + length) - a == std::max_element(b, b + length) - b ? 1 : 0;
  }
  return equal;
}

std::string accuracy(const Tensor& actual, const Tensor& expected) {
  if (!(actual.shape() == expected.shape())) {
    return text("it is ", describe(actual.dtype(), actual.shape()), " where the model's is ",
                describe(expected.dtype(), expected.shape()));
  }
  const std::vector<double> x = numbers(actual), y = numbers(expected);
  if (y.empty()) return "no numbers to compare";
  double largest = 0, scale = 0, signal = 0, noise = 0;
  for (size_t i = 0; i < y.size(); ++i) {
    const double distance = apart(x[i], y[i]);
    largest = std::max(largest, distance);
    noise += distance * distance;
    if (!std::isfinite(y[i])) continue;
    scale = std::max(scale, std::abs(y[i]));
    signal += y[i] * y[i];
  }
  char line[96];
  std::snprintf(line, sizeof line, "differs by at most %.2g of the largest number", largest / (scale > 0 ? scale : 1));
  std::string found = line;
  std::snprintf(line, sizeof line, ", signal to noise %.1f dB", 10 * std::log10(signal / noise));
  if (noise > 0) found += line;
  const int64_t length = expected.rank() == 0 ? 1 : expected.shape().back();
  if (length > 1) {
    const int64_t rows = expected.count() / length;
    found += text(", the largest of a row is the same in ", equal_maxima(x, y, length), " of ", rows);
  }
  return found;
}

}  // namespace

Status print_accuracy(Session& session, Session& reference, const InputOptions& inputs) {
  for (Session* s : {&session, &reference}) {
    NM_TRY(give_inputs(*s, inputs));
    if (Status status = s->run(); !status.ok()) {
      return {status.code(), text("the file is written, but to say how accurate it is the model must run: ",
                                  status.message(), " (--input, --shape)")};
    }
  }
  for (size_t i = 0; i < reference.outputs().size(); ++i) {
    const Tensor *actual = session.output(i).tensor(), *expected = reference.output(i).tensor();
    if (actual == nullptr || expected == nullptr) continue;
    std::printf("output '%s': %s\n", reference.outputs()[i].name.c_str(), accuracy(*actual, *expected).c_str());
  }
  return {};
}

}  // namespace nm::cli
