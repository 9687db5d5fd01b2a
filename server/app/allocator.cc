#include "app/allocator.h"

#include <malloc.h>

namespace spanwire::app {

void set_up_allocator() {
  // Freed blocks are merged one by one: glibc would otherwise merge a million of them in one step
  // of a second, whenever a large block is freed.
  ::mallopt(M_MXFAST, 0);
  // Once these are set they stay. Otherwise they follow the largest block that was ever freed, up
  // to 32 and 64 MiB: a worker that has written a sidecar once would keep all that it took.
  ::mallopt(M_MMAP_THRESHOLD, static_cast<int>(kept_free_bytes));
  ::mallopt(M_TRIM_THRESHOLD, static_cast<int>(kept_free_bytes));
}

}  // namespace spanwire::app
