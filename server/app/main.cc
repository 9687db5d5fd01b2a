#include <cstdio>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "app/allocator.h"
#include "app/options.h"
#include "app/serve.h"
#include "app/server_config.h"
#include "app/signal_command.h"
#include "app/store_command.h"

namespace {

using namespace spanwire;

void print_error(const app::Program& program, std::string_view text) {
  std::fprintf(stderr, "%s: %.*s\n", program.name.c_str(), static_cast<int>(text.size()),
               text.data());
}

int check_only(const app::Program& program, const app::ServerConfig& config) {
  if (config.file.empty()) {
    print_error(program, "must specify [-c, --config] option to check configuration file syntax");
    return 1;
  }
  print_error(program, "configuration file " + config.file + " is valid (" + config.digest + ")");
  return 0;
}

int run(const app::Program& program, std::string_view argv0, const app::Options& options) {
  if (!options.signal.empty()) {
    app::LocalProcesses processes;
    const auto sent = app::send_signal(options.signal, program.name, processes);
    if (!sent) print_error(program, sent.error().text);
    return sent ? 0 : 1;
  }
  config::Problems problems;
  auto config = app::load_config(options, problems);
  for (const std::string& warning : problems.warnings) print_error(program, warning);
  for (const std::string& error : problems.errors) print_error(program, error);
  if (!config) return 1;
  if (options.check_config) return check_only(program, *config);
  return app::serve(program, argv0, std::move(*config));
}

int leave(const app::Exit& exit) {
  std::fputs(exit.out.c_str(), stdout);
  std::fputs(exit.err.c_str(), stderr);
  return exit.code;
}

}  // namespace

int main(int argc, char** argv) {
  app::set_up_allocator();
  const std::vector<std::string_view> arguments(argv + 1, argv + argc);
  const app::Program program = app::program_of(argv[0]);
  if (!arguments.empty() && arguments.front() == "store") {
    const auto command = app::parse_store_command(program, std::span(arguments).subspan(1));
    if (const auto* exit = std::get_if<app::Exit>(&command)) return leave(*exit);
    return app::run_store_command(program, std::get<app::StoreCommand>(command));
  }
  const auto parsed = app::parse_command_line(program, arguments);
  if (const auto* exit = std::get_if<app::Exit>(&parsed)) return leave(*exit);
  return run(program, argv[0], std::get<app::Options>(parsed));
}
