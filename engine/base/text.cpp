#include "engine/base/text.h"

#include "engine/base/number_text.h"

namespace nm::detail {

void append(std::string& out, double part) { out += real_text(part, false); }

}  // namespace nm::detail
