#include "store/journal_growth.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "base/assert.h"

namespace spanwire::store {

std::uint64_t journal_ring_bytes(std::uint64_t file_bytes) {
  return (file_bytes - journal_ring_at) / journal_page_bytes * journal_page_bytes;
}

base::Result<std::unique_ptr<File>> make_journal_file(Files& files, std::uint64_t bytes,
                                                      const std::atomic<bool>& unwanted) {
  alignas(direct_page_bytes) static constexpr std::array<char, 64 * 1024> zeros{};
  constexpr std::size_t parts_a_call = 16;
  if (base::Status removed = files.remove(new_journal_path); !removed)
    return base::fail(removed.error().text);
  auto file = files.create(new_journal_path);
  if (!file) return file;
  (*file)->write_past_cache();
  base::Status status;
  std::vector<std::string_view> parts;
  for (std::uint64_t at = 0; at < bytes && status;) {
    if (unwanted.load(std::memory_order_relaxed)) status = base::fail("given up");
    const std::uint64_t begin = at;
    for (parts.clear(); at < bytes && parts.size() < parts_a_call; at += parts.back().size()) {
      parts.emplace_back(zeros.data(), std::min<std::uint64_t>(zeros.size(), bytes - at));
    }
    if (status) status = (*file)->write_at(begin, parts);
  }
  if (status) status = (*file)->sync();
  if (status) return file;
  static_cast<void>(files.remove(new_journal_path));
  return base::fail(status.error().text);
}

JournalGrowth::JournalGrowth(Files& files, Helpers& helpers, std::uint64_t file_bytes,
                             std::size_t slice_bytes)
    : files_(files),
      helpers_(helpers),
      ring_bytes_(journal_ring_bytes(file_bytes)),
      slice_bytes_(slice_bytes) {
  BASE_ASSERT(slice_bytes > 0 && slice_bytes % journal_page_bytes == 0);
  std::vector<base::Task> tasks;
  tasks.emplace_back([this, file_bytes] {
    // Less room than that, and filling it up would hurt the segments.
    const auto space = files_.space();
    made_ = space && space->free_bytes < file_bytes
                ? base::fail("no room")
                : make_journal_file(files_, file_bytes, unwanted_);
  });
  batch_ = helpers_.start_first(std::move(tasks));
}

JournalGrowth::~JournalGrowth() {
  unwanted_.store(true, std::memory_order_relaxed);
  batch_ = nullptr;
  if (stage_ == Stage::making || stage_ == Stage::copying) give_up();
}

base::Status JournalGrowth::go_on(const File& old, const JournalHeader& header, std::size_t slot) {
  if (stage_ == Stage::making && batch_->done()) begin_copying();
  const std::uint64_t old_end = journal_ring_at + header.ring_bytes;
  if (stage_ == Stage::copying) {
    base::Status status = copy_slice(old, old_end);
    if (status && copied_ == old_end) status = rename(header, slot);
    // Nothing counts yet that is in the new file.
    if (!status && stage_ == Stage::copying) give_up();
  }
  if (stage_ == Stage::renamed && batch_->done()) return settle_name();
  return {};
}

void JournalGrowth::begin_copying() {
  batch_ = nullptr;
  if (!made_) {
    stage_ = Stage::failed;
    return;
  }
  file_ = *std::move(made_);
  stage_ = Stage::copying;
  slice_.append_zeros(slice_bytes_);
}

base::Status JournalGrowth::copy_slice(const File& old, std::uint64_t old_end) {
  const std::size_t size = std::min<std::uint64_t>(slice_.size(), old_end - copied_);
  const auto got = old.read_at(copied_, {slice_.data(), size});
  if (!got) return tl::unexpected(got.error());
  BASE_ASSERT(*got == size);
  base::Status written =
      file_->write_at(copied_, std::array{std::string_view(slice_.data(), size)});
  if (written) copied_ += size;
  return written;
}

// The header goes where the old file has the last one that it wrote, so that both go on alike.
base::Status JournalGrowth::rename(const JournalHeader& header, std::size_t slot) {
  JournalHeader larger = header;
  larger.ring_bytes = ring_bytes_;
  const std::string text = encode_journal_header(larger);
  base::Status status =
      file_->write_at((1 - slot) * journal_page_bytes, std::array{std::string_view(text)});
  if (status) status = file_->sync();
  if (status) status = files_.rename(new_journal_path, journal_path);
  if (!status) return status;
  stage_ = Stage::renamed;
  slice_ = {};
  std::vector<base::Task> tasks;
  tasks.emplace_back([this] { folder_synced_ = files_.sync_folder(""); });
  batch_ = helpers_.start_first(std::move(tasks));
  return {};
}

base::Status JournalGrowth::settle_name() {
  batch_ = nullptr;
  if (!folder_synced_) return folder_synced_;
  stage_ = Stage::done;
  // Under its name, so that errors tell it.
  auto named = files_.open(journal_path);
  if (!named) return {};
  file_ = *std::move(named);
  file_->write_past_cache();
  return {};
}

base::Status JournalGrowth::write_block(std::uint64_t offset, std::string_view bytes) {
  if (stage_ == Stage::renamed) return file_->write_at(offset, std::array{bytes});
  if (stage_ != Stage::copying || offset >= copied_) return {};
  if (!file_->write_at(offset, std::array{bytes})) give_up();
  return {};
}

base::Status JournalGrowth::write_header(const JournalHeader& header, std::size_t slot) {
  if (stage_ != Stage::renamed) return {};
  JournalHeader larger = header;
  larger.ring_bytes = ring_bytes_;
  const std::string text = encode_journal_header(larger);
  return file_->write_at(slot * journal_page_bytes, std::array{std::string_view(text)});
}

base::Status JournalGrowth::sync() {
  return stage_ == Stage::renamed ? file_->sync() : base::Status();
}

void JournalGrowth::give_up() {
  stage_ = Stage::failed;
  file_ = nullptr;
  static_cast<void>(files_.remove(new_journal_path));
}

}  // namespace spanwire::store
