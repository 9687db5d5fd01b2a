// Keys of the bucket of retained messages, which any NATS client may write: whatever is taken for a
// subject's must be that subject's only key.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/assert.h"
#include "bridges/kit/retained_key.h"

using namespace spanwire;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  if (const auto subject = kit::subject_of_retained_key(input)) {
    BASE_ASSERT(kit::retained_key(*subject) == input);
  }
  const std::string key = kit::retained_key(input);
  const auto subject = kit::subject_of_retained_key(key);
  BASE_ASSERT(!subject || *subject == input);
  return 0;
}
