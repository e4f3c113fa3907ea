// What this program calls of Fastly Compute: functions of `compute-at-edge.witx`, which Fastly publishes with its local
// host (https://docs.rs/crate/viceroy-lib/0.22.0/source/wasm_abi/compute-at-edge-abi/), in namespaces named as its
// modules. Results go to the last parameters when the status is kOk.
#pragma once
#include <cstddef>
#include <cstdint>

// A function that the host has.
#define FASTLY(module, name) [[clang::import_module(#module), clang::import_name(#name)]]

namespace fastly {

using Status = int32_t;
inline constexpr Status kOk = 0;
inline constexpr Status kBufferTooSmall = 4;

using Request = uint32_t;
using Response = uint32_t;
using Body = uint32_t;

namespace abi {

inline constexpr uint64_t kVersion = 1;

// Called before all others.
FASTLY(fastly_abi, init) Status init(uint64_t version);

}  // namespace abi

namespace http_req {

// The request that this instance is there for.
FASTLY(fastly_http_req, body_downstream_get) Status body_downstream_get(Request* request, Body* body);

// With kBufferTooSmall `length` is what there is.
FASTLY(fastly_http_req, method_get) Status method_get(Request request, char* text, size_t room, size_t* length);

// A header's first value. With kBufferTooSmall `length` is what there is.
FASTLY(fastly_http_req, header_value_get)
Status header_value_get(Request request, const char* name, size_t name_length, char* text, size_t room, size_t* length);

}  // namespace http_req

namespace http_body {

// Makes an empty one.
FASTLY(fastly_http_body, new) Status make(Body* body);

// Waits for some bytes; no bytes mean the body's end.
FASTLY(fastly_http_body, read) Status read(Body body, uint8_t* bytes, size_t room, size_t* length);

inline constexpr uint32_t kBack = 0;

// Adds to an end of the body; may take fewer bytes than it is given.
FASTLY(fastly_http_body, write) Status write(Body body, const char* bytes, size_t size, uint32_t end, size_t* taken);

}  // namespace http_body

namespace http_resp {

// Makes one with status 200 and no headers.
FASTLY(fastly_http_resp, new) Status make(Response* response);

FASTLY(fastly_http_resp, status_set) Status status_set(Response response, uint32_t status);

FASTLY(fastly_http_resp, header_insert)
Status header_insert(Response response, const char* name, size_t name_length, const char* value, size_t value_length);

inline constexpr uint32_t kWhole = 0;  // nothing more will be written to the body

// Answers the client. Takes both handles.
FASTLY(fastly_http_resp, send_downstream) Status send_downstream(Response response, Body body, uint32_t streaming);

}  // namespace http_resp

}  // namespace fastly

#undef FASTLY
