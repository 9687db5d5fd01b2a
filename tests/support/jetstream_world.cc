#include "tests/support/jetstream_world.h"

#include <fmt/format.h>

#include "base/assert.h"
#include "jetstream/local_client.h"

namespace spanwire::test {
namespace {

constexpr std::uint64_t inbox_tag = 1;
constexpr std::uint64_t plain_tag = 2;

jetstream::Settings settings_of(const JetStreamSettings& settings) {
  jetstream::Settings out;
  out.max_memory_store = settings.max_memory_store;
  out.max_file_store = settings.store != nullptr ? std::uint64_t{1} << 40U : 0;
  out.domain = settings.domain;
  out.max_ack_pending = settings.max_ack_pending;
  out.max_request_batch = settings.max_request_batch;
  out.max_duplicate_window = settings.max_duplicate_window;
  out.server_name = "test";
  out.server_id = "ID";
  out.nats_version = "2.14.5";
  return out;
}

base::Ref<const account::Principal> internal_principal() {
  auto principal = base::make_ref<account::Principal>();
  principal->account =
      base::make_ref<account::Account>(account::global_account, account::global_account_name);
  return principal;
}

}  // namespace

JetStreamWorld::JetStreamWorld(JetStreamSettings settings)
    : serving_({.loops = settings.loops, .router = settings.router}),
      own_(settings_of(settings)),
      beside_(std::move(settings.beside)),
      server_(own_, std::move(settings.store), {internal_principal()}) {
  for (std::size_t i = 0; i < settings.loops; ++i) {
    server_.make_node(serving_.services(i));
    serving_.services(i).install_streams([this](wire::Services& services, base::AccountId account) {
      return jetstream::open_local_client(server_, services, account);
    });
  }
  server_.start();
  settle();
}

JetStreamWorld::~JetStreamWorld() {
  if (!stopped_) stop();
}

void JetStreamWorld::settle() {
  do {
    serving_.settle();
  } while (beside_ && beside_());
}

void JetStreamWorld::advance(base::Duration by) {
  settle();
  world().advance(by);
  settle();
}

void JetStreamWorld::stop() {
  stopped_ = true;
  bool done = false;
  server_.stop([&done] { done = true; });
  settle();
  BASE_ASSERT(done);
}

JetStreamClient::JetStreamClient(JetStreamWorld& world, std::size_t loop)
    : world_(world),
      port_(world.services(loop).open(world.services(loop).anonymous(), *this, nullptr)) {
  inbox_ = fmt::format("_INBOX.{}", static_cast<std::uint64_t>(port_->id()));
  const auto filter = subject::parse_nats_filter(inbox_ + ".*");
  BASE_ASSERT(port_->subscribe(*filter, {.tag = inbox_tag}).has_value());
}

base::SubId JetStreamClient::subscribe(std::string_view filter) {
  const auto parsed = subject::parse_nats_filter(filter);
  const auto sub = port_->subscribe(*parsed, {.tag = plain_tag});
  BASE_ASSERT(sub.has_value());
  return *sub;
}

std::uint32_t JetStreamClient::publish(std::string_view subject, std::string_view payload,
                                       std::string_view headers, std::string_view reply) {
  const std::string block =
      headers.empty() ? std::string() : fmt::format("NATS/1.0\r\n{}\r\n", headers);
  bus::MessageView message;
  message.route = message.subject = subject;
  message.reply = reply;
  message.headers = block;
  message.payload = payload;
  return port_->route(*port_->admit(message)).targets;
}

JetStreamClient::Got JetStreamClient::request_message(std::string_view subject,
                                                      std::string_view payload,
                                                      std::string_view headers) {
  answers_.clear();
  const std::string reply = fmt::format("{}.{}", inbox_, ++requests_);
  if (publish(subject, payload, headers, reply) == 0) return {.payload = "503"};
  world_.settle();
  return answers_.empty() ? Got{} : answers_.back();
}

std::string JetStreamClient::api(std::string_view operation, std::string_view body) {
  std::string answer = request(fmt::format("$JS.API.{}", operation), body);
  BASE_ASSERT(!answer.empty());
  return answer;
}

std::string JetStreamClient::heard() {
  std::string text;
  for (const Got& one : take()) {
    if (!text.empty()) text += ' ';
    const std::size_t end = one.headers.find("\r\n");
    const bool status = one.payload.empty() && end > 9 && end != std::string::npos;
    text += one.subject + '=' + (status ? one.headers.substr(9, end - 9) : one.payload);
  }
  return text;
}

bus::Taken JetStreamClient::on_message(std::span<const bus::Target> targets,
                                       const bus::MessageView& message) {
  for (const bus::Target& target : targets) {
    auto& there = target.tag == inbox_tag ? answers_ : got_;
    there.push_back({.subject = std::string(message.subject),
                     .reply = std::string(message.reply),
                     .headers = std::string(message.headers),
                     .payload = std::string(message.payload)});
  }
  return bus::Taken::all;
}

std::string member_of(std::string_view json, std::string_view name) {
  const std::string key = fmt::format("\"{}\":", name);
  const std::size_t at = json.find(key);
  if (at == std::string_view::npos) return {};
  const std::string_view rest = json.substr(at + key.size());
  return std::string(rest.substr(0, rest.find_first_of(",}]")));
}

}  // namespace spanwire::test
