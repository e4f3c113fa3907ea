#include "cli/files.h"

#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>

#include "engine/base/memory.h"

namespace nm::cli {
namespace {

Result<Value> decode_sequence(const onnx::SequenceProto& proto, const ValueType& type) {
  auto sequence = std::make_shared<Sequence>();
  if (type.element) sequence->element = *type.element;
  for (const onnx::TensorProto& p : proto.tensors) {
    NM_ASSIGN(Tensor t, decode_tensor(p, nullptr, {}));
    sequence->items.push_back(std::move(t));
  }
  for (const onnx::SequenceProto& p : proto.sequences) {
    NM_ASSIGN(Value v, decode_sequence(p, type.element ? *type.element : type));
    sequence->items.push_back(std::move(v));
  }
  return Value(std::shared_ptr<const Sequence>(std::move(sequence)));
}

Result<Value> decode_value(onnx::Bytes bytes, const ValueType& type) {
  if (type.kind == ValueType::Kind::Optional) {
    NM_ASSIGN(const onnx::OptionalProto optional, onnx::read_optional(bytes));
    if (optional.content.data() == nullptr) return Value();
    return decode_value(optional.content, *type.element);
  }
  if (type.kind == ValueType::Kind::Sequence) {
    NM_ASSIGN(const onnx::SequenceProto sequence, onnx::read_sequence(bytes));
    return decode_sequence(sequence, type);
  }
  NM_ASSIGN(const onnx::TensorProto proto, onnx::read_tensor(bytes));
  NM_ASSIGN(Tensor t, decode_tensor(proto, nullptr, {}));
  return Value(std::move(t));
}

struct NpyType {
  const char* code;
  DType dtype;
};
constexpr NpyType kNpyTypes[] = {
    {"<f4", DType::Float32}, {"<f8", DType::Float64}, {"<f2", DType::Float16}, {"|i1", DType::Int8},
    {"|u1", DType::UInt8},   {"<i2", DType::Int16},   {"<u2", DType::UInt16},  {"<i4", DType::Int32},
    {"<u4", DType::UInt32},  {"<i8", DType::Int64},   {"<u8", DType::UInt64},  {"|b1", DType::Bool},
};

struct InputFile {
  std::ifstream stream;
  size_t size;
};

Status cannot_read(const std::string& path) { return {Code::InvalidArgument, text("cannot read ", path)}; }

// Pipes and devices may give bytes for ever, or keep whoever opens them waiting.
Status check_regular(const std::string& path) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status)) return {Code::InvalidArgument, text("cannot open ", path, ": it is not there")};
  if (std::filesystem::is_regular_file(status)) return {};
  return {Code::InvalidArgument,
          text("cannot read ", path, ": it is no regular file but a folder, a pipe or a device")};
}

Result<InputFile> open_file(const std::string& path) {
  NM_TRY(check_regular(path));
  std::ifstream in(path, std::ios::binary | std::ios::ate);
  if (!in) return Status(Code::InvalidArgument, text("cannot open ", path));
  const auto size = in.tellg();
  if (size < 0) return cannot_read(path);
  in.seekg(0);
  return InputFile{std::move(in), static_cast<size_t>(size)};
}

template <class Taker>
Status read_pieces(InputFile& in, const std::string& path, Taker& taker) {
  std::vector<uint8_t> piece(size_t{1} << 18);
  for (size_t left = in.size; left > 0;) {
    const size_t count = std::min(left, piece.size());
    in.stream.read(reinterpret_cast<char*>(piece.data()), static_cast<std::streamsize>(count));
    if (!in.stream) return cannot_read(path);
    NM_TRY(taker.append({piece.data(), count}));
    left -= count;
  }
  return {};
}

Status bad_npy(const std::string& path, std::string_view why) {
  return {Code::InvalidArgument, text(path, " is not a .npy file that can be read: ", why)};
}

}  // namespace

Result<File> read_file(const std::string& path) {
  NM_ASSIGN(InputFile in, open_file(path));
  Buffer buffer{Size(in.size)};
  if (!buffer.ok()) return Status(Code::OutOfMemory, text("no memory for the ", in.size, " bytes of ", path));
  in.stream.read(reinterpret_cast<char*>(buffer.data()), static_cast<std::streamsize>(in.size));
  if (!in.stream) return cannot_read(path);
  uint8_t* data = buffer.data();
  return File{std::move(buffer).share(), onnx::Bytes(data, in.size)};
}

Status write_file(const std::string& path, const void* data, size_t bytes) {
  std::ofstream out(path, std::ios::binary);
  out.write(static_cast<const char*>(data), static_cast<std::streamsize>(bytes));
  return out ? Status() : Status(Code::InvalidArgument, text("cannot write ", path));
}

Result<IncomingModel> read_model_file(const std::string& path) {
  NM_ASSIGN(InputFile in, open_file(path));
  IncomingModel file(in.size);
  NM_TRY(read_pieces(in, path, file));
  return file;
}

namespace {

bool lies_in(const std::filesystem::path& file, const std::filesystem::path& folder) {
  return !folder.empty() && std::mismatch(folder.begin(), folder.end(), file.begin(), file.end()).first == folder.end();
}

// Where an external data file lies, which must be in the model's folder, whatever links lead to it: its name comes from
// the model, which may be hostile. A model that is a link itself has two folders: where it was named, and where it is.
Result<std::string> external_path(const std::string& model, const std::string& location) {
  namespace fs = std::filesystem;
  std::error_code no_folder, no_place;
  const fs::path folder = fs::canonical(fs::path(model).parent_path() / ".", no_folder);
  const fs::path real_folder = fs::canonical(model, no_place).parent_path();
  if (no_folder || no_place) return cannot_read(model);
  const fs::path named = fs::path(location).lexically_normal();
  const bool outside = named.empty() || named.is_absolute() || *named.begin() == "..";
  const fs::path file = fs::weakly_canonical(folder / named, no_place);
  if (!outside && !no_place && (lies_in(file, folder) || lies_in(file, real_folder))) return file.string();
  return Status(Code::InvalidModel, text("the model refers to external data in '", location,
                                         "', which leads out of the model's folder; put the file beside the model"));
}

}  // namespace

Result<GivenModel> read_given_model(const std::string& path) {
  NM_ASSIGN(IncomingModel file, read_model_file(path));
  GivenModel given{std::move(file), {}};
  if (given.file.onnx() == nullptr) return given;
  NM_ASSIGN(const onnx::ModelProto model, onnx::read_model(given.file.onnx()->rest()));
  for (const std::string& location : external_locations(model)) {
    NM_ASSIGN(const std::string beside, external_path(path, location));
    std::error_code error;
    if (!std::filesystem::exists(beside, error)) continue;  // loading says what it was for
    NM_ASSIGN(InputFile data, open_file(beside));
    ExternalFile external(model, location, data.size);
    NM_TRY(read_pieces(data, beside, external));
    given.options.external.emplace(location, std::move(external));
  }
  return given;
}

Result<std::unique_ptr<Session>> load_model(const std::string& path, bool optimize, size_t passes) {
  NM_ASSIGN(GivenModel given, read_given_model(path));
  given.options.optimize = optimize;
  given.options.passes = passes;
  return Session::load(std::move(given.file), std::move(given.options));
}

Result<Tensor> pack_file(const std::string& path, Dimensions dimensions, packed::WriteOptions options) {
  NM_ASSIGN(GivenModel given, read_given_model(path));
  given.options.dimensions = std::move(dimensions);
  return pack_model(std::move(given.file), std::move(given.options), options);
}

Result<std::unique_ptr<Session>> load_packed(const Tensor& packed) {
  IncomingModel file(packed.bytes());
  NM_TRY(file.append({packed.data<uint8_t>(), packed.bytes()}));
  return Session::load(std::move(file), {});
}

Result<Value> read_value(const std::string& path, const ValueType& type) {
  if (path.ends_with(".npy")) {
    NM_ASSIGN(Tensor t, read_npy(path));
    return Value(std::move(t));
  }
  NM_ASSIGN(const File file, read_file(path));
  return decode_value(file.bytes, type);
}

Result<Tensor> read_npy(const std::string& path) {
  NM_ASSIGN(const File file, read_file(path));
  const auto* p = reinterpret_cast<const char*>(file.bytes.data());
  const size_t size = file.bytes.size();
  if (size < 12 || std::memcmp(p, "\x93NUMPY", 6) != 0) return bad_npy(path, "its signature is missing");
  const bool long_header = p[6] >= 2;
  uint32_t length = 0;
  std::memcpy(&length, p + 8, long_header ? 4 : 2);
  const size_t start = long_header ? 12 : 10;
  if (length > size - start) return bad_npy(path, "its header is cut short");
  const std::string_view header(p + start, length);
  const auto after = [&](std::string_view key) {
    const size_t at = header.find(key);
    return at == std::string_view::npos ? std::string_view() : header.substr(at + key.size());
  };
  if (after("'fortran_order':").substr(0, 6).find("True") != std::string_view::npos) {
    return bad_npy(path, "it is in Fortran order; save it in C order");
  }
  DType dtype = DType::Undefined;
  const std::string_view descr = after("'descr':");
  for (const NpyType& t : kNpyTypes) {
    if (descr.substr(0, 8).find(t.code) != std::string_view::npos) dtype = t.dtype;
  }
  if (dtype == DType::Undefined) return bad_npy(path, "its element type is not supported");
  Shape shape;
  std::string_view dims = after("'shape':");
  dims = dims.substr(0, dims.find(')'));
  for (size_t i = 0; i < dims.size();) {
    if (dims[i] < '0' || dims[i] > '9') {
      ++i;
      continue;
    }
    int64_t d = 0;
    for (; i < dims.size() && dims[i] >= '0' && dims[i] <= '9'; ++i) d = d * 10 + (dims[i] - '0');
    if (shape.rank() == kMaxRank) return bad_npy(path, "it has too many dimensions");
    shape.push_back(d);
  }
  NM_ASSIGN(Tensor t, Tensor::create(dtype, shape));
  if (t.bytes() != size - start - length) return bad_npy(path, "its data do not fit its shape");
  std::memcpy(t.raw(), p + start + length, t.bytes());
  return t;
}

Status write_npy(const std::string& path, const Tensor& tensor) {
  const char* code = nullptr;
  for (const NpyType& t : kNpyTypes) {
    if (t.dtype == tensor.dtype()) code = t.code;
  }
  if (code == nullptr) {
    return {Code::InvalidArgument, text("NumPy's file format has no element type ", dtype_name(tensor.dtype()))};
  }
  std::string dims;
  for (const int64_t d : tensor.shape()) dims += text(d, ",");
  std::string header = text("{'descr': '", code, "', 'fortran_order': False, 'shape': (", dims, "), }");
  header.append(63 - (10 + header.size()) % 64, ' ');
  header += '\n';
  const auto length = static_cast<uint16_t>(header.size());
  std::string file("\x93NUMPY\x01\x00", 8);
  file.append(reinterpret_cast<const char*>(&length), 2);
  file += header;
  file.append(static_cast<const char*>(tensor.raw()), tensor.bytes());
  return write_file(path, file.data(), file.size());
}

Result<Tensor> random_input(const Session::Port& port, uint32_t seed) {
  if (!port.type.is_tensor()) {
    return Status(Code::InvalidArgument, text("input '", port.name, "' is a ", to_string(port.type),
                                              "; random values are made for tensors only"));
  }
  Shape shape = port.shape.value_or(Shape{});
  for (int i = 0; i < shape.rank(); ++i) shape[i] = std::max<int64_t>(shape[i], shape[i] == 0 ? 0 : 1);
  const bool typed = port.type.dtype != DType::Undefined;
  return random_tensor(typed ? port.type.dtype : DType::Float32, shape, seed);
}

Result<Tensor> random_tensor(DType dtype, const Shape& shape, uint32_t seed) {
  NM_ASSIGN(Tensor t, Tensor::create(dtype, shape));
  std::mt19937 random(seed);
  const auto real = [&] { return static_cast<float>(random() >> 8) * 0x1p-23f - 1.0f; };
  for (int64_t i = 0; i < t.count(); ++i) {
    switch (t.dtype()) {
      case DType::Float32:
        t.data<float>()[i] = real();
        break;
      case DType::Float64:
        t.data<double>()[i] = real();
        break;
      case DType::Float16:
        t.data<float16>()[i] = float16(real());
        break;
      case DType::BFloat16:
        t.data<bfloat16>()[i] = bfloat16(real());
        break;
      case DType::String:
        t.data<std::string>()[i] = std::to_string(random() % 10);
        break;
      default: {
        const int bits = dtype_bits(t.dtype());
        if (bits < 8) break;
        auto* bytes = static_cast<uint8_t*>(t.raw()) + i * (bits / 8);
        std::memset(bytes, 0, static_cast<size_t>(bits / 8));
        bytes[0] = static_cast<uint8_t>(random() & 1);
      }
    }
  }
  return t;
}

}  // namespace nm::cli
