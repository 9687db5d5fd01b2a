#include "store/overlay_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace spanwire::store {

namespace {

tl::unexpected<base::Error> refused(std::string_view what, std::string_view path) {
  return base::fail(fmt::format("{} {}: the store is only looked at", what, path));
}

}  // namespace

class OverlayFile final : public File {
 public:
  using Changed = OverlayFiles::Changed;
  static constexpr std::uint64_t page_bytes = OverlayFiles::page_bytes;

  OverlayFile(std::unique_ptr<File> below, std::shared_ptr<Changed> changed)
      : below_(std::move(below)), changed_(std::move(changed)) {}

  base::Result<std::size_t> read_at(std::uint64_t offset, std::span<char> into) const override {
    if (offset >= changed_->size) return 0;
    into = into.first(std::min<std::uint64_t>(into.size(), changed_->size - offset));
    std::fill(into.begin(), into.end(), '\0');
    if (offset < changed_->below_end) {
      const std::uint64_t here = std::min<std::uint64_t>(into.size(), changed_->below_end - offset);
      const auto got = below_->read_at(offset, into.first(here));
      if (!got) return tl::unexpected(got.error());
    }
    const std::uint64_t end = offset + into.size();
    for (auto page = changed_->pages.lower_bound(offset / page_bytes);
         page != changed_->pages.end() && page->first * page_bytes < end; ++page) {
      const std::uint64_t at = page->first * page_bytes;
      const std::uint64_t from = std::max(at, offset);
      const std::uint64_t to = std::min(at + page_bytes, end);
      std::copy_n(page->second.data() + (from - at), to - from, into.data() + (from - offset));
    }
    return into.size();
  }

  ReadNow read_now(std::uint64_t offset, std::span<char> into, std::size_t& got) const override {
    const auto read = read_at(offset, into);
    got = read.value_or(0);
    return read ? ReadNow::done : ReadNow::failed;
  }

  base::Status write_at(std::uint64_t offset, std::span<const std::string_view> parts) override {
    for (std::string_view part : parts) {
      while (!part.empty()) {
        auto page = page_at(offset);
        if (!page) return tl::unexpected(page.error());
        const std::uint64_t begin = offset % page_bytes;
        const std::size_t size = std::min<std::size_t>(part.size(), page_bytes - begin);
        (*page)->replace(begin, size, part.substr(0, size));
        part.remove_prefix(size);
        offset += size;
        changed_->size = std::max(changed_->size, offset);
      }
    }
    return {};
  }

  base::Status sync() override { return {}; }
  base::Status reserve(std::uint64_t bytes) override {
    changed_->size = std::max(changed_->size, bytes);
    return {};
  }

  base::Status truncate(std::uint64_t bytes) override {
    changed_->cut = bytes;
    changed_->size = bytes;
    changed_->below_end = std::min(changed_->below_end, bytes);
    auto& pages = changed_->pages;
    pages.erase(pages.lower_bound((bytes + page_bytes - 1) / page_bytes), pages.end());
    const auto last = pages.find(bytes / page_bytes);
    if (last != pages.end()) {
      const std::size_t kept = bytes % page_bytes;
      last->second.replace(kept, page_bytes - kept, page_bytes - kept, '\0');
    }
    return {};
  }

  base::Result<std::uint64_t> size() const override { return changed_->size; }

  base::Result<std::uint64_t> data_end(std::uint64_t from) const override {
    const auto below = below_->data_end(std::min(from, changed_->below_end));
    if (!below) return below;
    std::uint64_t end = std::min(*below, changed_->below_end);
    const auto& pages = changed_->pages;
    if (!pages.empty()) end = std::max(end, (pages.rbegin()->first + 1) * page_bytes);
    return std::max(from, std::min(end, changed_->size));
  }

 private:
  base::Result<std::string*> page_at(std::uint64_t offset) {
    const std::uint64_t number = offset / page_bytes;
    const auto found = changed_->pages.find(number);
    if (found != changed_->pages.end()) return &found->second;
    std::string page(page_bytes, '\0');
    const auto got = read_at(number * page_bytes, page);
    if (!got) return tl::unexpected(got.error());
    return &changed_->pages.emplace(number, std::move(page)).first->second;
  }

  const std::unique_ptr<File> below_;
  const std::shared_ptr<Changed> changed_;
};

base::Result<std::unique_ptr<File>> OverlayFiles::open(std::string_view path) {
  if (was_removed(path)) return base::fail(fmt::format("open {}: it was removed", path));
  auto below = below_.open(path);
  if (!below) return below;
  auto found = changed_.find(path);
  if (found == changed_.end()) {
    const auto size = (*below)->size();
    if (!size) return tl::unexpected(size.error());
    auto fresh = std::make_shared<Changed>();
    fresh->size = *size;
    fresh->below_end = *size;
    found = changed_.emplace(path, std::move(fresh)).first;
  }
  return std::make_unique<OverlayFile>(std::move(*below), found->second);
}

base::Status OverlayFiles::remove(std::string_view path) {
  removed_.emplace(path);
  return {};
}

base::Result<std::vector<std::string>> OverlayFiles::list(std::string_view path) const {
  auto names = below_.list(path);
  if (!names) return names;
  std::erase_if(*names, [&](const std::string& name) {
    return was_removed(path == "." ? name : fmt::format("{}/{}", path, name));
  });
  return names;
}

std::optional<std::uint64_t> OverlayFiles::cut_to(std::string_view path) const {
  const auto found = changed_.find(path);
  return found == changed_.end() ? std::nullopt : found->second->cut;
}

base::Result<std::unique_ptr<File>> OverlayFiles::create(std::string_view path) {
  return refused("create", path);
}

base::Status OverlayFiles::make_folder(std::string_view path) {
  return refused("make folder", path);
}

base::Status OverlayFiles::rename(std::string_view from, std::string_view /*to*/) {
  return refused("rename", from);
}

base::Status OverlayFiles::remove_tree(std::string_view path) {
  return refused("remove", path);
}

base::Status OverlayFiles::sync_folder(std::string_view /*path*/) {
  return {};
}

base::Result<std::unique_ptr<FolderLock>> OverlayFiles::lock(std::string_view path) {
  return refused("lock", path);
}

base::Result<Space> OverlayFiles::space() const {
  return below_.space();
}

base::Result<Keeping> OverlayFiles::keeping() const {
  return below_.keeping();
}

}  // namespace spanwire::store
