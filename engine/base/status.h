// Errors as values. The engine has no exceptions: everything that can fail returns Status or Result<T>.
#pragma once
#include <cassert>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace nm {

// Stable codes; the web package maps them to its typed errors by name (see code_name).
enum class Code : int {
  Ok = 0,
  InvalidModel = 1,         // bytes that are not a well-formed ONNX model
  UnsupportedOperator = 2,  // an operator, version, type or attribute the engine does not have
  InvalidArgument = 3,      // a call or an option that makes no sense
  MissingInput = 4,         // a required input was not given
  TypeMismatch = 5,         // element type differs from what the model declares
  ShapeMismatch = 6,        // shape differs from what the model or the operator needs
  OutOfMemory = 7,
  Cancelled = 8,
  InvalidData = 9,     // an input's values are out of the range the operator allows (an index past the end, …)
  Internal = 10,       // a broken invariant of the engine: always a defect
  LimitExceeded = 11,  // the model takes more than the caller allows (see engine/base/limits.h)
  Suspended = 12,      // not a failure: a sliced run goes on with the next call (never leaves the engine)
};

// "invalid_model", "unsupported_operator", …
std::string_view code_name(Code code);

// What went wrong, for a person: `message` is one sentence that names the thing and the remedy.
struct Error {
  Code code = Code::Internal;
  std::string message;
  std::string op;        // operator type, when one is concerned
  std::string node;      // node name
  std::string input;     // input or value name
  std::string expected;  // expected type/shape
  std::string actual;    // actual type/shape
};

// Names come from model files, whose authors may choose them as long as they like.
inline constexpr size_t kLongestName = 1024;
inline constexpr size_t kLongestMessage = 16 * 1024;
// At most `most` bytes of `text`, cut between characters of UTF-8, with "…" in place of what is missing.
std::string clipped(std::string text, size_t most);

class [[nodiscard]] Status {
 public:
  Status() = default;  // success
  Status(Code code, std::string message) : error_(std::make_unique<Error>()) {
    error_->code = code;
    error_->message = clipped(std::move(message), kLongestMessage);
  }
  explicit Status(Error error) : error_(std::make_unique<Error>(std::move(error))) {}

  bool ok() const { return error_ == nullptr; }
  Code code() const { return error_ ? error_->code : Code::Ok; }
  const std::string& message() const {
    static const std::string empty;
    return error_ ? error_->message : empty;
  }
  const Error& error() const { return *error_; }

  // Adds the place of the failure as it travels up; the innermost place wins.
  Status at(std::string_view op, std::string_view node) && {
    if (error_ && error_->op.empty()) {
      error_->op = clipped(std::string(op), kLongestName);
      error_->node = clipped(std::string(node), kLongestName);
    }
    return std::move(*this);
  }
  Status about(std::string_view input, std::string expected, std::string actual) && {
    if (error_) {
      error_->input = clipped(std::string(input), kLongestName);
      error_->expected = clipped(std::move(expected), kLongestName);
      error_->actual = clipped(std::move(actual), kLongestName);
    }
    return std::move(*this);
  }

 private:
  std::unique_ptr<Error> error_;
};

// A value or the reason why there is none.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}
  Result(Status status) : status_(std::move(status)) { assert(!status_.ok()); }

  bool ok() const { return value_.has_value(); }
  const Status& status() const { return status_; }
  Status take_status() { return std::move(status_); }
  T& value() { return *value_; }
  const T& value() const { return *value_; }
  T* operator->() { return &*value_; }
  T& operator*() { return *value_; }
  const T& operator*() const { return *value_; }

 private:
  std::optional<T> value_;
  Status status_;
};

#define NM_CONCAT_(a, b) a##b
#define NM_CONCAT(a, b) NM_CONCAT_(a, b)

// Returns from the enclosing function when `expr` fails.
#define NM_TRY(expr)                                        \
  do {                                                      \
    if (::nm::Status nm_status = (expr); !nm_status.ok()) { \
      return nm_status;                                     \
    }                                                       \
  } while (false)

// NM_ASSIGN(auto x, f()): declares or assigns from a Result, returning its Status on failure.
#define NM_ASSIGN(target, expr) NM_ASSIGN_(NM_CONCAT(nm_result_, __LINE__), target, expr)
#define NM_ASSIGN_(tmp, target, expr)      \
  auto tmp = (expr);                       \
  if (!tmp.ok()) return tmp.take_status(); \
  target = std::move(*tmp)

}  // namespace nm
