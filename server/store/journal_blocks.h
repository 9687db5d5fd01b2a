// The blocks of a commit journal, as a replay reads them: from the header's start on, in the order
// of their numbers, up to the first that is not whole.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "store/files.h"
#include "store/journal_format.h"

namespace spanwire::store {

class JournalBlocks {
 public:
  JournalBlocks(const File& journal, const JournalHeader& header)
      : journal_(journal), header_(header), next_(header.start), place_(header.start) {}

  // False: there is no further whole block. The records are valid until the next call.
  base::Result<bool> next(std::vector<Redo>& records);
  // Of the block that was read last.
  const RingPlace& place() const { return place_; }

  // Whether the block behind the first that is not whole stands in the ring: it was written after
  // that one was on the disk, so that one was damaged. After next() has returned false; reads the
  // whole ring.
  base::Result<bool> goes_on_behind_damage();

 private:
  base::Result<bool> read(const RingPlace& place, std::vector<Redo>& records);

  const File& journal_;
  const JournalHeader header_;
  RingPlace next_;
  RingPlace place_;
  std::string block_;
};

}  // namespace spanwire::store
