// What the HTTP sessions of one listener share on one loop.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/counter.h"
#include "http/date.h"
#include "http/message.h"
#include "http/uri.h"
#include "web/access.h"
#include "web/route.h"

namespace spanwire::web {

struct Settings {
  std::string kind = "http";       // the wire's name, for logs and monitoring
  std::string realm = "spanwire";  // what a 401 asks a login for
  std::size_t request_line_bytes = 8 * 1024;
  std::size_t header_bytes = 32 * 1024;
  // From a request's first byte to its last; the defaults of both are nginx's.
  base::Duration request_timeout = std::chrono::seconds(60);
  // Between requests, and before the first.
  base::Duration idle_timeout = std::chrono::seconds(75);
  // Of one connection in a turn; with about 2 us each, half of what a step of a loop may take.
  std::size_t requests_a_turn = 256;
  // While a client leaves as much of its answers untaken, no further request of it is read.
  std::size_t max_pending = 1U << 20;
};

struct Stats {
  base::Counter requests;    // read to their end
  base::Counter malformed;   // or too large, answered and closed
  base::Counter not_found;   // 404 and 405 of paths that no route serves
  base::Counter rejected;    // logins that failed
  base::Counter timeouts;    // 408
  base::Counter unanswered;  // dropped by their handler: a mistake of ours
};

// Lives as long as the wire's bridge.
class Site {
 public:
  // `access` outlives it.
  Site(Routes routes, Access& access, Settings settings)
      : routes_(std::move(routes)), access_(access), settings_(std::move(settings)) {
    challenge_ = "Basic realm=\"" + settings_.realm + "\", charset=\"UTF-8\"";
  }
  Site(const Site&) = delete;
  Site& operator=(const Site&) = delete;

  const Routes& routes() const { return routes_; }
  Access& access() { return access_; }
  const Settings& settings() const { return settings_; }
  Stats& stats() { return stats_; }
  const Stats& stats() const { return stats_; }

 private:
  friend class Session;
  // Scratch, used within one call and kept for its memory.
  struct Scratch {
    http::Request head;
    http::Query query;
    std::string path;
    std::string out;
  };

  Routes routes_;
  Access& access_;
  Settings settings_;
  std::string challenge_;  // of a 401
  Stats stats_;
  http::DateField date_;
  Scratch scratch_;
};

}  // namespace spanwire::web
