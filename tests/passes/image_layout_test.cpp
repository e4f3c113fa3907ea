// What states that it goes over images element by element (layout::elementwise) is put between two convolutions, where
// images are in the engine's layout, with every form of operand: a new operator is looked at here without being named.
#include <cmath>
#include <set>

#include "catch_amalgamated.hpp"
#include "engine/op/registry.h"
#include "tests/unit/onnx_writer.h"

namespace nm::test {
namespace {

const std::vector<int64_t> kImage{1, 5, 5, 5};  // as long as wide and deep: no wrong order is refused

std::vector<float> numbers(size_t count, int period) {
  std::vector<float> out;
  for (size_t i = 0; i < count; ++i) out.push_back(0.25f * static_cast<float>(static_cast<int>(i * 7) % period) - 0.5f);
  return out;
}

// Conv, the operator on numbers of a type, Conv. `others`: the shape of its other inputs.
std::string between_convolutions(const OperatorEntry& e, size_t inputs, DType type,
                                 const std::vector<int64_t>& others) {
  GraphParts parts;
  const auto cast = [&](const char* from, const std::string& to, DType into) {
    parts.nodes.push_back(node_proto("Cast", {from}, {to}, {int_attribute("to", static_cast<int64_t>(into))}));
  };
  parts.initializers.push_back(tensor_proto("w", {5, 5, 1, 1}, numbers(25, 11)));
  parts.nodes.push_back(node_proto("Conv", {"x", "w"}, {"image"}));
  cast("image", "typed", type);
  std::vector<std::string> names{"typed"};
  size_t count = 1;
  for (const int64_t d : others) count *= static_cast<size_t>(d);
  for (size_t i = 1; i < inputs; ++i) {
    const std::string name = "other" + std::to_string(i);
    parts.initializers.push_back(tensor_proto(name, others, numbers(count, 5 + static_cast<int>(i))));
    cast(name.c_str(), name + "_typed", type);
    names.push_back(name + "_typed");
  }
  parts.nodes.push_back(node_proto(e.name, names, {"y"}, {}, e.domain));
  cast("y", "floats", DType::Float32);
  parts.nodes.push_back(node_proto("Conv", {"floats", "w"}, {"z"}));
  parts.inputs.push_back(value_info("x", DType::Float32, {"1", "5", "5", "5"}));
  parts.outputs.push_back(Message().text(schema::ValueInfoProto::name, "z"));
  const bool own = e.domain.empty();
  return model_bytes(parts, own ? std::max(13, std::min(e.until(), 28)) : 21, !own);
}

Result<std::vector<float>> run(const std::string& model, bool optimize) {
  NM_ASSIGN(auto session, load(model, optimize));
  NM_ASSIGN(Tensor x, Tensor::create(DType::Float32, Shape(kImage)));
  const std::vector<float> image = numbers(125, 23);
  std::copy(image.begin(), image.end(), x.data<float>());
  NM_TRY(session->set_input(0, std::move(x)));
  NM_TRY(session->run());
  const auto y = session->output(0).tensor()->span<float>();
  return std::vector<float>(y.begin(), y.end());
}

bool near(const std::vector<float>& a, const std::vector<float>& b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (std::isnan(a[i]) && std::isnan(b[i])) continue;
    if (!(a[i] == b[i] || std::abs(a[i] - b[i]) <= 1e-4f * (1 + std::abs(a[i])))) return false;
  }
  return true;
}

TEST_CASE("Elementwise operators compute the same of images in either layout", "[passes][channels_last]") {
  size_t compared = 0;
  std::set<std::string> operators;
  for (const OperatorEntry* e : Registry::instance().entries()) {
    if (e->make == nullptr || e->facts.layout != layout::elementwise) continue;
    if (!e->domain.empty() && e->domain != "com.microsoft") continue;
    if (e->domain.empty() && e->until() < 13) continue;  // Cast and Conv are older in such a file
    for (const DType type : {DType::Float32, DType::Bool, DType::Int32, DType::Int64, DType::UInt8}) {
      const size_t most = std::min<size_t>(e->facts.inputs, 3);
      for (size_t inputs = 1; inputs <= most; ++inputs) {
        for (const std::vector<int64_t>& others :
             {kImage, std::vector<int64_t>{5, 1, 1}, std::vector<int64_t>{5}, std::vector<int64_t>{}}) {
          if (inputs == 1 && others != kImage) continue;
          const std::string model = between_convolutions(*e, inputs, type, others);
          const auto plain = run(model, false);
          if (!plain.ok()) continue;
          const auto moved = run(model, true);
          INFO(e->domain << "." << e->name << " " << e->since << " of " << inputs << " " << dtype_name(type)
                         << ", others of rank " << others.size());
          REQUIRE(moved.ok());
          CHECK(near(*plain, *moved));
          ++compared;
          operators.emplace(e->name);
        }
      }
    }
  }
  // The rest needs attributes or other types.
  CHECK(operators.size() > 60);
  CHECK(compared > 400);
}

}  // namespace
}  // namespace nm::test
