// Files as people have them: some that are no model, some that bend the rules and mean something plain all the same.
#include <map>

#include "engine/onnx/foreign_format.h"
#include "tests/ops/operator_test.h"
#include "tests/unit/onnx_writer.h"

namespace nm::test {
namespace {

using namespace std::literals;

Status load_failure(std::string_view bytes) {
  auto session = load(bytes);
  return session.ok() ? Status() : session.take_status();
}

TEST_CASE("Files that are no model are told by their first bytes") {
  const std::pair<std::string, std::string_view> kFiles[] = {
      {"<!DOCTYPE html>\n<html><head>", "a web page"},
      {"\n  <HTML>", "a web page"},
      {"\xef\xbb\xbf<?xml version=\"1.0\"?><net>", "XML"},
      {"<Error><Code>NoSuchKey</Code>", "markup"},
      {"{\"error\": \"not found\"}", "JSON"},
      {"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 2\n", "Git LFS"},
      {"PK\3\4\x14\0\0\0archive/data.pkl"s, "zip"},
      {"\x80\2}q\0"s, "pickle"},
      {"\x1c\0\0\0TFL3\x14\0"s, "TensorFlow Lite"},
      {"\x1c\0\0\0ORTM\x14\0"s, "onnxruntime's own"},
      {"\x40\0\0\0\0\0\0\0{\"__metadata__\""s, "safetensors"},
      {"GGUF\3\0\0\0"s, "GGUF"},
      {"\x89HDF\r\n\x1a\n", "HDF5"},
      {"\x1f\x8b\x08\0"s, "gzip"},
      {"\x93NUMPY\1\0"s, "NumPy"},
      {"\0asm\1\0\0\0"s, "WebAssembly"},
      {"\x89PNG\r\n", "PNG"},
      {"\n\x10\n\x05input\x12\x07"
       "Const!!"s,
       "TensorFlow"},
  };
  for (const auto& [bytes, word] : kFiles) {
    const Status s = load_failure(bytes);
    INFO(bytes << ": " << s.message());
    CHECK(s.code() == Code::InvalidModel);
    CHECK(s.message().starts_with("the file is no ONNX model but "));
    CHECK(s.message().find(word) != std::string::npos);
  }
  CHECK(load_failure("").message().find("empty") != std::string::npos);
}

TEST_CASE("com.microsoft's operators need no import of their domain") {
  auto session = load(model_bytes({{node_proto("Gelu", {"x"}, {"y"}, {}, "com.microsoft")},
                                   {},
                                   {value_info("x", DType::Float32, {"2"})},
                                   {value_info("y", DType::Float32, {"2"})}}));
  INFO(session.status().message());
  CHECK(session.ok());
  auto other = load(model_bytes({{node_proto("Gelu", {"x"}, {"y"}, {}, "com.example")},
                                 {},
                                 {value_info("x", DType::Float32, {"2"})},
                                 {value_info("y", DType::Float32, {"2"})}}));
  CHECK(!other.ok());
}

TEST_CASE("A scalar input may be given as one element with dimensions") {
  auto session = load(model_bytes({{node_proto("Add", {"x", "s"}, {"y"})},
                                   {},
                                   {value_info("x", DType::Float32, {"2"}), value_info("s", DType::Float32, {})},
                                   {value_info("y", DType::Float32, {"2"})}}));
  REQUIRE(session.ok());
  for (const Shape& shape : {Shape{}, Shape{1}, Shape{1, 1}}) {
    auto x = (*session)->input(0, DType::Float32, {2}), s = (*session)->input(1, DType::Float32, shape);
    REQUIRE((x.ok() && s.ok()));
    (*x)->data<float>()[0] = 1;
    (*x)->data<float>()[1] = 2;
    *(*s)->data<float>() = 10;
    REQUIRE((*session)->run().ok());
    check_equal((*session)->output(0), tensor<float>({2}, {11, 12}));
  }
  CHECK((*session)->input(1, DType::Float32, {2}).status().code() == Code::ShapeMismatch);
  REQUIRE((*session)->set_input(0, tensor<float>({2}, {1, 2})).ok());
  REQUIRE((*session)->set_input(1, tensor<float>({1}, {3})).ok());
  REQUIRE((*session)->run().ok());
  check_equal((*session)->output(0), tensor<float>({2}, {4, 5}));
}

TEST_CASE("A model that is newer than this build, or fixes its inputs, is described with a warning") {
  const GraphParts parts{{node_proto("Relu", {"x"}, {"y"})},
                         {},
                         {value_info("x", DType::Float32, {"2"})},
                         {value_info("y", DType::Float32, {"2"})}};
  const auto description = [](const std::string& bytes) {
    auto session = load(bytes);
    REQUIRE(session.ok());
    return (*session)->description();
  };
  CHECK(description(model_bytes(parts, 17)).find(R"("warnings":[])") != std::string::npos);
  CHECK(description(model_bytes(parts, 99)).find("operator set 99 of ai.onnx") != std::string::npos);
  GraphParts fixed = parts;
  fixed.nodes = {node_proto("Add", {"x", "w"}, {"y"})};
  fixed.initializers = {tensor_proto<float>("w", {2}, {1, 2})};
  fixed.inputs.push_back(value_info("w", DType::Float32, {"2"}));
  CHECK(description(model_bytes(fixed, 17)).find("'w'") != std::string::npos);
}

TEST_CASE("A missing external file is named beside those that were given") {
  namespace T = schema::TensorProto;
  namespace E = schema::StringStringEntryProto;
  Message w = Message().integer(T::dims, 2).integer(T::data_type, static_cast<int>(DType::Float32)).text(T::name, "w");
  w.integer(T::data_location, T::DataLocation::EXTERNAL);
  w.message(T::external_data, Message().text(E::key, "location").text(E::value, "weights.bin"));
  const std::string bytes = model_bytes({{node_proto("Add", {"x", "w"}, {"y"})},
                                         {w},
                                         {value_info("x", DType::Float32, {"2"})},
                                         {value_info("y", DType::Float32, {"2"})}});
  CHECK(load_failure(bytes).message() ==
        "the model keeps tensor 'w' in the external file 'weights.bin', which was not given; pass it as external data");
  onnx::ModelFile file;
  REQUIRE(file.append({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}).ok());
  auto model = onnx::read_model(file.rest());
  REQUIRE(model.ok());
  LoadOptions options;
  options.external.emplace("model.data", ExternalFile(*model, "model.data", 0));
  auto session = Session::load(std::move(file), std::move(options));
  CHECK(session.status().message() ==
        "the model keeps tensor 'w' in the external file 'weights.bin', which was not given (given were 'model.data'); "
        "pass it as external data");
}

}  // namespace
}  // namespace nm::test
