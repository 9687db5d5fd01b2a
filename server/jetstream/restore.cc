#include "jetstream/restore.h"

#include <fmt/format.h>

#include <utility>

#include "base/assert.h"
#include "jetstream/advisory.h"
#include "jetstream/directory.h"
#include "jetstream/server.h"
#include "jetstream/stream_info.h"
#include "logging/logging.h"
#include "subject/filter.h"

namespace spanwire::jetstream {
namespace {

constexpr base::Duration silence = std::chrono::seconds(5);  // nats-server's
constexpr int records_a_step = 500;
constexpr std::size_t bytes_a_step = 256U << 10;
// What is on its way to the disk; then the sender waits for its acknowledgement.
constexpr std::size_t most_uncommitted_bytes = 8U << 20;
// What one that does not wait for acknowledgements may have sent.
constexpr std::size_t most_waiting_bytes = 16U << 20;
constexpr std::size_t most_chunks = 10'000;

const logging::Logger& logger() {
  static const logging::Logger log = logging::get("jetstream");
  return log;
}

void begin_answer(json::Writer& writer) {
  writer.begin_object().member("type", "io.nats.jetstream.api.v1.stream_create_response");
}

}  // namespace

Restore::Restore(Node& node, Tenant& tenant, std::uint64_t id, Request request, StreamConfig config)
    : node_(node),
      tenant_(tenant),
      branch_(node.branch(tenant)),
      id_(id),
      request_(std::move(request)),
      name_(config.name),
      home_(std::make_unique<Home>(branch_, std::move(config), branch_.now())),
      begun_(branch_.now()) {
  branch_.usage().restores.fetch_add(1);
}

Restore::~Restore() {
  if (stage_ != Stage::over) end();
  if (home_ != nullptr) home_->stop(false);
}

void Restore::begin() {
  advise("RESTORE_CREATE", "advisory.v1.restore_create", false);
  if (stream().config().storage == store::Storage::memory) {
    return open(store::make_memory_log(stream()));
  }
  BASE_ASSERT(node_.server().store() != nullptr);  // the directory has looked for room
  node_.server().store()->create(
      std::nullopt, stream(), branch_.loop(),
      lifeline_.bind(
          [this](base::Result<std::unique_ptr<store::Log>> log) { open(std::move(log)); }));
}

void Restore::open(base::Result<std::unique_ptr<store::Log>> log) {
  if (!log) {
    respond(branch_, request_, api_error(Err::stream_restore, log.error().text));
    return end();
  }
  stream().begin_filling(*std::move(log));
  stage_ = Stage::takes;
  const std::string subject = fmt::format("$JS.SNAPSHOT.RESTORE.{}.{}", name_, branch_.next_id());
  const auto filter = subject::parse_nats_filter(subject);
  BASE_ASSERT(filter);
  sub_ = branch_.seat().listen(*filter, *this);
  listens_ = true;
  arm_silence();
  Answer answer(request_);
  answer.writer().member("deliver_subject", subject);
  respond(branch_, request_, answer.text());
  logger().info("Begins to restore stream '{}'", name_);
}

void Restore::on_heard(const bus::MessageView& message) {
  branch_.mark(*this);
  overrun_ = overrun_ || message.reply.empty() || chunks_.size() >= most_chunks ||
             waiting_bytes_ + message.payload.size() > most_waiting_bytes;
  if (overrun_) return;
  waiting_bytes_ += message.payload.size();
  chunks_.push_back(message.keep());
}

bool Restore::serve() {
  if (stage_ != Stage::takes) return false;
  if (overrun_) {
    fail(api_error(Err::stream_restore, "each chunk must have a reply, and be waited for"));
    return false;
  }
  if (writes_) return false;
  const std::size_t before = stream().log().uncommitted_bytes();
  for (int i = 0; i < records_a_step; ++i) {
    const std::size_t said = stream().log().uncommitted_bytes();
    if (said - std::min(before, said) > bytes_a_step) break;
    switch (archive_.next()) {
      case ArchiveReader::Next::record:
        if (const auto error = take_record()) {
          fail(*error);
          return false;
        }
        break;
      case ArchiveReader::Next::need_more:
        if (!take_chunk()) return false;
        break;
      case ArchiveReader::Next::bad:
        fail(api_error(Err::stream_restore, archive_.error()));
        return false;
    }
  }
  stream().note_written(true);
  if (stream().log().uncommitted_bytes() < most_uncommitted_bytes) return true;
  writes_ = true;
  stream().after_commit(lifeline_.bind([this] {
    writes_ = false;
    branch_.mark(*this);
  }));
  return false;
}

// The chunk before was taken; false: the next one has not come, or there is none.
bool Restore::take_chunk() {
  acknowledge();
  if (chunks_.empty()) {
    stream().note_written(true);
    return false;
  }
  const base::Ref<const bus::Message> chunk = std::move(chunks_.front());
  chunks_.pop_front();
  const bus::MessageView message = chunk->view();
  waiting_bytes_ -= message.payload.size();
  bytes_ += message.payload.size();
  reply_ = message.reply;
  arm_silence();
  if (message.payload.empty()) {
    finish();
    return false;
  }
  archive_.feed(message.payload);
  return true;
}

void Restore::acknowledge() {
  if (reply_.empty()) return;
  branch_.seat().publish({.route = std::exchange(reply_, {})});
}

std::optional<ApiError> Restore::take_record() {
  const ArchiveReader::Record& record = archive_.record();
  switch (record.kind) {
    case Archived::head:
      created_ = record.head.created;
      if (record.head.stream == name_) return std::nullopt;
      return api_error(Err::stream_restore, "stream names do not match");
    case Archived::consumer:
      return stream().fill_consumer(record.note);
    case Archived::message:
      return stream().fill_message(record.message);
    case Archived::id:
      stream().fill_id(record.id);
      return std::nullopt;
    case Archived::end:
      return stream().end_filling(record.end);
  }
  return std::nullopt;
}

// Everything was sent.
void Restore::finish() {
  if (!archive_.complete()) {
    return fail(api_error(Err::stream_restore, "the backup is not complete"));
  }
  stage_ = Stage::settles;
  branch_.loop().cancel_timer(timer_);
  stream().note_written(true);
  stream().when_committed(lifeline_.bind([this](bool committed) {
    if (committed) return claim();
    const base::Error* why = stream().log().failed();
    fail(api_error(Err::stream_restore,
                   why == nullptr ? "not committed" : std::string_view(why->text)));
  }));
}

// The directory decides, as if the stream was made now.
void Restore::claim() {
  const base::LoopId here = branch_.loop().id();
  Node& there = node_.server().node(tenant_.directory);
  node_.services().post(tenant_.directory, [&there, &node = node_, &tenant = tenant_, here,
                                            id = id_, config = stream().config(),
                                            created = created_]() mutable {
    std::optional<ApiError> error = there.directory(tenant).claim(config, created);
    there.services().post(
        here, [&node, &tenant, id, config = std::move(config), error = std::move(error)]() mutable {
          node.on_claimed(tenant, id, std::move(config), std::move(error));
        });
  });
}

void Restore::on_claimed(std::optional<ApiError> error) {
  if (error) return fail(*error);
  const StreamConfig& config = stream().config();
  if (config.storage == store::Storage::memory) return publish({});
  std::string settings =
      write_stored_settings({tenant_.principal->account->name, created_, config});
  node_.server().store()->set(
      stream().log(), std::move(settings), branch_.loop(),
      lifeline_.bind([this](const base::Status& status) { publish(status); }));
}

void Restore::publish(const base::Status& status) {
  if (!status) {
    report_gone(node_, tenant_, name_);
    return fail(api_error(Err::stream_restore, status.error().text));
  }
  Stream& made = stream();
  node_.adopt(tenant_, std::move(home_), created_);
  report(node_, tenant_, made.config());
  std::string text;
  json::Writer writer(text);
  begin_answer(writer);
  write_stream_info(writer, made, {.version = branch_.settings().nats_version, .domain = false});
  writer.end_object();
  advise_stream(branch_, name_, "create");
  advise("RESTORE_COMPLETE", "advisory.v1.restore_complete", true);
  answer(text);
  logger().info("Restored stream '{}' with {} messages from {} bytes", name_,
                made.log().totals().messages, bytes_);
  end();
}

void Restore::fail(const ApiError& error) {
  std::string text;
  json::Writer writer(text);
  begin_answer(writer);
  writer.key("error");
  write_api_error(writer, error);
  writer.end_object();
  branch_.usage().api_errors.fetch_add(1, std::memory_order_relaxed);
  advise("RESTORE_COMPLETE", "advisory.v1.restore_complete", true);
  answer(text);
  logger().warn("Stream '{}' was not restored: {}", name_, error.description);
  give_up();
}

void Restore::answer(const std::string& text) {
  if (reply_.empty() && !chunks_.empty()) reply_ = chunks_.front()->view().reply;
  if (reply_.empty()) return;
  branch_.seat().publish({.route = std::exchange(reply_, {}), .payload = text});
}

// Nothing is left of what was taken.
void Restore::give_up() {
  stream().stop(false);
  const bool in_files = stream().config().storage == store::Storage::file;
  if (in_files) {
    node_.server().store()->remove(stream().take_log(), branch_.loop(),
                                   [name = name_](const base::Status& status) {
                                     if (status) return;
                                     logger().warn(
                                         "What was restored of '{}' goes at the next "
                                         "start: {}",
                                         name, status.error().text);
                                   });
  }
  end();
}

void Restore::arm_silence() {
  branch_.loop().cancel_timer(timer_);
  timer_ = branch_.loop().start_timer(silence, lifeline_.bind([this] {
    timer_ = base::TimerId::none;
    if (writes_ || !chunks_.empty()) return arm_silence();  // it is the disk that is slow
    logger().warn("Stream '{}' was not restored: nothing has come for {} s", name_,
                  std::chrono::duration_cast<std::chrono::seconds>(silence).count());
    give_up();
  }));
}

void Restore::end() {
  stage_ = Stage::over;
  branch_.loop().cancel_timer(timer_);
  if (std::exchange(listens_, false)) branch_.seat().end(sub_);
  branch_.forget(*this);
  branch_.usage().restores.fetch_sub(1);
  node_.forget(*this);
}

void Restore::advise(std::string_view word, std::string_view type, bool complete) {
  Advisory event(branch_, type);
  event.member("stream", name_);
  if (complete) {
    event.member("start", begun_).member("end", branch_.now()).member("bytes", bytes_);
  }
  write_client(branch_, event.writer());
  branch_.advise(fmt::format("$JS.EVENT.ADVISORY.STREAM.{}.{}", word, name_), event.text());
}

}  // namespace spanwire::jetstream
