#include "nats/info.h"

#include <utility>

#include "json/document.h"
#include "json/fields.h"
#include "json/writer.h"

namespace spanwire::nats {
namespace {

void write(json::Writer& writer, std::string_view name, bool flag) {
  if (flag) writer.member(name, flag);
}

void write(json::Writer& writer, std::string_view name, const std::string& text) {
  if (!text.empty()) writer.member(name, text);
}

template <std::integral Number>
void write(json::Writer& writer, std::string_view name, Number number) {
  if (number != 0) writer.member(name, number);
}

void write(json::Writer& writer, std::string_view name, const std::vector<std::string>& texts) {
  if (texts.empty()) return;
  writer.key(name).begin_array();
  for (const std::string& text : texts) writer.value(text);
  writer.end_array();
}

void write_server(json::Writer& writer, const Info& info) {
  writer.member("server_id", info.server_id);
  writer.member("server_name", info.server_name);
  writer.member("version", info.version);
  writer.member("proto", info.proto);
  write(writer, "git_commit", info.git_commit);
  writer.member("go", info.go);
  writer.member("host", info.host);
  writer.member("port", info.port);
  writer.member("headers", info.headers);
  write(writer, "auth_required", info.auth_required);
  write(writer, "tls_required", info.tls_required);
  write(writer, "tls_verify", info.tls_verify);
  write(writer, "tls_available", info.tls_available);
  writer.member("max_payload", info.max_payload);
  write(writer, "jetstream", info.jetstream);
}

void write_connection(json::Writer& writer, const Info& info) {
  write(writer, "ip", info.ip);
  write(writer, "client_id", info.client_id);
  write(writer, "client_ip", info.client_ip);
  write(writer, "nonce", info.nonce);
  write(writer, "cluster", info.cluster);
  write(writer, "cluster_dynamic", info.cluster_dynamic);
  write(writer, "domain", info.domain);
  write(writer, "connect_urls", info.connect_urls);
  write(writer, "ws_connect_urls", info.ws_connect_urls);
  write(writer, "ldm", info.ldm);
  write(writer, "connect_info", info.connect_info);
  write(writer, "remote_account", info.remote_account);
  write(writer, "acc_is_sys", info.acc_is_sys);
  write(writer, "api_lvl", info.api_lvl);
  write(writer, "xkey", info.xkey);
  write(writer, "spanwire", info.spanwire);
}

}  // namespace

void append_info(std::string& out, const Info& info) {
  out += "INFO ";
  json::Writer writer(out);
  writer.begin_object();
  write_server(writer, info);
  write_connection(writer, info);
  writer.end_object();
  out += " \r\n";
}

base::Status check_info(std::string_view json) {
  auto document = json::Document::parse(json);
  if (!document) return tl::unexpected<base::Error>(std::move(document.error()));
  json::Fields fields(document->root());
  std::string text;
  for (const char* name : {"server_id", "server_name", "version", "git_commit", "go", "host", "ip",
                           "client_ip", "nonce", "cluster", "domain", "remote_account", "xkey"}) {
    fields.read(name, text);
  }
  bool flag = false;
  for (const char* name :
       {"headers", "auth_required", "tls_required", "tls_verify", "tls_available", "jetstream",
        "cluster_dynamic", "ldm", "connect_info", "acc_is_sys"}) {
    fields.read(name, flag);
  }
  std::int64_t number = 0;
  for (const char* name : {"proto", "port", "api_lvl"}) fields.read(name, number);
  std::int32_t small = 0;
  fields.read("max_payload", small);
  std::uint64_t whole = 0;
  fields.read("client_id", whole);
  std::vector<std::string> texts;
  for (const char* name : {"connect_urls", "ws_connect_urls"}) fields.read(name, texts);
  return fields.status();
}

}  // namespace spanwire::nats
