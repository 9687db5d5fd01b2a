// Bytes that a file is read into. What is added by growing is not set: it would cost as much as the
// reading does to fill with zeros what is written over at once.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

namespace spanwire::store {

class ReadBuffer {
 public:
  ReadBuffer() = default;
  ReadBuffer(ReadBuffer&& other) noexcept { *this = std::move(other); }
  ReadBuffer& operator=(ReadBuffer&& other) noexcept {
    bytes_ = std::move(other.bytes_);
    size_ = std::exchange(other.size_, 0);
    room_ = std::exchange(other.room_, 0);
    return *this;
  }

  std::size_t size() const { return size_; }
  std::span<char> span() { return {bytes_.get(), size_}; }
  operator std::string_view() const { return {bytes_.get(), size_}; }

  // Keeps its memory.
  void clear() { size_ = 0; }
  // Keeps what is there.
  void resize(std::size_t size) {
    if (size > room_) {
      auto larger = std::make_unique_for_overwrite<char[]>(size);
      std::copy_n(bytes_.get(), size_, larger.get());
      bytes_ = std::move(larger);
      room_ = size;
    }
    size_ = size;
  }
  // The text lies elsewhere.
  void assign(std::string_view text) {
    clear();
    resize(text.size());
    std::copy(text.begin(), text.end(), bytes_.get());
  }

 private:
  std::unique_ptr<char[]> bytes_;
  std::size_t size_ = 0;
  std::size_t room_ = 0;
};

}  // namespace spanwire::store
