#include "tests/support/store_world.h"

#include <algorithm>

#include "base/assert.h"

namespace spanwire::test {

bool PlainCommitter::step() {
  if (waiting_.empty()) return false;
  store::Write write = std::move(waiting_.front());
  waiting_.pop_front();
  const std::string_view parts[] = {write.bytes ? std::string_view(write.bytes->text) : ""};
  store::File& file = *write.segment->file;
  base::Status status = file.write_at(write.offset, parts);
  if (status && write.sync) status = file.sync();
  write.loop->post([done = std::move(write.done), status]() mutable { done(status); });
  return true;
}

JournalledCommitter::JournalledCommitter(std::unique_ptr<store::Journal> journal,
                                         DeferredHelpers& helpers, const store::Settings& settings)
    : journal_(std::move(journal)),
      rounds_(*journal_, helpers,
              {.journalled_bytes = settings.journalled_bytes, .now = [] { return base::Time(); }}) {
}

base::Result<std::unique_ptr<JournalledCommitter>> JournalledCommitter::open(
    store::Files& files, DeferredHelpers& helpers, const store::Settings& settings) {
  store::JournalSettings wanted;
  wanted.max_bytes = settings.journal_bytes;
  wanted.first_bytes = std::min<std::uint64_t>(1U << 20, wanted.max_bytes);
  auto journal = store::Journal::open(files, helpers, std::move(wanted));
  if (!journal) return tl::unexpected(journal.error());
  return std::unique_ptr<JournalledCommitter>(
      new JournalledCommitter(std::move(*journal), helpers, settings));
}

base::Status StoreWorld::open() {
  const auto make_committer =
      [this](store::Files& files) -> base::Result<std::unique_ptr<store::Committer>> {
    if (!journalled_) {
      auto committer = std::make_unique<PlainCommitter>();
      committer_ = committer.get();
      return committer;
    }
    auto committer = JournalledCommitter::open(files, helpers, settings);
    if (!committer) return tl::unexpected(committer.error());
    committer_ = committer->get();
    return std::move(*committer);
  };
  auto opened = store::open_file_store(disk.open(), settings, workers, make_committer);
  if (!opened) return tl::unexpected(opened.error());
  store_ = std::move(*opened);
  return {};
}

void StoreWorld::close() {
  workers.clear();
  loop.clear();
  store_.reset();
  committer_ = nullptr;
}

std::unique_ptr<store::Log> StoreWorld::create(store::Log::Owner& owner, std::string words) {
  std::unique_ptr<store::Log> log;
  store_->create(std::move(words), owner, loop, [&](auto created) {
    BASE_ASSERT(created.has_value());
    log = std::move(*created);
  });
  settle();
  BASE_ASSERT(log != nullptr);
  return log;
}

base::Result<std::unique_ptr<store::Log>> StoreWorld::recover(store::Log::Owner& owner,
                                                              const std::string& path) {
  base::Result<std::unique_ptr<store::Log>> log = base::fail("nothing was heard");
  bool heard = false;
  store_->recover(path, owner, loop, [&](auto recovered) {
    log = std::move(recovered);
    heard = true;
  });
  settle();
  for (int i = 0; i < 100 && !heard; ++i) {
    loop.set_now(loop.now() + std::chrono::milliseconds(10));
    loop.run_timers();
    settle();
  }
  return log;
}

}  // namespace spanwire::test
