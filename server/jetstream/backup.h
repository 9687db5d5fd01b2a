// Sends a backup of a stream to who has asked for one (STREAM.SNAPSHOT), while the stream goes on.
//
// What was committed when it began is in it, but for what is erased before it is reached. Consumers
// are as they were just before, so that what they are told anew is told twice at most, never lost.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/lifeline.h"
#include "base/loop.h"
#include "jetstream/api.h"
#include "jetstream/api_requests.h"
#include "jetstream/archive.h"
#include "jetstream/branch.h"
#include "store/log.h"

namespace spanwire::jetstream {

class Stream;

// Of an account, at once; of either kind.
inline constexpr std::uint64_t max_backups = 16;

class Backup;

// The backups of one stream that are being made, on its home loop.
class Backups {
 public:
  explicit Backups(Stream& stream) : stream_(stream) {}
  ~Backups();

  // Answers `request` when it is known what the backup has.
  void begin(Request request, BackupBody asked);
  // Ends them all; who gets one hears of it.
  void stop();

 private:
  friend class Backup;
  void forget(std::uint64_t id);

  Stream& stream_;
  std::map<std::uint64_t, std::unique_ptr<Backup>> running_;
  std::uint64_t last_ = 0;
  base::Lifeline lifeline_;
};

class Backup final : public Listener, public Served {
 public:
  Backup(Backups& backups, Stream& stream, std::uint64_t id, Request request, BackupBody asked);
  ~Backup();
  Backup(const Backup&) = delete;
  Backup& operator=(const Backup&) = delete;

  void begin();
  // Tells the receiver that it ends here.
  void abort(std::string_view status);

  // Listener: a chunk has arrived.
  void on_heard(const bus::MessageView& message) override;
  bool serve() override;

 private:
  enum class Stage : std::uint8_t { check, consumers, wait, send, over };

  bool check_messages();
  bool add_consumers();
  bool add_next();
  void open();
  void await_receiver();
  bool send_chunks();
  void send_end();
  void arm_silence();
  void end();
  void advise(std::string_view word, std::string_view type, bool complete);

  Backups& backups_;
  Stream& stream_;
  const std::uint64_t id_;
  const Request request_;
  const BackupBody asked_;
  const std::size_t chunk_bytes_;
  const std::uint64_t most_chunks_;  // on their way
  Stage stage_ = Stage::check;
  base::WallTime begun_;
  std::unique_ptr<store::Selection> everything_;
  store::Sequence next_ = 0;     // message to be looked at
  store::Sequence next_id_ = 0;  // the same of the duplicate window
  store::Sequence last_ = 0;
  base::WallTime last_time_{};
  std::string last_msg_id_;
  std::string after_;  // the last consumer that was taken
  ArchiveWriter archive_;
  bool whole_ = false;  // the archive has its end
  std::string ack_prefix_;
  base::SubId acks_{};
  bool listens_ = false;
  bool had_interest_ = false;
  int waits_ = 0;
  std::uint64_t sent_ = 0;
  std::uint64_t under_way_ = 0;
  base::TimerId timer_ = base::TimerId::none;
  base::Lifeline lifeline_;
};

}  // namespace spanwire::jetstream
