// Bytes that begin at a page in memory, so that they can be written past the system's cache.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <string_view>
#include <utility>

#include "store/files.h"

namespace spanwire::store {

class PageBytes {
 public:
  std::size_t size() const { return size_; }
  char* data() { return bytes_.get(); }
  std::string_view text() const { return {bytes_.get(), size_}; }

  // Keeps its memory.
  void clear() { size_ = 0; }
  void append(std::string_view text) {
    if (!text.empty()) std::memcpy(more(text.size()), text.data(), text.size());
  }
  void append_zeros(std::size_t count) {
    if (count != 0) std::memset(more(count), 0, count);
  }

 private:
  struct Delete {
    void operator()(char* bytes) const {
      ::operator delete (bytes, std::align_val_t{direct_page_bytes});
    }
  };

  // Room for so many behind what is there.
  char* more(std::size_t count) {
    if (size_ + count > capacity_) grow(size_ + count);
    size_ += count;
    return bytes_.get() + size_ - count;
  }
  void grow(std::size_t least) {
    capacity_ = std::max({least, 2 * capacity_, direct_page_bytes});
    std::unique_ptr<char, Delete> larger(
        static_cast<char*>(::operator new (capacity_, std::align_val_t{direct_page_bytes})));
    if (size_ != 0) std::memcpy(larger.get(), bytes_.get(), size_);
    bytes_ = std::move(larger);
  }

  std::unique_ptr<char, Delete> bytes_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace spanwire::store
