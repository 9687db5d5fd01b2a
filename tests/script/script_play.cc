#include "tests/script/script_play.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace spanwire::script {
namespace {

using std::chrono::milliseconds;

// The longest that virtual time runs on for an expected byte, and its steps.
constexpr base::Duration patience = std::chrono::seconds(5);
constexpr base::Duration patience_step = milliseconds(10);
// A NATS server's PING that comes earlier would be an answer to something.
constexpr base::Duration own_ping_after = std::chrono::seconds(1);

std::string fence_question(const std::string& wire) {
  return wire == "nats" ? "PING\r\n" : std::string("\xc0\x00", 2);
}
std::string fence_answer(const std::string& wire) {
  return wire == "nats" ? "PONG\r\n" : std::string("\xd0\x00", 2);
}

std::string small_letters(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

std::string trimmed(const std::string& text) {
  const std::size_t first = text.find_first_not_of(' ');
  if (first == std::string::npos) return {};
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

std::pair<std::string, std::string> header_of(const std::string& line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string::npos) return {small_letters(line), {}};
  return {small_letters(line.substr(0, colon)), trimmed(line.substr(colon + 1))};
}

}  // namespace

std::string Play::run() {
  for (const Step& step : scenario_.steps) {
    std::string failure;
    try {
      failure = play(step);
    } catch (const ScriptError& error) {
      failure = std::string("in the script: ") + error.what();
    }
    if (!failure.empty()) return fmt::format("line {}: {}", step.line, failure);
  }
  return no_rest();
}

std::string Play::play(const Step& step) {
  const char name = step.names.empty() ? ' ' : step.names.front();
  const std::string& text = step.texts.front();
  switch (step.op) {
    case Op::send:
      return send(step);
    case Op::expect:
      return expect(link(name), text);
    case Op::expect_any_order:
      return expect_any_order(step);
    case Op::connects:
      return connects(step);
    case Op::greeted:
      return greeted(link(name), text);
    case Op::closed:
      return closed(step);
    case Op::nothing:
      return nothing(step);
    case Op::share:
      return share(step);
    case Op::answered:
      return answered(step);
    case Op::opens:
      link(name);
      break;
    case Op::speaks:
      wires_[name] = wire_of(text);
      break;
    case Op::advance:
      advance(duration(text));
      break;
    case Op::closes:
      link(name).peer->hang_up();
      settle();
      links_.erase(name);
      break;
    case Op::stalls:
    case Op::resumes:
      link(name).stalled = step.op == Op::stalls;
      link(name).peer->set_accepting(step.op == Op::resumes);
      settle();
      break;
  }
  return {};
}

Play::Link& Play::link(char name) {
  const auto found = links_.find(name);
  if (found != links_.end()) return found->second;
  Link& link = links_[name];
  link.name = name;
  link.wire = wires_.contains(name) ? wires_[name] : wire_of(scenario_.key("wire"));
  link.peer = &stage_.connect(link.wire);
  link.opened = stage_.world().loop(0).now();
  settle();
  return link;
}

Text Play::parse(const Link& link, const std::string& text) const {
  const std::string filled = fill_ports(text);
  return link.wire == "mqtt" ? parse_packets(filled) : parse_line(filled);
}

// Everything that can happen without time passing happens; then what was sent is collected.
void Play::settle() {
  if (cut_.loop_seed != 0) {
    stage_.world().settle_at_random(rng_);
  } else {
    stage_.world().settle();
  }
  for (auto& [name, link] : links_) link.data += link.peer->take();
}

void Play::advance(base::Duration time) {
  stage_.world().advance(time);
  settle();
}

void Play::write(Link& link, std::string_view bytes) {
  link.peer->write(bytes);
  settle();
}

std::string Play::send(const Step& step) {
  Link& to = link(step.names.front());
  std::string bytes;
  for (const std::string& text : step.texts) bytes += as_bytes(parse(to, text));
  if (cut_.every_byte && bytes.size() <= 256) {
    for (const char byte : bytes) write(to, {&byte, 1});
  } else if (cut_.at > 0 && cut_.at < bytes.size()) {
    write(to, std::string_view(bytes).substr(0, cut_.at));
    write(to, std::string_view(bytes).substr(cut_.at));
  } else {
    write(to, bytes);
  }
  return {};
}

void Play::skip_pings(Link& link, const Text* expected) {
  if (link.wire != "nats" || scenario_.key("pings") == "shown") return;
  if (expected != nullptr && !expected->empty() && expected->front().text.starts_with("PING")) {
    return;
  }
  const bool late = stage_.world().loop(0).now() - link.opened > own_ping_after;
  while (late && link.data.starts_with("PING\r\n")) {
    link.data.erase(0, 6);
    write(link, "PONG\r\n");
  }
}

std::string Play::take(Link& link, const std::vector<Text>& choices, std::size_t& chosen,
                       std::string& taken) {
  const base::Time deadline = stage_.world().loop(0).now() + patience;
  while (true) {
    settle();
    skip_pings(link, &choices.front());
    bool hope = false;
    for (chosen = 0; chosen < choices.size(); ++chosen) {
      const Matched matched = match(choices[chosen], link.data);
      if (matched.verdict == Verdict::match) {
        taken = link.data.substr(0, matched.end);
        link.data.erase(0, matched.end);
        return {};
      }
      hope = hope || matched.verdict == Verdict::more;
    }
    const bool late = stage_.world().loop(0).now() >= deadline;
    if (!hope || late || link.peer->closed()) {
      std::string wanted;
      for (const Text& choice : choices) {
        wanted += (wanted.empty() ? "" : "\n      or ") + describe(choice);
      }
      return fmt::format("{}\nexpected {}\nreceived {}{}", link.name, wanted,
                         link.data.empty() ? "nothing" : show(link.data),
                         link.peer->closed() ? ", then closed" : "");
    }
    stage_.world().advance(patience_step);
  }
}

std::string Play::expect(Link& from, const std::string& text) {
  std::size_t chosen = 0;
  std::string taken;
  return take(from, {parse(from, text)}, chosen, taken);
}

std::string Play::expect_any_order(const Step& step) {
  Link& from = link(step.names.front());
  std::vector<Text> choices;
  for (const std::string& text : step.texts) choices.push_back(parse(from, text));
  while (!choices.empty()) {
    std::size_t chosen = 0;
    std::string taken;
    std::string failure = take(from, choices, chosen, taken);
    if (!failure.empty()) return failure;
    choices.erase(choices.begin() + static_cast<std::ptrdiff_t>(chosen));
  }
  return {};
}

std::string Play::connects(const Step& step) {
  Link& to = link(step.names.front());
  const std::string& options = step.texts.front();
  if (to.wire == "nats") return connects_nats(to, options);
  if (to.wire == "http_broker") return {};
  const std::string id = options.empty() ? std::string("script-") + to.name : options;
  write(to, as_bytes(parse_packets("CONNECT[ \"MQTT\" 04 02 003c \"" + id + "\" ]")));
  return expect(to, "CONNACK[ 00 00 ]");
}

std::string Play::connects_nats(Link& to, const std::string& options) {
  std::string fields = options.empty() ? "" : options.substr(1, options.size() - 2);
  if (fields.find("\"verbose\"") == std::string::npos) {
    fields = R"("verbose":false,"pedantic":false)" + (fields.empty() ? "" : "," + fields);
  }
  std::string failure = greeted(to, {});
  if (!failure.empty()) return failure;
  write(to, "CONNECT {" + fields + "}\r\nPING\r\n");
  const bool verbose = fields.find("\"verbose\":true") != std::string::npos;
  failure = expect(to, verbose ? "+OK\\r\\nPONG" : "PONG");
  if (!failure.empty() || fields.find("\"protocol\":1") == std::string::npos) return failure;
  return greeted(to, R"({"connect_info":true})");
}

std::string Play::greeted(Link& from, const std::string& fields) {
  return expect(from, "INFO {json " + (fields.empty() ? "{}" : fields) + "}\\x20");
}

std::string Play::closed(const Step& step) {
  Link& from = link(step.names.front());
  if (from.stalled) {
    from.stalled = false;
    from.peer->set_accepting(true);
  }
  settle();
  const base::Time deadline = stage_.world().loop(0).now() + patience;
  while (!from.peer->closed() && stage_.world().loop(0).now() < deadline) advance(patience_step);
  skip_pings(from, nullptr);
  const std::string came = std::exchange(from.data, {});
  if (!from.peer->closed()) {
    return fmt::format("{} is not closed; received {}", from.name, show(came));
  }
  if (!came.empty() && step.texts.front().empty()) {
    return fmt::format("{}\nexpected only the close\nreceived {}", from.name, show(came));
  }
  return {};
}

std::string Play::nothing_for(Link& from, base::Duration time) {
  if (time == base::Duration::zero())
    settle();
  else
    advance(time);
  skip_pings(from, nullptr);
  if (from.data.empty() && !from.peer->closed()) return {};
  return fmt::format("{}\nexpected nothing\nreceived {}{}", from.name, show(from.data),
                     from.peer->closed() ? "closed" : "");
}

std::string Play::fence(Link& to) {
  write(to, fence_question(to.wire));
  std::size_t chosen = 0;
  std::string taken;
  return take(to, {{{PartKind::bytes, fence_answer(to.wire)}}}, chosen, taken);
}

std::string Play::nothing(const Step& step) {
  for (const char name : step.names) {
    Link& to = link(name);
    const std::string& time = step.texts.front();
    const bool wait = !time.empty() || to.wire == "http_broker";
    std::string failure =
        wait ? nothing_for(to, time.empty() ? base::Duration::zero() : duration(time)) : fence(to);
    if (!failure.empty()) return failure;
  }
  return {};
}

// How often each distinct text came, counted by connection, until each one's fence is answered.
std::string Play::share(const Step& step) {
  const std::string& text = step.texts.front();
  const std::size_t colon = text.find(": ");
  const int total = std::stoi(text);
  const std::size_t parts = std::stoul(text.substr(text.find(" in ") + 4));
  std::map<std::string, int> counts;
  int sum = 0;
  for (const char name : step.names) {
    Link& from = link(name);
    write(from, fence_question(from.wire));
    const std::vector<Text> choices = {parse(from, text.substr(colon + 2)),
                                       {{PartKind::bytes, fence_answer(from.wire)}}};
    while (true) {
      std::size_t chosen = 0;
      std::string taken;
      std::string failure = take(from, choices, chosen, taken);
      if (!failure.empty()) return failure;
      if (chosen == 1) break;
      ++counts[std::string(1, name) + ' ' + taken];
      ++sum;
    }
  }
  if (sum == total && counts.size() == parts) return {};
  std::string came;
  for (const auto& [part, count] : counts) came += fmt::format(" {} of {}", count, show(part));
  return fmt::format("expected {} in {} parts\nreceived{}", total, parts, came);
}

bool Play::wait_for(Link& from, std::string_view end) {
  settle();
  for (base::Duration waited{}; waited < patience; waited += patience_step) {
    if (from.data.find(end) != std::string::npos) return true;
    if (from.peer->closed()) return false;
    advance(patience_step);
  }
  return false;
}

std::string Play::read_chunks(Link& from, std::string& body) {
  while (true) {
    if (!wait_for(from, "\r\n")) return fmt::format("{}: no chunk", from.name);
    const std::size_t line = from.data.find("\r\n") + 2;
    const std::size_t size = std::stoul(from.data, nullptr, 16);
    if (from.data.size() < line + size + 2) return fmt::format("{}: a chunk cut off", from.name);
    body += from.data.substr(line, size);
    from.data.erase(0, line + size + 2);
    if (size == 0) return {};
  }
}

std::string Play::read_answer(Link& from, bool with_body, Answer& answer) {
  if (!wait_for(from, "\r\n\r\n")) {
    return fmt::format("{}: no answer; received {}", from.name, show(from.data));
  }
  answer.head = from.data.substr(0, from.data.find("\r\n\r\n") + 2);
  from.data.erase(0, answer.head.size() + 2);
  std::size_t line = answer.head.find("\r\n") + 2;
  while (line < answer.head.size()) {
    const std::size_t end = answer.head.find("\r\n", line);
    answer.headers.insert(header_of(answer.head.substr(line, end - line)));
    line = end + 2;
  }
  if (!with_body) return {};
  if (answer.headers["transfer-encoding"] == "chunked") return read_chunks(from, answer.body);
  const std::string length = answer.headers["content-length"];
  const std::size_t size = length.empty() ? 0 : std::stoul(length);
  if (from.data.size() < size) return fmt::format("{}: a body cut off", from.name);
  answer.body = from.data.substr(0, size);
  from.data.erase(0, size);
  return {};
}

std::string Play::answered(const Step& step) {
  const std::string& text = step.texts.front();
  const std::string status = text.substr(0, text.find(' '));
  Answer answer;
  std::string failure =
      read_answer(link(step.names.front()), !text.ends_with(" without body"), answer);
  if (!failure.empty()) return failure;
  const std::string came = "\nreceived " + show(answer.head) + "\n" + show(answer.body);
  if (!answer.head.substr(answer.head.find(' ') + 1).starts_with(status + ' ')) {
    return "expected status " + status + came;
  }
  for (const std::string& wanted : step.headers) {
    const auto [name, value] = header_of(wanted);
    const auto have = answer.headers.find(name);
    const bool there = have != answer.headers.end();
    const Text pattern = parse_plain(value == "{absent}" ? "" : value);
    const bool fits = value == "{absent}"
                          ? !there
                          : there && match(pattern, have->second).end == have->second.size();
    if (!fits) return "expected " + wanted + came;
  }
  const std::size_t with = text.find(" with ");
  if (with == std::string::npos) return {};
  const std::string body = text.substr(with + 6);
  if (answer.body == (body == "nothing" ? "" : as_bytes(parse_plain(body)))) return {};
  return "expected body " + body.substr(0, 200) + came;
}

std::string Play::no_rest() {
  settle();
  for (auto& [name, link] : links_) {
    skip_pings(link, nullptr);
    if (!link.data.empty() && !link.stalled) {
      return fmt::format("at the end {} has also received\n{}", name, show(link.data));
    }
  }
  return {};
}

}  // namespace spanwire::script
