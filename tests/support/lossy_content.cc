#include "tests/support/lossy_content.h"

#include <algorithm>
#include <array>
#include <utility>

namespace spanwire::test {

std::string LossyContent::sector_now(std::uint64_t sector) const {
  const std::size_t at = sector * sector_bytes;
  std::string bytes = at < data_.size() ? data_.substr(at, sector_bytes) : std::string();
  bytes.resize(sector_bytes, '\0');
  return bytes;
}

void LossyContent::touch(std::uint64_t sector) {
  const auto [found, is_new] = dirty_.try_emplace(sector);
  if (is_new) found->second.synced = sector_now(sector);
  found->second.given_up = false;
}

void LossyContent::record(std::uint64_t sector, std::size_t epoch, bool barrier) {
  Sector& entry = dirty_.at(sector);
  for (const Version& version : entry.versions) {
    if (version.barrier) epoch = std::max(epoch, version.epoch);
  }
  entry.versions.push_back({.epoch = epoch, .barrier = barrier, .bytes = sector_now(sector)});
}

void LossyContent::write(std::uint64_t offset, std::string_view bytes) {
  if (bytes.empty()) return;
  const std::uint64_t end = offset + bytes.size();
  const std::uint64_t old_size = data_.size();
  const std::uint64_t first = offset / sector_bytes;
  const std::uint64_t last = (end - 1) / sector_bytes;
  for (std::uint64_t sector = first; sector <= last; ++sector) touch(sector);
  if (end > old_size) {
    sizes_.push_back(end);
    data_.resize(end, '\0');
  }
  data_.replace(offset, bytes.size(), bytes);
  for (std::uint64_t sector = first; sector <= last; ++sector) {
    const bool is_new = sector * sector_bytes >= old_size;
    record(sector, is_new ? sizes_.size() - 1 : 0, false);
  }
}

void LossyContent::resize(std::uint64_t size) {
  const std::uint64_t old_size = data_.size();
  if (size == old_size) return;
  const std::uint64_t first = size / sector_bytes;
  const std::uint64_t behind_last =
      size < old_size ? (old_size + sector_bytes - 1) / sector_bytes : first;
  for (std::uint64_t sector = first; sector < behind_last; ++sector) touch(sector);
  sizes_.push_back(size);
  data_.resize(size, '\0');
  for (std::uint64_t sector = first; sector < behind_last; ++sector) {
    record(sector, sizes_.size() - 1, true);
  }
}

void LossyContent::sync() {
  std::erase_if(dirty_, [](const auto& entry) { return !entry.second.given_up; });
  for (auto& [number, sector] : dirty_) {
    for (Version& version : sector.versions) version.epoch = 0;
  }
  sizes_ = {data_.size()};
}

void LossyContent::sync_failed() {
  for (auto& [number, sector] : dirty_) sector.given_up = true;
}

const std::string& LossyContent::choose(const Sector& sector, std::size_t epoch, Keep keep,
                                        base::Random& random) {
  std::vector<const std::string*> seen{&sector.synced};
  for (const Version& version : sector.versions) {
    if (version.epoch > epoch) continue;
    if (version.barrier) seen.clear();
    seen.push_back(&version.bytes);
  }
  if (keep == Keep::nothing) return *seen.front();
  if (keep == Keep::everything || random.below(2) == 0) return *seen.back();
  return *seen[random.below(static_cast<std::uint32_t>(seen.size()))];
}

void LossyContent::cut_power(base::Random& random) {
  const Keep keep =
      std::array{Keep::nothing, Keep::everything, Keep::anything, Keep::anything}[random.below(4)];
  const auto epochs = static_cast<std::uint32_t>(sizes_.size());
  std::size_t epoch = random.below(epochs);
  if (keep == Keep::nothing) epoch = 0;
  if (keep == Keep::everything) epoch = epochs - 1;
  const std::uint64_t size = sizes_[epoch];

  std::string data = std::move(data_);
  const std::uint64_t dirty_end = dirty_.empty() ? 0 : (dirty_.rbegin()->first + 1) * sector_bytes;
  data.resize(std::max<std::size_t>(data.size(), dirty_end), '\0');
  for (const auto& [number, sector] : dirty_) {
    data.replace(number * sector_bytes, sector_bytes, choose(sector, epoch, keep, random));
  }
  data.resize(size, '\0');
  data_ = std::move(data);
  dirty_.clear();
  sizes_ = {size};
}

}  // namespace spanwire::test
