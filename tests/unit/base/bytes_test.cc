// Short texts in line (base/bytes.h).
#include "base/bytes.h"

#include <doctest/doctest.h>

#include <string>

using namespace spanwire;

namespace {

std::string text_of(std::size_t size) {
  std::string text;
  for (std::size_t i = 0; i < size; ++i) text += static_cast<char>('a' + i % 23);
  return text;
}

}  // namespace

TEST_CASE("bytes: texts are the same if every byte is, at every size") {
  for (std::size_t size = 0; size <= 80; ++size) {
    CAPTURE(size);
    const std::string one = text_of(size);
    std::string two = one;
    CHECK(base::same_text(one, two));
    CHECK_FALSE(base::same_text(one, two + "x"));
    for (std::size_t i = 0; i < size; ++i) {
      two[i] ^= 1;
      CHECK_FALSE(base::same_text(one, two));
      two[i] ^= 1;
    }
  }
  CHECK(base::same_text({}, ""));
}

TEST_CASE("bytes: a text is put whole, and nothing behind it is touched, at every size") {
  const auto check = [](std::size_t size) {
    CAPTURE(size);
    const std::string text = text_of(size);
    std::string out(size + 100, '.');
    CHECK(base::put_text(out.data() + 3, text) == out.data() + 3 + size);
    CHECK(out == "..." + text + std::string(97, '.'));
  };
  for (std::size_t size = 0; size <= 80; ++size) check(size);
  for (std::size_t more = 0; more <= 130; ++more) check(base::large_text - 65 + more);
  check(100'000);
  char none = '.';
  CHECK(base::put_text(&none, {}) == &none);
}
