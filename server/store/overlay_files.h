// Another's files with changes that stay in memory: what a start of the server would do to a store
// is tried on one that must stay as it is. Used by one thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "store/files.h"

namespace spanwire::store {

// Nothing below is ever written. What a recovery does to files that are there is carried out in
// memory: writes, cuts and removals. Making, renaming and locking is refused.
class OverlayFiles final : public Files {
 public:
  explicit OverlayFiles(Files& below) : below_(below) {}

  base::Result<std::unique_ptr<File>> create(std::string_view path) override;
  base::Result<std::unique_ptr<File>> open(std::string_view path) override;
  base::Status make_folder(std::string_view path) override;
  base::Status rename(std::string_view from, std::string_view to) override;
  base::Status remove(std::string_view path) override;
  base::Status remove_tree(std::string_view path) override;
  base::Status sync_folder(std::string_view path) override;
  base::Result<std::vector<std::string>> list(std::string_view path) const override;
  base::Result<std::unique_ptr<FolderLock>> lock(std::string_view path) override;
  base::Result<Space> space() const override;
  base::Result<Keeping> keeping() const override;

  bool was_removed(std::string_view path) const { return removed_.contains(path); }
  // To which size a file was cut; nullopt: it was not.
  std::optional<std::uint64_t> cut_to(std::string_view path) const;

 private:
  friend class OverlayFile;
  static constexpr std::size_t page_bytes = 4096;

  // What became of a file, however often it is opened.
  struct Changed {
    std::map<std::uint64_t, std::string> pages;  // that were written, by their number
    std::uint64_t size = 0;
    std::uint64_t below_end = 0;  // from here on nothing of the file below is left
    std::optional<std::uint64_t> cut;
  };

  Files& below_;
  std::map<std::string, std::shared_ptr<Changed>, std::less<>> changed_;
  std::set<std::string, std::less<>> removed_;
};

}  // namespace spanwire::store
