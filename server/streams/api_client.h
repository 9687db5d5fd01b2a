// Streams over the JetStream API, `$JS.API…` or `$JS.<domain>.API…`: of this server, or of
// whatever is behind the link.
#pragma once

#include <absl/container/flat_hash_set.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "streams/api.h"

namespace spanwire::streams {

class ApiClient final : public Client, private Link::Listener {
 public:
  ApiClient(base::Loop& loop, std::unique_ptr<Link> link, ApiSettings settings = {});
  ~ApiClient();
  ApiClient(const ApiClient&) = delete;
  ApiClient& operator=(const ApiClient&) = delete;

  void ensure(StreamSpec spec, base::Done<Result<StreamState>> done) override;
  void append(std::string_view stream, std::vector<Appending> messages,
              base::Done<std::vector<Result<Appended>>> done) override;
  void read(std::string_view stream, Which which, base::Done<Result<StoredMessage>> done) override;
  void purge(std::string_view stream, Purging what,
             base::Done<Result<std::uint64_t>> done) override;
  std::unique_ptr<Feed> attach(std::string_view stream, FeedSpec spec, Reader& reader) override;
  void drop(std::string_view stream, base::Done<Result<void>> done) override;
  void drop(std::string_view stream, std::string_view durable,
            base::Done<Result<void>> done) override;

 private:
  struct Batch;

  void on_inbox(std::string_view token, const bus::MessageView& message) override;
  std::string refusal_of(std::string_view stream, std::size_t calls = 1) const;
  template <class T>
  void fail(base::Done<Result<T>> done, Failure why);
  void update(const Answer<StreamAnswer>& answer, std::string_view stream);
  void append_one(std::string_view stream, Appending message, std::shared_ptr<Batch> batch,
                  std::size_t index);
  void deleted(std::string_view stream, std::string subject, base::Done<Result<void>> done);
  Result<StoredMessage> stored(const Reply& reply, bool direct) const;

  std::unique_ptr<Link> link_;
  // Streams that can be read without the API.
  absl::flat_hash_set<std::string, base::TextHash, base::TextEqual> direct_;
  Api api_;
  base::Lifeline lifeline_;
};

}  // namespace spanwire::streams
