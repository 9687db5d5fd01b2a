#include "monitor/connz.h"

#include <algorithm>
#include <limits>

#include "monitor/connz_query.h"
#include "monitor/job.h"

namespace spanwire::monitor {
namespace {

// So many subscriptions does a loop list for one page, all connections together.
constexpr std::size_t max_listed = 50'000;
// Describing a connection costs as much as looking at so many.
constexpr std::size_t row_units = 4;

struct Candidate {
  ConnectionKey key;
  const session::Peer* peer = nullptr;          // of one that is open,
  std::shared_ptr<const ConnectionRow> closed;  // or what is left of it
};

// What one loop has for the page.
struct Part {
  std::size_t total = 0;  // in the state that was asked for
  std::vector<std::pair<ConnectionKey, ConnectionRow>> rows;
};

// First looks at all connections, then describes those that may be on the page.
class ConnzJob final : public Job {
 public:
  ConnzJob(Bridge& bridge, ConnzQuery query, base::Done<Part> done)
      : bridge_(bridge),
        query_(std::move(query)),
        done_(std::move(done)),
        now_(bridge.services().loop().wall_now()) {
    if (query_.open) peers_ = bridge.shown_peers();
    if (query_.closed) closed_ = bridge.closed_connections();
    part_.total = peers_.size() + closed_.size();
  }

  bool step() override {
    std::size_t units = step_units;
    if (!selected_ && !look(units)) return false;
    if (!selected_) select();
    return describe(units);
  }

  void forget(const session::Peer& peer) override { gone_.insert(&peer); }

 private:
  bool look(std::size_t& units);
  void consider(const ConnectionRow& row, Candidate candidate);
  void select();
  bool describe(std::size_t& units);
  bool list(std::size_t& units);

  Bridge& bridge_;
  ConnzQuery query_;
  base::Done<Part> done_;
  base::WallTime now_;
  std::vector<const session::Peer*> peers_;
  std::vector<std::shared_ptr<const ConnectionRow>> closed_;
  absl::flat_hash_set<const session::Peer*> gone_;
  std::size_t looked_at_ = 0;
  bool selected_ = false;
  std::vector<Candidate> candidates_;
  std::size_t described_ = 0;
  std::optional<SubscriptionWalk> walk_;  // through those of the last row
  std::size_t listed_ = 0;
  Part part_;
};

// False: there are more, in the next step.
bool ConnzJob::look(std::size_t& units) {
  const std::size_t all = peers_.size() + closed_.size();
  for (; looked_at_ < all; ++looked_at_) {
    if (units < row_units) return false;
    units -= row_units;
    if (looked_at_ >= peers_.size()) {
      const auto& row = closed_[looked_at_ - peers_.size()];
      consider(*row, {.closed = row});
      continue;
    }
    const session::Peer* peer = peers_[looked_at_];
    if (gone_.contains(peer) || (query_.cid != 0 && peer->id() != query_.cid)) continue;
    consider(read_connection(*peer), {.peer = peer});
  }
  return true;
}

void ConnzJob::consider(const ConnectionRow& row, Candidate candidate) {
  if (!query_.matches(row)) return;
  candidate.key = key_of(row, query_.sort, now_);
  candidates_.push_back(std::move(candidate));
}

// Only what comes before the end of the page can be on it.
void ConnzJob::select() {
  selected_ = true;
  const auto before = [this](const Candidate& a, const Candidate& b) {
    return comes_before(a.key, b.key, query_.sort);
  };
  const std::size_t room = std::numeric_limits<std::size_t>::max() - query_.offset;
  const std::size_t end = query_.offset + std::min(query_.limit, room);
  if (end < candidates_.size()) {
    const auto last = candidates_.begin() + static_cast<std::ptrdiff_t>(end);
    std::nth_element(candidates_.begin(), last, candidates_.end(), before);
    candidates_.erase(last, candidates_.end());
  }
}

bool ConnzJob::describe(std::size_t& units) {
  if (walk_ && !list(units)) return false;
  while (described_ < candidates_.size()) {
    if (units < row_units) return false;
    units -= row_units;
    const Candidate& candidate = candidates_[described_++];
    if (candidate.closed != nullptr) {
      part_.rows.emplace_back(candidate.key, *candidate.closed);
      continue;
    }
    if (gone_.contains(candidate.peer)) continue;
    part_.rows.emplace_back(candidate.key, read_connection(*candidate.peer));
    const bus::Port* port = candidate.peer->session()->describe().port;
    if (query_.style.list == ListStyle::none || port == nullptr) continue;
    walk_.emplace(bridge_.turn().router(), *port);
    if (!list(units)) return false;
  }
  done_(std::move(part_));
  return true;
}

// Lists the subscriptions of the last row. False: there are more, in the next step.
bool ConnzJob::list(std::size_t& units) {
  ConnectionRow& row = part_.rows.back().second;
  const session::Peer* peer = candidates_[described_ - 1].peer;
  if (gone_.contains(peer) || !walk_->resume()) {
    row.list_is_cut = true;
    walk_.reset();
    return true;
  }
  while (units > 0) {
    const bus::Subscription* subscription = walk_->next();
    row.list_is_cut = subscription != nullptr && listed_ == max_listed;
    if (subscription == nullptr || row.list_is_cut) {
      walk_.reset();
      return true;
    }
    row.list.push_back(read_subscription(*peer, *subscription));
    ++listed_;
    --units;
  }
  return false;
}

std::string connz_text(const std::string& server_id, const ConnzQuery& query, base::WallTime now,
                       std::vector<Part>& parts) {
  std::vector<std::pair<ConnectionKey, ConnectionRow>*> rows;
  std::size_t total = 0;
  for (Part& part : parts) {
    total += part.total;
    for (auto& row : part.rows) rows.push_back(&row);
  }
  std::sort(rows.begin(), rows.end(), [&query](const auto* a, const auto* b) {
    return comes_before(a->first, b->first, query.sort);
  });
  const std::size_t begin = std::min(query.offset, rows.size());
  const std::size_t end = begin + std::min(query.limit, rows.size() - begin);
  std::string text;
  json::Writer json(text, page_style);
  json.begin_object().member("server_id", server_id).member("now", now);
  json.member("num_connections", end - begin).member("total", total);
  json.member("offset", query.offset).member("limit", query.limit);
  json.key("connections").begin_array();
  for (std::size_t i = begin; i < end; ++i) {
    write_connection(json, rows[i]->second, now, query.style);
  }
  json.end_array().end_object();
  return text;
}

std::size_t lines_of(const std::vector<Part>& parts) {
  std::size_t lines = 0;
  for (const Part& part : parts) {
    for (const auto& [key, row] : part.rows) lines += row_units + row.list.size();
  }
  return lines;
}

}  // namespace

void connz(Bridge& bridge, const web::Request& request, Page page) {
  const auto query = read_connz_query(request.query);
  if (!query) return page.refuse(400, query.error().text);
  bridge.ask_loops<Part>(
      [query = *query](Bridge& there, base::Done<Part> done) {
        there.run(std::make_unique<ConnzJob>(there, query, std::move(done)));
      },
      [&bridge, query = *query, page = std::move(page)](std::vector<Part> parts) mutable {
        const std::size_t lines = lines_of(parts);
        auto kept = std::make_shared<std::vector<Part>>(std::move(parts));
        bridge.render(std::move(page), lines,
                      [kept, query = std::move(query), id = bridge.services().identity().id,
                       now = bridge.services().loop().wall_now()] {
                        return connz_text(id, query, now, *kept);
                      });
      });
}

}  // namespace spanwire::monitor
