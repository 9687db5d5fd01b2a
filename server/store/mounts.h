// What the system says of the file systems that are mounted (proc(5), /proc/self/mountinfo).
#pragma once

#include <string_view>

namespace spanwire::store {

// Whether the file system that holds `path` (absolute, without links) is an overlayfs that was told
// not to sync: then fdatasync() succeeds and does nothing. `mountinfo` is that file's text.
bool on_volatile_overlay(std::string_view mountinfo, std::string_view path);

}  // namespace spanwire::store
