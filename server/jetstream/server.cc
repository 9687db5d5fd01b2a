#include "jetstream/server.h"

#include "base/assert.h"
#include "jetstream/directory.h"
#include "json/document.h"
#include "json/writer.h"
#include "logging/logging.h"

namespace spanwire::jetstream {
namespace {

const logging::Logger& logger() {
  static const logging::Logger log = logging::get("jetstream");
  return log;
}

}  // namespace

Server::Server(Settings settings, std::unique_ptr<store::Store> store,
               std::vector<base::Ref<const account::Principal>> principals)
    : settings_(std::move(settings)),
      store_(std::move(store)),
      principals_(std::move(principals)) {}

Server::~Server() = default;

Node& Server::make_node(wire::Services& services) {
  BASE_ASSERT(services.loop().id() == nodes_.size());
  nodes_.push_back(std::make_unique<Node>(*this, services));
  return *nodes_.back();
}

base::Distribution Server::stored_after() const {
  base::Distribution sum;
  for (const auto& node : nodes_) sum.add(node->stored_after());
  return sum;
}

void Server::start() {
  BASE_ASSERT(!nodes_.empty());
  for (const auto& principal : principals_) {
    const base::LoopId loop = nodes_[0]->services().home(principal->account->id, "jetstream");
    tenants_.push_back(std::make_unique<Tenant>(principal, loop));
    nodes_[loop]->make_directory(*tenants_.back());
  }
  if (store_ == nullptr) return;
  recovering_ = store_->found().size();
  for (const store::StoredStream& found : store_->found()) recover(found);
}

void Server::recover(const store::StoredStream& found) {
  auto settings = parse_stored_settings(found.settings);
  if (!settings) {
    logger().error("{}: its settings can not be read: {}", found.path, settings.error().text);
    return recovered(false);
  }
  Tenant* tenant = find(settings->account);
  if (tenant == nullptr) {
    logger().warn("{}: stream '{}' is of account '{}', which has no JetStream here", found.path,
                  settings->config.name, settings->account);
    return recovered(false);
  }
  Directory& directory = nodes_[tenant->directory]->directory(*tenant);
  if (directory.find(settings->config.name) != nullptr) {
    logger().error("{}: there is another stream '{}'", found.path, settings->config.name);
    return recovered(false);
  }
  const base::LoopId home = directory.expect(settings->config, settings->created, found.path).home;
  Node& node = *nodes_[home];
  node.services().loop().post(
      [this, &node, tenant, path = found.path, settings = *std::move(settings)]() mutable {
        const std::string name = settings.config.name;
        StreamConfig config = settings.config;
        node.recover(*tenant, path, std::move(settings.config), settings.created,
                     [this, &node, tenant, path, config = std::move(config)](base::Status status) {
                       const std::string why = status ? std::string() : status.error().text;
                       if (!status) {
                         logger().error("{}: stream '{}' could not be recovered: {}", path,
                                        config.name, why);
                       }
                       node.services().post(tenant->directory, [this, tenant, config, why] {
                         Directory& its = nodes_[tenant->directory]->directory(*tenant);
                         if (why.empty()) {
                           its.settle(config.name, config);
                         } else {
                           its.settle_failed(config.name, why);
                         }
                         recovered(why.empty());
                       });
                     });
      });
}

void Server::forget_failed() {
  failed_.fetch_sub(1, std::memory_order_relaxed);
}

void Server::recovered(bool well) {
  if (!well) failed_.fetch_add(1, std::memory_order_relaxed);
  recovering_.fetch_sub(1, std::memory_order_release);
}

Tenant* Server::find(std::string_view account) const {
  for (const auto& tenant : tenants_) {
    if (tenant->principal->account->name == account) return tenant.get();
  }
  return nullptr;
}

void Server::stop(base::Task done) {
  struct Count {
    std::atomic<std::size_t> left;
    base::Task done;
  };
  auto count = std::make_shared<Count>();
  count->left = nodes_.size();
  count->done = std::move(done);
  for (const auto& node : nodes_) {
    node->services().loop().post([&node = *node, count] {
      node.stop([count] {
        if (count->left.fetch_sub(1) == 1) count->done();
      });
    });
  }
}

std::uint64_t Server::reserved_by_others(const Tenant& tenant, store::Storage storage) const {
  std::uint64_t reserved = 0;
  for (const auto& other : tenants_) {
    if (other.get() == &tenant) continue;
    reserved += storage == store::Storage::memory ? other->usage.reserved_memory_bytes
                                                  : other->usage.reserved_file_bytes;
  }
  return reserved;
}

std::string write_stored_settings(const StoredSettings& settings) {
  std::string text;
  json::Writer writer(text);
  writer.begin_object()
      .member("account", settings.account)
      .member("created", static_cast<std::int64_t>(settings.created.time_since_epoch().count()))
      .key("config");
  write_stream_config(writer, settings.config);
  writer.end_object();
  return text;
}

base::Result<StoredSettings> parse_stored_settings(std::string_view text) {
  const auto document = json::Document::parse(text);
  if (!document) return tl::unexpected(document.error());
  const json::Value root = document->root();
  const auto account = root.find("account");
  const auto created = root.find("created");
  const auto config = root.find("config");
  if (!account || !account->string() || !created || !created->int64() || !config) {
    return base::fail("account, created or config is missing");
  }
  auto parsed = parse_stream_config(*config, false);
  if (!parsed) return base::fail(parsed.error().description);
  return StoredSettings{.account = std::string(*account->string()),
                        .created = base::WallTime(base::Duration(*created->int64())),
                        .config = *std::move(parsed)};
}

}  // namespace spanwire::jetstream
