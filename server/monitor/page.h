// What all pages need: their paths, parameters, answers, and how nats-server spells durations.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "bus/message.h"
#include "http/uri.h"
#include "json/writer.h"
#include "web/answer.h"

namespace spanwire::monitor {

enum class Path : std::uint8_t { index, connz, healthz, jsz, trace, subsz, varz };
inline constexpr std::array<std::string_view, 7> paths = {
    "/", "/connz", "/healthz", "/jsz", "/spanwire/trace", "/subsz", "/varz"};

// As nats-server indents its pages.
inline constexpr json::Style page_style = {.escape = json::Escape::html, .indent = 2};

// How many pages a loop is making. A page may outlive the bridge of its loop.
struct PageCount {
  static constexpr std::size_t limit = 32;
  std::size_t running = 0;
};

// A page that is being made. Lives on the loop of its connection; the client may have gone.
class Page {
 public:
  Page(web::Answer answer, std::shared_ptr<PageCount> count)
      : answer_(std::move(answer)), count_(std::move(count)) {
    ++count_->running;
  }
  Page(Page&&) noexcept = default;
  Page& operator=(Page&&) = delete;
  ~Page() {
    if (count_ != nullptr) --count_->running;
  }

  // One of these, once.
  void send(std::string_view json, int status = 200);
  void send(base::Ref<const bus::Message> json);  // the payload
  void refuse(int status, std::string_view reason) { answer_.refuse(status, reason); }
  bool wanted() const { return answer_.wanted(); }

 private:
  web::Answer answer_;
  std::shared_ptr<PageCount> count_;
};

// A page's text as a message, so that a large one is sent without a copy.
base::Ref<const bus::Message> to_message(std::string_view json);

// Parameters; one that is not there is false, or 0. The error says which one is wrong.
base::Result<bool> flag_parameter(const http::Query& query, std::string_view name);
base::Result<std::int64_t> number_parameter(const http::Query& query, std::string_view name);

// `3m30s`, `2d0h0m5s`: whole seconds, from the largest unit that is not 0 on. A year has 365 days.
std::string uptime_text(base::Duration time);
// As Go prints a duration: `0s`, `375µs`, `302.451481ms`, `1m0.5s`.
std::string duration_text(base::Duration time);

}  // namespace spanwire::monitor
