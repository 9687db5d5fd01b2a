// The HTTP broker on one loop: POST publishes, GET shows the latest message.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/counter.h"
#include "bridges/http_broker/settings.h"
#include "bridges/kit/last_values.h"
#include "bridges/kit/retained.h"
#include "web/answer.h"
#include "web/site.h"
#include "wire/tracer.h"
#include "wire/web_access.h"
#include "wire/wire.h"

namespace spanwire::http_broker {

struct Stats {
  base::Counter published;
  base::Counter retained;
  base::Counter found;       // GET that had a message
  base::Counter missed;      // GET that had none
  base::Counter refused;     // what was asked for is not possible or not permitted
  base::Counter not_stored;  // of qos 1 or 2: some stream has not stored it, or may not have
};

class Bridge final : public wire::Bridge {
 public:
  // `group` and `retained` are the process's and outlive it. `kind` is what this wire's messages
  // carry as their origin.
  Bridge(wire::Services& services, const Settings& settings, bus::WireKind kind,
         kit::LastValuesGroup& group, kit::Retained& retained);

  web::Site& site() { return site_; }
  const Stats& stats() const { return stats_; }
  std::vector<wire::Count> counts() const override;
  const kit::LastValues& last_values() const { return last_values_; }
  bool trace(const wire::TraceFilters& filters) override;

 private:
  web::Routes make_routes();
  struct Posted;

  void post(const web::Request& request, web::Answer answer);
  void retain(const web::Request& request, const bus::MessageView& message,
              const std::shared_ptr<Posted>& posted);
  void on_stored(const std::shared_ptr<Posted>& posted, const bus::Storing& storing);
  void settle(const std::shared_ptr<Posted>& posted);
  void get(const web::Request& request, web::Answer answer);
  bool is_closed(std::string_view subject) const;
  void refuse(web::Answer& answer, int status, std::string_view reason);
  void show(web::Answer& answer, base::Ref<const bus::Message> message, const bus::Origin& origin);

  Settings settings_;
  bus::WireKind kind_;
  kit::LastValues last_values_;
  kit::Retained& retained_;
  wire::WebAccess access_;
  web::Site site_;
  Stats stats_;
  wire::Tracer tracer_;
  // Scratch, kept for its memory.
  std::string topic_;
  std::string subject_;
};

// The wire, for app/wires.cc. Nothing is tapped or kept before one of its bridges starts.
// All wires share the retained messages.
wire::Wire make_wire(const Settings& settings, bus::WireKind kind,
                     std::shared_ptr<kit::RetainedStores> retained);

}  // namespace spanwire::http_broker
