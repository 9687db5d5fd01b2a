#include "monitor/index_page.h"

#include <fmt/format.h>

namespace spanwire::monitor {
namespace {

constexpr std::string_view text = R"(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>spanwire monitoring</title>
<style>
body {{ font-family: system-ui, sans-serif; margin: 2em }}
dt {{ margin-top: .6em }}
</style>
</head>
<body>
<h1>spanwire {}</h1>
<p>Speaks the protocol of nats-server {}.</p>
<dl>
<dt><a href="./varz">/varz</a></dt><dd>settings and counts of the server</dd>
<dt><a href="./connz">/connz</a></dt><dd>connections</dd>
<dt><a href="./jsz">/jsz</a></dt><dd>JetStream</dd>
<dt><a href="./subsz">/subsz</a></dt><dd>subscriptions</dd>
<dt><a href="./spanwire/trace">/spanwire/trace</a></dt><dd>what is written into the log</dd>
<dt><a href="./healthz">/healthz</a></dt><dd>for probes</dd>
</dl>
</body>
</html>
)";

}  // namespace

void index_page(const wire::ServerIdentity& identity, web::Answer answer) {
  answer.send({.type = "text/html; charset=utf-8",
               .body = fmt::format(text, identity.version, identity.nats_version)});
}

}  // namespace spanwire::monitor
