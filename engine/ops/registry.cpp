// The registry is filled from a list that the build makes of this folder's files, so that nothing depends on the
// order of static initialisers and a reduced build is a shorter list.
#include "engine/ops/operator.h"

namespace nm {

#define NM_REGISTER(file) void register_##file(Registry& r);
#include "registry.inc"
#undef NM_REGISTER

const Registry& Registry::instance() {
  static const Registry registry = [] {
    Registry r;
#define NM_REGISTER(file) register_##file(r);
#include "registry.inc"
#undef NM_REGISTER
    return r;
  }();
  return registry;
}

}  // namespace nm
