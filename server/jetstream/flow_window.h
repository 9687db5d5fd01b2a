// How much a push consumer may send: flow control by answers of the receiver, and a rate.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "base/clock.h"

namespace spanwire::jetstream {

// Flow control: when more than half of the window is under way the receiver is asked to answer, and
// until it does no more than the window is sent. Each answer doubles the window.
class FlowWindow {
 public:
  static constexpr std::uint64_t largest_bytes = 32U << 20;
  static constexpr std::uint64_t first_bytes = largest_bytes / 16;

  void enable(bool on) { on_ = on; }
  bool enabled() const { return on_; }
  bool full() const { return on_ && under_way_ > window_; }
  // The subject that was asked with and not yet answered; empty: none.
  const std::string& asked() const { return asked_; }
  void add(std::uint64_t bytes) {
    if (!on_) return;
    under_way_ += bytes;
    if (!asked_.empty() && under_way_ - asked_bytes_ >= window_) asked_bytes_ += bytes;
  }
  bool should_ask() const { return on_ && asked_.empty() && under_way_ > window_ / 2; }
  void ask(std::string subject) {
    asked_ = std::move(subject);
    asked_bytes_ = under_way_;
  }
  // False: it answers nothing that was asked last.
  bool answered(std::string_view subject) {
    if (asked_.empty() || subject != asked_) return false;
    window_ = std::min(window_ * 2, largest_bytes);
    under_way_ -= std::min(under_way_, asked_bytes_);
    asked_.clear();
    asked_bytes_ = 0;
    return true;
  }
  void reset() {
    window_ = first_bytes;
    under_way_ = asked_bytes_ = 0;
    asked_.clear();
  }

 private:
  bool on_ = false;
  std::uint64_t window_ = first_bytes;
  std::uint64_t under_way_ = 0;
  std::uint64_t asked_bytes_ = 0;
  std::string asked_;
};

// A token bucket over bytes, of one second.
class RateLimit {
 public:
  // Zero: none.
  void set(std::uint64_t bits_a_second) { bytes_a_second_ = bits_a_second / 8; }
  bool enabled() const { return bytes_a_second_ != 0; }
  // How long to wait before so many bytes may go; zero: they may, and are counted.
  base::Duration take(std::uint64_t bytes, base::Time now) {
    if (!enabled()) return {};
    if (free_at_ < now - std::chrono::seconds(1)) free_at_ = now - std::chrono::seconds(1);
    if (free_at_ > now) return free_at_ - now;
    const double seconds = static_cast<double>(bytes) / static_cast<double>(bytes_a_second_);
    free_at_ += base::Duration(static_cast<std::int64_t>(seconds * 1e9));
    return {};
  }

 private:
  std::uint64_t bytes_a_second_ = 0;
  base::Time free_at_{};
};

}  // namespace spanwire::jetstream
