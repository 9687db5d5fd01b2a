#include "jetstream/backup.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/assert.h"
#include "jetstream/advisory.h"
#include "jetstream/consumer.h"
#include "jetstream/stream.h"
#include "jetstream/stream_info.h"
#include "logging/logging.h"
#include "subject/filter.h"

namespace spanwire::jetstream {
namespace {

// nats-server's.
constexpr std::int64_t usual_chunk_bytes = 128 << 10;
constexpr std::int64_t usual_window_bytes = 8 << 20;
constexpr std::int64_t least_bytes = 1024;
constexpr std::int64_t largest_chunk_bytes = 1 << 20;
constexpr std::int64_t largest_window_bytes = 32 << 20;
constexpr base::Duration silence = std::chrono::seconds(5);
constexpr base::Duration wait_for_receiver = std::chrono::milliseconds(50);
constexpr int most_waits = 40;
constexpr base::Duration grace = std::chrono::milliseconds(100);

// One step: well below a millisecond.
constexpr int messages_a_step = 500;
constexpr std::size_t bytes_a_step = 256U << 10;
constexpr int consumers_a_step = 10;

const logging::Logger& logger() {
  static const logging::Logger log = logging::get("jetstream");
  return log;
}

std::int64_t or_usual(std::int64_t asked, std::int64_t usual, std::int64_t largest) {
  return std::clamp(asked == 0 ? usual : asked, least_bytes, largest);
}

std::size_t chunk_bytes_of(const BackupBody& asked) {
  return static_cast<std::size_t>(
      or_usual(asked.chunk_size, usual_chunk_bytes, largest_chunk_bytes));
}

std::uint64_t chunks_of(const BackupBody& asked) {
  const auto window = static_cast<std::size_t>(
      or_usual(asked.window_size, usual_window_bytes, largest_window_bytes));
  return std::max<std::uint64_t>(window / chunk_bytes_of(asked), 1);
}

}  // namespace

Backups::~Backups() = default;

void Backups::begin(Request request, BackupBody asked) {
  Branch& branch = stream_.branch();
  if (branch.usage().backups.fetch_add(1) >= max_backups) {
    branch.usage().backups.fetch_sub(1);
    return respond(
        branch, request,
        api_error(Err::stream_snapshot, fmt::format("{} backups are being made", max_backups)));
  }
  const std::uint64_t id = ++last_;
  auto made = std::make_unique<Backup>(*this, stream_, id, std::move(request), std::move(asked));
  Backup& backup = *made;
  running_.emplace(id, std::move(made));
  backup.begin();
}

void Backups::stop() {
  for (auto& [id, backup] : running_) backup->abort("500 Stream Closed");
  running_.clear();
}

// Not inside what the backup has called.
void Backups::forget(std::uint64_t id) {
  base::Loop& loop = stream_.branch().loop();
  loop.post(lifeline_.bind([this, id] { running_.erase(id); }));
}

Backup::Backup(Backups& backups, Stream& stream, std::uint64_t id, Request request,
               BackupBody asked)
    : backups_(backups),
      stream_(stream),
      id_(id),
      request_(std::move(request)),
      asked_(std::move(asked)),
      chunk_bytes_(chunk_bytes_of(asked_)),
      most_chunks_(chunks_of(asked_)),
      begun_(stream.branch().now()) {}

Backup::~Backup() {
  BASE_ASSERT(stage_ == Stage::over);
}

void Backup::begin() {
  everything_ = stream_.log().select({});
  if (!asked_.check) stage_ = Stage::consumers;
  stream_.after_commit(lifeline_.bind([this] { stream_.branch().mark(*this); }));
}

bool Backup::serve() {
  switch (stage_) {
    case Stage::check:
      return check_messages();
    case Stage::consumers:
      return add_consumers();
    case Stage::wait:
    case Stage::over:
      return false;
    case Stage::send:
      return send_chunks();
  }
  return false;
}

// Reads everything once: what is damaged is to be known before somebody trusts the backup.
bool Backup::check_messages() {
  store::Message message;
  std::size_t bytes = 0;
  for (int i = 0; i < messages_a_step && bytes < bytes_a_step; ++i) {
    const store::Found found = stream_.log().next(*everything_, next_);
    next_ = found.sequence;
    if (found.kind == store::Found::Kind::more) return true;
    if (found.kind == store::Found::Kind::none) {
      next_ = 0;
      stage_ = Stage::consumers;
      return true;
    }
    switch (stream_.log().read(next_, message)) {
      case store::Read::later:
        stream_.log().fetch(next_, lifeline_.bind([this] { stream_.branch().mark(*this); }));
        return false;
      case store::Read::damaged:
        respond(stream_.branch(), request_,
                api_error(Err::stream_snapshot, fmt::format("message {} is damaged", next_)));
        end();
        return false;
      case store::Read::found:
        bytes += message.body_size();
        break;
      case store::Read::gone:
        break;
    }
    ++next_;
  }
  return true;
}

bool Backup::add_consumers() {
  if (after_.empty()) archive_.head({.stream = stream_.name(), .created = stream_.created()});
  if (!asked_.no_consumers) {
    const auto& consumers = stream_.consumers();
    auto at = consumers.upper_bound(after_);
    for (int i = 0; i < consumers_a_step && at != consumers.end(); ++i, ++at) {
      archive_.consumer(at->second->full_note());
      after_ = at->first;
    }
    if (at != consumers.end()) return true;
  }
  open();
  return false;
}

// From here on it is known what the backup has, and the asker is told.
void Backup::open() {
  const store::Totals& totals = stream_.log().totals();
  next_ = totals.first;
  last_ = totals.last;
  last_time_ = totals.last_time;
  last_msg_id_ = stream_.last_msg_id();
  Branch& branch = stream_.branch();
  Answer answer(request_);
  answer.writer().key("config");
  write_stream_config(answer.writer(), stream_.config());
  write_stream_state(answer.writer(), stream_);
  respond(branch, request_, answer.text());
  advise("SNAPSHOT_CREATE", "advisory.v1.snapshot_create", false);
  logger().info("Begins a backup of stream '{}' with {} messages", stream_.name(), totals.messages);
  const std::string prefix =
      fmt::format("$JS.SNAPSHOT.ACK.{}.{}", stream_.name(), branch.next_id());
  const auto filter = subject::parse_nats_filter(prefix + ".>");
  BASE_ASSERT(filter);
  acks_ = branch.seat().listen(*filter, *this);
  listens_ = true;
  ack_prefix_ = prefix;
  stage_ = Stage::wait;
  timer_ = branch.loop().start_timer(grace, lifeline_.bind([this] { await_receiver(); }));
}

// Who asks may begin to listen with the answer, on one of the subjects on which it hears answers
// already: so interest says too little, and it is given some time. After that it is sent whoever is
// there, and ends when nobody says that a chunk has come.
void Backup::await_receiver() {
  Branch& branch = stream_.branch();
  timer_ = base::TimerId::none;
  had_interest_ = branch.seat().interested(asked_.deliver_subject);
  if (had_interest_ || ++waits_ > most_waits) {
    stage_ = Stage::send;
    arm_silence();
    branch.mark(*this);
    return;
  }
  timer_ =
      branch.loop().start_timer(wait_for_receiver, lifeline_.bind([this] { await_receiver(); }));
}

void Backup::arm_silence() {
  base::Loop& loop = stream_.branch().loop();
  loop.cancel_timer(timer_);
  timer_ = loop.start_timer(silence, lifeline_.bind([this] {
    timer_ = base::TimerId::none;
    if (under_way_ < most_chunks_) return arm_silence();  // it is the log that is slow
    abort("408 No Flow Response");
  }));
}

void Backup::on_heard(const bus::MessageView&) {
  if (under_way_ == 0) return;
  --under_way_;
  stream_.branch().mark(*this);
}

// One message or id more. False: the next message has to be fetched.
bool Backup::add_next() {
  store::Log& log = stream_.log();
  store::Found found = log.next(*everything_, next_);
  if (found.kind == store::Found::Kind::more) {
    next_ = found.sequence;
    return true;
  }
  if (found.kind == store::Found::Kind::none || found.sequence > last_) found.sequence = last_ + 1;
  next_ = found.sequence;
  const auto id = stream_.duplicates().next(next_id_);
  if (id && id->sequence < next_ && id->sequence <= last_) {
    archive_.id({.id = id->id, .sequence = id->sequence, .time = id->time});
    next_id_ = id->sequence + 1;
    return true;
  }
  if (next_ > last_) {
    archive_.end({.last = last_, .last_time = last_time_, .last_msg_id = last_msg_id_});
    whole_ = true;
    return true;
  }
  store::Message message;
  const store::Read read = log.read(next_, message);
  if (read == store::Read::later) {
    log.fetch(next_, lifeline_.bind([this] { stream_.branch().mark(*this); }));
    return false;
  }
  if (read == store::Read::found) archive_.message(message);
  next_id_ = ++next_;  // the message has its own id with it
  return true;
}

bool Backup::send_chunks() {
  Seat& seat = stream_.branch().seat();
  if (seat.pressed()) return true;
  std::size_t bytes = 0;
  for (int i = 0; i < messages_a_step && bytes < bytes_a_step; ++i) {
    if (under_way_ >= most_chunks_) return false;
    if (had_interest_ && !seat.interested(asked_.deliver_subject)) {
      abort("408 No Interest");
      return false;
    }
    const std::size_t before = archive_.ready();
    while (!whole_ && i < messages_a_step && archive_.ready() < chunk_bytes_) {
      if (!add_next()) return false;
      ++i;
    }
    bytes += archive_.ready() - before;
    if (archive_.ready() >= chunk_bytes_) {
      ++sent_;
      ++under_way_;
      const std::string reply = fmt::format("{}.{}.{}", ack_prefix_, chunk_bytes_, sent_);
      seat.publish({.route = asked_.deliver_subject,
                    .reply = reply,
                    .payload = archive_.take(chunk_bytes_)});
      arm_silence();
    } else if (whole_) {
      send_end();
      return false;
    }
  }
  return true;
}

void Backup::send_end() {
  Seat& seat = stream_.branch().seat();
  if (archive_.ready() != 0) {
    seat.publish({.route = asked_.deliver_subject, .payload = archive_.take(archive_.ready())});
  }
  seat.publish({.route = asked_.deliver_subject,
                .headers = sent_ == 0 ? std::string_view() : "NATS/1.0 204\r\n\r\n"});
  advise("SNAPSHOT_COMPLETE", "advisory.v1.snapshot_complete", true);
  logger().info("Completed the backup of stream '{}'", stream_.name());
  end();
}

void Backup::abort(std::string_view status) {
  if (stage_ == Stage::over) return;
  if (stage_ == Stage::wait || stage_ == Stage::send) {
    const std::string headers = fmt::format("NATS/1.0 {}\r\n\r\n", status);
    stream_.branch().seat().publish({.route = asked_.deliver_subject, .headers = headers});
    logger().warn("The backup of stream '{}' ends early: {}", stream_.name(), status);
  }
  end();
}

void Backup::end() {
  stage_ = Stage::over;
  Branch& branch = stream_.branch();
  branch.loop().cancel_timer(timer_);
  if (std::exchange(listens_, false)) branch.seat().end(acks_);
  branch.forget(*this);
  branch.usage().backups.fetch_sub(1);
  backups_.forget(id_);
}

void Backup::advise(std::string_view word, std::string_view type, bool complete) {
  Branch& branch = stream_.branch();
  Advisory event(branch, type);
  event.member("stream", stream_.name());
  if (complete) {
    event.member("start", begun_).member("end", branch.now());
  } else {
    write_stream_state(event.writer(), stream_);
  }
  write_client(branch, event.writer());
  branch.advise(fmt::format("$JS.EVENT.ADVISORY.STREAM.{}.{}", word, stream_.name()), event.text());
}

}  // namespace spanwire::jetstream
