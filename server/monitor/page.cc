#include "monitor/page.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace spanwire::monitor {
namespace {

using std::chrono::days;
using std::chrono::duration_cast;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr std::array<std::string_view, 6> yes = {"1", "t", "T", "true", "TRUE", "True"};
constexpr std::array<std::string_view, 6> no = {"0", "f", "F", "false", "FALSE", "False"};

// Pages are read by programs of other origins, as those of nats-server.
constexpr std::array<http::Header, 1> page_fields = {{{"Access-Control-Allow-Origin", "*"}}};
constexpr std::string_view json_type = "application/json";

bool is_one_of(std::string_view text, const std::array<std::string_view, 6>& words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

// `count` units of 10 to the `digits` nanoseconds, without trailing zeros of the fraction.
std::string decimal(std::int64_t count, int digits, std::string_view unit) {
  std::string fraction = fmt::format("{:0{}}", count, digits + 1);
  std::string whole = fraction.substr(0, fraction.size() - static_cast<std::size_t>(digits));
  fraction.erase(0, whole.size());
  fraction.erase(fraction.find_last_not_of('0') + 1);
  return fmt::format("{}{}{}{}", whole, fraction.empty() ? "" : ".", fraction, unit);
}

}  // namespace

void Page::send(std::string_view json, int status) {
  answer_.send({.status = status, .type = json_type, .fields = page_fields, .body = json});
}

void Page::send(base::Ref<const bus::Message> json) {
  const std::string_view body = json->view().payload;
  answer_.send(
      {.type = json_type, .fields = page_fields, .body = body, .message = std::move(json)});
}

base::Ref<const bus::Message> to_message(std::string_view json) {
  bus::MessageView view;
  view.payload = json;
  return bus::Message::copy(view);
}

base::Result<bool> flag_parameter(const http::Query& query, std::string_view name) {
  const auto text = query.find(name);
  if (!text || text->empty() || is_one_of(*text, no)) return false;
  if (is_one_of(*text, yes)) return true;
  return base::fail(fmt::format("the parameter {} is neither true nor false", name));
}

base::Result<std::int64_t> number_parameter(const http::Query& query, std::string_view name) {
  const auto text = query.find(name);
  if (!text || text->empty()) return 0;
  std::int64_t number = 0;
  const char* const end = text->data() + text->size();
  const auto [at, error] = std::from_chars(text->data(), end, number);
  if (error == std::errc() && at == end) return number;
  return base::fail(fmt::format("the parameter {} is not a number", name));
}

std::string uptime_text(base::Duration time) {
  const auto total = duration_cast<seconds>(time);
  const auto all_days = duration_cast<days>(total).count();
  const auto h = duration_cast<hours>(total).count() % 24;
  const auto m = duration_cast<minutes>(total).count() % 60;
  const auto s = total.count() % 60;
  const auto years = all_days / 365;
  if (years > 0) return fmt::format("{}y{}d{}h{}m{}s", years, all_days % 365, h, m, s);
  if (all_days > 0) return fmt::format("{}d{}h{}m{}s", all_days, h, m, s);
  if (h > 0) return fmt::format("{}h{}m{}s", h, m, s);
  if (m > 0) return fmt::format("{}m{}s", m, s);
  return fmt::format("{}s", s);
}

std::string duration_text(base::Duration time) {
  const std::int64_t count = time.count();
  if (count <= 0) return "0s";
  if (count < 1'000) return fmt::format("{}ns", count);
  if (count < 1'000'000) return decimal(count, 3, "µs");
  if (count < 1'000'000'000) return decimal(count, 6, "ms");
  const auto h = duration_cast<hours>(time);
  const auto m = duration_cast<minutes>(time - h);
  const std::string s = decimal(nanoseconds(time - h - m).count(), 9, "s");
  if (h.count() > 0) return fmt::format("{}h{}m{}", h.count(), m.count(), s);
  return m.count() > 0 ? fmt::format("{}m{}", m.count(), s) : s;
}

}  // namespace spanwire::monitor
