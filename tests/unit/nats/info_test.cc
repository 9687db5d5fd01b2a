#include "nats/info.h"

#include <doctest/doctest.h>

using namespace spanwire;

namespace {

nats::Info plain_server() {
  nats::Info info;
  info.server_id = "NAG3";
  info.server_name = "x";
  info.version = "2.14.5";
  info.go = "go1.26.8";
  info.host = "127.0.0.1";
  info.port = 36733;
  return info;
}

std::string written(const nats::Info& info) {
  std::string out;
  nats::append_info(out, info);
  return out;
}

}  // namespace

TEST_CASE("nats info: the first INFO of a plain server is nats-server's, byte for byte") {
  auto info = plain_server();
  info.client_id = 5;
  info.client_ip = "127.0.0.1";
  info.api_lvl = 4;
  info.xkey = "XDSZ";
  CHECK(
      written(info) ==
      R"(INFO {"server_id":"NAG3","server_name":"x","version":"2.14.5","proto":1,"go":"go1.26.8",)"
      R"("host":"127.0.0.1","port":36733,"headers":true,"max_payload":1048576,"client_id":5,)"
      R"("client_ip":"127.0.0.1","api_lvl":4,"xkey":"XDSZ"} )"
      "\r\n");
}

TEST_CASE("nats info: the INFO that answers a CONNECT tells the account") {
  auto info = plain_server();
  info.auth_required = true;
  info.client_id = 5;
  info.connect_info = true;
  info.remote_account = "$G";
  CHECK(
      written(info) ==
      R"(INFO {"server_id":"NAG3","server_name":"x","version":"2.14.5","proto":1,"go":"go1.26.8",)"
      R"("host":"127.0.0.1","port":36733,"headers":true,"auth_required":true,)"
      R"("max_payload":1048576,"client_id":5,"connect_info":true,"remote_account":"$G"} )"
      "\r\n");
}

TEST_CASE("nats info: a server with nkeys and JetStream, a name escaped, byte for byte") {
  auto info = plain_server();
  info.server_name = "a<b>&c";
  info.jetstream = true;
  info.client_id = 7;
  info.client_ip = "127.0.0.1";
  info.nonce = "v7fV_IIuFHDvbPQ";
  info.domain = "hub";
  info.api_lvl = 4;
  info.xkey = "XBP7";
  CHECK(written(info) ==
        R"(INFO {"server_id":"NAG3","server_name":"a\u003cb\u003e\u0026c","version":"2.14.5",)"
        R"("proto":1,"go":"go1.26.8","host":"127.0.0.1","port":36733,"headers":true,)"
        R"("max_payload":1048576,"jetstream":true,"client_id":7,"client_ip":"127.0.0.1",)"
        R"("nonce":"v7fV_IIuFHDvbPQ","domain":"hub","api_lvl":4,"xkey":"XBP7"} )"
        "\r\n");
}

TEST_CASE("nats info: every field, in order") {
  nats::Info info;
  info.server_id = "a";
  info.server_name = "b<c>&d";
  info.version = "v";
  info.git_commit = "g";
  info.go = "go";
  info.host = "h";
  info.port = 1;
  info.headers = false;
  info.auth_required = info.tls_required = info.tls_verify = info.tls_available = true;
  info.max_payload = 2;
  info.jetstream = true;
  info.ip = "i";
  info.client_id = UINT64_MAX;
  info.client_ip = "ci";
  info.nonce = "n";
  info.cluster = "c";
  info.cluster_dynamic = true;
  info.domain = "d";
  info.connect_urls = {"u1", "u2"};
  info.ws_connect_urls = {"w1"};
  info.ldm = info.connect_info = info.acc_is_sys = true;
  info.remote_account = "r";
  info.api_lvl = 4;
  info.xkey = "x";
  info.spanwire = "0.1.0";
  CHECK(written(info) ==
        R"(INFO {"server_id":"a","server_name":"b\u003cc\u003e\u0026d","version":"v","proto":1,)"
        R"("git_commit":"g","go":"go","host":"h","port":1,"headers":false,"auth_required":true,)"
        R"("tls_required":true,"tls_verify":true,"tls_available":true,"max_payload":2,)"
        R"("jetstream":true,"ip":"i","client_id":18446744073709551615,"client_ip":"ci",)"
        R"("nonce":"n","cluster":"c","cluster_dynamic":true,"domain":"d",)"
        R"("connect_urls":["u1","u2"],"ws_connect_urls":["w1"],"ldm":true,"connect_info":true,)"
        R"("remote_account":"r","acc_is_sys":true,"api_lvl":4,"xkey":"x","spanwire":"0.1.0"} )"
        "\r\n");
}

TEST_CASE("nats info: a client's INFO is taken if it could be one") {
  for (const char* json : {"{}", "null", R"({"port":1,"bogus":{}})", R"({"connect_urls":["a"]})"}) {
    CAPTURE(json);
    CHECK(nats::check_info(json));
  }
  for (const char* json :
       {"", "x", "\r", "[]", R"({"port":"x"})", R"({"server_id":1})", R"({"ldm":1})",
        R"({"client_id":-1})", R"({"connect_urls":"a"})", R"({"max_payload":4294967296})"}) {
    CAPTURE(json);
    CHECK_FALSE(nats::check_info(json));
  }
}
