// The service, which knows no host: a request's parts in, a status and JSON out, as demo/edge/shared/answer.js has it.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "demo/edge/cpp/pictures/refusal.h"

namespace digits {

// The longest body that is taken.
inline constexpr size_t kMostBytes = 100'000;

struct Request {
  std::string method;
  std::string type;  // empty when there is none
  // Reads the body, of at most kMostBytes; called once at most.
  std::function<OrRefusal<std::vector<uint8_t>>()> read;
};

struct Answer {
  int status;
  std::string body;
};

Answer answer(const Request& request);

}  // namespace digits
