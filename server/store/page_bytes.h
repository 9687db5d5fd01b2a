// Bytes that begin at a page in memory, so that they can be written past the system's cache.
#pragma once

#include <cstddef>
#include <new>
#include <vector>

#include "store/files.h"

namespace spanwire::store {

template <class Value>
struct PageAllocator {
  using value_type = Value;

  PageAllocator() = default;
  template <class Other>
  explicit PageAllocator(const PageAllocator<Other>& /*other*/) {}

  Value* allocate(std::size_t count) {
    return static_cast<Value*>(
        ::operator new (count * sizeof(Value), std::align_val_t{direct_page_bytes}));
  }
  void deallocate(Value* values, std::size_t /*count*/) {
    ::operator delete (values, std::align_val_t{direct_page_bytes});
  }
  friend bool operator==(const PageAllocator&, const PageAllocator&) { return true; }
};

using PageBytes = std::vector<char, PageAllocator<char>>;

}  // namespace spanwire::store
