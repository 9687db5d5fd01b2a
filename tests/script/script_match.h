// Compares what came with what a script expects.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "json/document.h"
#include "tests/script/script_text.h"

namespace spanwire::script {

enum class Verdict : std::uint8_t { match, more, mismatch };

struct Matched {
  Verdict verdict = Verdict::mismatch;
  std::size_t end = 0;  // of what matched; 0 otherwise
};

// Whether `data` begins with `text`. more: it is the beginning of that.
Matched match(const Text& text, std::string_view data);

// What of `have` is not as wanted, in words; empty if all is. Objects may have more members.
std::string json_difference(const json::Value& want, const json::Value& have,
                            const std::string& path = {});

// For people: escaped, or hexadecimal if most of it is no text; shortened.
std::string show(std::string_view data);
std::string describe(const Text& text);

}  // namespace spanwire::script
