// Parses the configuration language of NATS into a Tree, as nats-server 2.14.5 does, with these
// differences, all of them on texts that hardly mean what that server makes of them:
// - refused: a NUL byte; include cycles; an integer whose suffix makes it overflow; an unknown
//   suffix; a ' in a value without quotes; a key that contains '{' or begins with '/', ',' or ';';
//   a lone '/' after a value; a '}' too many, except as the last thing in a file; a '{' that is
//   not closed; a key of a block without a value; quoted keys and file names over several lines;
// - accepted: a number right before the ']' of its list; a block string that ends the file or
//   stands in a file with \r\n; a byte order mark.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "config/tree.h"

namespace spanwire::config {

// A file's content, or an error that names the file.
using ReadFile = std::function<base::Result<std::string>(const std::string& path)>;
// The value of an environment variable, or nothing if it is not set.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

// Containers may nest this deep; also below what a json::Writer can write.
inline constexpr std::size_t max_depth = 60;

// What one configuration may cost, with all it includes.
struct Limits {
  std::size_t text_bytes = 64U << 20U;
  std::size_t values = 1'000'000;  // a value that a $NAME repeats counts again
  std::size_t files = 1'000;
  std::size_t include_depth = 16;
  std::size_t variable_depth = 16;  // of environment variables that refer to another one
  std::size_t warnings = 100;
};

// All that the parser knows of the world. Neither function may throw.
struct Sources {
  ReadFile read;
  Environment environment;
  Limits limits = {};
};

// `file` names the text in errors; what it includes is looked for in that name's folder. An error
// reads "file:line:column: what is wrong and what to do".
base::Result<Tree> parse(std::string_view text, const std::string& file, const Sources& sources);

// The same for the content of a file; an error in it begins with "Parse error: ", which tools that
// start servers look for.
base::Result<Tree> parse_file(const std::string& path, const Sources& sources);

// The name of an included file as the reader gets it: relative to the including file's folder, also
// where it begins with '/', and without "." and ".." in the middle.
std::string include_path(std::string_view including_file, std::string_view name);

}  // namespace spanwire::config
