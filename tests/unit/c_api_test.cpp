#include "engine/c_api.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstring>
#include <fstream>
#include <regex>
#include <string>

#include "catch_amalgamated.hpp"
#include "engine/base/memory.h"
#include "tests/unit/onnx_writer.h"

using namespace nm;
using namespace nm::test;

namespace {

constexpr int32_t kFloat = static_cast<int32_t>(DType::Float32);
constexpr int32_t kInt = static_cast<int32_t>(DType::Int64);

nm_value* numbers(const std::vector<float>& values) {
  const auto count = static_cast<int64_t>(values.size());
  nm_value* value = nm_new_tensor(kFloat, &count, 1);
  nm_tensor t;
  REQUIRE(nm_value_tensor(value, 0, &t) == 0);
  REQUIRE(t.byte_length == values.size() * sizeof(float));
  std::copy(values.begin(), values.end(), static_cast<float*>(t.data));
  return value;
}

nm_value* texts(const std::string& text, const std::vector<uint32_t>& ends) {
  const auto count = static_cast<int64_t>(ends.size());
  return nm_new_strings(&count, 1, text.data(), ends.data());
}

std::string string_at(const nm_value* value, uint32_t part, uint32_t element) {
  const char* text = nullptr;
  const int32_t length = nm_value_string(value, part, element, &text);
  REQUIRE(length >= 0);
  return {text, static_cast<size_t>(length)};
}

const uint8_t* bytes_of(const std::string& s) { return reinterpret_cast<const uint8_t*>(s.data()); }

nm_session* load(const std::string& bytes) {
  nm_model* model = nm_new_model(bytes.size());
  REQUIRE(nm_model_bytes(model, bytes_of(bytes), bytes.size()) == 0);
  return nm_load(model, 0);
}

bool failed_with(const char* code) { return std::string(nm_last_error()).find(code) != std::string::npos; }

}  // namespace

TEST_CASE("the header's codes and element types have the engine's numbers and names") {
  std::ifstream header("engine/c_api.h");
  REQUIRE(header.is_open());
  const std::regex enumerator(R"( +NM_(CODE|DTYPE)_(\w+) = (\d+),.*)");
  int codes = 0, types = 0;
  for (std::string line; std::getline(header, line);) {
    std::smatch found;
    if (!std::regex_match(line, found, enumerator)) continue;
    std::string name = found[2];
    for (char& c : name) c = static_cast<char>(std::tolower(c));
    const int value = std::stoi(found[3]);
    INFO(line);
    if (found[1] == "CODE") {
      CHECK(code_name(static_cast<Code>(value)) == name);
      ++codes;
    } else {
      CHECK(dtype_name(static_cast<DType>(value)) == name);
      ++types;
    }
  }
  CHECK(codes == static_cast<int>(Code::Suspended));  // which never leaves the engine, and is the last
  CHECK(types == kDTypeCount - 1);
}

TEST_CASE("values are made, read and freed") {
  const size_t before = memory_counts().current;
  nm_value* list[] = {numbers({1, 2}), texts("aé", {1, 3, 3})};
  nm_value* sequence = nm_new_sequence(list, 2);
  CHECK(nm_value_kind(sequence) == NM_KIND_SEQUENCE);
  CHECK(nm_value_count(sequence) == 2);
  nm_tensor t;
  REQUIRE(nm_value_tensor(nm_value_item(sequence, 0), 0, &t) == 0);
  CHECK(t.dtype == kFloat);
  CHECK(static_cast<const float*>(t.data)[1] == 2);
  const nm_value* words = nm_value_item(sequence, 1);
  CHECK(string_at(words, 0, 0) == "a");
  CHECK(string_at(words, 0, 1) == "é");
  CHECK(string_at(words, 0, 2).empty());
  CHECK(nm_value_item(sequence, 2) == nullptr);
  CHECK(nm_value_tensor(sequence, 0, &t) < 0);
  CHECK(nm_value_tensor(words, 1, &t) < 0);
  const char* text = nullptr;
  CHECK(nm_value_string(words, 0, 3, &text) < 0);
  CHECK(nm_value_string(nm_value_item(sequence, 0), 0, 0, &text) < 0);
  nm_free_value(sequence);

  nm_value* map = nm_new_map(texts("ab", {1, 2}), numbers({3, 4}));
  CHECK(nm_value_kind(map) == NM_KIND_MAP);
  CHECK(nm_value_count(map) < 0);
  CHECK(string_at(map, 0, 1) == "b");
  REQUIRE(nm_value_tensor(map, 1, &t) == 0);
  CHECK(static_cast<const float*>(t.data)[0] == 3);
  nm_free_value(map);
  nm_free_value(nullptr);
  CHECK(memory_counts().current == before);
}

TEST_CASE("values that are none are refused, and what they were made of is freed") {
  const size_t before = memory_counts().current;
  const int64_t huge[] = {int64_t{1} << 40, int64_t{1} << 40};
  const int64_t negative = -1;
  CHECK(nm_new_tensor(kFloat, huge, 2) == nullptr);
  CHECK(nm_new_tensor(kFloat, &negative, 1) == nullptr);
  CHECK(nm_new_tensor(99, huge, 0) == nullptr);
  CHECK(nm_new_tensor(kFloat, huge, 1000) == nullptr);
  CHECK(texts("abc", {2, 1}) == nullptr);
  CHECK(failed_with("invalid_argument"));
  CHECK(nm_new_map(numbers({1}), numbers({2})) == nullptr);  // floats are no keys
  CHECK(nm_new_map(texts("a", {1}), numbers({1, 2})) == nullptr);
  CHECK(nm_new_map(nullptr, numbers({1})) == nullptr);
  CHECK(memory_counts().current == before);
}

TEST_CASE("inputs take only the values that they are for") {
  // y = x + x over float32[2]
  const std::string model = model_bytes({{node_proto("Add", {"x", "x"}, {"y"})},
                                         {},
                                         {value_info("x", DType::Float32, {"2"})},
                                         {value_info("y", DType::Float32, {"2"})}});
  nm_session* session = load(model);
  REQUIRE(session != nullptr);
  nm_value* list[] = {numbers({1, 2})};
  CHECK(nm_input_value(session, 0, nm_new_sequence(list, 1)) < 0);
  CHECK(failed_with("type_mismatch"));
  CHECK(nm_input_value(session, 0, numbers({1, 2, 3})) < 0);
  CHECK(failed_with("shape_mismatch"));
  CHECK(nm_input_value(session, 0, texts("ab", {1, 2})) < 0);
  CHECK(nm_input_value(session, 0, nullptr) < 0);
  CHECK(nm_input_value(session, 1, numbers({1, 2})) < 0);
  const int64_t two = 2;
  CHECK(nm_input(session, 0, kInt, &two, 1) == nullptr);
  CHECK(nm_output(session, 0) == nullptr);
  REQUIRE(nm_input_value(session, 0, numbers({1, 2})) == 0);
  REQUIRE(nm_run(session) == 0);
  nm_tensor t;
  REQUIRE(nm_value_tensor(nm_output(session, 0), 0, &t) == 0);
  CHECK(static_cast<const float*>(t.data)[1] == 4);
  CHECK(nm_output(session, 1) == nullptr);
  nm_release(session);
}

TEST_CASE("a model's files belong to the engine once it is loaded, and can be given up before") {
  const size_t before = memory_counts().current;
  namespace T = schema::TensorProto;
  const Message location = Message()
                               .text(schema::StringStringEntryProto::key, "location")
                               .text(schema::StringStringEntryProto::value, "w.bin");
  const Message weights = Message()
                              .integer(T::dims, 2)
                              .integer(T::data_type, kFloat)
                              .text(T::name, "w")
                              .integer(T::data_location, T::DataLocation::EXTERNAL)
                              .message(T::external_data, location);
  const std::string bytes =
      model_bytes({{node_proto("Identity", {"w"}, {"y"})}, {weights}, {}, {value_info("y", DType::Float32, {"2"})}});
  const std::string data("\0\0\x80\x3f\0\0\0\x40", 8);  // 1, 2
  const auto give = [&](const std::string& file) {
    nm_model* model = nm_new_model(0);
    REQUIRE(nm_model_bytes(model, bytes_of(bytes), bytes.size()) == 0);
    REQUIRE(nm_external_file(model, "w.bin", file.size()) == 0);
    REQUIRE(nm_model_bytes(model, bytes_of(file), file.size()) == 0);
    return model;
  };
  nm_session* session = nm_load(give(data), 0);
  REQUIRE(session != nullptr);
  REQUIRE(nm_run(session) == 0);
  nm_tensor t;
  REQUIRE(nm_value_tensor(nm_output(session, 0), 0, &t) == 0);
  CHECK(static_cast<const float*>(t.data)[1] == 2);
  nm_release(session);

  // Packed, the external data are inside.
  nm_value* packed = nm_pack(give(data), NM_PACK_STRIPPED);
  REQUIRE(packed != nullptr);
  REQUIRE(nm_value_tensor(packed, 0, &t) == 0);
  const auto again = [&] {
    nm_model* model = nm_new_model(t.byte_length);
    REQUIRE(nm_model_bytes(model, static_cast<const uint8_t*>(t.data), t.byte_length) == 0);
    return model;
  };
  session = nm_load(again(), 0);
  REQUIRE(session != nullptr);
  REQUIRE(nm_run(session) == 0);
  nm_tensor y;
  REQUIRE(nm_value_tensor(nm_output(session, 0), 0, &y) == 0);
  CHECK(static_cast<const float*>(y.data)[1] == 2);
  nm_release(session);
  nm_model* whole = again();
  CHECK(nm_external_file(whole, "w.bin", 8) < 0);
  CHECK(failed_with("leave the external file 'w.bin' out"));
  CHECK(nm_dimension(whole, "batch", 1.5) < 0);
  CHECK(failed_with("cannot be 1.5"));
  CHECK(nm_dimension(whole, "batch", 2) == 0);
  CHECK(nm_load(whole, 0) == nullptr);
  CHECK(failed_with("fixed when it was packed"));
  CHECK(nm_load(again(), NM_LOAD_UNOPTIMIZED) == nullptr);
  CHECK(nm_pack(again(), 0) == nullptr);
  CHECK(failed_with("packed already"));
  CHECK(nm_pack(give(data), NM_PACK_INT8 + NM_PACK_INT4) == nullptr);
  CHECK(failed_with("in one form only"));
  nm_free_value(packed);

  CHECK(nm_load(give(data.substr(1)), 0) == nullptr);
  CHECK(failed_with("has only 7 bytes"));
  nm_free_model(give(data));
  nm_model* empty = nm_new_model(100);
  CHECK(nm_external_file(empty, "w.bin", 8) < 0);
  CHECK(failed_with("invalid_model"));
  CHECK(nm_load(empty, 0) == nullptr);
  nm_free_model(nullptr);
  CHECK(memory_counts().current == before);
}

namespace {

// total_out = total + x over float32[n]; again = Identity(x).
nm_session* adder() {
  return load(
      model_bytes({{node_proto("Add", {"total", "x"}, {"total_out"}), node_proto("Identity", {"x"}, {"again"})},
                   {},
                   {value_info("total", DType::Float32, {"n"}), value_info("x", DType::Float32, {"n"})},
                   {value_info("total_out", DType::Float32, {"n"}), value_info("again", DType::Float32, {"n"})}}));
}

std::vector<float> read(const nm_value* value) {
  nm_tensor t;
  REQUIRE(nm_value_tensor(value, 0, &t) == 0);
  const auto* data = static_cast<const float*>(t.data);
  return {data, data + t.byte_length / sizeof(float)};
}

const void* address(const nm_value* value) {
  nm_tensor t;
  REQUIRE(nm_value_tensor(value, 0, &t) == 0);
  return t.data;
}

}  // namespace

TEST_CASE("state goes from run to run without a copy") {
  const size_t before = memory_counts().current;
  nm_session* session = adder();
  REQUIRE(session != nullptr);
  REQUIRE(nm_keep_output(session, 0, 0) == 0);
  nm_value* total = numbers({0, 0, 0});
  for (int i = 1; i <= 5; ++i) {
    REQUIRE(nm_input_value(session, 0, total) == 0);
    REQUIRE(nm_input_value(session, 1, numbers({1, 2, 3})) == 0);
    REQUIRE(nm_run(session) == 0);
    total = nm_take_output(session, 0);
    REQUIRE(total != nullptr);
    CHECK(address(total) == address(nm_output(session, 0)));
  }
  CHECK(read(total) == std::vector<float>{5, 10, 15});
  // What has been taken outlives the session.
  nm_release(session);
  CHECK(read(total) == std::vector<float>{5, 10, 15});
  nm_free_value(total);
  CHECK(memory_counts().current == before);
}

TEST_CASE("a value is cut where it is") {
  nm_session* session =
      load(model_bytes({{node_proto("Concat", {"past", "x"}, {"all"}, {int_attribute("axis", 0)})},
                        {},
                        {value_info("past", DType::Float32, {"p"}), value_info("x", DType::Float32, {"n"})},
                        {value_info("all", DType::Float32, {"a"})}}));
  REQUIRE(session != nullptr);
  REQUIRE(nm_keep_output(session, 0, 0) == 0);
  const auto run = [&](nm_value* past, const std::vector<float>& x) {
    REQUIRE(nm_input_value(session, 0, past) == 0);
    REQUIRE(nm_input_value(session, 1, numbers(x)) == 0);
    REQUIRE(nm_run(session) == 0);
    return nm_take_output(session, 0);
  };
  nm_value* all = run(run(numbers({}), {1, 2, 3}), {4, 5});
  nm_value* part = nm_shorten_value(all, 0, 2);
  REQUIRE(part != nullptr);
  nm_tensor t;
  REQUIRE(nm_value_shape(part, 0, &t) == 0);
  CHECK((t.rank == 1 && t.dims[0] == 2 && t.data == nullptr));
  nm_value* other = run(nm_share_value(part), {9});
  CHECK(read(other) == std::vector<float>{1, 2, 9});
  CHECK(read(part) == std::vector<float>{1, 2});
  CHECK(read(all) == std::vector<float>{1, 2, 3, 4, 5});
  nm_value* sequence = nm_new_sequence(nullptr, 0);
  nm_value* text = texts("ab", {1, 2});
  for (nm_value* wrong :
       {nm_shorten_value(all, 1, 1), nm_shorten_value(all, 0, 6), nm_shorten_value(all, 0, -1),
        nm_shorten_value(all, 0, 0.5), nm_shorten_value(all, 0, NAN), nm_shorten_value(sequence, 0, 0)}) {
    CHECK(wrong == nullptr);
    CHECK(failed_with("invalid_argument"));
  }
  CHECK(nm_shorten_value(text, 0, 1) == nullptr);
  CHECK(failed_with("type_mismatch"));
  for (nm_value* value : {all, part, other, sequence, text}) nm_free_value(value);
  nm_release(session);
}

TEST_CASE("a cache is stored as its caller wants") {
  nm_session* session =
      load(model_bytes({{node_proto("Concat", {"past", "x"}, {"all"}, {int_attribute("axis", 0)})},
                        {},
                        {value_info("past", DType::Float32, {"p", "2"}), value_info("x", DType::Float32, {"n", "2"})},
                        {value_info("all", DType::Float32, {"a", "2"})}}));
  REQUIRE(session != nullptr);
  for (const int32_t wrong : {1, 2, 16, -1}) {
    CHECK(nm_keep_output(session, 0, wrong) < 0);
    CHECK(failed_with("invalid_argument"));
  }
  const auto rows = [](const std::vector<float>& x) {
    const int64_t dims[] = {static_cast<int64_t>(x.size() / 2), 2};
    nm_value* value = nm_new_tensor(NM_DTYPE_FLOAT32, dims, 2);
    nm_tensor t;
    REQUIRE(nm_value_tensor(value, 0, &t) == 0);
    std::copy(x.begin(), x.end(), static_cast<float*>(t.data));
    return value;
  };
  const std::pair<int32_t, float> stored[] = {{0, 1.0001f}, {NM_DTYPE_FLOAT16, 1}, {NM_DTYPE_INT8, 128 / 127.f}};
  for (const auto& [dtype, second] : stored) {
    CAPTURE(dtype);
    REQUIRE(nm_keep_output(session, 0, dtype) == 0);
    REQUIRE(nm_input_value(session, 0, rows({})) == 0);
    REQUIRE(nm_input_value(session, 1, rows({128, 1.0001f})) == 0);
    REQUIRE(nm_run(session) == 0);
    nm_value* all = nm_take_output(session, 0);
    nm_tensor t;
    REQUIRE(nm_value_shape(all, 0, &t) == 0);
    CHECK(t.dtype == NM_DTYPE_FLOAT32);
    nm_value* part = nm_shorten_value(all, 0, 1);
    CHECK(std::abs(read(part)[1] - second) < 2e-4f);
    CHECK((std::abs(read(all)[1] - second) < 2e-5f || dtype == NM_DTYPE_INT8));
    for (nm_value* value : {all, part}) nm_free_value(value);
  }
  nm_release(session);
}

TEST_CASE("what a run computes from a view of a kept output outlives neither") {
  // total_out, a view of it, a view of that, and what is computed from the last.
  nm_session* session = load(model_bytes(
      {{node_proto("Add", {"total", "x"}, {"total_out"}), node_proto("Unsqueeze", {"total_out", "zero"}, {"row"}),
        node_proto("Squeeze", {"row", "zero"}, {"flat"}), node_proto("Add", {"flat", "row"}, {"twice"})},
       {tensor_proto("zero", DType::Int64, {1}, std::string("\0\0\0\0\0\0\0\0", 8))},
       {value_info("total", DType::Float32, {"n"}), value_info("x", DType::Float32, {"n"})},
       {value_info("total_out", DType::Float32, {"n"}), value_info("twice", DType::Float32, {"1", "n"})}}));
  REQUIRE(session != nullptr);
  REQUIRE(nm_keep_output(session, 0, 0) == 0);
  std::vector<nm_value*> taken;
  for (int i = 1; i <= 3; ++i) {
    REQUIRE(nm_input_value(session, 0, i == 1 ? numbers({0, 0, 0}) : nm_share_value(taken.back())) == 0);
    REQUIRE(nm_input_value(session, 1, numbers({1, 2, 3})) == 0);
    REQUIRE(nm_run(session) == 0);
    const auto n = static_cast<float>(i);
    CHECK(read(nm_output(session, 1)) == std::vector<float>{2 * n, 4 * n, 6 * n});
    taken.push_back(nm_take_output(session, 0));
  }
  nm_release(session);
  for (size_t i = 0; i < taken.size(); ++i) {
    const auto n = static_cast<float>(i + 1);
    CHECK(read(taken[i]) == std::vector<float>{n, 2 * n, 3 * n});
    nm_free_value(taken[i]);
  }
}

TEST_CASE("a session that has seen many shapes computes what a fresh one does") {
  // A cache that grows, arithmetic on its length, a list as long as the cache, an Expand that is a view for all lengths
  // but one, and what is computed in place.
  const std::string model = model_bytes(
      {{node_proto("Concat", {"past", "x"}, {"present"}, {int_attribute("axis", 0)}),
        node_proto("Shape", {"present"}, {"length"}), node_proto("Add", {"length", "one"}, {"longer"}),
        node_proto("Squeeze", {"longer"}, {"end"}), node_proto("Range", {"start", "end", "step"}, {"places"}),
        node_proto("Cast", {"places"}, {"numbers"}, {int_attribute("to", 1)}),
        node_proto("Slice", {"numbers", "one", "longer"}, {"rest"}),
        node_proto("Expand", {"present", "five"}, {"wide"}), node_proto("ReduceSum", {"wide"}, {"all"}),
        node_proto("Mul", {"rest", "present"}, {"weighed"}), node_proto("Relu", {"weighed"}, {"kept"}),
        node_proto("Add", {"kept", "all"}, {"y"})},
       {tensor_proto<int64_t>("one", {1}, {1}), tensor_proto<int64_t>("start", {}, {0}),
        tensor_proto<int64_t>("step", {}, {1}), tensor_proto<int64_t>("five", {1}, {1})},
       {value_info("past", DType::Float32, {"n"}), value_info("x", DType::Float32, {"m"})},
       {value_info("present", DType::Float32, {"k"}), value_info("y", DType::Float32, {"k"})}});
  nm_session* session = load(model);
  REQUIRE(session != nullptr);
  // Longer, shorter and known ones; 2,000 numbers are more than a plan computes.
  for (const int64_t n : {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 30, 12, 5, 0, 2000, 2001, 13, 1, 300, 301, 302, 40}) {
    nm_session* fresh = load(model);
    REQUIRE(fresh != nullptr);
    std::vector<float> results[2];
    for (nm_session* s : {session, fresh}) {
      std::vector<float> past(static_cast<size_t>(n));
      for (size_t i = 0; i < past.size(); ++i) past[i] = static_cast<float>(i) - 3;
      REQUIRE(nm_input_value(s, 0, numbers(past)) == 0);
      REQUIRE(nm_input_value(s, 1, numbers({0.5f})) == 0);
      REQUIRE(nm_run(s) == 0);
      results[s == fresh] = read(nm_output(s, 1));
    }
    CAPTURE(n);
    CHECK(results[0] == results[1]);
    CHECK(results[1].size() == static_cast<size_t>(n + 1));
    nm_release(fresh);
  }
  nm_release(session);
}

TEST_CASE("outputs that nobody wants are not computed") {
  // total = past + x for both; places outside of the table are refused where they are looked up.
  nm_session* session =
      load(model_bytes({{node_proto("Concat", {"past", "x"}, {"total"}, {int_attribute("axis", 0)}),
                         node_proto("Mul", {"total", "total"}, {"square"}),
                         node_proto("Cast", {"x"}, {"place"}, {int_attribute("to", 7)}),
                         node_proto("Gather", {"total", "place"}, {"found"}), node_proto("Neg", {"found"}, {"less"})},
                        {},
                        {value_info("past", DType::Float32, {"n"}), value_info("x", DType::Float32, {"1"})},
                        {value_info("square", DType::Float32, {"k"}), value_info("less", DType::Float32, {"1"})}}));
  REQUIRE(session != nullptr);
  const auto run = [&](int64_t past, float x) {
    REQUIRE(nm_input_value(session, 0, numbers(std::vector<float>(static_cast<size_t>(past), 3))) == 0);
    REQUIRE(nm_input_value(session, 1, numbers({x})) == 0);
    return nm_run(session);
  };
  const auto kind = [&](uint32_t output) { return nm_value_kind(nm_output(session, output)); };
  CHECK(run(2, 9) < 0);
  REQUIRE(nm_want_output(session, 1, 0) == 0);
  // As many lengths as make old plans those of new shapes, wanted and not.
  for (int64_t past = 1; past < 30; ++past) {
    CAPTURE(past);
    REQUIRE(nm_want_output(session, 1, past % 7 == 0) == 0);
    REQUIRE(run(past, past % 7 == 0 ? 1 : 99) == 0);
    CHECK(read(nm_output(session, 0)).size() == static_cast<size_t>(past + 1));
    CHECK(kind(1) == (past % 7 == 0 ? NM_KIND_TENSOR : NM_KIND_NOTHING));
  }
  REQUIRE(nm_want_output(session, 0, 0) == 0);
  REQUIRE(nm_want_output(session, 1, 1) == 0);
  REQUIRE(run(3, 1) == 0);
  CHECK(kind(0) == NM_KIND_NOTHING);
  CHECK(read(nm_output(session, 1)) == std::vector<float>{-3});
  CHECK(run(3, 9) < 0);
  // Nothing at all may be wanted.
  REQUIRE(nm_want_output(session, 1, 0) == 0);
  CHECK(run(3, 9) == 0);
  CHECK(nm_want_output(session, 2, 0) < 0);
  nm_release(session);
}

TEST_CASE("a value taken from a run is not changed by the next ones") {
  nm_session* session = adder();
  REQUIRE(session != nullptr);
  std::vector<nm_value*> taken;
  for (int i = 0; i < 3; ++i) {
    const int64_t n = 2;
    for (uint32_t input = 0; input < 2; ++input) {
      auto* x = static_cast<float*>(nm_input(session, input, kFloat, &n, 1));
      REQUIRE(x != nullptr);
      x[0] = x[1] = static_cast<float>(i);
    }
    REQUIRE(nm_run(session) == 0);
    for (uint32_t output = 0; output < 2; ++output) taken.push_back(nm_take_output(session, output));
    if (i == 1) REQUIRE(nm_keep_output(session, 1, 0) == 0);
  }
  for (int i = 0; i < 3; ++i) {
    CHECK(read(taken[static_cast<size_t>(2 * i)]) == std::vector<float>(2, static_cast<float>(2 * i)));
    CHECK(read(taken[static_cast<size_t>(2 * i + 1)]) == std::vector<float>(2, static_cast<float>(i)));
  }
  // One value may go to several runs and be read beside them.
  nm_value* shared = nm_share_value(taken[0]);
  REQUIRE(nm_input_value(session, 0, shared) == 0);
  REQUIRE(nm_input_value(session, 1, nm_share_value(taken[4])) == 0);
  REQUIRE(nm_run(session) == 0);
  CHECK(read(nm_output(session, 0)) == std::vector<float>{4, 4});
  CHECK(read(taken[4]) == std::vector<float>{4, 4});
  for (nm_value* value : taken) nm_free_value(value);
  nm_release(session);
  CHECK(nm_keep_output(session = adder(), 2, 0) < 0);
  CHECK(nm_take_output(session, 0) == nullptr);  // no run has finished
  nm_release(session);
}

TEST_CASE("steps name their values, which are there until the next step") {
  nm_session* session = load(model_bytes({{node_proto("Neg", {"x"}, {"a"}), node_proto("MatMul", {"a", "w"}, {"b"}),
                                           node_proto("MatMul", {"b", "w"}, {"y"})},
                                          {tensor_proto<float>("w", {2, 2}, {0, 1, 1, 0})},
                                          {value_info("x", DType::Float32, {"1", "2"})},
                                          {value_info("y", DType::Float32, {"1", "2"})}}));
  REQUIRE(session != nullptr);
  CHECK(nm_step_value(session, 0, 0) == nullptr);  // no plan yet
  const int64_t dims[] = {1, 2};
  auto* x = static_cast<float*>(nm_input(session, 0, kFloat, dims, 2));
  x[0] = 3;
  x[1] = 4;
  REQUIRE(nm_run_begin(session) == 0);
  const std::string steps = nm_steps(session);
  const std::vector<std::vector<float>> expected{{-3, -4}, {-4, -3}, {-3, -4}};
  for (uint32_t step = 0; step < 3; ++step) {
    REQUIRE(nm_run_steps(session, 1) == static_cast<int32_t>(2 - step));
    CHECK(read(nm_step_value(session, step, 0)) == expected[step]);
  }
  for (const char* name : {R"("values":["a"])", R"("values":["b"])", R"("values":["y"])"}) {
    CHECK(steps.find(name) != std::string::npos);
  }
  CHECK(nm_step_value(session, 0, 1) == nullptr);
  CHECK(nm_step_value(session, 3, 0) == nullptr);
  nm_release(session);
}
