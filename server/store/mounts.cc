#include "store/mounts.h"

#include <cstddef>
#include <string>

namespace spanwire::store {

namespace {

// Cuts the part up to `end`, and `end` itself, off the front of `text`.
std::string_view take(std::string_view& text, char end) {
  const std::string_view taken = text.substr(0, text.find(end));
  text.remove_prefix(taken.size() == text.size() ? taken.size() : taken.size() + 1);
  return taken;
}

bool is_octal(char digit) {
  return digit >= '0' && digit <= '7';
}

// Blanks and backslashes in names stand as a backslash and three octal digits.
std::string unescape(std::string_view name) {
  std::string text;
  while (!name.empty()) {
    if (name.size() >= 4 && name[0] == '\\' && is_octal(name[1]) && is_octal(name[2]) &&
        is_octal(name[3])) {
      text += static_cast<char>((name[1] - '0') * 64 + (name[2] - '0') * 8 + (name[3] - '0'));
      name.remove_prefix(4);
    } else {
      text += name.front();
      name.remove_prefix(1);
    }
  }
  return text;
}

bool is_below(std::string_view path, std::string_view folder) {
  if (folder == "/") return true;
  if (path.substr(0, folder.size()) != folder) return false;
  return path.size() == folder.size() || path[folder.size()] == '/';
}

bool has_option(std::string_view options, std::string_view wanted) {
  while (!options.empty()) {
    if (take(options, ',') == wanted) return true;
  }
  return false;
}

}  // namespace

bool on_volatile_overlay(std::string_view mountinfo, std::string_view path) {
  std::size_t longest = 0;
  bool found = false;
  while (!mountinfo.empty()) {
    std::string_view line = take(mountinfo, '\n');
    // Number, parent, device and root; then where it is mounted.
    for (int field = 0; field < 4; ++field) take(line, ' ');
    const std::string folder = unescape(take(line, ' '));
    const std::size_t optional_end = line.find(" - ");
    if (optional_end == std::string_view::npos) continue;
    line.remove_prefix(optional_end + 3);
    const std::string_view type = take(line, ' ');
    take(line, ' ');  // its source
    // A later mount on the same folder hides the earlier one.
    if (!is_below(path, folder) || folder.size() < longest) continue;
    longest = folder.size();
    found =
        type == "overlay" && (has_option(line, "volatile") || has_option(line, "fsync=volatile"));
  }
  return found;
}

}  // namespace spanwire::store
