// Numbers, texts and lists of a snapshot, written and read one after the other.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/little_endian.h"

namespace spanwire::store {

class SavedWriter {
 public:
  explicit SavedWriter(std::string& out) : out_(out) {}

  void number(std::uint64_t value) { base::append_little_endian(out_, value); }
  void time(base::WallTime time) {
    number(static_cast<std::uint64_t>(time.time_since_epoch().count()));
  }
  void text(std::string_view text) {
    number(text.size());
    out_ += text;
  }
  template <class List, class Write>
  void list(const List& items, Write write) {
    number(items.size());
    for (const auto& item : items) write(item);
  }

 private:
  std::string& out_;
};

// After the first that is not all there everything reads as zero or empty, and ok() is false.
class SavedReader {
 public:
  explicit SavedReader(std::string_view bytes) : bytes_(bytes) {}

  bool ok() const { return ok_; }
  bool at_end() const { return ok_ && bytes_.empty(); }

  template <class Number>
  Number fixed() {
    if (bytes_.size() < sizeof(Number)) return ok_ = false, Number{0};
    const auto value = base::read_little_endian<Number>(bytes_, 0);
    bytes_.remove_prefix(sizeof(Number));
    return value;
  }
  std::uint64_t number() { return fixed<std::uint64_t>(); }
  base::WallTime time() {
    return base::WallTime(base::Duration(static_cast<std::int64_t>(number())));
  }
  std::string_view text() {
    const std::uint64_t size = number();
    if (size > bytes_.size()) return ok_ = false, std::string_view();
    const std::string_view text = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return text;
  }
  // Items take so many bytes each, at least.
  template <class Item, class Read>
  void list(std::vector<Item>& items, std::size_t item_bytes, Read read) {
    const std::uint64_t count = number();
    if (count > bytes_.size() / item_bytes) {
      ok_ = false;
      return;
    }
    items.reserve(count);
    for (std::uint64_t i = 0; i < count && ok_; ++i) items.push_back(read());
  }
  // Items of exactly so many bytes; read() is given those of one.
  template <class Item, class Read>
  void equal_items(std::vector<Item>& items, std::size_t item_bytes, Read read) {
    const std::uint64_t count = number();
    if (count > bytes_.size() / item_bytes) {
      ok_ = false;
      return;
    }
    const std::string_view all = bytes_.substr(0, count * item_bytes);
    bytes_.remove_prefix(all.size());
    items.reserve(count);
    for (std::size_t at = 0; at < all.size(); at += item_bytes) {
      items.push_back(read(all.substr(at, item_bytes)));
    }
  }

 private:
  std::string_view bytes_;
  bool ok_ = true;
};

}  // namespace spanwire::store
