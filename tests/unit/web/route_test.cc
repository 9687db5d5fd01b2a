#include "web/route.h"

#include <doctest/doctest.h>

using namespace spanwire;
using http::Method;

namespace {

web::Route route(std::string_view owner, std::string path, web::Methods methods = {Method::get}) {
  const bool below = path.ends_with('*');
  if (below) path.pop_back();
  return {.owner = owner,
          .path = std::move(path),
          .below = below,
          .methods = methods,
          .handler = [](const web::Request&, web::Answer) {}};
}

std::string path_found(const web::Routes& routes, std::string_view path) {
  const web::Routes::Found found = routes.find(Method::get, path);
  return found.route == nullptr ? "none" : found.route->path;
}

}  // namespace

TEST_CASE("routes: an exact path goes before a prefix, a longer prefix before a shorter") {
  web::Routes routes;
  for (const char* path : {"/*", "/a/b/*", "/a/*", "/a/b/c", "/a/c/*"}) {
    REQUIRE(routes.add(route("a", path)));
  }
  CHECK(path_found(routes, "/a/b/c") == "/a/b/c");
  CHECK(path_found(routes, "/a/b/d") == "/a/b/");
  CHECK(path_found(routes, "/a/b/") == "/a/b/");
  CHECK(path_found(routes, "/a/b") == "/a/");
  CHECK(path_found(routes, "/a") == "/");
  CHECK(path_found(routes, "*") == "none");
}

TEST_CASE("routes: what stands behind the prefix is given to the handler") {
  web::Routes routes;
  REQUIRE(routes.add(route("a", "/broker/*")));
  CHECK(routes.find(Method::get, "/broker/x/y").rest == "x/y");
  CHECK(routes.find(Method::get, "/broker/").rest.empty());
  CHECK(routes.find(Method::get, "/broker").route == nullptr);
}

TEST_CASE("routes: a path knows the methods of all its routes, and HEAD with GET") {
  web::Routes routes;
  REQUIRE(routes.add(route("a", "/x")));
  REQUIRE(routes.add(route("a", "/x", {Method::post, Method::del})));
  CHECK(routes.find(Method::head, "/x").route->methods.has(Method::get));
  CHECK(routes.find(Method::del, "/x").route->methods.has(Method::post));
  const web::Routes::Found other = routes.find(Method::put, "/x");
  CHECK(other.route == nullptr);
  CHECK(other.allow == "GET, HEAD, POST, DELETE");
  CHECK(routes.find(Method::put, "/y").allow.empty());
}

TEST_CASE("routes: two claims of one path are refused, with both owners") {
  web::Routes routes;
  REQUIRE(routes.add(route("broker", "/b/*")));
  REQUIRE(routes.add(route("pages", "/p")));
  for (const char* path : {"/b/*", "/b/x", "/b/x/*", "/p", "/*"}) {
    CAPTURE(path);
    CHECK_FALSE(routes.add(route("other", path)));
  }
  const auto refused = routes.add(route("other", "/b/x"));
  CHECK(refused.error().text == "two claims of one path: /b/* by broker and /b/x by other");
  CHECK(routes.add(route("other", "/b")));
  CHECK(routes.add(route("other", "/p/x")));
  CHECK(routes.add(route("broker", "/b/x")));
}

TEST_CASE("routes: one owner's routes at a path must differ in their methods") {
  web::Routes routes;
  REQUIRE(routes.add(route("a", "/x")));
  CHECK_FALSE(routes.add(route("a", "/x")));
  CHECK_FALSE(routes.add(route("a", "/x", {Method::post, Method::head})));
  CHECK(routes.add(route("a", "/x", {Method::post})));
}
