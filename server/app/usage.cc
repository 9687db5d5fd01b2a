#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "app/flags.h"
#include "app/options.h"

namespace spanwire::app {

namespace {

constexpr std::size_t left_column = 36;
constexpr std::size_t line_columns = 96;

// -p, --port: as nats-server's own help spells it. Either dash works with either.
std::string dashed(std::string_view name) {
  const bool is_short = name.size() <= 2 || (name.front() >= 'A' && name.front() <= 'Z');
  return fmt::format("{}{}", is_short ? "-" : "--", name);
}

template <class Each>
void for_each_part(std::string_view text, char separator, Each each) {
  while (true) {
    const std::size_t end = std::min(text.find(separator), text.size());
    each(text.substr(0, end));
    if (end == text.size()) return;
    text.remove_prefix(end + 1);
  }
}

std::string left_of(const Flag& flag) {
  std::string left;
  for_each_part(flag.names, ' ', [&](std::string_view name) {
    if (!left.empty()) left += ", ";
    left += dashed(name);
  });
  if (!flag.value.empty()) left += fmt::format(" {}", flag.value);
  return left;
}

void append_flag(std::string& out, const Flag& flag) {
  std::string left = left_of(flag);
  for_each_part(flag.help, '\n', [&](std::string_view line) {
    fmt::format_to(std::back_inserter(out), "    {:<{}}{}\n", left, left_column, line);
    left.clear();
  });
}

void append_refused(std::string& out) {
  std::string line = "   ";
  for (const Flag& flag : refused_flags()) {
    const std::string name = dashed(flag.names.substr(0, flag.names.find(' ')));
    if (line.size() + 1 + name.size() > line_columns) {
      out += line + '\n';
      line = "   ";
    }
    line += ' ' + name;
  }
  out += line + '\n';
}

}  // namespace

std::string usage(const Program& program) {
  std::string out = fmt::format(
      "\n"
      "Usage: {0} [options]\n"
      "\n"
      "One server for NATS, MQTT and HTTP clients, who share one set of subjects.\n"
      "\n"
      "    {0}                         serve NATS clients on port 4222\n"
      "    {0} -c server.conf          with every listener that the configuration names\n"
      "    {0} -c server.conf -t       only check the configuration\n"
      "    {0} --signal quit           have the running server end in good order\n"
      "    {0} store check DIR         whether a stopped server's streams are well on the disk\n"
      "    {0} store dump DIR          what stands in them; see {0} store --help\n"
      "\n"
      "A flag takes one dash or two, and its value after a blank or after '='.\n",
      program.name);
  for (const FlagGroup& group : flag_groups()) {
    fmt::format_to(std::back_inserter(out), "\n{} options:\n", group.title);
    for (const Flag& flag : group.flags) append_flag(out, flag);
  }
  out += "\nKnown from nats-server, and refused until there is what they ask for:\n";
  append_refused(out);
  out += '\n';
  return out;
}

}  // namespace spanwire::app
