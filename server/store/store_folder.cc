#include "store/store_folder.h"

#include <fmt/format.h>

#include <charconv>

#include "store/whole_file.h"

namespace spanwire::store {

std::optional<std::uint64_t> file_number(std::string_view name, std::string_view suffix) {
  if (!name.ends_with(suffix)) return std::nullopt;
  name.remove_suffix(suffix.size());
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error != std::errc() || end != name.data() + name.size()) return std::nullopt;
  return number;
}

base::Result<std::uint32_t> read_store_version(Files& files) {
  const auto text = read_file(files, ".", "version", 100);
  if (!text) return tl::unexpected(text.error());
  if (!*text) return 0;
  std::string_view words = **text;
  const bool is_ours = words.starts_with(version_words) && words.ends_with('\n');
  if (is_ours) words = words.substr(version_words.size(), words.size() - version_words.size() - 1);
  const auto version = is_ours ? file_number(words) : std::nullopt;
  if (!version || *version == 0 || *version > UINT32_MAX) {
    return base::fail("the folder's file 'version' is not that of a store");
  }
  if (*version > store_version) {
    return base::fail(
        fmt::format("the store has version {}, written by a newer server: this one reads up to "
                    "version {}",
                    *version, store_version));
  }
  return static_cast<std::uint32_t>(*version);
}

}  // namespace spanwire::store
