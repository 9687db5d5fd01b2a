// Cached verdicts of permission sets (bus/verdicts.h), and that a port asks them.
#include "bus/verdicts.h"

#include <doctest/doctest.h>

#include <string>

#include "tests/unit/bus/seats.h"

using namespace spanwire;
using test::filter_of;
using test::message_to;
using test::principal_with;
using test::Recorder;
using test::Sites;

namespace {

base::Ref<const account::PermissionSet> some_set() {
  auto set = base::make_ref<account::PermissionSet>();
  set->publish_allow = {filter_of("a.>"), filter_of("b.*")};
  set->publish_deny = {filter_of("a.secret.>"), filter_of("b.no")};
  return set;
}

bool may_publish(bus::Port& port, const std::string& subject) {
  bus::MessageView message = message_to(subject);
  const auto admitted = port.admit(message);
  if (admitted) port.route(*admitted);
  return admitted.has_value();
}

}  // namespace

TEST_CASE("verdicts: they are the set's, whatever stood in the slot before") {
  const auto set = some_set();
  bus::Verdicts verdicts(set);
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 500; ++i) {
      for (const char* start : {"a.", "a.secret.", "b.", "c."}) {
        const std::string subject = start + std::to_string(i);
        // Few hashes: subjects push one another out.
        CHECK(verdicts.may_publish(subject, std::uint64_t(i % 7) << 32) ==
              set->may_publish(subject));
      }
    }
  }
  CHECK_FALSE(verdicts.may_publish("", 0));
}

TEST_CASE("verdicts: a repeated subject is evaluated once for all users of a set on a loop") {
  Sites sites(1);
  Recorder recorder;
  const auto set = some_set();
  const auto one = sites[0].open(principal_with(set), recorder, nullptr);
  const auto two = sites[0].open(principal_with(set), recorder, nullptr);
  CHECK(sites[0].verdicts().size() == 1);
  for (int round = 0; round < 5; ++round) {
    for (bus::Port* port : {one.get(), two.get()}) {
      CHECK(may_publish(*port, "a.1"));
      CHECK(may_publish(*port, "a.1"));
      CHECK_FALSE(may_publish(*port, "a.secret.1"));
      CHECK_FALSE(may_publish(*port, "b.no"));
      CHECK(may_publish(*port, "b.yes"));
    }
  }
  CHECK(sites[0].verdicts().evaluated(*set) == 4);
}

TEST_CASE("verdicts: those of a set go with the last port that has it") {
  Sites sites(1);
  Recorder recorder;
  const auto set = some_set();
  auto one = sites[0].open(principal_with(set), recorder, nullptr);
  auto two = sites[0].open(principal_with(set), recorder, nullptr);
  auto other = sites[0].open(principal_with(some_set()), recorder, nullptr);
  CHECK(sites[0].verdicts().size() == 2);
  one.reset();
  CHECK(sites[0].verdicts().size() == 2);
  two.reset();
  CHECK(sites[0].verdicts().size() == 1);
  other.reset();
  CHECK(sites[0].verdicts().size() == 0);
}
