#include "monitor/healthz.h"

namespace spanwire::monitor {

void healthz(Bridge& /*bridge*/, const web::Request& request, Page page) {
  constexpr std::string_view flags[] = {"js-enabled", "js-enabled-only", "js-server-only",
                                        "js-meta-only", "details"};
  for (const std::string_view flag : flags) {
    if (const auto read = flag_parameter(request.query, flag); !read) {
      return page.refuse(400, read.error().text);
    }
  }
  page.send(R"({"status":"ok"})");
}

}  // namespace spanwire::monitor
