#include "demo/edge/cpp/answer.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <string_view>
#include <utility>

#include "demo/edge/cpp/pictures/picture.h"
#include "demo/edge/cpp/recognizer.h"
#include "engine/base/json.h"

namespace digits {
namespace {

Answer failure(int status, std::string_view code, std::string_view message) {
  nm::JsonWriter json;
  json.begin_object().key("error").begin_object().member("code", code).member("message", message);
  return {status, json.end_object().end_object().take()};
}

Answer failure(const Refusal& refusal) { return failure(refusal.status, "invalid_request", refusal.message); }

Answer failure(const nm::Status& status) {
  const bool theirs = status.code() == nm::Code::InvalidArgument || status.code() == nm::Code::InvalidData ||
                      status.code() == nm::Code::ShapeMismatch;
  return failure(theirs ? 400 : 500, nm::code_name(status.code()), status.message());
}

Answer description() {
  const auto opened = session();
  if (!opened.ok()) return failure(opened.status());
  // A part of a text in JSON, in which quotation marks of names are escaped.
  const std::string_view text = (*opened.value()).description();
  const size_t begin = text.find(R"("inputs":[)");
  const size_t end = text.find(R"(,"outputs":[)", begin);
  nm::JsonWriter engine;
  engine.begin_object().member("version", NM_VERSION).member("artefact", "reduced").end_object();
  return {200, "{" + std::string(text.substr(begin, end - begin)) + ",\"engine\":" + engine.take() + "}"};
}

Answer best(const std::array<Sign, 3>& signs) {
  // Seventeen digits are always enough; the shortest text would take several conversions to find.
  constexpr char kForm[] =
      R"({"sign":"%c","probability":%.17g,"others":[{"sign":"%c","probability":%.17g},{"sign":"%c","probability":%.17g}]})";
  std::array<char, 256> text;
  std::snprintf(text.data(), text.size(), kForm, signs[0].sign, double{signs[0].probability}, signs[1].sign,
                double{signs[1].probability}, signs[2].sign, double{signs[2].probability});
  return {200, text.data()};
}

// Without parameters, blanks and capitals.
std::string plain(std::string_view type) {
  type = type.substr(0, type.find(';'));
  std::string result;
  for (const char c : type) {
    if (c != ' ' && c != '\t') result += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return result;
}

OrRefusal<std::vector<float>> ink_of(std::string_view type, const std::vector<uint8_t>& body) {
  if (type == "image/png") return ink_of_png(body);
  return ink_of_bytes(body);
}

}  // namespace

Answer answer(const Request& request) {
  if (request.method == "GET") return description();
  if (request.method != "POST") return failure({405, "Post a picture, or get a description of the model."});
  const std::string type = plain(request.type);
  if (type != "image/png" && type != "application/octet-stream") {
    return failure(
        {415, "The content type \"" + request.type + "\" is not known; post image/png or application/octet-stream."});
  }
  const auto body = request.read();
  if (const auto* refusal = std::get_if<Refusal>(&body)) return failure(*refusal);
  const auto ink = ink_of(type, std::get<std::vector<uint8_t>>(body));
  if (const auto* refusal = std::get_if<Refusal>(&ink)) return failure(*refusal);
  const auto signs = recognize(std::get<std::vector<float>>(ink));
  return signs.ok() ? best(signs.value()) : failure(signs.status());
}

}  // namespace digits
