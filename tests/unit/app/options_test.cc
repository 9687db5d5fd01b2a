#include "app/options.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <initializer_list>
#include <sstream>
#include <vector>

#include "app/flags.h"

using namespace spanwire;
using app::Exit;
using app::Options;

namespace {

const app::Program nats = app::program_of("/usr/bin/nats-server");

std::variant<Options, Exit> parse(std::initializer_list<std::string_view> words) {
  const std::vector<std::string_view> arguments(words);
  return app::parse_command_line(nats, arguments);
}
Options options(std::initializer_list<std::string_view> words) {
  auto parsed = parse(words);
  if (const Exit* exit = std::get_if<Exit>(&parsed)) FAIL(exit->err);
  return std::get<Options>(std::move(parsed));
}
Exit leaves(std::initializer_list<std::string_view> words) {
  auto parsed = parse(words);
  REQUIRE(std::holds_alternative<Exit>(parsed));
  return std::get<Exit>(std::move(parsed));
}
// The complaint of a misused flag: usage to standard output and, as nats-server has it, no error.
std::string complaint(std::initializer_list<std::string_view> words) {
  const Exit exit = leaves(words);
  CHECK(exit.code == 0);
  CHECK(exit.out == app::usage(nats));
  return exit.err;
}
std::string failure(std::initializer_list<std::string_view> words) {
  const Exit exit = leaves(words);
  CHECK(exit.code == 1);
  CHECK(exit.out.empty());
  return exit.err;
}

}  // namespace

TEST_CASE("options: without arguments nothing is decided") {
  const Options o = options({});
  CHECK_FALSE(o.host.has_value());
  CHECK_FALSE(o.port.has_value());
  CHECK_FALSE(o.debug.has_value());
  CHECK_FALSE(o.logtime.has_value());
  CHECK_FALSE(o.user.has_value());
  CHECK_FALSE(o.check_config);
  CHECK(o.signal.empty());
}

TEST_CASE("options: a value follows an equals sign or is the next word, behind one dash or two") {
  CHECK(options({"-p", "4333"}).port == 4333);
  CHECK(options({"--p", "4333"}).port == 4333);
  CHECK(options({"-port=4333"}).port == 4333);
  CHECK(options({"--port=4333"}).port == 4333);
  CHECK(options({"-p", "-1"}).port == -1);
  CHECK(options({"-a", "--port"}).host == "--port");  // the next word, whatever it is
  CHECK(options({"--user=a=b"}).user == "a=b");
  CHECK(options({"--user="}).user == "");
  CHECK(options({"--user", ""}).user == "");
}

TEST_CASE("options: every name of a flag means the same") {
  for (const char* name : {"-a", "--addr", "--net"}) CHECK(options({name, "h"}).host == "h");
  for (const char* name : {"-n", "--name", "--server_name"}) {
    CHECK(options({name, "x"}).server_name == "x");
  }
  for (const char* name : {"-m", "--http_port"}) CHECK(options({name, "1"}).http_port == 1);
  for (const char* name : {"-c", "--config"}) CHECK(options({name, "f"}).config_file == "f");
  for (const char* name : {"-l", "--log"}) CHECK(options({name, "f"}).log_file == "f");
  for (const char* name : {"-P", "--pid"}) CHECK(options({name, "f"}).pid_file == "f");
  for (const char* name : {"-sl", "--signal"}) CHECK(options({name, "stop"}).signal == "stop");
  for (const char* name : {"-D", "--debug"}) CHECK(options({name}).debug == true);
  for (const char* name : {"-V", "--trace"}) CHECK(options({name}).trace == true);
  for (const char* name : {"-T", "--logtime"}) CHECK(options({name}).logtime == true);
  CHECK(options({"--logtime_utc"}).logtime_utc == true);
  CHECK(options({"--ports_file_dir", "/tmp"}).ports_file_dir == "/tmp");
  CHECK(options({"--max_traced_msg_len", "99"}).max_traced_msg_len == 99);
  CHECK(options({"--user", "u"}).user == "u");
  CHECK(options({"--pass", "p"}).password == "p");
  CHECK(options({"--auth", "t"}).token == "t");
}

TEST_CASE("options: a switch takes its value only behind an equals sign") {
  CHECK(options({"-D=false"}).debug == false);
  CHECK(options({"-T=0"}).logtime == false);
  CHECK(options({"-D=T", "-D=f"}).debug == false);  // the last one counts
  CHECK(failure({"-D", "true"}) == "nats-server: unrecognized command: \"true\"\n");
  CHECK(complaint({"-D=maybe"}) == "invalid boolean value \"maybe\" for -D: parse error\n");
  CHECK(complaint({"-D="}) == "invalid boolean value \"\" for -D: parse error\n");
}

TEST_CASE("options: the combined switches win over the single ones, in nats-server's order") {
  const Options dv = options({"-DV"});
  CHECK(dv.debug == true);
  CHECK(dv.trace == true);
  CHECK_FALSE(dv.trace_verbose.has_value());
  const Options dvv = options({"-DVV"});
  CHECK(dvv.debug == true);
  CHECK(dvv.trace == true);
  CHECK(dvv.trace_verbose == true);
  const Options vv = options({"-VV"});
  CHECK_FALSE(vv.debug.has_value());
  CHECK(vv.trace == true);
  CHECK(vv.trace_verbose == true);
  CHECK(options({"-DV=false", "-D"}).debug == false);
  CHECK(options({"-VV=false", "-DVV"}).trace == false);
  CHECK(options({"-VV=false", "-DVV"}).debug == true);
}

TEST_CASE("options: a misused flag gets nats-server's complaint and the usage") {
  CHECK(complaint({"-foo"}) == "flag provided but not defined: -foo\n");
  CHECK(complaint({"--foo=1"}) == "flag provided but not defined: -foo\n");
  CHECK(complaint({"-p"}) == "flag needs an argument: -p\n");
  CHECK(complaint({"-D", "-p"}) == "flag needs an argument: -p\n");
  CHECK(complaint({"-p", "abc"}) == "invalid value \"abc\" for flag -p: parse error\n");
  CHECK(complaint({"-p="}) == "invalid value \"\" for flag -p: parse error\n");
  CHECK(complaint({"--p", "99999999999999999999"}) ==
        "invalid value \"99999999999999999999\" for flag -p: value out of range\n");
  CHECK(complaint({"---x"}) == "bad flag syntax: ---x\n");
  CHECK(complaint({"-=x"}) == "bad flag syntax: -=x\n");
  CHECK(complaint({"--=x"}) == "bad flag syntax: --=x\n");
  CHECK(complaint({"-v", "-foo"}) == "flag provided but not defined: -foo\n");
  CHECK(complaint({"-d"}) == "flag provided but not defined: -d\n");  // case counts
}

TEST_CASE("options: flags end at the first word that is none, or behind two dashes") {
  CHECK(failure({"bogus", "-p", "1"}) == "nats-server: unrecognized command: \"bogus\"\n");
  CHECK(failure({"-"}) == "nats-server: unrecognized command: \"-\"\n");
  CHECK(failure({""}) == "nats-server: unrecognized command: \"\"\n");
  CHECK(failure({"--", "-p"}) == "nats-server: unrecognized command: \"-p\"\n");
  CHECK(options({"-p", "1", "--"}).port == 1);
}

TEST_CASE("options: version and help leave without an error, as flags and as words") {
  const char* version = "nats-server: v2.14.5\n";
  for (const char* word : {"-v", "--version", "version", "VERSION", "-v=true"}) {
    CAPTURE(word);
    const Exit exit = leaves({word});
    CHECK(exit.code == 0);
    CHECK(exit.out == version);
    CHECK(exit.err.empty());
  }
  for (const char* word : {"-h", "--help", "-help", "help", "Help"}) {
    CAPTURE(word);
    const Exit exit = leaves({word});
    CHECK(exit.code == 0);
    CHECK(exit.out == app::usage(nats));
    CHECK(exit.err.empty());
  }
  CHECK(leaves({"-h", "-v"}).out == version);  // as nats-server looks at them
  CHECK(leaves({"-v", "bogus"}).out == version);
  CHECK(leaves({"--", "help"}).out == app::usage(nats));
  CHECK(options({"-v=false"}).signal.empty());
}

TEST_CASE("options: checking a configuration needs one") {
  const char* missing =
      "nats-server: must specify [-c, --config] option to check configuration file syntax\n";
  CHECK(failure({"-t"}) == missing);
  CHECK(failure({"-t", "-c", ""}) == missing);
  CHECK(failure({"-v=false", "-t"}) == missing);
  const Options o = options({"-t", "-c", "x.conf"});
  CHECK(o.check_config);
  CHECK(o.config_file == "x.conf");
  CHECK(options({"-t", "-sl", "stop"}).signal == "stop");  // signals come first
}

TEST_CASE("options: JetStream and its folder") {
  CHECK_FALSE(options({}).jetstream);
  CHECK(options({"-js"}).jetstream == true);
  CHECK(options({"--jetstream=false"}).jetstream == false);
  CHECK(options({"-js", "-sd=/data"}).store_dir == "/data");
  CHECK(options({"--store_dir", "/data"}).store_dir == "/data");
}

TEST_CASE("options: a port is -1 or fits 16 bits") {
  CHECK(options({"-p", "65535"}).port == 65535);
  CHECK(options({"-p", "0"}).port == 0);
  CHECK(options({"-m", "-1"}).http_port == -1);
  CHECK(failure({"-p", "65536"}) ==
        "nats-server: -p 65536: a port is a number up to 65535, or -1 for any free one\n");
  CHECK(failure({"-p", "-2"}).find("-p -2: a port is") != std::string::npos);
  CHECK(failure({"-m", "65536"}).find("-m 65536: a port is") != std::string::npos);
}

TEST_CASE("options: what nats-server knows and is not supported is refused by name") {
  CHECK(failure({"-tls"}) ==
        "nats-server: -tls is a flag of nats-server that is not supported yet\n");
  CHECK(failure({"--tlsverify=true"}).find("-tlsverify is a flag of nats-server") !=
        std::string::npos);
  CHECK(failure({"-tlscert", "/data"}).find("-tlscert is") != std::string::npos);
  CHECK(failure({"--cluster=nats://h:1", "-js"}).find("-cluster is") != std::string::npos);
  CHECK(failure({"--tls"}).find("-tls is") != std::string::npos);
  CHECK(failure({"--log_size_limit", "1024"}).find("-log_size_limit is") != std::string::npos);
  CHECK(complaint({"--profile", "x"}) == "invalid value \"x\" for flag -profile: parse error\n");
  CHECK(leaves({"-js", "-v"}).code == 0);  // who only asks is answered
}

TEST_CASE("options: to ask for nothing of what is not supported is no error") {
  CHECK(options({"-js=false", "--tls=false", "-p", "1"}).port == 1);
  CHECK(options({"--routes=", "--profile", "0"}).signal.empty());
}

TEST_CASE("options: every flag of nats-server 2.14.5 is known") {
  // As its own table of flags names them.
  for (const char* name : {"h",
                           "help",
                           "port",
                           "p",
                           "n",
                           "name",
                           "server_name",
                           "addr",
                           "a",
                           "net",
                           "client_advertise",
                           "D",
                           "debug",
                           "V",
                           "VV",
                           "trace",
                           "DV",
                           "DVV",
                           "T",
                           "logtime",
                           "logtime_utc",
                           "user",
                           "pass",
                           "auth",
                           "m",
                           "http_port",
                           "ms",
                           "https_port",
                           "c",
                           "config",
                           "t",
                           "sl",
                           "signal",
                           "P",
                           "pid",
                           "ports_file_dir",
                           "l",
                           "log",
                           "log_size_limit",
                           "s",
                           "syslog",
                           "r",
                           "remote_syslog",
                           "version",
                           "v",
                           "profile",
                           "routes",
                           "cluster",
                           "cluster_listen",
                           "cluster_advertise",
                           "no_advertise",
                           "connect_retries",
                           "cluster_name",
                           "help_tls",
                           "tls",
                           "tlsverify",
                           "tlscert",
                           "tlskey",
                           "tlscacert",
                           "max_traced_msg_len",
                           "js",
                           "jetstream",
                           "sd",
                           "store_dir"}) {
    CAPTURE(name);
    CHECK(app::find_flag(name) != nullptr);
  }
  CHECK(app::find_flag("") == nullptr);
  CHECK(app::find_flag("a addr") == nullptr);
}

TEST_CASE("options: the program's name decides the version line and the usage") {
  CHECK(nats.version == "nats-server: v2.14.5");
  CHECK(app::program_of("nats-server").name == "nats-server");
  CHECK(app::usage(nats).find("Usage: nats-server [options]") != std::string::npos);
  CHECK(app::usage(nats).find("spanwire") == std::string::npos);
  for (const char* argv0 : {"spanwire", "./build/spanwire", "", "nats-server/spanwire", "other"}) {
    CAPTURE(argv0);
    const app::Program program = app::program_of(argv0);
    CHECK(program.name == "spanwire");
    CHECK(program.version.rfind("spanwire: v", 0) == 0);
    CHECK(program.version.find(" v2.14.5") != std::string::npos);
    CHECK(app::usage(program).find("Usage: spanwire [options]") != std::string::npos);
  }
}

TEST_CASE("options: the help names every flag and keeps to its columns") {
  const std::string help = app::usage(nats);
  for (const app::FlagGroup& group : app::flag_groups()) {
    for (const app::Flag& flag : group.flags) {
      std::istringstream names{std::string(flag.names)};
      for (std::string name; names >> name;) {
        CAPTURE(name);
        CHECK(help.find('-' + name) != std::string::npos);
      }
      CHECK_FALSE(flag.help.empty());
    }
  }
  std::istringstream lines(help.substr(0, help.find("Known from")));
  for (std::string line; std::getline(lines, line);) {
    CAPTURE(line);
    CHECK(line.size() <= 100);
    CHECK((line.empty() || line.back() != ' '));
    if (line.rfind("    -", 0) == 0 && line.size() > 40) CHECK(line[39] == ' ');
  }
}
