#include "tests/script/stage_settings.h"

#include <map>
#include <utility>

#include "config/parser.h"
#include "config/spelling.h"

namespace spanwire::script {
namespace {

// A duration: a number of seconds, or a text with a unit.
base::Result<base::Duration> duration_of(const config::Value& value) {
  using Seconds = std::chrono::duration<double>;
  if (value.kind == config::Kind::text) return config::read_duration(value.text);
  if (value.kind == config::Kind::integer) return std::chrono::seconds(value.integer);
  if (value.kind == config::Kind::real) {
    return std::chrono::duration_cast<base::Duration>(Seconds(value.real));
  }
  return base::fail("no duration");
}

base::Status read(const config::Value& value, base::Duration& out) {
  const auto duration = duration_of(value);
  if (!duration) return base::fail(duration.error().text);
  out = *duration;
  return {};
}

base::Status read(const config::Value& value, std::string& out) {
  if (value.kind != config::Kind::text) return base::fail("no text");
  out = value.text;
  return {};
}

base::Status read(const config::Value& value, bool& out) {
  if (value.kind != config::Kind::boolean) return base::fail("neither true nor false");
  out = value.boolean;
  return {};
}

template <class Integer>
base::Status read(const config::Value& value, Integer& out) {
  if (value.kind != config::Kind::integer) return base::fail("no integer");
  out = static_cast<Integer>(value.integer);
  return {};
}

base::Status read_user(const config::Value& block, auth::Settings::User& user) {
  for (const config::Member& member : block.members) {
    base::Status status = member.name == "user"       ? read(member.value, user.name)
                          : member.name == "password" ? read(member.value, user.password)
                                                      : base::fail("unknown: " + member.name);
    if (!status) return status;
  }
  return {};
}

base::Status read_authorization(const config::Value& block, StageSettings& out) {
  auth::Settings::User single;
  for (const config::Member& member : block.members) {
    base::Status status;
    if (member.name == "user") {
      status = read(member.value, single.name);
    } else if (member.name == "password") {
      status = read(member.value, single.password);
    } else if (member.name == "token") {
      status = read(member.value, out.authorization.token);
    } else if (member.name == "timeout") {
      status = read(member.value, out.nats.auth_timeout);
    } else if (member.name == "users") {
      for (const config::Value& item : member.value.items) {
        status = read_user(item, out.authorization.users.emplace_back());
        if (!status) return status;
      }
    } else {
      status = base::fail("unknown: " + member.name);
    }
    if (!status) return status;
  }
  if (!single.name.empty()) out.authorization.users.push_back(std::move(single));
  return {};
}

base::Status read_member(const config::Member& member, StageSettings& out) {
  const std::string& name = member.name;
  const config::Value& value = member.value;
  if (name == "authorization") return read_authorization(value, out);
  if (name == "server_name") return read(value, out.server_name);
  if (name == "max_connections") return read(value, out.max_connections);
  if (name == "max_payload") return read(value, out.nats.max_payload);
  if (name == "max_control_line") return read(value, out.nats.max_control_line);
  if (name == "max_pending") return read(value, out.nats.max_pending);
  if (name == "max_subscriptions" || name == "max_subs") {
    return read(value, out.nats.max_subscriptions);
  }
  if (name == "max_sub_tokens") return read(value, out.nats.max_subscription_tokens);
  if (name == "ping_interval") return read(value, out.nats.ping_interval);
  if (name == "ping_max") return read(value, out.nats.ping_max);
  if (name == "plus_wildcard") return read(value, out.nats.plus_wildcard);
  return base::fail("unknown to the script runner: " + name);
}

}  // namespace

base::Result<StageSettings> read_stage_settings(const std::string& text) {
  const config::Sources sources = {
      .read = [](const std::string& path) { return base::fail("no includes here: " + path); },
      .environment = [](const std::string&) { return std::optional<std::string>(); }};
  const auto tree = config::parse(text, "settings", sources);
  if (!tree) return base::fail(tree.error().text);
  StageSettings settings;
  for (const config::Member& member : tree->root.members) {
    const base::Status status = read_member(member, settings);
    if (!status) return base::fail(tree->where(member.name_at) + ": " + status.error().text);
  }
  return settings;
}

}  // namespace spanwire::script
