#include "jetstream/direct_get.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>
#include <set>

#include "base/assert.h"
#include "bus/headers.h"
#include "jetstream/api_level.h"
#include "jetstream/stream.h"
#include "json/writer.h"
#include "subject/filter.h"

namespace spanwire::jetstream {
namespace {

constexpr int runs_a_slice = 16;
constexpr int steps_a_run = 64;  // a message takes two
// What a message met costs, of a search's budget.
constexpr std::size_t meeting_cost = 50;
// Subjects that are searched for together.
constexpr std::size_t most_later = 1'000;
// nats-server's default for what may be pending to one client.
constexpr std::int64_t default_max_bytes = 64 << 20;

// Why nats-server refuses such a request; empty: it does not.
std::string_view check(const MessageRequest& asked) {
  const bool seq = asked.seq > 0;
  const bool last = !asked.last_by_subject.empty();
  const bool next = !asked.next_by_subject.empty();
  const bool multi = !asked.multi_last.empty();
  const bool time = asked.start_time.has_value();
  if (!seq && !last && !next && !multi && !time) return "408 Empty Request";
  const bool contradicts = (seq && last) || (seq && time) || (time && last) || (last && next) ||
                           (last && asked.batch > 0) || (last && multi) || (next && multi) ||
                           (asked.up_to_seq > 0 && asked.up_to_time);
  return contradicts ? "408 Bad Request" : "";
}

// Beside a subject in the subject nothing may be asked for.
bool asks_for_more(const MessageRequest& asked) {
  return !asked.last_by_subject.empty() || !asked.next_by_subject.empty() ||
         !asked.multi_last.empty() || asked.seq != 0 || asked.batch != 0 || asked.start_time ||
         asked.up_to_seq != 0 || asked.up_to_time;
}

// Headers behind those of a message, in one go: bus::append_header() looks at all that is there
// for each. A block that does not end as one takes none.
class AddedHeaders {
 public:
  // Into `out`. The values take so many bytes, without numbers and times.
  AddedHeaders(std::string& out, std::string_view own, std::size_t values_bytes)
      : out_(out), takes_more_(own.empty() || own.ends_with("\r\n\r\n")) {
    out_.reserve(own.size() + values_bytes + usual_bytes);
    if (own.empty()) own = "NATS/1.0\r\n\r\n";
    out_ = takes_more_ ? own.substr(0, own.size() - 2) : own;
  }
  void add(std::string_view name, std::string_view value) {
    const bool is_line = value.find('\r') == value.npos && value.find('\n') == value.npos;
    if (!takes_more_ || !is_line) return;
    out_.append(name).append(": ").append(value).append("\r\n");
  }
  void add(std::string_view name, std::uint64_t number) {
    std::array<char, 20> digits;
    const char* end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    add(name, std::string_view(digits.data(), end));
  }
  void add(std::string_view name, base::WallTime time) {
    if (!takes_more_) return;
    out_.append(name).append(": ");
    json::append_time(out_, time);
    out_ += "\r\n";
  }
  void end() {
    if (takes_more_) out_ += "\r\n";
  }

 private:
  static constexpr std::size_t usual_bytes = 220;  // names, numbers and the time

  std::string& out_;
  const bool takes_more_;
};

}  // namespace

struct DirectGet::Job {
  enum class Stage : std::uint8_t {
    begin,
    count,
    find,
    find_last,
    walk,
    search,
    read,
    count_again
  };
  MessageRequest asked;
  std::string reply;
  DirectGet::Done done;  // of STREAM.MSG.GET
  Stage stage = Stage::begin;

  std::unique_ptr<store::Selection> selection;
  bool exact = false;          // `from` itself is asked for
  store::Sequence from = 1;    // to be looked at next
  store::Sequence target = 0;  // to be read
  std::int64_t left = 1;       // messages to be given
  std::int64_t bytes_left = default_max_bytes;
  bool given = false;                // one was given
  std::uint64_t pending = 0;         // behind what was given
  store::Sequence counted_to = 0;    // what has come since does not count in it
  store::Sequence uncounted_to = 0;  // up to here it is still being counted
  store::Sequence last_given = 0;

  // Of multi_last.
  std::string after;
  store::Sequence up_to = 0;
  store::Sequence search_to = 0;
  std::vector<store::Sequence> found;
  std::size_t next = 0;
  bool walked = false;                       // up to the last subject
  std::set<std::string, std::less<>> later;  // whose last message lies behind: searched together
  std::unique_ptr<store::Selection> searched;

  bool is_batch() const { return asked.batch > 0; }
  bool is_multi() const { return !asked.multi_last.empty(); }
};

DirectGet::DirectGet(Stream& stream) : stream_(stream) {}

DirectGet::~DirectGet() {
  BASE_ASSERT(subs_.empty());
  stream_.branch().forget(*this);
}

void DirectGet::listen() {
  end_listening();
  if (!stream_.config().allow_direct) return;
  std::vector<std::string> prefixes = {"$JS.API."};
  const std::string& domain = stream_.branch().settings().domain;
  if (!domain.empty()) prefixes.push_back(fmt::format("$JS.{}.API.", domain));
  for (const std::string& prefix : prefixes) {
    for (const char* rest : {"", ".>"}) {
      const auto filter = subject::parse_nats_filter(
          fmt::format("{}DIRECT.GET.{}{}", prefix, stream_.name(), rest));
      BASE_ASSERT(filter);
      subs_.push_back(stream_.branch().seat().listen(*filter, *this));
    }
  }
}

void DirectGet::end_listening() {
  for (const base::SubId sub : subs_) stream_.branch().seat().end(sub);
  subs_.clear();
}

void DirectGet::stop() {
  end_listening();
  for (const auto& job : std::exchange(jobs_, {})) {
    if (job->done) job->done(nullptr);
  }
  stream_.branch().forget(*this);
}

bool DirectGet::add(std::unique_ptr<Job> job) {
  if (full()) {
    dropped_.add();
    return false;
  }
  ++waiting_;
  jobs_.push_back(std::move(job));
  stream_.branch().mark(*this);
  return true;
}

void DirectGet::get(MessageRequest request, Done done) {
  auto job = std::make_unique<Job>();
  job->asked = std::move(request);
  job->done = std::move(done);
  if (full()) return job->done(nullptr);
  add(std::move(job));
}

std::string_view DirectGet::key_of(std::string_view subject) const {
  constexpr std::string_view verb = ".DIRECT.GET.";
  const std::size_t at = subject.find(verb);
  const std::string_view rest = subject.substr(at + verb.size());
  return rest.size() > stream_.name().size() ? rest.substr(stream_.name().size() + 1)
                                             : std::string_view();
}

// What is wrong with it, as a status; empty: nothing.
std::string_view DirectGet::read_request(const bus::MessageView& message,
                                         MessageRequest& request) const {
  const auto level = bus::find_header(message.headers, "Nats-Required-Api-Level");
  if (level && !supports_level(*level)) return "412 Required Api Level";
  const std::string_view key = key_of(message.subject);
  if (message.payload.empty() && key.empty()) return "408 Empty Request";
  if (!message.payload.empty() && parse_message_request(message.payload, false, request)) {
    return "408 Malformed Request";
  }
  if (key.empty()) return check(request);
  if (asks_for_more(request)) return "408 Bad Request";
  request.last_by_subject = key;
  return {};
}

void DirectGet::on_heard(const bus::MessageView& message) {
  if (message.reply.empty()) return;
  auto job = std::make_unique<Job>();
  job->reply = message.reply;
  const std::string_view refusal = read_request(message, job->asked);
  if (refusal.empty()) {
    add(std::move(job));
    return;
  }
  if (refusals_.size() >= max_waiting_gets) return dropped_.add();
  refusals_.emplace_back(message.reply, refusal);
  stream_.branch().mark(*this);
}

bool DirectGet::serve() {
  for (const auto& [to, status] : std::exchange(refusals_, {})) say(to, status);
  for (int i = 0; i < runs_a_slice && !jobs_.empty(); ++i) {
    std::unique_ptr<Job> job = std::move(jobs_.front());
    jobs_.pop_front();
    switch (run(*job)) {
      case Step::done:
        --waiting_;
        break;
      case Step::fetch: {
        const store::Sequence target = job->target;
        stream_.log().fetch(target, lifeline_.bind([this, job = std::move(job)]() mutable {
          jobs_.push_back(std::move(job));
          stream_.branch().mark(*this);
        }));
        break;
      }
      case Step::later:
        jobs_.push_back(std::move(job));
        return true;
      case Step::again:
        jobs_.push_back(std::move(job));
        break;
    }
  }
  return !jobs_.empty();
}

DirectGet::Step DirectGet::run(Job& job) {
  Step step = Step::again;
  for (int i = 0; i < steps_a_run && step == Step::again; ++i) {
    switch (job.stage) {
      case Job::Stage::begin:
        begin(job);
        break;
      case Job::Stage::count:
      case Job::Stage::count_again:
        step = count(job);
        break;
      case Job::Stage::find:
        step = find(job);
        break;
      case Job::Stage::find_last:
        step = find_last(job);
        break;
      case Job::Stage::walk:
        step = walk(job);
        break;
      case Job::Stage::search:
        step = search(job);
        break;
      case Job::Stage::read:
        step = read(job);
        break;
    }
  }
  return step;
}

// A text that is no filter selects nothing.
std::unique_ptr<store::Selection> DirectGet::select(const std::vector<std::string>& texts) const {
  std::vector<subject::Filter> filters;
  for (const std::string& text : texts) {
    auto filter = subject::parse_nats_filter(text);
    filters.push_back(filter ? *std::move(filter) : subject::literal_filter(text));
  }
  return stream_.log().select(std::move(filters));
}

void DirectGet::begin(Job& job) {
  const MessageRequest& asked = job.asked;
  const store::Totals& totals = stream_.log().totals();
  if (asked.max_bytes > 0) job.bytes_left = asked.max_bytes;
  if (job.is_multi()) return begin_multi(job);
  if (!asked.last_by_subject.empty()) {
    if (find_one(job)) return;
    job.selection = select({asked.last_by_subject});
    job.up_to = totals.last;
    job.stage = Job::Stage::find_last;
    return;
  }
  job.from = std::max<store::Sequence>(asked.seq, 1);
  if (asked.start_time) {
    const store::Found first = stream_.log().first_since(*asked.start_time);
    job.from = first.kind == store::Found::Kind::none ? totals.last + 1 : first.sequence;
  }
  job.exact = asked.next_by_subject.empty() && !job.is_batch();
  job.left = std::max<std::int64_t>(asked.batch, 1);
  if (asked.next_by_subject.empty()) {
    job.selection = select({});
  } else {
    job.selection = select({asked.next_by_subject});
  }
  job.stage = Job::Stage::find;
  if (!job.is_batch()) return;
  begin_count(job);
  job.stage = Job::Stage::count;
}

// A key without wildcards, of which there is a value: most questions are like that.
bool DirectGet::find_one(Job& job) const {
  const std::string& subject = job.asked.last_by_subject;
  if (subject.find_first_of("*>") != std::string::npos) return false;
  const store::SubjectTotals totals = stream_.log().of(subject);
  if (totals.messages == 0) return false;
  job.target = totals.last;
  job.stage = Job::Stage::read;
  return true;
}

DirectGet::Step DirectGet::count(Job& job) {
  const store::Found at =
      stream_.log().count(*job.selection, job.from, job.uncounted_to, job.pending);
  job.uncounted_to = at.sequence;
  if (at.kind == store::Found::Kind::more) return Step::later;
  if (job.stage == Job::Stage::count_again) return finish(job);
  job.stage = Job::Stage::find;
  return Step::again;
}

// What comes meanwhile is counted at the end of the batch.
void DirectGet::begin_count(Job& job) const {
  job.pending = 0;
  job.counted_to = job.uncounted_to = stream_.log().totals().last;
}

DirectGet::Step DirectGet::find(Job& job) {
  if (job.exact) {
    job.target = job.from;
    job.stage = Job::Stage::read;
    return Step::again;
  }
  const store::Found found = stream_.log().next(*job.selection, job.from);
  if (found.kind == store::Found::Kind::none) return miss(job);
  job.from = found.sequence;
  if (found.kind == store::Found::Kind::more) return Step::later;
  job.target = found.sequence;
  job.stage = Job::Stage::read;
  return Step::again;
}

DirectGet::Step DirectGet::find_last(Job& job) {
  const store::Found found = stream_.log().last(*job.selection, job.up_to);
  if (found.kind == store::Found::Kind::none) return miss(job);
  if (found.kind == store::Found::Kind::more) {
    job.up_to = found.sequence;
    return Step::later;
  }
  job.target = found.sequence;
  job.stage = Job::Stage::read;
  return Step::again;
}

void DirectGet::begin_multi(Job& job) {
  const store::Totals& totals = stream_.log().totals();
  job.left = job.is_batch() ? job.asked.batch : static_cast<std::int64_t>(max_multi_last);
  job.up_to = job.asked.up_to_seq == 0 ? totals.last : job.asked.up_to_seq;
  if (job.asked.up_to_time) {
    const store::Found first = stream_.log().first_since(*job.asked.up_to_time);
    const store::Sequence behind =
        first.kind == store::Found::Kind::none ? totals.last + 1 : first.sequence;
    job.up_to = behind <= totals.first ? 0 : behind - 1;
  }
  job.selection = select(job.asked.multi_last);
  job.stage = Job::Stage::walk;
}

// Finds the last message of each subject, up to one message.
DirectGet::Step DirectGet::walk(Job& job) {
  store::Log& log = stream_.log();
  if (job.up_to == 0) {
    say(job.reply, "404 No Results");
    return Step::done;
  }
  const store::Walked walked = log.each_subject(
      *job.selection, job.after, [&](std::string_view subject, const store::SubjectTotals& totals) {
        if (totals.last <= job.up_to) {
          job.found.push_back(totals.last);
        } else {
          job.later.emplace(subject);
        }
        return job.found.size() <= max_multi_last && job.later.size() < most_later;
      });
  if (job.found.size() > max_multi_last) {
    say(job.reply, "413 Too Many Results");
    return Step::done;
  }
  job.after = walked.after;
  job.walked = walked.all;
  if (!walked.all && job.later.size() < most_later) return Step::later;
  if (job.later.empty()) return begin_found(job);
  std::vector<subject::Filter> filters;
  for (const std::string& subject : job.later) filters.push_back(subject::literal_filter(subject));
  job.searched = log.select(std::move(filters));
  job.search_to = job.up_to;
  job.stage = Job::Stage::search;
  return Step::again;
}

// Goes back from up_to until each has been met, or the stream's front.
DirectGet::Step DirectGet::search(Job& job) {
  store::Log& log = stream_.log();
  std::size_t budget = store::search_budget;
  while (budget != 0 && !job.later.empty()) {
    const store::Found at = log.last_within(*job.searched, job.search_to, budget);
    if (at.kind == store::Found::Kind::none) break;
    job.search_to = at.sequence;
    if (at.kind == store::Found::Kind::more) return Step::later;
    budget -= std::min(budget, meeting_cost);
    const auto subject = job.later.find(log.subject_of(job.search_to--));
    if (subject == job.later.end()) continue;
    job.later.erase(subject);
    job.found.push_back(at.sequence);
    if (job.found.size() > max_multi_last) {
      say(job.reply, "413 Too Many Results");
      return Step::done;
    }
  }
  if (budget == 0 && !job.later.empty()) return Step::later;
  job.later.clear();
  if (job.walked) return begin_found(job);
  job.stage = Job::Stage::walk;
  return Step::later;
}

// All that are to be given are known.
DirectGet::Step DirectGet::begin_found(Job& job) {
  if (job.found.empty()) {
    say(job.reply, "404 No Results");
    return Step::done;
  }
  std::sort(job.found.begin(), job.found.end());
  while (job.next < job.found.size() && job.found[job.next] < job.asked.seq) ++job.next;
  job.pending = job.found.size() - job.next;
  if (job.next == job.found.size()) return finish(job);
  job.target = job.found[job.next++];
  job.stage = Job::Stage::read;
  return Step::again;
}

DirectGet::Step DirectGet::read(Job& job) {
  store::Message message;
  switch (stream_.log().read(job.target, message)) {
    case store::Read::later:
      return Step::fetch;
    case store::Read::found:
      deliver(job, message);
      if (job.done) return Step::done;
      return advance(job, message.subject.size() + message.body_size());
    case store::Read::gone:
      if (job.asked.last_by_subject.empty()) break;
      // Another has taken its place, or nobody, since it was found: while it was fetched.
      job.stage = Job::Stage::begin;
      return Step::again;
    case store::Read::damaged:
      break;
  }
  if (job.exact || job.is_multi() || !job.asked.last_by_subject.empty()) {
    job.given = false;
    return miss(job);
  }
  job.from = job.target + 1;  // erased since it was found
  job.stage = Job::Stage::find;
  return Step::again;
}

// One message was given: what comes next.
DirectGet::Step DirectGet::advance(Job& job, std::size_t bytes) {
  job.given = true;
  job.from = job.target + 1;
  job.bytes_left -= static_cast<std::int64_t>(bytes);
  --job.left;
  if (!job.is_batch() && !job.is_multi()) return Step::done;
  if (job.bytes_left <= 0 || job.left <= 0) return finish(job);
  if (!job.is_multi()) {
    job.stage = Job::Stage::find;
    return Step::again;
  }
  if (job.next == job.found.size()) return finish(job);
  job.target = job.found[job.next++];
  return Step::again;
}

DirectGet::Step DirectGet::miss(Job& job) {
  if (job.done) {
    job.done(nullptr);
    return Step::done;
  }
  if (job.given) return finish(job);
  say(job.reply, "404 Message Not Found");
  return Step::done;
}

// The end of a batch. Messages that have come meanwhile count as pending.
DirectGet::Step DirectGet::finish(Job& job) {
  const bool again = job.stage == Job::Stage::count_again;
  if (!job.is_multi() && !again && stream_.log().totals().last > job.counted_to) {
    begin_count(job);
    job.stage = Job::Stage::count_again;
    return Step::again;
  }
  std::string headers = fmt::format("Nats-Num-Pending: {}\r\nNats-Last-Sequence: {}\r\n",
                                    job.pending, job.last_given);
  if (job.is_multi()) headers += fmt::format("Nats-UpTo-Sequence: {}\r\n", job.up_to);
  say(job.reply, "204 EOB", headers);
  return Step::done;
}

void DirectGet::deliver(Job& job, const store::Message& message) {
  if (job.done) return job.done(&message);
  std::string headers;
  const bool counts = job.is_batch() || job.is_multi();
  if (counts && job.pending != 0) --job.pending;
  if (!job.asked.no_headers || job.is_multi()) {
    AddedHeaders added(headers, message.headers, stream_.name().size() + message.subject.size());
    added.add("Nats-Stream", stream_.name());
    added.add("Nats-Subject", message.subject);
    added.add("Nats-Sequence", message.sequence);
    added.add("Nats-Time-Stamp", message.time);
    if (counts) {
      added.add("Nats-Num-Pending", job.pending);
      added.add("Nats-Last-Sequence", job.last_given);
    }
    added.end();
  }
  job.last_given = message.sequence;
  stream_.branch().seat().publish(
      {.route = job.reply, .headers = headers, .payload = message.payload});
}

void DirectGet::say(std::string_view to, std::string_view status, std::string_view headers) {
  const std::string block = fmt::format("NATS/1.0 {}\r\n{}\r\n", status, headers);
  stream_.branch().seat().publish({.route = to, .headers = block});
}

}  // namespace spanwire::jetstream
