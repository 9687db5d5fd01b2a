// Makes a stream of a backup that a client sends (STREAM.RESTORE): chunk by chunk, each
// acknowledged when it was taken. Until the last one has come and all is durable there is no such
// stream, for anybody and after any crash; what ends before leaves nothing.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/lifeline.h"
#include "base/loop.h"
#include "base/result.h"
#include "jetstream/api.h"
#include "jetstream/archive.h"
#include "jetstream/branch.h"
#include "jetstream/node.h"

namespace spanwire::jetstream {

// On the loop that will be the stream's home. The node's own.
class Restore final : public Listener, public Served {
 public:
  // `config` was checked.
  Restore(Node& node, Tenant& tenant, std::uint64_t id, Request request, StreamConfig config);
  ~Restore();
  Restore(const Restore&) = delete;
  Restore& operator=(const Restore&) = delete;

  std::uint64_t id() const { return id_; }
  void begin();
  // From the directory: the name and the subjects are this stream's; or why not.
  void on_claimed(std::optional<ApiError> error);

  // Listener: a chunk.
  void on_heard(const bus::MessageView& message) override;
  bool serve() override;

 private:
  enum class Stage : std::uint8_t { begins, takes, settles, over };

  void open(base::Result<std::unique_ptr<store::Log>> log);
  bool take_chunk();
  std::optional<ApiError> take_record();
  void acknowledge();
  void finish();
  void claim();
  void publish(const base::Status& status);
  void fail(const ApiError& error);
  void give_up();
  void arm_silence();
  void end();
  void answer(const std::string& text);
  void advise(std::string_view word, std::string_view type, bool complete);
  Stream& stream() { return home_->stream; }

  Node& node_;
  Tenant& tenant_;
  Branch& branch_;
  const std::uint64_t id_;
  const Request request_;
  const std::string name_;
  std::unique_ptr<Home> home_;  // until the node adopts it
  Stage stage_ = Stage::begins;
  base::WallTime begun_;
  base::WallTime created_;
  base::SubId sub_{};
  bool listens_ = false;
  bool writes_ = false;   // waits until what was taken is committed
  bool overrun_ = false;  // more has come than may wait
  std::deque<base::Ref<const bus::Message>> chunks_;
  std::size_t waiting_bytes_ = 0;
  std::string reply_;  // to who sent the chunk that is being taken
  ArchiveReader archive_;
  std::uint64_t bytes_ = 0;
  base::TimerId timer_ = base::TimerId::none;
  base::Lifeline lifeline_;
};

}  // namespace spanwire::jetstream
