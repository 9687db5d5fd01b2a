// Sidecars: bytes as a disk may give them back, and an index that takes what was read.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "store/index.h"
#include "store/sidecar.h"
#include "store/whole_file.h"

using namespace spanwire;

namespace {

void check(bool holds) {
  if (!holds) std::abort();
}

void take(store::Sidecar sidecar) {
  if (sidecar.messages == nullptr) return;
  const std::size_t live = sidecar.messages->live();
  const store::Sequence last = sidecar.messages->last();
  store::Index index([](store::Sequence) { return base::WallTime{}; });
  store::KnownSubjects known(4);
  check(index.adopt(std::move(sidecar.messages), sidecar.subjects, known));
  check(index.totals().messages == live && index.totals().last == last);
  std::size_t seen = 0;
  store::Sequence at = index.ahead_from(1);
  for (; at != 0; at = index.ahead_from(at + 1)) {
    check(!index.subject_of(at).empty());
    check(++seen <= live);
  }
  check(seen == live);
  for (const store::Sidecar::Range& range : sidecar.erased) {
    const store::Sequence first = index.ahead_from(range.first);
    if (first != 0 && first <= range.last) index.erase(first);
  }
  index.end_part(1);
  index.commit(1);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (auto sidecar = store::decode_sidecar(bytes)) take(std::move(*sidecar));
  const std::string summed = store::with_sum(bytes);
  if (auto sidecar = store::decode_sidecar(summed)) take(std::move(*sidecar));
  return 0;
}
