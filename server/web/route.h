// What a listener serves: paths, the methods they know, and who handles them.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "http/message.h"
#include "web/answer.h"
#include "web/request.h"

namespace spanwire::web {

// A set of methods. Whoever serves GET serves HEAD.
class Methods {
 public:
  constexpr Methods(std::initializer_list<http::Method> methods) {
    for (const http::Method method : methods) bits_ |= bit(method);
    if (has(http::Method::get)) bits_ |= bit(http::Method::head);
  }
  constexpr bool has(http::Method method) const { return (bits_ & bit(method)) != 0; }
  constexpr bool meets(Methods other) const { return (bits_ & other.bits_) != 0; }

 private:
  static constexpr std::uint32_t bit(http::Method method) {
    return std::uint32_t{1} << static_cast<unsigned>(method);
  }
  std::uint32_t bits_ = 0;
};

// Called on the loop of the connection. It neither blocks nor works for more than a millisecond.
using Handler = std::function<void(const Request&, Answer)>;

enum class Login : std::uint8_t {
  required,  // if the server asks anybody for one
  none,
};

struct Route {
  std::string_view owner;  // the wire that claims the path, for the message about a conflict
  std::string path;        // `/varz`; compared with the decoded path of a request
  bool below = false;      // everything below the path as well; it then ends in a slash
  Methods methods = {http::Method::get};
  std::uint64_t body_bytes = 0;  // more is 413
  Login login = Login::required;
  Handler handler;
};

// The routes of one listener. An exact path goes before a prefix, a longer prefix before a shorter.
class Routes {
 public:
  // One owner may have several routes at a path, for different methods, and routes below its own
  // prefix. What two owners claim is a mistake of the configuration.
  base::Status add(Route route);

  struct Found {
    const Route* route = nullptr;  // none: the path is not known, or not by this method
    std::string_view rest;         // of the path, behind the prefix
    std::string_view allow;        // the methods that the path knows, or empty
  };
  Found find(http::Method method, std::string_view path) const;

  // The largest body that any route takes.
  std::uint64_t max_body_bytes() const { return max_body_bytes_; }

 private:
  struct Place {
    std::string path;
    bool below = false;
    std::string allow;
    std::vector<Route> routes;

    bool covers(std::string_view other) const {
      return below ? other.starts_with(path) : other == path;
    }
  };
  const Place* place_of(std::string_view path) const;
  Place& place_for(const Route& route);

  std::map<std::string, Place, std::less<>> exact_;
  std::vector<Place> prefixes_;  // longest first
  std::uint64_t max_body_bytes_ = 0;
};

}  // namespace spanwire::web
