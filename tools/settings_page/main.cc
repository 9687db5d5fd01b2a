// Prints docs/configuration.md: every setting of the server, from the schema that checks them.
// With --check FILE it compares instead, and says how to write the file again.
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include "app/server_config.h"
#include "config/schema.h"

namespace {

constexpr std::string_view head = R"(# Configuration

A configuration file is given with `-c FILE`; `spanwire -t -c FILE` checks one and leaves. Flags
of the command line go before the file (`spanwire --help`).

## The language

The language is that of nats-server: `key: value`, `key = value` or `key value`, blocks in
`{ }`, lists in `[ ]`, comments behind `#` and `//`, strings with or without quotes,
`include "other.conf"`, variables (`$NAME` is a key of an enclosing block or of the environment).

- Sizes have a suffix: `64KB`, `1MB`, `4GB` (1,024 each), or `k`, `m`, `g` (1,000 each).
- Durations are texts: `2s`, `100ms`, `1m30s`. A bare number is seconds and draws a warning.
- Keys may be written in any case.
- An unknown key is an error with its file, line and column, unless some `$NAME` refers to it.
  So is a key that nats-server knows and this version does not honour yet: it is never ignored.

## An example

```
server_name: north
listen: "127.0.0.1:4222"
http: "127.0.0.1:8222"

authorization {
  users: [ { user: ada, password: $ADA_PASSWORD } ]
  timeout: 2s
}

mqtt { port: 1883 }
http_broker { port: 1884 }
```

With `authorization`, every listener asks for it: NATS in CONNECT, MQTT as user name and
password, HTTP as basic authentication.

## Every setting

A dot stands between a block and its keys. A setting marked in the column "reload" takes effect
without a restart; in this version none does.

)";

std::string page() {
  std::string text(head);
  text += spanwire::config::describe_head;
  text += spanwire::config::describe(spanwire::app::server_schema());
  return text;
}

int check(const char* path) {
  std::ifstream file(path, std::ios::binary);
  const std::string found{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (found == page()) return 0;
  std::fprintf(stderr, "%s is not what the schema says: write it again with settings_page > %s\n",
               path, path);
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3 && std::string_view(argv[1]) == "--check") return check(argv[2]);
  std::fputs(page().c_str(), stdout);
  return 0;
}
