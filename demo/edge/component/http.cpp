// The export wasi:http/incoming-handler: turns what the host gives into a request of answer.h, and the answer into what
// it takes. Handles of the host's resources go as their owners go; a child is dropped before its parent.
#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "demo/edge/component/bindings/service.h"
#include "demo/edge/cpp/answer.h"

namespace digits {
namespace {

template <class Handle, void (*drop)(Handle)>
class Owned {
 public:
  explicit Owned(Handle handle) : handle_(handle) {}
  ~Owned() {
    if (held_) drop(handle_);
  }
  Owned(const Owned&) = delete;
  Owned& operator=(const Owned&) = delete;

  int32_t index() const { return handle_.__handle; }
  Handle give() {
    held_ = false;
    return handle_;
  }

 private:
  Handle handle_;
  bool held_ = true;
};

using IncomingRequest = Owned<wasi_http_types_own_incoming_request_t, wasi_http_types_incoming_request_drop_own>;
using IncomingBody = Owned<wasi_http_types_own_incoming_body_t, wasi_http_types_incoming_body_drop_own>;
using InputStream = Owned<wasi_io_streams_own_input_stream_t, wasi_io_streams_input_stream_drop_own>;
using OutputStream = Owned<wasi_io_streams_own_output_stream_t, wasi_io_streams_output_stream_drop_own>;
using Fields = Owned<wasi_http_types_own_fields_t, wasi_http_types_fields_drop_own>;

service_string_t text_of(std::string_view text) {
  return {reinterpret_cast<uint8_t*>(const_cast<char*>(text.data())), text.size()};  // only read
}

std::string method_of(const IncomingRequest& request) {
  wasi_http_types_method_t method;
  wasi_http_types_method_incoming_request_method({request.index()}, &method);
  const bool get = method.tag == WASI_HTTP_TYPES_METHOD_GET;
  const bool post = method.tag == WASI_HTTP_TYPES_METHOD_POST;
  wasi_http_types_method_free(&method);
  return get ? "GET" : post ? "POST" : "another";
}

std::string type_of(const IncomingRequest& request) {
  const Fields headers(wasi_http_types_method_incoming_request_headers({request.index()}));
  service_string_t name = text_of("content-type");
  wasi_http_types_list_field_value_t values;
  wasi_http_types_method_fields_get({headers.index()}, &name, &values);
  std::string type;
  if (values.len > 0) type.assign(reinterpret_cast<const char*>(values.ptr[0].ptr), values.ptr[0].len);
  wasi_http_types_list_field_value_free(&values);
  return type;
}

// Goes on reading where there is more than that, so that the client hears the answer, but keeps none of it.
OrRefusal<std::vector<uint8_t>> body_of(const IncomingRequest& request) {
  const Refusal lost = {400, "The body did not arrive whole."};
  wasi_http_types_own_incoming_body_t body_handle;
  if (!wasi_http_types_method_incoming_request_consume({request.index()}, &body_handle)) return lost;
  const IncomingBody body(body_handle);
  wasi_io_streams_own_input_stream_t stream_handle;
  if (!wasi_http_types_method_incoming_body_stream({body.index()}, &stream_handle)) return lost;
  const InputStream stream(stream_handle);
  std::vector<uint8_t> kept;
  for (size_t length = 0;;) {
    service_list_u8_t piece;
    wasi_io_streams_stream_error_t error;
    if (!wasi_io_streams_method_input_stream_blocking_read({stream.index()}, 65536, &piece, &error)) {
      const bool ended = error.tag == WASI_IO_STREAMS_STREAM_ERROR_CLOSED;
      wasi_io_streams_stream_error_free(&error);
      if (!ended) return lost;
      if (length > kMostBytes) {
        return Refusal{413, "The body is longer than " + std::to_string(kMostBytes) + " bytes."};
      }
      return kept;
    }
    length += piece.len;
    if (length <= kMostBytes) kept.insert(kept.end(), piece.ptr, piece.ptr + piece.len);
    service_list_u8_free(&piece);
  }
}

// False when the client does not take it any more.
bool write(const OutputStream& stream, std::string_view text) {
  constexpr size_t kMostAtOnce = 4096;  // what blocking-write-and-flush takes
  while (!text.empty()) {
    service_string_t piece = text_of(text.substr(0, kMostAtOnce));
    service_list_u8_t contents = {piece.ptr, piece.len};
    wasi_io_streams_stream_error_t error;
    if (!wasi_io_streams_method_output_stream_blocking_write_and_flush({stream.index()}, &contents, &error)) {
      wasi_io_streams_stream_error_free(&error);
      return false;
    }
    text.remove_prefix(piece.len);
  }
  return true;
}

void respond(wasi_http_types_own_response_outparam_t out, const Answer& answer) {
  Fields headers(wasi_http_types_constructor_fields());
  service_string_t name = text_of("content-type");
  const service_string_t json = text_of("application/json");
  wasi_http_types_field_value_t value = {json.ptr, json.len};
  wasi_http_types_header_error_t unlikely;
  wasi_http_types_method_fields_append({headers.index()}, &name, &value, &unlikely);
  const auto response = wasi_http_types_constructor_outgoing_response(headers.give());
  const wasi_http_types_borrow_outgoing_response_t borrowed = {response.__handle};
  wasi_http_types_method_outgoing_response_set_status_code(borrowed, static_cast<uint16_t>(answer.status));
  wasi_http_types_own_outgoing_body_t body;
  wasi_http_types_method_outgoing_response_body(borrowed, &body);  // there is one, the first time
  wasi_http_types_result_own_outgoing_response_error_code_t result = {.is_err = false, .val = {.ok = response}};
  wasi_http_types_static_response_outparam_set(out, &result);
  bool whole = false;
  wasi_io_streams_own_output_stream_t stream;
  if (wasi_http_types_method_outgoing_body_write({body.__handle}, &stream)) {
    whole = write(OutputStream(stream), answer.body);
  }
  if (!whole) return wasi_http_types_outgoing_body_drop_own(body);
  wasi_http_types_error_code_t error;
  if (!wasi_http_types_static_outgoing_body_finish(body, nullptr, &error)) wasi_http_types_error_code_free(&error);
}

}  // namespace
}  // namespace digits

void exports_wasi_http_incoming_handler_handle(exports_wasi_http_incoming_handler_own_incoming_request_t request,
                                               exports_wasi_http_incoming_handler_own_response_outparam_t out) {
  using namespace digits;
  const IncomingRequest incoming(request);
  respond(out, answer({method_of(incoming), type_of(incoming), [&] { return body_of(incoming); }}));
}
