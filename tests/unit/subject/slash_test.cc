#include "subject/slash.h"

#include <doctest/doctest.h>

#include <functional>
#include <random>
#include <string>
#include <unordered_set>
#include <vector>

#include "subject/subject.h"

using namespace spanwire;
using subject::Slash;
using subject::Spelling;

namespace {

std::string to_subject(std::string_view topic) {
  std::string text = "kept:";
  const auto result = subject::topic_to_subject(topic, text);
  return result.status == Slash::ok ? text.substr(5) : "refused, " + text;
}

std::string to_topic(std::string_view subject_text) {
  std::string text = "kept:";
  const Spelling result = subject::subject_to_topic(subject_text, text);
  return result == Spelling::ok ? text.substr(5) : "not spellable, " + text;
}

// The rule as it is told, a level at a time: what the fast code must agree with.
std::string model_token(std::string_view level) {
  if (level.empty()) return "/";
  if (level == "*" || level == ">") return "/" + std::string(level);
  std::string token;
  for (char c : level) {
    if (c == '.') {
      token += "//";
    } else if (c == ' ') {
      token += "/_";
    } else if (c == '\t') {
      token += "/t";
    } else {
      token += c;
    }
  }
  return token;
}

std::string model_subject(std::string_view topic) {
  std::string text;
  for (;;) {
    const std::size_t slash = topic.find('/');
    text += model_token(topic.substr(0, slash));
    if (slash == std::string_view::npos) return text;
    text += '.';
    topic.remove_prefix(slash + 1);
  }
}

// Calls back with every string over `alphabet` of 1 to `longest` bytes.
void each_string(std::string_view alphabet, std::size_t longest,
                 const std::function<void(const std::string&)>& visit) {
  std::string text;
  const std::function<void()> extend = [&] {
    for (char c : alphabet) {
      text.push_back(c);
      visit(text);
      if (text.size() < longest) extend();
      text.pop_back();
    }
  };
  extend();
}

struct Pair {
  const char* topic;
  const char* subject;
};

constexpr Pair reference_pairs[] = {
    {"foo/bar", "foo.bar"},
    {"/foo", "/.foo"},
    {"//foo", "/./.foo"},
    {"foo/", "foo./"},
    {"foo//", "foo././"},
    {"foo//bar", "foo./.bar"},
    {"/", "/./"},
    {"///foo//", "/././.foo././"},
    {".", "//"},
    {"..", "////"},
    {"./", "//./"},
    {".//.", "//././/"},
    {"./foo/.", "//.foo.//"},
    {"foo../bar/.", "foo////.bar.//"},
    {"foo.bar/baz", "foo//bar.baz"},
    {"/.foo", "/.//foo"},
    {"a.b", "a//b"},
    {".a", "//a"},
    {"a.", "a//"},
    {"//", "/././"},
    {"a/./b", "a.//.b"},
    {"retained messages/count", "retained/_messages.count"},
    {"a\tb", "a/tb"},
    {"a/*/b", "a./*.b"},
    {"foo/>", "foo./>"},
    {"*", "/*"},
    {"a*/b>c/**", "a*.b>c.**"},
    {"$SYS/broker/uptime", "$SYS.broker.uptime"},
    {"caf\xc3\xa9/\xe2\x82\xac", "caf\xc3\xa9.\xe2\x82\xac"},
};

}  // namespace

TEST_CASE("slash: the reference table of topics and subjects holds in both directions") {
  for (const Pair& pair : reference_pairs) {
    CAPTURE(pair.topic);
    CHECK(to_subject(pair.topic) == pair.subject);
    CHECK(to_topic(pair.subject) == pair.topic);
  }
}

TEST_CASE("slash: every short topic comes back, alone on its subject, which has no empty token") {
  std::unordered_set<std::string> seen;
  std::size_t failures = 0;
  std::size_t topics = 0;
  each_string("a./ \t*>", 6, [&](const std::string& topic) {
    const std::string text = to_subject(topic);
    ++topics;
    const bool holds = text == model_subject(topic) && subject::is_literal(text) &&
                       subject::is_safe(text) && to_topic(text) == topic &&
                       seen.insert(text).second;
    if (!holds) ++failures;
  });
  CHECK(topics == 137'256);  // 7 + 7^2 + ... + 7^6
  CHECK(failures == 0);
}

TEST_CASE("slash: a subject is not spellable, or is the subject of the topic that it spells") {
  std::size_t failures = 0;
  std::size_t spellable = 0;
  each_string("a./_t*>", 6, [&](const std::string& text) {
    const std::string topic = to_topic(text);
    if (topic == "not spellable, kept:") return;
    ++spellable;
    if (to_subject(topic) != text || !subject::is_valid_topic_name(topic)) ++failures;
  });
  CHECK(spellable > 10'000);
  CHECK(failures == 0);
}

TEST_CASE("slash: special bytes at any place of a longer topic keep the rule") {
  std::mt19937 random(1);
  const std::string_view alphabet = "abcdefghij012345ABCDEFGHIJKLMNOP$-_\x80\xff/./. \t*>//";
  std::uniform_int_distribution<std::size_t> pick(0, alphabet.size() - 1);
  for (int round = 0; round < 20'000; ++round) {
    std::string topic(1 + static_cast<std::size_t>(round) % 70, 'x');
    for (char& c : topic) c = alphabet[pick(random)];
    CAPTURE(topic);
    const std::string text = to_subject(topic);
    REQUIRE(text == model_subject(topic));
    REQUIRE(to_topic(text) == topic);
  }
}

TEST_CASE("slash: random UTF-8 topics come back unchanged") {
  std::mt19937 random(2);
  std::uniform_int_distribution<std::uint32_t> any(0, 0x10ffff);
  const auto append = [](std::string& out, std::uint32_t point) {
    const auto byte = [&](std::uint32_t value) { out.push_back(static_cast<char>(value)); };
    if (point < 0x80) return byte(point);
    if (point < 0x800) return byte(0xc0 | point >> 6), byte(0x80 | (point & 0x3f));
    if (point < 0x10000) {
      byte(0xe0 | point >> 12);
    } else {
      byte(0xf0 | point >> 18), byte(0x80 | (point >> 12 & 0x3f));
    }
    byte(0x80 | (point >> 6 & 0x3f)), byte(0x80 | (point & 0x3f));
  };
  for (int round = 0; round < 20'000; ++round) {
    std::string topic;
    for (int i = 0; i <= round % 25; ++i) {
      const std::uint32_t point = any(random) >> (any(random) % 20);
      const bool refused = (point < 0x20 && point != '\t') || point == 0x7f || point == '+' ||
                           point == '#' || (point >= 0xd800 && point < 0xe000);
      append(topic, refused ? '/' : point);
    }
    CAPTURE(topic);
    REQUIRE(to_topic(to_subject(topic)) == topic);
  }
}

TEST_CASE("slash: a refused byte is named by its place, wherever it is") {
  for (int byte = 0; byte < 256; ++byte) {
    const bool control = (byte < 0x20 && byte != '\t') || byte == 0x7f;
    const bool wildcard = byte == '+' || byte == '#';
    const Slash expected = control ? Slash::control : wildcard ? Slash::wildcard : Slash::ok;
    for (std::size_t size = 1; size <= 40; ++size) {
      std::string topic(size, 'a');
      topic[size / 2] = static_cast<char>(byte);
      std::string text = "kept";
      const auto result = subject::topic_to_subject(topic, text);
      CAPTURE(byte);
      CAPTURE(size);
      REQUIRE(result.status == expected);
      REQUIRE(result.offset == (expected == Slash::ok ? 0 : size / 2));
      REQUIRE((expected == Slash::ok) == (text != "kept"));
    }
  }
}

TEST_CASE("slash: a byte that no topic name has makes a subject not spellable, wherever it is") {
  for (int byte = 0; byte < 256; ++byte) {
    const bool refused = byte <= 0x20 || byte == 0x7f || byte == '+' || byte == '#';
    const bool structural = byte == '/' || byte == '.';
    for (std::size_t size = 3; size <= 40 && !structural; ++size) {
      std::string text(size, 'a');
      text[size / 2] = static_cast<char>(byte);
      CAPTURE(byte);
      CAPTURE(size);
      REQUIRE(to_topic(text) == (refused ? "not spellable, kept:" : text));
    }
  }
}

TEST_CASE("slash: subjects outside the image of the rule are not spellable") {
  for (const char* text : {"",     ".",   "a.",     ".a",  "a..b", "foo/bar", "a/",  "a/.b",
                           "a./b", "///", "a//./x", "*",   ">",    "a.*",     "a.>", "*.a",
                           "/*a",  "a/*", "a/>.b",  "/>>", "/**",  "/",       "/ ",  "a b"}) {
    CAPTURE(text);
    CHECK(to_topic(text) == "not spellable, kept:");
  }
}

TEST_CASE("slash: an empty topic and one above 65,535 bytes are refused [MQTT-4.7.3-1, 4.7.3-3]") {
  std::string text = "kept";
  CHECK(subject::topic_to_subject("", text).status == Slash::empty);
  const std::string longest(65'535, '.');
  CHECK(subject::topic_to_subject(longest + "a", text).status == Slash::too_long);
  CHECK(text == "kept");
  CHECK(to_topic(to_subject(longest)) == longest);
  CHECK(to_topic(to_subject(longest) + "a") == "not spellable, kept:");
  CHECK(to_topic(std::string(65'536, 'a')) == "not spellable, kept:");
}

TEST_CASE("slash: a topic name has no wildcard and is not empty [MQTT-3.3.2-2, 4.7.3-1]") {
  for (const char* topic : {"", "+", "#", "a/+", "a/#", "a+b", "a#"}) {
    CAPTURE(topic);
    CHECK_FALSE(subject::is_valid_topic_name(topic));
  }
  for (const char* topic : {"/", "a", "a b/*", "$SYS/x", ">"}) {
    CAPTURE(topic);
    CHECK(subject::is_valid_topic_name(topic));
  }
  CHECK(subject::is_valid_topic_name(std::string(65'535, 'a')));
  CHECK_FALSE(subject::is_valid_topic_name(std::string(65'536, 'a')));
}

TEST_CASE("slash: # stands last and alone, + alone in its level [MQTT-4.7.1-2, 4.7.1-3]") {
  for (const char* filter : {"", "a#", "#a", "#/", "#/a", "a/#/b", "##", "a/b#", "+a", "a+", "++",
                             "a/+b", "a/b+/c", "+#", "#+", "+/a+/#"}) {
    CAPTURE(filter);
    CHECK_FALSE(subject::is_valid_topic_filter(filter));
  }
  for (const char* filter : {"#", "+", "/", "/#", "/+", "+/", "+/+", "a/+/b", "a/#", "+/#", "a//#",
                             "sport/+/#", "a b"}) {
    CAPTURE(filter);
    CHECK(subject::is_valid_topic_filter(filter));
  }
  CHECK_FALSE(subject::is_valid_topic_filter(std::string(65'536, 'a')));
}

namespace {

std::string filter_of(std::string_view text) {
  const auto filter = subject::parse_topic_filter(text);
  if (!filter) return "refused: " + std::string(filter.error());
  return filter->to_string() + (filter->not_dollar() ? " not $" : "");
}

bool reaches(std::string_view filter, std::string_view topic) {
  std::string text;
  REQUIRE(subject::topic_to_subject(topic, text).status == Slash::ok);
  return subject::matches(subject::parse_topic_filter(filter).value(), text);
}

// MQTT 3.1.1, 4.7, on the texts themselves.
bool model_matches(std::string_view filter, std::string_view topic) {
  const auto split = [](std::string_view text) {
    std::vector<std::string> levels(1);
    for (char c : text) {
      if (c == '/') {
        levels.emplace_back();
      } else {
        levels.back() += c;
      }
    }
    return levels;
  };
  const auto wanted = split(filter);
  const auto levels = split(topic);
  if (topic.starts_with('$') && (wanted[0] == "+" || wanted[0] == "#")) return false;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i] == "#") return levels.size() >= i;
    if (i == levels.size() || (wanted[i] != "+" && wanted[i] != levels[i])) return false;
  }
  return wanted.size() == levels.size();
}

}  // namespace

TEST_CASE("slash: the reference table of filters holds") {
  CHECK(filter_of("+") == "* not $");
  CHECK(filter_of("/+") == "/.*");
  CHECK(filter_of("+/") == "*./ not $");
  CHECK(filter_of("foo//+/") == "foo./.*./");
  CHECK(filter_of("#") == "# not $");
  CHECK(filter_of("/#") == "/.#");
  CHECK(filter_of("foo/#") == "foo.#");
  CHECK(filter_of("foo//#") == "foo./.#");
  CHECK(filter_of("/") == "/./");
  CHECK(filter_of("a.b c/*/>/x") == "a//b/_c./*./>.x");
  CHECK(filter_of("$SYS/+") == "$SYS.*");
}

TEST_CASE("slash: what is no filter, a control byte and too many levels are refused") {
  CHECK(filter_of("a+") == "refused: not a valid topic filter");
  CHECK(filter_of("") == "refused: not a valid topic filter");
  CHECK(filter_of("+/a\nb") == "refused: a control byte");
  CHECK(filter_of("a\x7f/#") == "refused: a control byte");
  const std::string slashes(subject::max_filter_tokens - 1, '/');
  CHECK(subject::parse_topic_filter(slashes).has_value());
  CHECK(filter_of(slashes + "/") == "refused: too many levels");
}

TEST_CASE("slash: a filter's # matches its parent, a wildcard no $ at the front [MQTT-4.7.2-1]") {
  CHECK(reaches("foo/#", "foo"));
  CHECK(reaches("foo/#", "foo/bar/baz"));
  CHECK_FALSE(reaches("foo/#", "food"));
  CHECK_FALSE(reaches("#", "$SYS/broker"));
  CHECK_FALSE(reaches("+/broker", "$SYS/broker"));
  CHECK(reaches("$SYS/#", "$SYS/broker"));
  CHECK(reaches("a/+", "a/$x"));
  CHECK(reaches("a/*", "a/*"));
  CHECK_FALSE(reaches("a/*", "a/b"));
}

TEST_CASE("slash: short filters reach the short topics that MQTT says, by their subjects") {
  std::vector<std::string> topics;
  each_string("a/.*$", 3, [&](const std::string& topic) { topics.push_back(topic); });
  std::size_t failures = 0;
  std::size_t filters = 0;
  each_string("a/.*$+#", 3, [&](const std::string& filter) {
    if (!subject::is_valid_topic_filter(filter)) return;
    ++filters;
    for (const std::string& topic : topics) {
      if (reaches(filter, topic) != model_matches(filter, topic)) ++failures;
    }
  });
  CHECK(filters > 150);
  CHECK(failures == 0);
}
