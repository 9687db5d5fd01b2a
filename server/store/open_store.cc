// Store::open(): a store in a folder with a commit journal, and the thread that commits.
#include <algorithm>
#include <memory>
#include <utility>

#include "store/file_store.h"
#include "store/helpers.h"
#include "store/journal.h"
#include "store/round_committer.h"

namespace spanwire::store {

namespace {

// Syncs of segments beside one another. More waiting on one device makes each slower.
constexpr std::size_t sync_threads = 4;

// A committer with all that it stands on.
class JournalledCommitter final : public Committer {
 public:
  JournalledCommitter(std::unique_ptr<Helpers> helpers, std::unique_ptr<Journal> journal,
                      const Settings& settings)
      : helpers_(std::move(helpers)),
        journal_(std::move(journal)),
        rounds_(*journal_, *helpers_, {.journalled_bytes = settings.journalled_bytes}),
        thread_(rounds_, *journal_) {}

  void submit(Write write) override { thread_.submit(std::move(write)); }
  void settle(base::Loop& loop, base::Done<base::Status> done) override {
    thread_.settle(loop, std::move(done));
  }
  const CommitCounters* commit_counters() const override { return &rounds_.counters(); }

 private:
  const std::unique_ptr<Helpers> helpers_;
  const std::unique_ptr<Journal> journal_;
  RoundCommitter rounds_;
  CommitterThread thread_;
};

}  // namespace

base::Result<std::unique_ptr<Store>> Store::open(std::unique_ptr<Files> files,
                                                 const Settings& settings, Workers& workers) {
  const auto make_committer =
      [&settings](Files& opened) -> base::Result<std::unique_ptr<Committer>> {
    auto helpers = make_helpers(sync_threads);
    JournalSettings wanted;
    wanted.max_bytes = std::max(settings.journal_bytes, Journal::min_bytes);
    wanted.first_bytes = std::min(wanted.first_bytes, wanted.max_bytes);
    auto journal = Journal::open(opened, *helpers, std::move(wanted));
    if (!journal) return tl::unexpected(journal.error());
    return std::make_unique<JournalledCommitter>(std::move(helpers), std::move(*journal), settings);
  };
  return open_file_store(std::move(files), settings, workers, make_committer);
}

}  // namespace spanwire::store
