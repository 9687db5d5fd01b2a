#include "web/route.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/assert.h"

namespace spanwire::web {
namespace {

using http::Method;

std::string allow_of(const std::vector<Route>& routes) {
  constexpr std::array methods = {Method::get, Method::head,    Method::post,  Method::put,
                                  Method::del, Method::options, Method::patch, Method::trace};
  std::string allow;
  for (const Method method : methods) {
    const bool known = std::any_of(routes.begin(), routes.end(), [method](const Route& route) {
      return route.methods.has(method);
    });
    if (!known) continue;
    if (!allow.empty()) allow += ", ";
    allow += method_name(method);
  }
  return allow;
}

std::string spelled(std::string_view path, bool below) {
  return fmt::format("{}{}", path, below ? "*" : "");
}

}  // namespace

base::Status Routes::add(Route route) {
  BASE_ASSERT(route.path.starts_with('/'));
  BASE_ASSERT(!route.below || route.path.ends_with('/'));
  BASE_ASSERT(route.handler);
  const auto clashes = [&route](const Place& place) {
    const Route& other = place.routes.front();
    const bool same = place.path == route.path && place.below == route.below;
    const bool meet =
        place.covers(route.path) || (route.below && place.path.starts_with(route.path));
    if (other.owner != route.owner) return meet;
    return same && std::any_of(place.routes.begin(), place.routes.end(),
                               [&route](const Route& r) { return r.methods.meets(route.methods); });
  };
  const Place* clash = nullptr;
  for (const Place& place : prefixes_) clash = clashes(place) ? &place : clash;
  for (const auto& [path, place] : exact_) clash = clashes(place) ? &place : clash;
  if (clash != nullptr) {
    return base::fail(fmt::format("two claims of one path: {} by {} and {} by {}",
                                  spelled(clash->path, clash->below), clash->routes.front().owner,
                                  spelled(route.path, route.below), route.owner));
  }
  max_body_bytes_ = std::max(max_body_bytes_, route.body_bytes);
  Place& place = place_for(route);
  place.routes.push_back(std::move(route));
  place.allow = allow_of(place.routes);
  return {};
}

Routes::Place& Routes::place_for(const Route& route) {
  if (!route.below) {
    Place& place = exact_[route.path];
    place.path = route.path;
    return place;
  }
  const auto not_longer = [&route](const Place& place) {
    return place.path.size() <= route.path.size();
  };
  auto at = std::find_if(prefixes_.begin(), prefixes_.end(), not_longer);
  for (; at != prefixes_.end() && at->path.size() == route.path.size(); ++at) {
    if (at->path == route.path) return *at;
  }
  return *prefixes_.insert(at, Place{.path = route.path, .below = true});
}

const Routes::Place* Routes::place_of(std::string_view path) const {
  if (const auto found = exact_.find(path); found != exact_.end()) return &found->second;
  const auto found = std::find_if(prefixes_.begin(), prefixes_.end(),
                                  [path](const Place& place) { return place.covers(path); });
  return found == prefixes_.end() ? nullptr : &*found;
}

Routes::Found Routes::find(http::Method method, std::string_view path) const {
  const Place* place = place_of(path);
  if (place == nullptr) return {};
  Found found{.allow = place->allow};
  for (const Route& route : place->routes) {
    if (!route.methods.has(method)) continue;
    found.route = &route;
    found.rest = place->below ? path.substr(place->path.size()) : std::string_view();
  }
  return found;
}

}  // namespace spanwire::web
