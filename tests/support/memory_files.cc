#include "tests/support/memory_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "base/mutex.h"
#include "tests/support/lossy_content.h"

namespace spanwire::test {

namespace {

// A file or a folder; a folder's names as the system shows them and as the device has them.
struct Node {
  using Names = std::map<std::string, std::shared_ptr<Node>, std::less<>>;

  bool is_folder = false;
  LossyContent content;
  Names now;
  Names durable;
};

using NodePtr = std::shared_ptr<Node>;

// Names that appear or go (null) together.
struct NameChange {
  NodePtr folder;
  std::string name;
  NodePtr node;
};
using Renaming = std::vector<NameChange>;

void put(Node::Names& names, const NameChange& change) {
  if (change.node) {
    names[change.name] = change.node;
  } else {
    names.erase(change.name);
  }
}

std::uint64_t used_below(const Node& folder) {
  std::uint64_t used = 0;
  for (const auto& [name, node] : folder.now) {
    used += node->is_folder ? used_below(*node) : node->content.data().size();
  }
  return used;
}

void cut_below(Node& folder, base::Random& random) {
  folder.now = folder.durable;
  for (const auto& [name, node] : folder.now) {
    if (node->is_folder) {
      cut_below(*node, random);
    } else {
      node->content.cut_power(random);
    }
  }
}

base::Status no_such(std::string_view path) {
  return base::fail(fmt::format("{}: no such file or folder", path));
}

}  // namespace

// All under the mutex, which the public calls take.
struct MemoryDisk::State {
  mutable base::Mutex mutex;
  NodePtr root = std::make_shared<Node>();
  std::deque<Renaming> pending;  // name changes that are not durable
  std::uint64_t generation = 1;  // of what was opened since the last cut
  std::uint64_t changes = 0;
  std::uint64_t cut_at = 0;
  bool is_off = false;
  bool is_cold = false;
  Decide decide;
  std::uint64_t limit = std::uint64_t{1} << 40;
  store::Keeping keeping = store::Keeping::disk;
  std::map<std::string, std::uint64_t> reads;
  std::map<std::string, std::string, std::less<>> locks;  // with their holder

  NodePtr find(std::string_view path) const;
  NodePtr folder_of(std::string_view path) const;
  static std::string name_of(std::string_view path);

  void rename(Renaming changes_of_names);
  void remove_below(const NodePtr& folder);
  void sync_names(const NodePtr& folder);
  void cut_names(base::Random& random);
  Outcome ask(Call call, std::string_view path);
  base::Status write(LossyContent& content, std::string_view path, std::uint64_t offset,
                     std::string_view bytes);
  bool fits(const LossyContent& content, std::uint64_t size) const;

  base::Status usable(std::uint64_t opened, std::string_view path) const {
    if (!is_off && opened == generation) return {};
    return base::fail(fmt::format("{}: the power was cut", path));
  }

  // One call that changes something: `apply` does it, unless it is to fail.
  template <class Apply>
  base::Status carry_out(Call call, std::string_view path, std::uint64_t opened, Apply apply) {
    base::MutexLock lock(mutex);
    if (const base::Status usable_now = usable(opened, path); !usable_now) return usable_now;
    const Outcome outcome = ask(call, path);
    const base::Status status = apply(outcome);
    if (outcome == Outcome::power_cut) {
      is_off = true;
      return usable(opened, path);
    }
    if (outcome == Outcome::fails) return base::fail(fmt::format("{}: input/output error", path));
    return status;
  }
};

NodePtr MemoryDisk::State::find(std::string_view path) const {
  NodePtr node = root;
  while (!path.empty() && node && path != ".") {
    const std::string_view name = path.substr(0, path.find('/'));
    BASE_ASSERT(!name.empty() && name != "..");
    path.remove_prefix(std::min(path.size(), name.size() + 1));
    const auto found = node->now.find(name);
    node = found == node->now.end() ? nullptr : found->second;
  }
  return node;
}

NodePtr MemoryDisk::State::folder_of(std::string_view path) const {
  const std::size_t slash = path.rfind('/');
  NodePtr folder = slash == std::string_view::npos ? root : find(path.substr(0, slash));
  return folder && folder->is_folder ? folder : nullptr;
}

std::string MemoryDisk::State::name_of(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return std::string(slash == std::string_view::npos ? path : path.substr(slash + 1));
}

void MemoryDisk::State::rename(Renaming changes_of_names) {
  for (const NameChange& change : changes_of_names) put(change.folder->now, change);
  pending.push_back(std::move(changes_of_names));
}

void MemoryDisk::State::remove_below(const NodePtr& folder) {
  const Node::Names names = folder->now;
  for (const auto& [name, node] : names) {
    if (node->is_folder) remove_below(node);
    rename({{.folder = folder, .name = name, .node = nullptr}});
  }
}

// What touches the folder becomes durable, and what came before it in any folder concerned.
void MemoryDisk::State::sync_names(const NodePtr& folder) {
  std::set<NodePtr> concerned{folder};
  std::vector<Renaming> durable;
  for (std::size_t i = pending.size(); i-- > 0;) {
    const bool touches = std::any_of(pending[i].begin(), pending[i].end(), [&](const auto& change) {
      return concerned.contains(change.folder);
    });
    if (!touches) continue;
    for (const NameChange& change : pending[i]) concerned.insert(change.folder);
    durable.push_back(std::move(pending[i]));
    pending.erase(pending.begin() + static_cast<std::ptrdiff_t>(i));
  }
  for (auto renaming = durable.rbegin(); renaming != durable.rend(); ++renaming) {
    for (const NameChange& change : *renaming) put(change.folder->durable, change);
  }
}

void MemoryDisk::State::cut_names(base::Random& random) {
  std::set<NodePtr> lost;  // folders in which nothing later is durable
  const bool keep_all = random.below(4) == 0;
  const std::uint32_t loss = 1 + random.below(8);
  for (const Renaming& renaming : std::exchange(pending, {})) {
    const bool is_lost = std::any_of(renaming.begin(), renaming.end(), [&](const auto& change) {
      return lost.contains(change.folder);
    });
    const bool stays = !is_lost && (keep_all || random.below(8) >= loss);
    for (const NameChange& change : renaming) {
      if (stays) {
        put(change.folder->durable, change);
      } else {
        lost.insert(change.folder);
      }
    }
  }
}

Outcome MemoryDisk::State::ask(Call call, std::string_view path) {
  if (call != Call::read && ++changes == cut_at) return Outcome::power_cut;
  return decide ? decide(call, path) : Outcome::fine;
}

bool MemoryDisk::State::fits(const LossyContent& content, std::uint64_t size) const {
  const std::uint64_t old_size = content.data().size();
  return size <= old_size || used_below(*root) + (size - old_size) <= limit;
}

base::Status MemoryDisk::State::write(LossyContent& content, std::string_view path,
                                      std::uint64_t offset, std::string_view bytes) {
  if (fits(content, offset + bytes.size())) {
    content.write(offset, bytes);
    return {};
  }
  const std::uint64_t used = used_below(*root);
  const std::uint64_t room = content.data().size() + (limit > used ? limit - used : 0);
  if (offset < room) content.write(offset, bytes.substr(0, room - offset));
  return base::fail(fmt::format("{}: the disk is full", path));
}

class MemoryFile final : public store::File {
 public:
  MemoryFile(std::shared_ptr<MemoryDisk::State> disk, NodePtr node, std::string path,
             std::uint64_t opened)
      : disk_(std::move(disk)), node_(std::move(node)), path_(std::move(path)), opened_(opened) {}

  base::Result<std::size_t> read_at(std::uint64_t offset, std::span<char> into) const override {
    base::MutexLock lock(disk_->mutex);
    if (const base::Status usable = disk_->usable(opened_, path_); !usable) {
      return base::fail(usable.error().text);
    }
    if (disk_->ask(Call::read, path_) == Outcome::fails) {
      return base::fail(fmt::format("{}: input/output error", path_));
    }
    const std::string& data = node_->content.data();
    if (offset >= data.size()) return std::size_t{0};
    const std::size_t got = data.copy(into.data(), into.size(), offset);
    disk_->reads[path_] += got;
    return got;
  }
  store::ReadNow read_now(std::uint64_t offset, std::span<char> into,
                          std::size_t& got) const override {
    {
      base::MutexLock lock(disk_->mutex);
      if (disk_->is_cold) return store::ReadNow::would_block;
    }
    const base::Result<std::size_t> read = read_at(offset, into);
    if (!read) return store::ReadNow::failed;
    got = *read;
    return store::ReadNow::done;
  }
  base::Status write_at(std::uint64_t offset, std::span<const std::string_view> parts) override {
    std::string bytes;
    for (const std::string_view part : parts) bytes += part;
    return disk_->carry_out(Call::write, path_, opened_, [&](Outcome outcome) {
      const std::size_t size = outcome == Outcome::fails ? bytes.size() / 2 : bytes.size();
      return disk_->write(node_->content, path_, offset, std::string_view(bytes).substr(0, size));
    });
  }
  base::Status sync() override {
    return disk_->carry_out(Call::sync, path_, opened_, [&](Outcome outcome) -> base::Status {
      if (sync_failed_) return base::fail(fmt::format("{}: a sync failed before", path_));
      sync_failed_ = outcome == Outcome::fails;
      if (outcome == Outcome::fine) node_->content.sync();
      if (outcome == Outcome::fails) node_->content.sync_failed();
      return {};
    });
  }
  base::Status reserve(std::uint64_t bytes) override {
    return disk_->carry_out(Call::reserve, path_, opened_, [&](Outcome outcome) -> base::Status {
      if (outcome == Outcome::fails || bytes <= node_->content.data().size()) return {};
      if (!disk_->fits(node_->content, bytes)) {
        return base::fail(fmt::format("{}: the disk is full", path_));
      }
      node_->content.resize(bytes);
      return {};
    });
  }
  base::Status truncate(std::uint64_t bytes) override {
    return disk_->carry_out(Call::truncate, path_, opened_, [&](Outcome outcome) -> base::Status {
      if (outcome != Outcome::fails) node_->content.resize(bytes);
      return {};
    });
  }
  base::Result<std::uint64_t> size() const override {
    base::MutexLock lock(disk_->mutex);
    if (const base::Status usable = disk_->usable(opened_, path_); !usable) {
      return base::fail(usable.error().text);
    }
    return node_->content.data().size();
  }
  base::Result<std::uint64_t> data_end(std::uint64_t from) const override {
    const base::Result<std::uint64_t> all = size();
    if (!all || from >= *all) return all;
    base::MutexLock lock(disk_->mutex);
    const std::string& data = node_->content.data();
    const std::size_t behind = data.find_last_not_of('\0') + 1;  // 0: there is no other byte
    const std::size_t sector = LossyContent::sector_bytes;
    return std::min<std::uint64_t>(
        *all, std::max<std::uint64_t>(from, (behind + sector - 1) / sector * sector));
  }

 private:
  const std::shared_ptr<MemoryDisk::State> disk_;
  const NodePtr node_;
  const std::string path_;
  const std::uint64_t opened_;
  bool sync_failed_ = false;
};

class MemoryLock final : public store::FolderLock {
 public:
  MemoryLock(std::shared_ptr<MemoryDisk::State> disk, std::string path, std::uint64_t opened)
      : disk_(std::move(disk)), path_(std::move(path)), opened_(opened) {}
  ~MemoryLock() override {
    base::MutexLock lock(disk_->mutex);
    if (disk_->generation == opened_) disk_->locks.erase(path_);
  }

 private:
  const std::shared_ptr<MemoryDisk::State> disk_;
  const std::string path_;
  const std::uint64_t opened_;
};

class MemoryFiles final : public store::Files {
 public:
  MemoryFiles(std::shared_ptr<MemoryDisk::State> disk, std::uint64_t opened)
      : disk_(std::move(disk)), opened_(opened) {}

  base::Result<std::unique_ptr<store::File>> create(std::string_view path) override {
    return make(path, Call::create, false);
  }
  base::Result<std::unique_ptr<store::File>> open(std::string_view path) override {
    base::MutexLock lock(disk_->mutex);
    if (const base::Status usable = disk_->usable(opened_, path); !usable) {
      return base::fail(usable.error().text);
    }
    const NodePtr node = disk_->find(path);
    if (!node || node->is_folder) return base::fail(no_such(path).error().text);
    return handle(node, path);
  }
  base::Status make_folder(std::string_view path) override {
    const auto made = make(path, Call::make_folder, true);
    return made ? base::Status() : base::fail(made.error().text);
  }
  base::Status rename(std::string_view from, std::string_view to) override {
    return disk_->carry_out(Call::rename, from, opened_, [&](Outcome outcome) -> base::Status {
      if (outcome == Outcome::fails) return {};
      const NodePtr node = disk_->find(from);
      const NodePtr folder = disk_->folder_of(to);
      if (!node) return no_such(from);
      if (!folder) return no_such(to);
      const NodePtr target = disk_->find(to);
      if (target && target->is_folder && !target->now.empty()) {
        return base::fail(fmt::format("{}: the folder is not empty", to));
      }
      disk_->rename({{disk_->folder_of(from), MemoryDisk::State::name_of(from), nullptr},
                     {folder, MemoryDisk::State::name_of(to), node}});
      return {};
    });
  }
  base::Status remove(std::string_view path) override {
    return disk_->carry_out(Call::remove, path, opened_, [&](Outcome outcome) -> base::Status {
      const NodePtr node = disk_->find(path);
      if (outcome == Outcome::fails || !node) return {};
      if (node->is_folder) return base::fail(fmt::format("{}: is a folder", path));
      disk_->rename({{disk_->folder_of(path), MemoryDisk::State::name_of(path), nullptr}});
      return {};
    });
  }
  base::Status remove_tree(std::string_view path) override {
    return disk_->carry_out(Call::remove, path, opened_, [&](Outcome outcome) -> base::Status {
      const NodePtr node = disk_->find(path);
      if (outcome == Outcome::fails || !node) return {};
      if (node->is_folder) disk_->remove_below(node);
      disk_->rename({{disk_->folder_of(path), MemoryDisk::State::name_of(path), nullptr}});
      return {};
    });
  }
  base::Status sync_folder(std::string_view path) override {
    return disk_->carry_out(Call::sync_folder, path, opened_, [&](Outcome outcome) -> base::Status {
      const NodePtr node = disk_->find(path);
      if (!node || !node->is_folder) return no_such(path);
      if (outcome == Outcome::fine) disk_->sync_names(node);
      return {};
    });
  }
  base::Result<std::vector<std::string>> list(std::string_view path) const override {
    base::MutexLock lock(disk_->mutex);
    if (const base::Status usable = disk_->usable(opened_, path); !usable) {
      return base::fail(usable.error().text);
    }
    std::vector<std::string> names;
    if (const NodePtr node = disk_->find(path)) {
      for (const auto& [name, child] : node->now) names.push_back(name);
    }
    return names;
  }
  base::Result<std::unique_ptr<store::FolderLock>> lock(std::string_view path) override {
    base::MutexLock lock(disk_->mutex);
    if (const base::Status usable = disk_->usable(opened_, path); !usable) {
      return base::fail(usable.error().text);
    }
    const auto [held, is_new] = disk_->locks.try_emplace(std::string(path), "this process");
    if (!is_new) return base::fail(fmt::format("{}: in use by {}", path, held->second));
    return std::make_unique<MemoryLock>(disk_, std::string(path), opened_);
  }
  base::Result<store::Space> space() const override {
    base::MutexLock lock(disk_->mutex);
    const std::uint64_t used = used_below(*disk_->root);
    return store::Space{.total_bytes = disk_->limit,
                        .free_bytes = disk_->limit > used ? disk_->limit - used : 0};
  }
  base::Result<store::Keeping> keeping() const override {
    base::MutexLock lock(disk_->mutex);
    return disk_->keeping;
  }

 private:
  std::unique_ptr<store::File> handle(const NodePtr& node, std::string_view path) const {
    return std::make_unique<MemoryFile>(disk_, node, std::string(path), opened_);
  }
  base::Result<std::unique_ptr<store::File>> make(std::string_view path, Call call,
                                                  bool is_folder) {
    const auto node = std::make_shared<Node>();
    node->is_folder = is_folder;
    const base::Status made =
        disk_->carry_out(call, path, opened_, [&](Outcome outcome) -> base::Status {
          const NodePtr there = disk_->find(path);
          if (there && is_folder && there->is_folder) return {};
          if (there) return base::fail(fmt::format("{}: exists already", path));
          const NodePtr folder = disk_->folder_of(path);
          if (!folder) return no_such(path);
          if (outcome == Outcome::fails) return {};
          disk_->rename({{folder, MemoryDisk::State::name_of(path), node}});
          return {};
        });
    if (!made) return base::fail(made.error().text);
    return handle(node, path);
  }

  const std::shared_ptr<MemoryDisk::State> disk_;
  const std::uint64_t opened_;
};

MemoryDisk::MemoryDisk() : state_(std::make_shared<State>()) {
  state_->root->is_folder = true;
}

MemoryDisk::~MemoryDisk() = default;

std::unique_ptr<store::Files> MemoryDisk::open() {
  base::MutexLock lock(state_->mutex);
  return std::make_unique<MemoryFiles>(state_, state_->generation);
}

void MemoryDisk::decide(Decide decide) {
  base::MutexLock lock(state_->mutex);
  state_->decide = std::move(decide);
}

std::uint64_t MemoryDisk::changes() const {
  base::MutexLock lock(state_->mutex);
  return state_->changes;
}

void MemoryDisk::cut_at(std::uint64_t change) {
  base::MutexLock lock(state_->mutex);
  state_->cut_at = change;
}

bool MemoryDisk::is_off() const {
  base::MutexLock lock(state_->mutex);
  return state_->is_off;
}

void MemoryDisk::cut_power(base::Random& random) {
  base::MutexLock lock(state_->mutex);
  state_->cut_names(random);
  cut_below(*state_->root, random);
  state_->locks.clear();
  state_->decide = nullptr;
  state_->cut_at = 0;
  state_->is_off = false;
  ++state_->generation;
}

void MemoryDisk::set_limit(std::uint64_t bytes) {
  base::MutexLock lock(state_->mutex);
  state_->limit = bytes;
}

void MemoryDisk::set_keeping(store::Keeping keeping) {
  base::MutexLock lock(state_->mutex);
  state_->keeping = keeping;
}

void MemoryDisk::set_cold(bool cold) {
  base::MutexLock lock(state_->mutex);
  state_->is_cold = cold;
}

void MemoryDisk::lock_elsewhere(std::string_view path) {
  base::MutexLock lock(state_->mutex);
  state_->locks[std::string(path)] = "process 4711";
}

bool MemoryDisk::has(std::string_view path) const {
  base::MutexLock lock(state_->mutex);
  return state_->find(path) != nullptr;
}

std::string MemoryDisk::content(std::string_view path) const {
  base::MutexLock lock(state_->mutex);
  const NodePtr node = state_->find(path);
  BASE_ASSERT(node && !node->is_folder);
  return node->content.data();
}

void MemoryDisk::change(std::string_view path, std::string content) {
  base::MutexLock lock(state_->mutex);
  const NodePtr folder = state_->folder_of(path);
  BASE_ASSERT(folder);
  NodePtr& node = folder->now[State::name_of(path)];
  if (!node) node = std::make_shared<Node>();
  folder->durable[State::name_of(path)] = node;
  node->content = LossyContent();
  node->content.write(0, content);
  node->content.sync();
}

void MemoryDisk::remove(std::string_view path) {
  base::MutexLock lock(state_->mutex);
  const NodePtr folder = state_->folder_of(path);
  BASE_ASSERT(folder);
  folder->now.erase(State::name_of(path));
  folder->durable.erase(State::name_of(path));
}

std::uint64_t MemoryDisk::used_bytes() const {
  base::MutexLock lock(state_->mutex);
  return used_below(*state_->root);
}

std::map<std::string, std::uint64_t> MemoryDisk::reads() const {
  base::MutexLock lock(state_->mutex);
  return state_->reads;
}

void MemoryDisk::forget_reads() {
  base::MutexLock lock(state_->mutex);
  state_->reads.clear();
}

}  // namespace spanwire::test
