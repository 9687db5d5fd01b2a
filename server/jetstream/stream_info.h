// What STREAM.INFO and its like show of a stream.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "jetstream/stream.h"
#include "json/writer.h"
#include "store/log.h"

namespace spanwire::jetstream {

// As many subjects are told of at once.
inline constexpr std::uint64_t max_subject_details = 100'000;

// What has to be searched for: gathered in slices.
class StreamDetails {
 public:
  // `filter`: of the subjects to be told; empty: none.
  StreamDetails(bool deleted, std::string filter, std::uint64_t offset)
      : wants_deleted_(deleted), filter_(std::move(filter)), offset_(offset) {}

  // Goes on for about a millisecond. False: there is more.
  bool gather(Stream& stream);

  std::uint64_t subjects_total() const { return subjects_total_; }
  std::uint64_t offset() const { return offset_; }
  // Members of the state.
  void write_subjects(json::Writer& writer) const;
  void write_deleted(json::Writer& writer) const;

 private:
  bool gather_subjects(Stream& stream);
  bool gather_deleted(const store::Log& log);

  bool wants_deleted_;
  std::string filter_;
  std::uint64_t offset_;
  std::unique_ptr<store::Selection> selection_;
  std::string after_;
  bool subjects_done_ = false;
  std::uint64_t subjects_total_ = 0;
  std::string subjects_;  // what stands in the braces
  Sequence next_ = 0;     // to be looked at, whether it is deleted
  std::string deleted_;   // what stands in the brackets
};

struct StreamInfoStyle {
  std::string_view version = {};  // of the server, for the metadata; empty: not shown
  bool domain = true;             // show it, if there is one
  bool cluster = false;           // show who leads: this server
  const StreamDetails* details = nullptr;
};

// The member "state".
void write_stream_state(json::Writer& writer, Stream& stream,
                        const StreamDetails* details = nullptr);
// The members of a stream's information, into an object that is open.
void write_stream_info(json::Writer& writer, Stream& stream, const StreamInfoStyle& style);

}  // namespace spanwire::jetstream
