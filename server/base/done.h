// Callbacks that are called once and moved, never copied.
#pragma once

#include <absl/functional/any_invocable.h>

namespace spanwire::base {

// Completes an asynchronous call: once, on the caller's loop, never inside the call that took it.
// Destroying the asker is the only cancellation; then it is never called.
template <class... Args>
using Done = absl::AnyInvocable<void(Args...)>;

// Work to run later on some loop.
using Task = absl::AnyInvocable<void()>;

}  // namespace spanwire::base
