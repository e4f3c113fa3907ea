// Numbers as text and back, in JSON, in sentences and in string tensors.
#pragma once
#include <cstdint>
#include <string>

namespace nm {

// The shortest decimal that reads back as the same float, or as the same double when `wide`: "3.14", "1e-05",
// "1000", "inf", "nan".
std::string real_text(double value, bool wide);

// The whole text must be one number, blanks around it aside.
bool parse_real(const std::string& text, double& value);
bool parse_integer(const std::string& text, int64_t& value);

}  // namespace nm
