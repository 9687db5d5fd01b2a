#include "nats/connect.h"

#include <optional>
#include <utility>
#include <vector>

#include "json/document.h"
#include "json/fields.h"

namespace spanwire::nats {
namespace {

// Permissions come from servers only; from a client just their type matters.
base::Status check_permission(json::Fields& fields, std::string_view name) {
  std::optional<json::Value> permission;
  fields.read_object(name, permission);
  if (!permission) return {};
  std::vector<std::string> subjects;
  json::Fields inner(*permission);
  inner.read("allow", subjects);
  inner.read("deny", subjects);
  return inner.status();
}

void read_credentials(json::Fields& fields, ConnectOptions& options) {
  fields.read("nkey", options.nkey);
  fields.read("jwt", options.jwt);
  fields.read("sig", options.sig);
  fields.read("auth_token", options.auth_token);
  fields.read("user", options.user);
  fields.read("pass", options.pass);
  fields.read("account", options.account);
  fields.read("new_account", options.new_account);
  fields.read("remote_account", options.remote_account);
  fields.read("proxy_sig", options.proxy_sig);
}

}  // namespace

base::Status parse_connect(std::string_view json, ConnectOptions& options) {
  auto document = json::Document::parse(json);
  if (!document) return tl::unexpected<base::Error>(std::move(document.error()));
  json::Fields fields(document->root());
  ConnectOptions read = options;
  fields.read("echo", read.echo);
  fields.read("verbose", read.verbose);
  fields.read("pedantic", read.pedantic);
  fields.read("tls_required", read.tls_required);
  fields.read("headers", read.headers);
  fields.read("no_responders", read.no_responders);
  fields.read("protocol", read.protocol);
  fields.read("name", read.name);
  fields.read("lang", read.lang);
  fields.read("version", read.version);
  read_credentials(fields, read);
  for (const std::string_view name : {"import", "export"}) {
    if (base::Status checked = check_permission(fields, name); !checked) return checked;
  }
  if (!fields.status()) return fields.status();
  options = std::move(read);
  return {};
}

}  // namespace spanwire::nats
