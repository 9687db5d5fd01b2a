// What CONSUMER.INFO and its like show of a consumer.
#pragma once

#include <string_view>

#include "jetstream/consumer.h"
#include "json/writer.h"

namespace spanwire::jetstream {

enum class ShowConfig : bool { no, yes };

// The members of a consumer's information, into an object that is open. With the server's version
// the metadata have it too.
void write_consumer_info(json::Writer& writer, Consumer& consumer, const Stream& stream,
                         base::WallTime now, std::string_view version,
                         ShowConfig config = ShowConfig::yes);

}  // namespace spanwire::jetstream
