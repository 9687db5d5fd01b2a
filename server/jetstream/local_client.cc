#include "jetstream/local_client.h"

#include <utility>

#include "jetstream/directory.h"
#include "jetstream/local_feed.h"
#include "jetstream/local_terms.h"
#include "jetstream/node.h"
#include "jetstream/server.h"
#include "jetstream/subjects.h"
#include "subject/subject.h"

namespace spanwire::jetstream {
namespace {

// Messages of one client on their way to one stream; more wait here. Less than a stream takes.
constexpr std::size_t max_under_way = 4096;

streams::Failure too_many() {
  return {.kind = streams::Failure::Kind::refused, .text = "too many calls are open"};
}

// Of a stream or a consumer.
bool can_be_name(std::string_view name) {
  return is_valid_name(name) && subject::is_safe(name);
}

// Runs work(directory), or, where too much waits for the directory, work(null).
template <class Work>
void at_directory(wire::Services& services, Server& server, Tenant& tenant, std::string name,
                  Work work) {
  services.post(tenant.directory, [&node = server.node(tenant.directory), &tenant,
                                   name = std::move(name), work = std::move(work)]() mutable {
    Directory& directory = node.directory(tenant);
    if (!directory.takes_errands()) return work(node, nullptr);
    directory.when_free(
        name, [&node, &directory, work = std::move(work)]() mutable { work(node, &directory); });
  });
}

// Runs work(node, home) at the home of the stream.
template <class Work>
void at_home(wire::Services& services, Server& server, Tenant& tenant, base::LoopId loop,
             std::string name, Work work) {
  services.post(loop, [&node = server.node(loop), &tenant, name = std::move(name),
                       work = std::move(work)]() mutable { work(node, node.find(tenant, name)); });
}

}  // namespace

LocalClient::LocalClient(Server& server, Tenant& tenant, wire::Services& services)
    : server_(server), tenant_(tenant), services_(services) {}

base::LoopId LocalClient::home_of(std::string_view stream) const {
  return services_.home(tenant_.account(), stream);
}

std::optional<streams::Failure> LocalClient::refusal_of(std::string_view stream,
                                                        std::size_t calls) const {
  if (!can_be_name(stream)) {
    return streams::Failure{.kind = streams::Failure::Kind::refused,
                            .text = "a stream cannot have this name"};
  }
  if (open_ + calls > streams::max_open_calls) return too_many();
  return std::nullopt;
}

template <class T>
void LocalClient::refuse(base::Done<T> done, T refusal) {
  services_.post(services_.loop().id(),
                 lifeline_.bind([done = std::move(done), refusal = std::move(refusal)]() mutable {
                   done(std::move(refusal));
                 }));
}

template <class T>
Reply<T> LocalClient::open(std::string_view stream, std::size_t calls, base::Done<T> done) {
  open_ += calls;
  return Reply<T>(services_.loop().id(), lifeline_.bind([this, stream = std::string(stream), calls,
                                                         done = std::move(done)](T value) mutable {
    close(stream, calls);
    done(std::move(value));  // this client may be gone then
  }));
}

void LocalClient::submit(std::string_view stream, Order order, std::size_t calls,
                         base::Task start) {
  const std::string name(stream);
  lanes_[name].held.push_back({order, calls, std::move(start)});
  advance(name);
}

void LocalClient::advance(const std::string& stream) {
  const auto found = lanes_.find(stream);
  if (found == lanes_.end()) return;
  Lane& lane = found->second;
  while (!lane.held.empty() && !lane.alone) {
    const auto& [order, calls, task] = lane.held.front();
    if (order != Order::together && lane.open != 0) break;
    if (lane.open != 0 && lane.open + calls > max_under_way) break;
    lane.alone = order == Order::alone;
    lane.open += calls;
    base::Task start = std::move(lane.held.front().start);
    lane.held.pop_front();
    start();
  }
  if (lane.open == 0 && lane.held.empty()) lanes_.erase(found);
}

void LocalClient::close(const std::string& stream, std::size_t calls) {
  open_ -= calls;
  Lane& lane = lanes_[stream];
  lane.open -= calls;
  lane.alone = false;
  advance(stream);
}

void LocalClient::ensure(streams::StreamSpec spec,
                         base::Done<streams::Result<streams::StreamState>> done) {
  if (auto why = refusal_of(spec.name, 1)) {
    return refuse<streams::Result<streams::StreamState>>(std::move(done), tl::unexpected(*why));
  }
  std::string name = spec.name;
  submit(name, Order::alone, 1,
         [this, name, reply = open(name, 1, std::move(done)),
          config = stream_config_of(std::move(spec))]() mutable {
           at_directory(services_, server_, tenant_, std::move(name),
                        [reply = std::move(reply), config = std::move(config)](
                            Node& node, Directory* directory) mutable {
                          if (directory == nullptr)
                            return reply.send(node.services(), tl::unexpected(too_many()));
                          ensure_stream(*directory, std::move(config), std::move(reply));
                        });
         });
}

void LocalClient::append(std::string_view stream, std::vector<streams::Appending> messages,
                         base::Done<std::vector<streams::Result<streams::Appended>>> done) {
  const std::size_t count = messages.size();
  if (const auto why = refusal_of(stream, count)) {
    std::vector<streams::Result<streams::Appended>> refusals(count, tl::unexpected(*why));
    return refuse(std::move(done), std::move(refusals));
  }
  // One that takes several turns is not overtaken.
  const Order order = count > appends_a_slice ? Order::alone : Order::together;
  submit(
      stream, order, count,
      [this, name = std::string(stream), reply = open(stream, count, std::move(done)),
       messages = std::move(messages)]() mutable {
        const base::LoopId home = home_of(name);
        services_.post(home, [&node = server_.node(home), &tenant = tenant_, name = std::move(name),
                              reply = std::move(reply), messages = std::move(messages)]() mutable {
          append_messages(node, tenant, std::move(name), std::move(messages), std::move(reply));
        });
      });
}

void LocalClient::read(std::string_view stream, streams::Which which,
                       base::Done<streams::Result<streams::StoredMessage>> done) {
  if (auto why = refusal_of(stream, 1)) {
    return refuse<streams::Result<streams::StoredMessage>>(std::move(done), tl::unexpected(*why));
  }
  submit(stream, Order::together, 1,
         [this, name = std::string(stream), reply = open(stream, 1, std::move(done)),
          which = std::move(which)]() mutable {
           const base::LoopId home = home_of(name);
           at_home(services_, server_, tenant_, home, std::move(name),
                   [reply = std::move(reply), which = std::move(which)](Node& node,
                                                                        Home* there) mutable {
                     read_message(node, there, std::move(which), std::move(reply));
                   });
         });
}

// Alone: it goes on for some turns, and takes nothing that is appended after it.
void LocalClient::purge(std::string_view stream, streams::Purging what,
                        base::Done<streams::Result<std::uint64_t>> done) {
  if (auto why = refusal_of(stream, 1)) {
    return refuse<streams::Result<std::uint64_t>>(std::move(done), tl::unexpected(*why));
  }
  submit(stream, Order::alone, 1,
         [this, name = std::string(stream), reply = open(stream, 1, std::move(done)),
          what = std::move(what)]() mutable {
           const base::LoopId home = home_of(name);
           at_home(
               services_, server_, tenant_, home, std::move(name),
               [reply = std::move(reply), what = std::move(what)](Node& node, Home* there) mutable {
                 purge_stream(node, there, std::move(what), std::move(reply));
               });
         });
}

std::unique_ptr<streams::Feed> LocalClient::attach(std::string_view stream, streams::FeedSpec spec,
                                                   streams::Reader& reader) {
  const base::LoopId home = home_of(stream);
  auto feed = std::make_unique<LocalFeed>(services_, server_.node(home), tenant_, home,
                                          std::string(stream), std::move(spec), reader);
  submit(stream, Order::unanswered, 0, feed->starter());
  return feed;
}

void LocalClient::drop(std::string_view stream, base::Done<streams::Result<void>> done) {
  if (auto why = refusal_of(stream, 1)) {
    return refuse<streams::Result<void>>(std::move(done), tl::unexpected(*why));
  }
  submit(stream, Order::alone, 1,
         [this, name = std::string(stream), reply = open(stream, 1, std::move(done))]() mutable {
           at_directory(services_, server_, tenant_, name,
                        [name, reply = std::move(reply)](Node& node, Directory* directory) mutable {
                          if (directory == nullptr)
                            return reply.send(node.services(), tl::unexpected(too_many()));
                          drop_stream(*directory, name, std::move(reply));
                        });
         });
}

void LocalClient::drop(std::string_view stream, std::string_view durable,
                       base::Done<streams::Result<void>> done) {
  if (auto why = refusal_of(can_be_name(durable) ? stream : durable, 1)) {
    return refuse<streams::Result<void>>(std::move(done), tl::unexpected(*why));
  }
  submit(stream, Order::together, 1,
         [this, name = std::string(stream), durable = std::string(durable),
          reply = open(stream, 1, std::move(done))]() mutable {
           const base::LoopId home = home_of(name);
           at_home(services_, server_, tenant_, home, std::move(name),
                   [durable = std::move(durable), reply = std::move(reply)](Node& node,
                                                                            Home* there) mutable {
                     drop_consumer(node, there, durable, std::move(reply));
                   });
         });
}

std::unique_ptr<streams::Client> open_local_client(Server& server, wire::Services& services,
                                                   base::AccountId account) {
  for (const auto& tenant : server.tenants()) {
    if (tenant->account() == account) {
      return std::make_unique<LocalClient>(server, *tenant, services);
    }
  }
  return nullptr;
}

}  // namespace spanwire::jetstream
