// Records of segments, and snapshots: bytes as a disk may give them back.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/crc32c.h"
#include "base/little_endian.h"
#include "store/record.h"
#include "store/snapshot.h"
#include "store/whole_file.h"

using namespace spanwire;

namespace {

constexpr std::uint64_t salt = 7;
constexpr std::uint64_t place = 64;

void check(bool holds) {
  if (!holds) std::abort();
}

// The body of a record with the sum that it must have, as docs/formats/segment.md says it: so that
// what stands behind the sum is reached.
std::string summed(std::string_view kind_and_body) {
  std::string rest;
  base::append_little_endian(rest, static_cast<std::uint32_t>(kind_and_body.size() + 8));
  rest += kind_and_body;
  std::string seed;
  base::append_little_endian(seed, salt);
  base::append_little_endian(seed, place);
  std::string record;
  base::append_little_endian(record, base::crc32c(rest, base::crc32c(seed)));
  return record + rest;
}

void decode(std::string_view bytes) {
  store::Record record;
  const store::Decode decoded = store::decode_record(bytes, salt, place, record);
  const std::size_t size = store::record_size(bytes);
  if (decoded != store::Decode::ok) return;
  check(size == record.size_bytes && size <= bytes.size());
  if (record.kind != store::RecordKind::message) return;
  // What was read is written in the same way again, but for an eviction of nothing.
  store::BatchWriter writer;
  writer.begin(salt, place);
  writer.message(record.message);
  const std::string batch = writer.finish({});
  store::Record again;
  const std::string_view second = std::string_view(batch).substr(store::batch_record_bytes);
  check(store::decode_record(second, salt, place + store::batch_record_bytes, again) ==
        store::Decode::ok);
  check(again.message.payload == record.message.payload);
  check(again.message.subject == record.message.subject);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  decode(bytes);
  if (!bytes.empty()) decode(summed(bytes));
  static_cast<void>(store::decode_snapshot(bytes));
  static_cast<void>(store::decode_snapshot(store::with_sum(bytes)));
  return 0;
}
