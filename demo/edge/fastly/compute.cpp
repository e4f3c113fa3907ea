// The program for Fastly Compute. The host makes an instance for each request and calls `_start`, which fetches the
// request, turns it into one of answer.h, and sends the answer. Handles end with the instance.
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "demo/edge/cpp/answer.h"
#include "demo/edge/fastly/host.h"

namespace digits {
namespace {

// What cannot fail unless the host has no such request or no room: it answers 500 for a program that traps, and says
// where.
void require(fastly::Status status) {
  if (status != fastly::kOk) __builtin_trap();
}

std::string method_of(fastly::Request request) {
  std::array<char, 8> method;
  size_t length = 0;
  const bool fits = fastly::http_req::method_get(request, method.data(), method.size(), &length) == fastly::kOk;
  return fits ? std::string(method.data(), length) : "another";
}

std::string type_of(fastly::Request request) {
  constexpr std::string_view kName = "content-type";
  std::string type(64, '\0');
  for (;;) {
    size_t length = 0;
    const auto status =
        fastly::http_req::header_value_get(request, kName.data(), kName.size(), type.data(), type.size(), &length);
    if (status == fastly::kBufferTooSmall && length > type.size()) {
      type.resize(length);
      continue;
    }
    type.resize(status == fastly::kOk ? length : 0);
    return type;
  }
}

// Goes on reading where there is more than that, so that the client hears the answer, but keeps none of it.
OrRefusal<std::vector<uint8_t>> body_of(fastly::Body body) {
  std::vector<uint8_t> kept;
  std::array<uint8_t, 16384> piece;
  for (size_t total = 0;;) {
    size_t length = 0;
    if (fastly::http_body::read(body, piece.data(), piece.size(), &length) != fastly::kOk) {
      return Refusal{400, "The body did not arrive whole."};
    }
    if (length == 0) {
      if (total > kMostBytes) {
        return Refusal{413, "The body is longer than " + std::to_string(kMostBytes) + " bytes."};
      }
      return kept;
    }
    total += length;
    if (total <= kMostBytes) kept.insert(kept.end(), piece.begin(), piece.begin() + length);
  }
}

void respond(const Answer& answer) {
  constexpr std::string_view kName = "content-type";
  constexpr std::string_view kJson = "application/json";
  fastly::Response response;
  fastly::Body body;
  require(fastly::http_resp::make(&response));
  require(fastly::http_resp::status_set(response, static_cast<uint32_t>(answer.status)));
  require(fastly::http_resp::header_insert(response, kName.data(), kName.size(), kJson.data(), kJson.size()));
  require(fastly::http_body::make(&body));
  for (std::string_view rest = answer.body; !rest.empty();) {
    size_t taken = 0;
    require(fastly::http_body::write(body, rest.data(), rest.size(), fastly::http_body::kBack, &taken));
    rest.remove_prefix(taken);
  }
  require(fastly::http_resp::send_downstream(response, body, fastly::http_resp::kWhole));
}

}  // namespace
}  // namespace digits

extern "C" __attribute__((export_name("_start"))) void digits_start() {
  using namespace digits;
  require(fastly::abi::init(fastly::abi::kVersion));
  fastly::Request request;
  fastly::Body body;
  require(fastly::http_req::body_downstream_get(&request, &body));
  respond(answer({method_of(request), type_of(request), [body] { return body_of(body); }}));
}
