import unittest

from scratch import CheckTest


class Includes(CheckTest):
    def setUp(self):
        super().setUp()
        for header in ("subject/subject.h", "server/base/result.h", "server/bus/port.h",
                       "server/net/loops.h", "server/store/log.h", "server/app/options.h",
                       "server/nats/codec.h", "bridges/kit/queue.h", "bridges/mqtt/codec.h",
                       "bridges/amqp/codec.h"):
            self.write(header, "#pragma once\n#include <string>\n")

    def include(self, path, include):
        self.write(path, f"// A comment.\n#include {include}\n")

    def test_a_module_may_see_itself_and_what_stands_above_it(self):
        self.include("server/bus/port.cc", '"bus/port.h"')
        self.include("server/bus/router.cc", '"subject/subject.h"')
        self.include("server/net/loops.cc", '"store/log.h"')
        self.assert_passes("includes")

    def test_a_module_may_not_see_what_stands_below_it(self):
        self.include("server/base/result.cc", '"bus/port.h"')
        self.assert_fails("includes", 'server/base/result.cc:2: "bus/port.h": base may not see bus')

    def test_a_bridge_may_see_the_kit_and_the_bus(self):
        self.include("bridges/mqtt/a.cc", '"bridges/kit/queue.h"')
        self.include("bridges/mqtt/b.cc", '"bus/port.h"')
        self.include("bridges/mqtt/c.cc", '"bridges/mqtt/codec.h"')
        self.assert_passes("includes")

    def test_a_bridge_may_not_see_net_store_app_or_another_bridge(self):
        for target in ("net/loops.h", "store/log.h", "app/options.h", "nats/codec.h",
                       "bridges/amqp/codec.h"):
            with self.subTest(target):
                self.include("bridges/mqtt/a.cc", f'"{target}"')
                self.assert_fails("includes", "mqtt may not see")

    def test_nats_is_held_to_the_rules_of_a_bridge(self):
        self.include("server/nats/a.cc", '"bridges/kit/queue.h"')
        self.assert_passes("includes")
        self.include("server/nats/a.cc", "<sys/socket.h>")
        self.assert_fails("includes", "a bridge opens neither sockets nor files")

    def test_only_the_application_sees_the_bridges(self):
        self.include("server/app/wires.cc", '"bridges/mqtt/codec.h"')
        self.assert_passes("includes")
        self.include("server/net/a.cc", '"bridges/mqtt/codec.h"')
        self.assert_fails("includes", "net may not see mqtt")

    def test_each_outside_library_has_one_home(self):
        homes = {"<asio.hpp>": "net", "<asio/ip/tcp.hpp>": "net", "<spdlog/spdlog.h>": "logging",
                 "<openssl/evp.h>": "crypto", "<rapidjson/document.h>": "json",
                 "<nghttp2/nghttp2.h>": "http"}
        for header, home in homes.items():
            with self.subTest(header):
                self.include(f"server/{home}/a.cc", header)
                self.assert_passes("includes")
                self.include("server/bus/a.cc", header)
                self.assert_fails("includes", f"{header}: only in")
                (self.root / "server/bus/a.cc").unlink()

    def test_a_library_without_a_declared_home_is_refused(self):
        self.include("server/bus/a.cc", "<boost/asio.hpp>")
        self.assert_fails("includes", "no home is declared")

    def test_a_bridge_opens_neither_sockets_nor_files(self):
        for header in ("<fstream>", "<sys/socket.h>", "<unistd.h>", "<fcntl.h>"):
            with self.subTest(header):
                self.include("bridges/mqtt/a.cc", header)
                self.assert_fails("includes", "a bridge opens neither sockets nor files")

    def test_an_include_is_written_from_the_root_or_from_server(self):
        self.include("server/bus/port.cc", '"port.h"')
        self.assert_fails("includes", '"port.h" is no file')

    def test_a_new_module_declares_its_layer(self):
        self.include("server/extra/a.cc", "<string>")
        self.assert_fails("includes", "no layer is declared for extra")


if __name__ == "__main__":
    unittest.main()
