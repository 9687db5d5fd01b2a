// Subject transforms. What is expected of them was seen at nats-server 2.14.5.
#include <doctest/doctest.h>

#include <set>
#include <string>
#include <vector>

#include "subject/subject.h"
#include "subject/transform.h"

using namespace spanwire;
using subject::Transform;
using subject::TransformUse;

namespace {

std::string changed(std::string_view source, std::string_view destination,
                    std::string_view subject) {
  const auto transform = Transform::parse(source, destination);
  REQUIRE_MESSAGE(transform, (transform ? std::string() : transform.error()));
  std::string out;
  transform->apply(subject, 1, out);
  return out;
}

std::string error_of(std::string_view source, std::string_view destination,
                     TransformUse use = TransformUse::one_way) {
  const auto transform = Transform::parse(source, destination, use);
  return transform ? "" : transform.error();
}

std::string origin_of(std::string_view source, std::string_view destination,
                      std::string_view narrow) {
  const auto transform = Transform::parse(source, destination, TransformUse::reversible);
  REQUIRE(transform);
  const auto origin = transform->origin(*subject::parse_nats_filter(narrow));
  return origin ? origin->to_string() : "none";
}

}  // namespace

TEST_CASE("transform: literals and wildcards, in any order and as often as wanted") {
  CHECK(changed("foo", "bar.baz", "foo") == "bar.baz");
  CHECK(changed("t.*.*", "r.$2.$1", "t.a.b") == "r.b.a");
  CHECK(changed("t.*.*", "r.{{wildcard(2)}}.{{ Wildcard( 1 ) }}.$1", "t.a.b") == "r.b.a.a");
  CHECK(changed("t.*", "r.{{wildcard(+1)}}.{{wildcard (01)}}", "t.a") == "r.a.a");
  CHECK(changed("t.*.*", "r", "t.a.b") == "r");
  CHECK(changed("*", "$1.x", "a") == "a.x");
}

TEST_CASE("transform: a tail takes whatever is left") {
  CHECK(changed(">", "bar.>", "a.b") == "bar.a.b");
  CHECK(changed("w.*.>", "r.$1.x.>", "w.a.b.c") == "r.a.x.b.c");
  CHECK(changed("u.>", "u2.{{partition(7)}}.>", "u.x.y") == "u2.0.x.y");
}

TEST_CASE("transform: an index below one is the first token, a dollar alone is a name") {
  CHECK(changed("t.*.*", "r.$0", "t.a.b") == "r.t");
  CHECK(changed("t.*.*", "r.$-1", "t.a.b") == "r.t");
  CHECK(changed("t.*.*", "r.{{split(0,-)}}", "t-u.a.b") == "r.t.u");
  CHECK(changed("t.*", "$x.$.$$.$99999999999999999999", "t.a") == "$x.$.$$.$99999999999999999999");
}

TEST_CASE("transform: what looks like a function and is none is a literal") {
  CHECK(changed("t.*", "r.{{}}", "t.a") == "r.{{}}");
  CHECK(changed("t.*", "r.a{{wildcard(1)}}", "t.a") == "r.a{{wildcard(1)}}");
  CHECK(changed("t.*", "r.{{wildcard(1)}}x", "t.a") == "r.{{wildcard(1)}}x");
  CHECK(changed("t.*", "r.{{split(1,.)}}", "t.a") == "r.{{split(1,.)}}");
}

TEST_CASE("transform: partition is FNV-1a of the tokens in the order named, or of the subject") {
  struct Seen {
    const char* subject;
    const char* whole;
    const char* first;
    const char* both;
    const char* swapped;
  };
  for (const Seen& seen :
       {Seen{"abc-def.xy", "5", "1", "2", "0"}, Seen{"a.b", "1", "0", "6", "8"},
        Seen{"-x--y-.z", "7", "0", "6", "0"}, Seen{"abcdefgh.q", "7", "7", "8", "0"},
        Seen{"123456.12", "6", "4", "3", "7"}, Seen{"xabyabz.1", "4", "2", "3", "9"},
        Seen{"h\u00e9llo.w", "0", "0", "1", "9"}}) {
    const std::string tail = seen.subject;
    CAPTURE(tail);
    CHECK(changed("t5.*.*", "{{partition(10)}}", "t5." + tail) == seen.whole);
    CHECK(changed("t6.*.*", "{{partition(10,1)}}", "t6." + tail) == seen.first);
    CHECK(changed("t7.*.*", "{{ Partition( 10 , 1 ,2)}}", "t7." + tail) == seen.both);
    CHECK(changed("t8.*.*", "{{partition(10,2, 1)}}", "t8." + tail) == seen.swapped);
  }
  CHECK(changed("t9.*.*", "{{partition(10,0)}}", "t9.a.b") == "8");
  CHECK(changed("lit", "rl.{{partition(10)}}", "lit") == "rl.0");
  CHECK(changed("t.*", "r.{{partition(0,1)}}", "t.a") == "r.0");
  CHECK(changed("t4.*.*", "r.{{partition(-1,1)}}", "t4.a.b") == "r.3826002220");
}

TEST_CASE("transform: split leaves no empty token") {
  const auto split = [](std::string_view token) {
    return changed("t.*", "r.{{split(1,-)}}", "t." + std::string(token));
  };
  CHECK(split("abc-def") == "r.abc.def");
  CHECK(split("abc") == "r.abc");
  CHECK(split("-x--y-") == "r.x.y");
  CHECK(split("--x") == "r.x");
  CHECK(split("--") == "r.");
  CHECK(changed("t.*", "{{split(1,ab)}}", "t.xabyabz") == "x.y.z");
  CHECK(changed("t.*", "{{split(1,))}}", "t.x)y") == "x.y");
  CHECK(changed("t.*", "{{split(1,)}}", "t.h\u00e9l-") == "h.\u00e9.l.-");
  CHECK(changed("t.*", "{{split(1, )}}", "t.\xff\xc3") == "\xff.\xc3");
}

TEST_CASE("transform: split and slice at a place, from either side") {
  const auto of = [](std::string_view function, std::string_view token) {
    return changed("t.*", "{{" + std::string(function) + "}}", "t." + std::string(token));
  };
  CHECK(of("splitFromLeft(1,3)", "abcdefgh") == "abc.defgh");
  CHECK(of("splitfromright(1,3)", "abcdefgh") == "abcde.fgh");
  CHECK(of("SliceFromLeft(1,3)", "abcdefgh") == "abc.def.gh");
  CHECK(of("sliceFromRight(1,3)", "abcdefgh") == "ab.cde.fgh");
  CHECK(of("sliceFromLeft(1,2)", "abcdefgh") == "ab.cd.ef.gh");
  CHECK(of("sliceFromRight(1,2)", "abcdefgh") == "ab.cd.ef.gh");
  CHECK(of("left(1,3)", "abcdefgh") == "abc");
  CHECK(of("right(1,3)", "abcdefgh") == "fgh");
  for (const char* function :
       {"splitFromLeft", "splitFromRight", "sliceFromLeft", "sliceFromRight", "left", "right"}) {
    for (const char* number : {"-3", "0", "8", "9", "2147483647"}) {
      CAPTURE(function);
      CAPTURE(number);
      CHECK(of(std::string(function) + "(1," + number + ")", "abcdefgh") == "abcdefgh");
    }
  }
}

TEST_CASE("transform: random draws below its bound, each for itself and for each message") {
  const auto transform = Transform::parse("t.*", "r.{{random(3)}}.{{random(3)}}");
  REQUIRE(transform);
  CHECK_FALSE(transform->is_deterministic());
  std::set<std::string> seen;
  for (std::uint64_t random = 0; random < 200; ++random) {
    std::string out;
    transform->apply("t.a", random, out);
    seen.insert(out);
  }
  CHECK(seen.size() == 9);
  CHECK(seen.begin()->starts_with("r.0.0"));
  CHECK(seen.rbegin()->starts_with("r.2.2"));
  CHECK(changed("lit", "{{random(0)}}.{{random(-1)}}", "lit") == "0.0");
  CHECK(Transform::parse("t.*", "r.{{partition(3)}}")->is_deterministic());
}

TEST_CASE("transform: it appends, and what was in the buffer stays") {
  std::string out = "before ";
  Transform::parse("a.*", "b.$1")->apply("a.x", 0, out);
  CHECK(out == "before b.x");
}

TEST_CASE("transform: what cannot be meant is refused, with nats-server's beginning") {
  struct Refused {
    const char* source;
    const char* destination;
    const char* begins;
  };
  const std::string text = "invalid mapping destination: ";
  for (const Refused& refused : std::vector<Refused>{
           {"foo.*", "bar.$2", "wildcard index out of range in $2: [2]"},
           {"foo", "bar.$1", "wildcard index out of range in $1"},
           {"foo.>", "bar.{{partition(10,1)}}.>", "wildcard index out of range in "},
           {"foo", "bar.{{wildcard(0)}}", "wildcard index out of range in "},
           {"foo.*", "bar.{{split(2,-)}}", "wildcard index out of range in {{split(2,-)}}: [2]"},
           {"foo.*", "bar.{{wildcard()}}", "not enough arguments passed to the function in "},
           {"foo.*", "bar.{{wildcard(1,2)}}", "too many arguments passed to the function in "},
           {"foo.*", "bar.{{wildcard(1,)}}", "too many arguments passed to the function in "},
           {"foo.*", "bar.{{wildcard(a)}}", "function argument is invalid or in the wrong format"},
           {"foo.*", "bar.{{wildcard(+-1)}}", "function argument is invalid"},
           {"foo.*", "bar.{{wildcard(\t1)}}", "function argument is invalid"},
           {"foo.*", "bar.{{partition()}}", "function argument is invalid"},
           {"foo.*", "bar.{{partition(10,1,)}}", "function argument is invalid"},
           {"foo.*", "bar.{{partition(3000000000,1)}}", "function argument is invalid"},
           {"foo.*", "bar.{{random(3000000000)}}", "function argument is invalid"},
           {"foo.*", "bar.{{random(1,2)}}", "too many arguments passed to the function in "},
           {"foo.*", "bar.{{split(1)}}", "not enough arguments passed to the function in "},
           {"foo.*", "bar.{{split(1,-,x)}}", "too many arguments passed to the function in "},
           {"foo.*", "bar.{{split(1,a b)}}", "function argument is invalid"},
           {"foo.*", "bar.{{right(1)}}", "not enough arguments passed to the function in "},
           {"foo.*", "bar.{{unknown(1)}}", "unknown function in {{unknown(1)}}"},
           {"foo.*", "bar.{{WILDCARD(1)}}", "unknown function in "},
           {"foo.*", "bar.{{x}}", "unknown function in "},
           {"foo.*", "bar..$1", "invalid transform in "},
           {"foo.*", "", "invalid transform in "},
           {"foo.*", "bar.>.x", "invalid transform in "},
           {"foo.*", "bar x", "invalid transform in "},
           {"foo.*", "bar.{{wildcard(1)}} ", "invalid transform in "},
       }) {
    CAPTURE(refused.destination);
    const std::string error = error_of(refused.source, refused.destination);
    CHECK_MESSAGE(error.starts_with(text + refused.begins), error);
  }
  for (const Refused& refused : std::vector<Refused>{{"foo.>", "bar", ""},
                                                     {"foo", "bar.>", ""},
                                                     {"foo.*", "bar.*", ""},
                                                     {"", "bar", ""},
                                                     {"foo..a", "bar", ""},
                                                     {"foo bar", "x", ""},
                                                     {"foo.>.a", "x.>", ""}}) {
    CAPTURE(refused.source);
    CHECK(error_of(refused.source, refused.destination).starts_with("invalid subject: "));
  }
}

TEST_CASE("transform: the way back needs every wildcard, and no function but wildcard") {
  CHECK(error_of("a.*.*", "b.$2.{{wildcard(1)}}", TransformUse::reversible).empty());
  CHECK(error_of("a.>", "b.a.>", TransformUse::reversible).empty());
  CHECK(error_of("a.*.*", "b.$2", TransformUse::reversible)
            .starts_with("invalid mapping destination: not using all of the token wildcard(s)"));
  CHECK(error_of("a.*", "b.{{split(1,-)}}", TransformUse::reversible)
            .starts_with("invalid mapping destination: the only mapping function allowed"));
}

TEST_CASE("transform: the origin of a filter is the filter of what becomes one of its subjects") {
  CHECK(Transform::parse("a.*.b.>", "x.$1.>")->image().to_string() == "x.*.>");
  CHECK(origin_of("a.*.b.>", "x.$1.>", "x.*.>") == "a.*.b.>");
  CHECK(origin_of("a.*.b.>", "x.$1.>", "x.k.y.z") == "a.k.b.y.z");
  CHECK(origin_of("a.*.b.>", "x.$1.>", "x.k.*.>") == "a.k.b.*.>");
  CHECK(origin_of("a.*.*", "$2.y.$1", "*.y.k") == "a.k.*");
  CHECK(origin_of("a.*.*", "$2.y.$1", "q.y.k") == "a.k.q");
  CHECK(origin_of("a.*", "b.$1.$1", "b.x.*") == "a.x");
  CHECK(origin_of("a.*", "b.$1.$1", "b.x.y") == "none");
  CHECK(origin_of(">", "from.>", "from.>") == ">");
  CHECK(origin_of(">", "from.>", "from.a") == "a");
  CHECK(origin_of("a.*", "$0.$1", "b.c") == "none");
  CHECK(origin_of("a.*", "$0.$1", "a.c") == "a.c");
  CHECK(origin_of("a", "b", "b") == "a");
}
