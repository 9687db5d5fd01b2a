// Small files that are written as a whole and replaced as a whole: a name, never half of one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "store/files.h"
#include "store/read_buffer.h"

namespace spanwire::store {

// Writes `<folder>/<name>.new`, makes it durable, and puts it in the place of `<folder>/<name>`.
// Blocks.
base::Status replace_file(Files& files, std::string_view folder, std::string_view name,
                          std::string_view bytes);
// The same of parts that lie behind one another.
base::Status replace_file(Files& files, std::string_view folder, std::string_view name,
                          std::span<const std::string_view> parts);
// nullopt: there is none. Fails on one above `most_bytes`.
base::Result<std::optional<std::string>> read_file(Files& files, std::string_view folder,
                                                   std::string_view name, std::uint64_t most_bytes);
// One that is known to be there.
base::Result<std::string> read_file(Files& files, const std::string& path,
                                    std::uint64_t most_bytes);
base::Status read_file(Files& files, const std::string& path, std::uint64_t most_bytes,
                       ReadBuffer& into);

// A sum before the bytes that it is of: what of these files is checked.
std::string with_sum(std::string_view bytes);
// The same in place: `file` begins with sum_bytes that are to be the sum of the rest, and of what
// comes behind it.
inline constexpr std::size_t sum_bytes = 4;
void put_sum(std::string& file, std::initializer_list<std::string_view> behind = {});
std::optional<std::string_view> without_sum(std::string_view file);

}  // namespace spanwire::store
