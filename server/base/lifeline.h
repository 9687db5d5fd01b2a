// Ties callbacks to the life of the object that waits for them: destroying it is the cancellation.
#pragma once

#include <memory>
#include <utility>

namespace spanwire::base {

// A member of the waiting object, on whose loop the callbacks run too; the last member, so that it
// goes first.
class Lifeline {
 public:
  Lifeline() : token_(std::make_shared<char>()) {}
  Lifeline(const Lifeline&) = delete;
  Lifeline& operator=(const Lifeline&) = delete;

  // Expires when this object goes: for a member that called out, and may be gone since.
  std::weak_ptr<char> watch() const { return token_; }

  // Calls `callback` only while this object lives.
  template <class Callback>
  auto bind(Callback callback) const {
    return [token = std::weak_ptr<char>(token_),
            callback = std::move(callback)](auto&&... args) mutable {
      if (!token.expired()) callback(std::forward<decltype(args)>(args)...);
    };
  }

 private:
  std::shared_ptr<char> token_;
};

}  // namespace spanwire::base
