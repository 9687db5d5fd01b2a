// The operations of the JetStream API, for the table in api.cc.
#pragma once

#include <string>

#include "jetstream/api.h"

namespace spanwire::jetstream {

// Sends an answer that promises something when what was said before it is committed; an error, if
// that fails. For a request whose stream is there.
void respond_committed(HomeCall call, std::string answer);

// api_account.cc
void api_account_info(Directory& directory, Request&& request);
void api_stream_names(Directory& directory, Request&& request);
void api_stream_list(Directory& directory, Request&& request);

// api_stream.cc
void api_stream_create(Directory& directory, Request&& request);
void api_stream_update(Directory& directory, Request&& request);
void api_stream_delete(Directory& directory, Request&& request);
void api_stream_info(HomeCall call);
void api_stream_purge(HomeCall call);

// api_message.cc
void api_message_get(HomeCall call);
void api_message_delete(HomeCall call);
void api_needs_cluster(Directory& directory, Request&& request);

// api_backup.cc
void api_stream_snapshot(HomeCall call);
void api_stream_restore(Directory& directory, Request&& request);

// api_consumer.cc
void api_consumer_create(HomeCall call);
void api_consumer_names(HomeCall call);
void api_consumer_list(HomeCall call);
void api_consumer_info(HomeCall call);
void api_consumer_delete(HomeCall call);
void api_consumer_pause(HomeCall call);
void api_consumer_reset(HomeCall call);
void api_consumer_unpin(HomeCall call);

}  // namespace spanwire::jetstream
