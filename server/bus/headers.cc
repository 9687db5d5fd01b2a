#include "bus/headers.h"

#include <algorithm>

namespace spanwire::bus {
namespace {

constexpr std::string_view version = "NATS/1.0";
constexpr std::string_view line_end = "\r\n";
constexpr std::string_view block_end = "\r\n\r\n";

// Takes a line off the front; all that is left where no end follows.
std::string_view take_line(std::string_view& rest) {
  const std::size_t end = rest.find(line_end);
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + line_end.size());
  return line;
}

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool is_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte > 0x20 && byte != 0x7f && c != ':';
  });
}

}  // namespace

HeaderLines::HeaderLines(std::string_view block) : rest_(block) {
  take_line(rest_);
}

bool HeaderLines::next(Header& header) {
  while (!rest_.empty()) {
    const std::string_view line = take_line(rest_);
    if (line.empty()) break;
    const std::size_t colon = line.find(':');
    if (colon == 0 || colon == std::string_view::npos) continue;
    header = {.name = line.substr(0, colon), .value = trim(line.substr(colon + 1))};
    return true;
  }
  rest_ = {};
  return false;
}

std::optional<std::string_view> find_header(std::string_view block, std::string_view name) {
  HeaderLines lines(block);
  Header header;
  while (lines.next(header)) {
    if (header.name == name) return header.value;
  }
  return std::nullopt;
}

std::optional<HeaderStatus> read_status(std::string_view block) {
  std::string_view line = take_line(block);
  if (!line.starts_with(version)) return std::nullopt;
  line = trim(line.substr(version.size()));
  if (line.size() < 3 || (line.size() > 3 && line[3] != ' ')) return std::nullopt;
  HeaderStatus status;
  for (const char c : line.substr(0, 3)) {
    if (c < '0' || c > '9') return std::nullopt;
    status.code = static_cast<std::uint16_t>(status.code * 10 + (c - '0'));
  }
  status.text = trim(line.substr(3));
  return status;
}

bool append_header(std::string& block, std::string_view name, std::string_view value) {
  if (!is_name(name) || value.find_first_of(line_end) != std::string_view::npos) return false;
  if (!block.empty() && !block.ends_with(block_end)) return false;
  if (block.empty()) {
    block += version;
    block += block_end;
  }
  block.resize(block.size() - line_end.size());
  block += name;
  block += ": ";
  block += value;
  block += block_end;
  return true;
}

}  // namespace spanwire::bus
