#include "bridges/kit/retained_bucket.h"

#include <utility>

#include "base/assert.h"
#include "bridges/kit/retained_key.h"
#include "bus/headers.h"
#include "logging/logging.h"

namespace spanwire::kit {
namespace {

constexpr base::Duration retry_delay = std::chrono::seconds(5);
// Messages that the feed may send ahead; half of it is granted again at once.
constexpr std::size_t credit = 1024;
constexpr std::string_view qos_header = "Spanwire-QoS";
// As key-value clients spell a removal; it goes after an hour, when every watcher has seen it.
constexpr std::string_view removal =
    "NATS/1.0\r\nKV-Operation: PURGE\r\nNats-Rollup: sub\r\nNats-TTL: 1h\r\n\r\n";

const std::string& stream_name() {
  static const std::string name = "KV_" + std::string(retained_bucket);
  return name;
}
const std::string& subject_prefix() {
  static const std::string prefix = "$KV." + std::string(retained_bucket) + ".";
  return prefix;
}
const logging::Logger& logger() {
  static const logging::Logger log = logging::get("retained");
  return log;
}

streams::StreamSpec bucket_spec() {
  streams::StreamSpec spec;
  spec.name = stream_name();
  spec.description = "retained messages of MQTT and of the HTTP broker";
  spec.subjects = {subject_prefix() + ">"};
  spec.discard = streams::StreamSpec::Discard::new_messages;
  spec.max_messages_per_subject = 1;
  spec.allow_rollup = true;
  spec.allow_message_ttl = true;
  spec.deny_delete = true;
  return spec;
}

bool is_own(std::string_view name) {
  return name.starts_with("KV-") || name.starts_with("Nats-") || name == qos_header;
}

// Without what a bucket has headers for.
std::string headers_of_value(std::string_view block) {
  std::string headers;
  bus::HeaderLines lines(block);
  bus::Header header;
  while (lines.next(header)) {
    if (!is_own(header.name)) bus::append_header(headers, header.name, header.value);
  }
  return headers;
}

streams::Appending value_of(const bus::MessageView& message, std::string key) {
  streams::Appending value;
  value.subject = std::move(key);
  value.headers = headers_of_value(message.headers);
  if (message.origin.qos != 0) {
    bus::append_header(value.headers, qos_header, std::to_string(message.origin.qos));
  }
  value.payload = message.payload;
  return value;
}

std::uint8_t qos_of(std::string_view headers) {
  const auto qos = bus::find_header(headers, qos_header);
  return qos == "1" ? 1 : qos == "2" ? 2 : 0;
}

// None: it says that there is no value.
base::Ref<const bus::Message> message_of(const bus::MessageView& stored,
                                         const std::string& subject) {
  if (stored.payload.empty()) return nullptr;
  const std::string headers = headers_of_value(stored.headers);
  bus::MessageView message;
  message.route = message.subject = subject;
  message.headers = headers;
  message.payload = stored.payload;
  message.origin.retain = true;
  message.origin.qos = qos_of(stored.headers);
  return bus::Message::copy(message);
}

}  // namespace

RetainedBucket::RetainedBucket(wire::Services& services, std::unique_ptr<streams::Client> client,
                               Owner& owner)
    : services_(services), client_(std::move(client)), owner_(owner) {
  open();
}

RetainedBucket::~RetainedBucket() {
  services_.forget(*this);
  services_.loop().cancel_timer(retry_);
}

void RetainedBucket::open() {
  client_->ensure(bucket_spec(),
                  lifeline_.bind([this](const streams::Result<streams::StreamState>& made) {
                    if (made) return attach();
                    lose(made.error().text);
                  }));
}

void RetainedBucket::attach() {
  writes_.clear();
  ungranted_ = 0;
  feed_ = client_->attach(stream_name(), {}, *this);
  feed_->grant(credit);
}

void RetainedBucket::lose(std::string_view why) {
  logger().error("retained messages cannot be stored: {}; trying again in 5 seconds", why);
  feed_.reset();
  retry_ = services_.loop().start_timer(retry_delay, lifeline_.bind([this] {
    retry_ = base::TimerId::none;
    open();
  }));
  owner_.on_lost();
}

void RetainedBucket::on_ended(const streams::Failure& why) {
  lose(why.text);
}

void RetainedBucket::on_caught_up() {
  owner_.on_loaded();
}

void RetainedBucket::on_delivery(const streams::Delivery& delivery) {
  if (++ungranted_ == credit / 2) feed_->grant(std::exchange(ungranted_, 0));
  const std::string_view stored = delivery.message.subject;
  if (!stored.starts_with(subject_prefix())) return;
  const auto subject = subject_of_retained_key(stored.substr(subject_prefix().size()));
  if (!subject) return;  // somebody else's, and no subject's
  const streams::Sequence sequence = delivery.token.sequence;
  const auto found = writes_.find(*subject);
  if (found == writes_.end()) {
    return owner_.on_value(*subject, message_of(delivery.message, *subject),
                           qos_of(delivery.message.headers));
  }
  Write& write = found->second;
  if (write.pending == 0 && sequence < write.last) return;
  write.outside = {sequence, message_of(delivery.message, *subject),
                   qos_of(delivery.message.headers)};
  if (write.pending == 0) release(*subject, write);
}

// The feed has brought what this server has put last, or something newer.
void RetainedBucket::release(const std::string& subject, Write& write) {
  const bool news = write.outside->sequence > write.last;
  const Outside outside = *std::move(write.outside);
  writes_.erase(subject);
  if (news) owner_.on_value(subject, outside.message, outside.qos);
}

void RetainedBucket::put(const bus::MessageView& message, base::Done<Retention> done) {
  const std::string key = subject_prefix() + retained_key(message.route);
  const bool removes = message.payload.empty();
  if (batch_.empty()) services_.at_turn_end(*this);
  if (removes) {
    batch_.push_back({.subject = key, .headers = std::string(removal)});
  } else {
    batch_.push_back(value_of(message, key));
  }
  puts_.push_back({std::string(message.route), std::move(done), removes});
  ++writes_[puts_.back().subject].pending;
}

void RetainedBucket::on_turn_end() {
  client_->append(
      stream_name(), std::exchange(batch_, {}),
      lifeline_.bind([this, puts = std::exchange(puts_, {})](const auto& results) mutable {
        on_appended(std::move(puts), results);
      }));
}

void RetainedBucket::on_appended(std::vector<Put> puts,
                                 const std::vector<streams::Result<streams::Appended>>& results) {
  BASE_ASSERT(puts.size() == results.size());
  for (std::size_t i = 0; i < puts.size(); ++i) {
    const Retention retention = settle(puts[i], results[i]);
    if (puts[i].done) puts[i].done(retention);
  }
}

Retention RetainedBucket::settle(const Put& put, const streams::Result<streams::Appended>& result) {
  const auto found = writes_.find(put.subject);
  const bool is_last = found == writes_.end() || found->second.pending == 1;
  if (found != writes_.end()) {  // else the bucket was lost meanwhile
    Write& write = found->second;
    --write.pending;
    if (result) write.last = result->sequence;
    if (write.pending == 0 && write.outside && write.outside->sequence >= write.last) {
      release(put.subject, write);
    } else if (write.pending == 0 && write.last == 0) {
      writes_.erase(found);
    }
  }
  if (result) return put.removes ? Retention::deleted : Retention::kept;
  if (result.error().kind == streams::Failure::Kind::unknown) return Retention::unknown;
  // What was kept before is outdated; but what was put since is not.
  if (!is_last) return Retention::refused;
  client_->purge(stream_name(), {.filter = subject_prefix() + retained_key(put.subject)},
                 [](const streams::Result<std::uint64_t>&) {});
  return Retention::refused;
}

}  // namespace spanwire::kit
