// BASE_ASSERT: a broken promise of our own code. It stays in the release build: a server that has
// lost its invariants must stop before it acknowledges anything else. Never for a peer's input.
#pragma once

namespace spanwire::base {

// Prints where and what to standard error, then aborts.
[[noreturn]] void assertion_failed(const char* condition, const char* file, int line);

}  // namespace spanwire::base

#define BASE_ASSERT(condition)        \
  ((condition) ? static_cast<void>(0) \
               : ::spanwire::base::assertion_failed(#condition, __FILE__, __LINE__))
