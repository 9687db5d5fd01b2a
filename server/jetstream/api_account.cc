// What the API tells of an account: its usage, and its streams.
#include <algorithm>
#include <memory>
#include <vector>

#include "jetstream/api_handlers.h"
#include "jetstream/api_level.h"
#include "jetstream/api_requests.h"
#include "jetstream/directory.h"
#include "jetstream/node.h"
#include "jetstream/server.h"
#include "jetstream/stream_info.h"
#include "jetstream/subjects.h"

namespace spanwire::jetstream {
namespace {

constexpr std::size_t names_a_page = 1024;
constexpr std::size_t streams_a_page = 256;

void write_no_limits(json::Writer& writer) {
  writer.key("limits").begin_object();
  for (const char* name :
       {"max_memory", "max_storage", "max_streams", "max_consumers", "max_ack_pending",
        "memory_max_stream_bytes", "storage_max_stream_bytes"}) {
    writer.member(name, -1);
  }
  writer.member("max_bytes_required", false).end_object();
}

bool captures(const StreamConfig& config, std::string_view filter) {
  return filter.empty() || std::any_of(config.subjects.begin(), config.subjects.end(),
                                       [filter](const std::string& subject) {
                                         return subjects_collide(filter, subject);
                                       });
}

// In the order of their names.
std::vector<std::string_view> select_streams(Directory& directory, std::string_view filter) {
  std::vector<std::string_view> names;
  for (const auto& [name, entry] : directory.entries()) {
    // One that is being made is nobody's yet.
    if (captures(entry.config, filter)) names.push_back(name);
  }
  return names;
}

void write_page(json::Writer& writer, std::uint64_t total, std::uint64_t offset,
                std::uint64_t limit) {
  writer.member("total", total).member("offset", offset).member("limit", limit);
}

// A page of streams whose homes are asked.
struct StreamPage {
  Request request;
  std::uint64_t total = 0;
  std::uint64_t offset = 0;
  std::vector<std::string> infos;  // by place in the page
  std::size_t left = 0;            // homes that have not answered yet
};

// Some streams of a page that live on one loop.
struct HomePart {
  std::vector<std::pair<std::size_t, std::string>> asked;  // place, name
  std::vector<std::pair<std::size_t, std::string>> told;   // place, information
  std::size_t left = 0;
};

void answer_page(Directory& directory, StreamPage& page) {
  Answer answer(page.request);
  json::Writer& writer = answer.writer();
  write_page(writer, page.total, page.offset, streams_a_page);
  writer.key("streams").begin_array();
  for (const std::string& info : page.infos) {
    if (!info.empty()) writer.raw(info);  // deleted meanwhile
  }
  writer.end_array();
  respond(directory.branch(), page.request, answer.text());
}

// At the homes' loop: each is told when what it was told is committed.
void gather_part(Node& node, Tenant& tenant, const std::shared_ptr<HomePart>& part,
                 base::Task done) {
  auto all = std::make_shared<base::Task>(std::move(done));
  part->left = part->asked.size();
  for (const auto& [place, name] : part->asked) {
    Home* home = node.find(tenant, name);
    if (home == nullptr) {
      if (--part->left == 0) (*all)();
      continue;
    }
    home->stream.after_commit([part, all, place = place, &stream = home->stream] {
      std::string info;
      json::Writer writer(info);
      writer.begin_object();
      write_stream_info(writer, stream, {});
      writer.end_object();
      part->told.emplace_back(place, std::move(info));
      if (--part->left == 0) (*all)();
    });
  }
}

}  // namespace

void api_account_info(Directory& directory, Request&& request) {
  const Usage& usage = directory.tenant().usage;
  Answer answer(request);
  json::Writer& writer = answer.writer();
  writer.member("memory", usage.memory_bytes.load())
      .member("storage", usage.file_bytes.load())
      .member("reserved_memory", usage.reserved_memory_bytes.load())
      .member("reserved_storage", usage.reserved_file_bytes.load())
      .member("streams", directory.entries().size())
      .member("consumers", usage.consumers.load());
  write_no_limits(writer);
  const std::string& domain = directory.branch().settings().domain;
  if (!domain.empty()) writer.member("domain", domain);
  writer.key("api")
      .begin_object()
      .member("level", api_level)
      .member("total", usage.api_calls.load())
      .member("errors", usage.api_errors.load())
      .end_object();
  respond(directory.branch(), request, answer.text());
}

void api_stream_names(Directory& directory, Request&& request) {
  PageRequest asked;
  const bool strict = directory.branch().settings().strict;
  if (has_json(request.body())) {
    if (const auto error = read_stream_names(request.body(), strict, asked)) {
      return respond(directory.branch(), request, *error);
    }
  }
  const std::vector<std::string_view> names = select_streams(directory, asked.subject);
  const std::uint64_t offset = asked.start(names.size());
  Answer answer(request);
  json::Writer& writer = answer.writer();
  write_page(writer, names.size(), offset, names_a_page);
  writer.key("streams");
  if (offset == names.size()) {
    writer.null();
  } else {
    writer.begin_array();
    const std::size_t end = std::min<std::size_t>(names.size(), offset + names_a_page);
    for (std::size_t i = offset; i < end; ++i) writer.value(names[i]);
    writer.end_array();
  }
  respond(directory.branch(), request, answer.text());
}

void api_stream_list(Directory& directory, Request&& request) {
  PageRequest asked;
  const bool strict = directory.branch().settings().strict;
  if (has_json(request.body())) {
    if (const auto error = read_stream_list(request.body(), strict, asked)) {
      return respond(directory.branch(), request, *error);
    }
  }
  const std::vector<std::string_view> names = select_streams(directory, asked.subject);
  auto page = std::make_shared<StreamPage>();
  page->total = names.size();
  page->offset = asked.start(names.size());
  page->request = std::move(request);
  const std::size_t end = std::min<std::size_t>(names.size(), page->offset + streams_a_page);
  std::map<base::LoopId, std::shared_ptr<HomePart>> parts;
  for (std::size_t i = page->offset; i < end; ++i) {
    auto& part = parts[directory.find(names[i])->home];
    if (part == nullptr) part = std::make_shared<HomePart>();
    part->asked.emplace_back(i - page->offset, names[i]);
  }
  page->infos.resize(end - page->offset);
  page->left = parts.size();
  if (parts.empty()) return answer_page(directory, *page);
  Node& here = directory.node();
  Tenant& tenant = directory.tenant();
  for (auto& [loop, part] : parts) {
    Node& there = here.server().node(loop);
    // The page is touched on the directory's loop only, the part on one loop after the other.
    here.services().post(loop, [&there, &tenant, &directory, part = part, page]() mutable {
      gather_part(there, tenant, part, [&there, &tenant, &directory, part, page]() mutable {
        there.services().post(tenant.directory, [&directory, part, page = std::move(page)] {
          for (auto& [place, info] : part->told) page->infos[place] = std::move(info);
          if (--page->left == 0) answer_page(directory, *page);
        });
      });
    });
  }
}

}  // namespace spanwire::jetstream
