#include "monitor/subsz.h"

#include <algorithm>

#include "monitor/job.h"
#include "subject/filter.h"
#include "subject/subject.h"

namespace spanwire::monitor {
namespace {

constexpr std::size_t default_limit = 1024;
constexpr std::size_t max_limit = 50'000;
// Finding a connection's port costs as much as looking at so many subscriptions.
constexpr std::size_t port_units = 4;

struct Query {
  bool list = false;
  std::size_t offset = 0;
  std::size_t limit = default_limit;
  std::string account;  // only its subscriptions, if not empty
  std::string subject;  // only those that it reaches, if not empty
};

base::Result<Query> read_query(const http::Query& query) {
  const auto list = flag_parameter(query, "subs");
  if (!list) return tl::unexpected(list.error());
  const auto offset = number_parameter(query, "offset");
  if (!offset) return tl::unexpected(offset.error());
  const auto limit = number_parameter(query, "limit");
  if (!limit) return tl::unexpected(limit.error());
  Query out;
  out.list = *list;
  if (*offset > 0) out.offset = static_cast<std::size_t>(*offset);
  if (*limit > 0) out.limit = std::min(static_cast<std::size_t>(*limit), max_limit);
  out.account = query.find("acc").value_or(std::string_view());
  out.subject = query.find("test").value_or(std::string_view());
  if (!out.subject.empty() && !subject::is_literal(out.subject)) {
    return base::fail("the parameter test is not a subject that one can publish to");
  }
  return out;
}

// What a loop has counted.
struct Figures {
  std::uint64_t cached = 0;
  std::uint64_t builds = 0;
  std::uint64_t routed = 0;
  std::uint64_t handed_over = 0;
  std::uint64_t delivered = 0;
};

Figures read_figures(const bus::Router& router) {
  const bus::RouterStats& stats = router.stats();
  return {.cached = router.cache().size(),
          .builds = router.cache().builds(),
          .routed = stats.clients.in_messages.get() + stats.own.in_messages.get(),
          .handed_over = stats.handed_over.get(),
          .delivered = stats.clients.out_messages.get() + stats.own.out_messages.get()};
}

// A part of the list.
struct Rows {
  std::size_t matched = 0;  // on the whole loop
  std::vector<SubscriptionRow> rows;
  bool is_cut = false;  // connections or subscriptions went away under the hand
};

// The subscriptions of one loop, of which `skip` are left out and then `take` are listed.
class SubszJob final : public Job {
 public:
  SubszJob(Bridge& bridge, Query query, std::size_t skip, std::size_t take, base::Done<Rows> done)
      : bridge_(bridge),
        query_(std::move(query)),
        skip_(skip),
        take_(take),
        done_(std::move(done)),
        peers_(bridge.shown_peers()) {}

  bool step() override {
    std::size_t units = step_units;
    if (walk_ && !walk(units)) return false;
    for (; next_ < peers_.size();) {
      if (units < port_units) return false;
      units -= port_units;
      if (!enter(*peers_[next_++])) continue;
      if (!walk(units)) return false;
    }
    done_(std::move(result_));
    return true;
  }

  void forget(const session::Peer& peer) override { gone_.insert(&peer); }

 private:
  // True: its subscriptions must be looked at one by one.
  bool enter(const session::Peer& peer) {
    if (gone_.contains(&peer)) return false;
    const bus::Port* port = peer.session()->describe().port;
    if (port == nullptr) return false;
    const std::string& account = port->principal().account->name;
    if (!query_.account.empty() && account != query_.account) return false;
    const std::size_t count = port->subscriptions();
    if (query_.subject.empty() && (count <= skip_ || take_ == 0)) {
      result_.matched += count;
      skip_ -= std::min(skip_, count);
      return false;
    }
    walk_.emplace(bridge_.turn().router(), *port);
    return true;
  }

  // Those of the connection before next_. False: there are more, in the next step.
  bool walk(std::size_t& units) {
    const session::Peer& peer = *peers_[next_ - 1];
    if (gone_.contains(&peer) || !walk_->resume()) {
      result_.is_cut = true;
      walk_.reset();
      return true;
    }
    for (; units > 0; --units) {
      const bus::Subscription* subscription = walk_->next();
      if (subscription == nullptr) {
        walk_.reset();
        return true;
      }
      take_up(peer, *subscription);
    }
    return false;
  }

  void take_up(const session::Peer& peer, const bus::Subscription& subscription) {
    if (!query_.subject.empty() && !matches(subscription.entry->filter(), query_.subject)) return;
    ++result_.matched;
    if (skip_ > 0) {
      --skip_;
    } else if (take_ > 0) {
      --take_;
      result_.rows.push_back(read_subscription(peer, subscription));
    }
  }

  Bridge& bridge_;
  Query query_;
  std::size_t skip_;
  std::size_t take_;
  base::Done<Rows> done_;
  std::vector<const session::Peer*> peers_;
  absl::flat_hash_set<const session::Peer*> gone_;
  std::size_t next_ = 0;
  std::optional<SubscriptionWalk> walk_;
  Rows result_;
};

// The page while it is put together, on its own loop.
struct Draft {
  Page page;
  Query query;
  Figures figures;
  Rows list;  // of the loops so far
};

std::string subsz_text(const Draft& draft, const std::string& server_id, base::WallTime now,
                       std::size_t subscriptions, std::uint64_t inserted) {
  const Figures& figures = draft.figures;
  // Every message is matched where it is published, and again where it is handed over to.
  const std::uint64_t matches = figures.routed + figures.handed_over;
  const std::uint64_t hits = matches - std::min(matches, figures.builds);
  const auto ratio = [](std::uint64_t part, std::uint64_t whole) {
    return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
  };
  std::string text;
  json::Writer json(text, page_style);
  json.begin_object().member("server_id", server_id).member("now", now);
  json.member("num_subscriptions", subscriptions).member("num_cache", figures.cached);
  json.member("num_inserts", inserted).member("num_removes", inserted - subscriptions);
  json.member("num_matches", matches).member("cache_hit_rate", ratio(hits, matches));
  json.member("avg_fanout", ratio(figures.delivered, figures.routed));
  json.member("total", draft.list.matched).member("offset", draft.query.offset);
  json.member("limit", draft.query.limit);
  if (!draft.list.rows.empty()) {
    json.key("subscriptions_list").begin_array();
    for (const SubscriptionRow& row : draft.list.rows) write_subscription(json, row, true);
    json.end_array();
  }
  if (draft.list.is_cut) json.member("subscriptions_list_is_cut", true);
  json.end_object();
  return text;
}

void finish(Bridge& bridge, const std::shared_ptr<Draft>& draft) {
  std::size_t subscriptions = 0;
  std::uint64_t inserted = 0;
  for (const bus::Interest* interest : bridge.turn().router().hub().interests()) {
    const std::string& account = draft->query.account;
    if (!account.empty() && interest->account().name != account) continue;
    subscriptions += interest->subscriptions();
    inserted += interest->inserted();
  }
  Page page = std::move(draft->page);
  bridge.render(std::move(page), draft->list.rows.size(),
                [draft, id = bridge.services().identity().id, subscriptions, inserted,
                 now = bridge.services().loop().wall_now()] {
                  return subsz_text(*draft, id, now, subscriptions,
                                    std::max<std::uint64_t>(inserted, subscriptions));
                });
}

// Asks one loop after the other: only then is it known how many to leave out on the next.
void list_from(Bridge& bridge, base::LoopId loop, std::shared_ptr<Draft> draft) {
  if (!draft->page.wanted()) return;
  if (!draft->query.list || loop == bridge.services().loops()) {
    return finish(bridge, draft);
  }
  const Query& query = draft->query;
  const std::size_t skip = query.offset - std::min(query.offset, draft->list.matched);
  const std::size_t take = query.limit - draft->list.rows.size();
  bridge.ask_loop<Rows>(
      loop,
      [query, skip, take](Bridge& there, base::Done<Rows> done) {
        there.run(std::make_unique<SubszJob>(there, query, skip, take, std::move(done)));
      },
      [&bridge, loop, draft](Rows more) mutable {
        draft->list.matched += more.matched;
        draft->list.is_cut |= more.is_cut;
        std::move(more.rows.begin(), more.rows.end(), std::back_inserter(draft->list.rows));
        list_from(bridge, static_cast<base::LoopId>(loop + 1), std::move(draft));
      });
}

}  // namespace

void subsz(Bridge& bridge, const web::Request& request, Page page) {
  const auto query = read_query(request.query);
  if (!query) return page.refuse(400, query.error().text);
  auto draft = std::make_shared<Draft>(Draft{std::move(page), *query, {}, {}});
  bridge.ask_loops<Figures>(
      [](Bridge& there, base::Done<Figures> done) { done(read_figures(there.turn().router())); },
      [&bridge, draft = std::move(draft)](const std::vector<Figures>& loops) mutable {
        Figures& sum = draft->figures;
        for (const Figures& figures : loops) {
          sum.cached += figures.cached;
          sum.builds += figures.builds;
          sum.routed += figures.routed;
          sum.handed_over += figures.handed_over;
          sum.delivered += figures.delivered;
        }
        list_from(bridge, 0, std::move(draft));
      });
}

}  // namespace spanwire::monitor
