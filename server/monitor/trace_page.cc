#include "monitor/trace_page.h"

#include "logging/logging.h"

namespace spanwire::monitor {
namespace {

// The loop whose book is the one that counts.
constexpr base::LoopId keeper = 0;

const logging::Logger& logger() {
  static const logging::Logger log = logging::get("monitor");
  return log;
}

struct Outcome {
  int status = 200;
  std::string text;  // the page, or what is wrong
};

bool is_local(std::string_view host) {
  return host.starts_with("127.") || host == "::1";
}

bool may_trace(const Bridge& bridge, const web::Request& request) {
  if (!request.headers.value("Origin").empty()) return false;
  return bridge.asks_for_login() || is_local(request.client.peer().remote_host());
}

std::string trace_text(const TraceBook& book, const std::vector<std::string>& wires) {
  std::string text;
  json::Writer json(text, page_style);
  json.begin_object().member("all", logger().is_on(logging::Level::trace));
  json.key("connections").begin_array();
  for (const std::uint64_t cid : book.connections()) json.value(cid);
  json.end_array().key("subjects").begin_array();
  for (const std::string& subject : book.subjects()) json.value(subject);
  json.end_array().key("wires").begin_array();
  for (const std::string& wire : wires) json.value(wire);
  json.end_array().member("limit", TraceBook::max_entries).end_object();
  return text;
}

// On the keeper: changes the book and tells every loop's bridges, in the order of the changes.
void carry_out(Bridge& bridge, const TraceChange& change, base::Done<Outcome> done) {
  if (const auto status = bridge.traces().apply(change); !status) {
    return done({.status = 409, .text = status.error().text});
  }
  using Names = std::vector<std::string>;
  bridge.ask_loops<Names>(
      [filters = bridge.traces().filters()](Bridge& there, base::Done<Names> answer) {
        Names names;
        const base::LoopId loop = there.services().loop().id();
        there.source().visit_bridges(loop, [&](std::string_view wire, wire::Bridge& each) {
          if (each.trace(filters)) names.emplace_back(wire);
        });
        answer(std::move(names));
      },
      [book = bridge.traces(), done = std::move(done)](std::vector<Names> loops) mutable {
        done({.text = trace_text(book, loops.front())});
      });
}

void log_change(const web::Request& request, const TraceChange& change) {
  if (change.kind == TraceChange::Kind::none) return;
  logger().info("{} - cid:{} - trace {}: connection {}, subject {}", request.client.peer().remote(),
                request.client.peer().id(),
                change.kind == TraceChange::Kind::add      ? "on"
                : change.kind == TraceChange::Kind::remove ? "off"
                                                           : "of everything off",
                change.connection ? std::to_string(*change.connection) : "-",
                change.subject.value_or("-"));
}

}  // namespace

void trace_page(Bridge& bridge, const web::Request& request, Page page) {
  if (!may_trace(bridge, request)) {
    return page.refuse(403, "traces are for programs on this machine, or for those who log in");
  }
  const auto change = read_trace_change(request.method, request.query);
  if (!change) return page.refuse(400, change.error().text);
  log_change(request, *change);
  bridge.ask_loop<Outcome>(
      keeper,
      [change = *change](Bridge& there, base::Done<Outcome> done) {
        carry_out(there, change, std::move(done));
      },
      [page = std::move(page)](const Outcome& outcome) mutable {
        if (outcome.status != 200) return page.refuse(outcome.status, outcome.text);
        page.send(outcome.text);
      });
}

}  // namespace spanwire::monitor
