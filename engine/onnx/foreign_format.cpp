#include "engine/onnx/foreign_format.h"

#include <algorithm>
#include <cctype>
#include <span>
#include <string>

namespace nm::onnx {
namespace {

using namespace std::literals;

struct Format {
  size_t at;  // of the mark
  std::string_view mark;
  std::string_view what;
};

// Texts are compared without regard to case and leading white space.
constexpr Format kTexts[] = {
    {0, "version https://git-lfs"sv,
     "a Git LFS pointer, not the file itself: run 'git lfs pull', or fetch the file by its download address"sv},
    {0, "<!doctype html"sv, "a web page, such as a server sends when it has no such file: check the address"sv},
    {0, "<html"sv, "a web page, such as a server sends when it has no such file: check the address"sv},
    {0, "<ir_version"sv, "ONNX's text form: convert it with onnx.parser.parse_model and onnx.save"sv},
    {0, "<?xml"sv, "XML, perhaps OpenVINO's or PMML: export the model to ONNX instead"sv},
    {0, "<"sv, "a page or an error message in a markup language, not a model: check the address"sv},
    {0, "{"sv, "JSON, perhaps a server's error message or a model's configuration: check the address"sv},
    {0, "["sv, "JSON, perhaps a server's error message: check the address"sv},
    {0, "7767517"sv, "a model of ncnn: export the model to ONNX instead"sv},
};

constexpr Format kBinaries[] = {
    {0, "PK\3\4"sv,
     "a zip archive, as PyTorch (.pt, .pth), Keras (.keras) and NumPy (.npz) write them: unpack it, or export the "
     "model to ONNX"sv},
    {0, "\x80\2"sv, "a Python pickle, as older PyTorch and scikit-learn write them: export the model to ONNX"sv},
    {0, "\x80\3"sv, "a Python pickle, as PyTorch and scikit-learn write them: export the model to ONNX"sv},
    {0, "\x80\4\x95"sv, "a Python pickle, as scikit-learn writes them: export the model to ONNX"sv},
    {4, "TFL3"sv, "a model of TensorFlow Lite (.tflite): convert it with tf2onnx"sv},
    {4, "ORTM"sv, "onnxruntime's own format (.ort): use the .onnx file that it was made of"sv},
    {8, "{\""sv, "weights in the safetensors format, without a graph: export the model to ONNX"sv},
    {0, "GGUF"sv, "weights in llama.cpp's GGUF format: use an ONNX export of the model"sv},
    {0, "lmgg"sv, "weights in llama.cpp's GGML format: use an ONNX export of the model"sv},
    {0, "tjgg"sv, "weights in llama.cpp's GGML format: use an ONNX export of the model"sv},
    {0, "\x89HDF"sv, "an HDF5 file, as Keras writes them (.h5): export the model to ONNX"sv},
    {0, "\x1f\x8b"sv, "compressed with gzip: unpack it first"sv},
    {0, "\x28\xb5\x2f\xfd"sv, "compressed with zstd: unpack it first"sv},
    {0,
     "\xfd"
     "7zXZ"sv,
     "compressed with xz: unpack it first"sv},
    {0, "BZh"sv, "compressed with bzip2: unpack it first"sv},
    {0, "7z\xbc\xaf"sv, "a 7z archive: unpack it first"sv},
    {257, "ustar"sv, "a tar archive: unpack it first"sv},
    {0, "\x93NUMPY"sv, "an array of NumPy (.npy), not a model"sv},
    {0, "\0asm"sv, "a WebAssembly module, not a model: the model and the engine's file are mixed up"sv},
    {0, "\x89PNG"sv, "a picture (PNG), not a model"sv},
    {0, "\xff\xd8\xff"sv, "a picture (JPEG), not a model"sv},
    {0, "RIFF"sv, "a sound or a picture (RIFF), not a model"sv},
    {0, "%PDF"sv, "a PDF document, not a model"sv},
    {0, "\x0a"sv,
     "another protobuf file, perhaps TensorFlow's or Caffe's graph: convert it, for instance with tf2onnx"sv},
};

std::string_view find(std::span<const Format> formats, std::string_view bytes) {
  for (const Format& f : formats) {
    if (f.at <= bytes.size() && bytes.substr(f.at).starts_with(f.mark)) return f.what;
  }
  return {};
}

}  // namespace

std::string_view foreign_format(Bytes bytes) {
  constexpr size_t kEnough = 512;
  const std::string_view all(reinterpret_cast<const char*>(bytes.data()), std::min(bytes.size(), kEnough));
  std::string_view text = all;
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);  // a byte order mark
  text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  // A lone bracket may be anything where what follows is no text.
  const auto printable = [](char c) {
    return static_cast<unsigned char>(c) >= 0x20 || c == '\n' || c == '\r' || c == '\t';
  };
  const bool is_text = !lower.empty() && std::all_of(lower.begin(), lower.end(), printable);
  if (is_text) {
    if (const std::string_view what = find(kTexts, lower); !what.empty()) return what;
  }
  return find(kBinaries, all);
}

}  // namespace nm::onnx
