#include "tests/support/store_world.h"

#include "base/assert.h"

namespace spanwire::test {

base::Status StoreWorld::open() {
  const auto make_committer =
      [this](store::Files&) -> base::Result<std::unique_ptr<store::Committer>> {
    auto committer = std::make_unique<PlainCommitter>();
    committer_ = committer.get();
    return committer;
  };
  auto opened = store::open_file_store(disk.open(), settings, workers, make_committer);
  if (!opened) return tl::unexpected(opened.error());
  store_ = std::move(*opened);
  return {};
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
  store_->recover(path, owner, loop, [&](auto recovered) { log = std::move(recovered); });
  settle();
  return log;
}

}  // namespace spanwire::test
