#include "tests/unit/web/fixture.h"

#include <charconv>

namespace spanwire::test {

std::vector<std::string> answers(std::string_view bytes) {
  std::vector<std::string> all;
  while (!bytes.empty()) {
    const std::size_t head = bytes.find("\r\n\r\n");
    BASE_ASSERT(head != std::string_view::npos);
    const std::string_view fields = bytes.substr(0, head + 2);
    bytes.remove_prefix(head + 4);
    std::string line(fields.substr(9, 3));
    constexpr std::string_view name = "Content-Length: ";
    if (const std::size_t at = fields.find(name); at != std::string_view::npos) {
      std::size_t size = 0;
      std::from_chars(fields.data() + at + name.size(), fields.data() + fields.size(), size);
      BASE_ASSERT(size <= bytes.size());
      if (line < "400" && size != 0) line.append(" ").append(bytes.substr(0, size));
      bytes.remove_prefix(size);
    }
    all.push_back(std::move(line));
  }
  return all;
}

}  // namespace spanwire::test
