// Backups: whatever the bytes and however they are cut, the same records come out of them, and only
// what was written whole is complete.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "jetstream/archive.h"

using namespace spanwire;
using jetstream::Archived;
using jetstream::ArchiveReader;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

// Reads `text` in pieces of so many bytes; writes what it finds once more.
std::string read_in(std::string_view text, std::size_t piece, bool& complete) {
  ArchiveReader reader;
  jetstream::ArchiveWriter writer;
  while (true) {
    switch (reader.next()) {
      case ArchiveReader::Next::bad:
        require(!reader.error().empty());
        complete = false;
        return {};
      case ArchiveReader::Next::need_more:
        complete = reader.complete();
        if (text.empty()) return std::string(writer.take(writer.ready()));
        reader.feed(text.substr(0, piece));
        text.remove_prefix(std::min(piece, text.size()));
        break;
      case ArchiveReader::Next::record: {
        const ArchiveReader::Record& record = reader.record();
        if (record.kind == Archived::head) writer.head(record.head);
        if (record.kind == Archived::consumer) writer.consumer(record.note);
        if (record.kind == Archived::message) writer.message(record.message);
        if (record.kind == Archived::id) writer.id(record.id);
        if (record.kind == Archived::end) writer.end(record.end);
        break;
      }
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  bool whole = false;
  const std::string found = read_in(text, text.size() + 1, whole);
  bool pieces = false;
  require(read_in(text, 7, pieces) == found && pieces == whole);
  if (!whole) return 0;
  bool again = false;
  require(read_in(found, 1000, again) == found && again);
  return 0;
}
