#include "app/store_command.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>
#include <vector>

#include "app/flag_values.h"
#include "jetstream/server.h"
#include "logging/escape.h"
#include "logging/logging.h"
#include "store/check.h"
#include "store/dump.h"
#include "store/store_folder.h"

namespace spanwire::app {

namespace {

constexpr int found_damage = 1;
constexpr int cannot_read = 2;

Exit misuse(const Program& program, std::string_view text) {
  return {
      cannot_read, {}, fmt::format("{0}: {1}\n{0}: see {0} store --help\n", program.name, text)};
}

// Stands for a stream in lines for people.
struct StreamName {
  std::string name;
  std::string account;
};

base::Result<StreamName> name_of(std::string_view settings) {
  auto parsed = jetstream::parse_stored_settings(settings);
  if (!parsed) return tl::unexpected(parsed.error());
  StreamName name;
  logging::append_escaped(name.name, parsed->config.name, SIZE_MAX);
  logging::append_escaped(name.account, parsed->account, SIZE_MAX);
  return name;
}

std::string_view weight_text(store::Weight weight) {
  switch (weight) {
    case store::Weight::note:
      return "note";
    case store::Weight::slow_start:
      return "slow start";
    case store::Weight::unreadable:
      return "UNREADABLE";
    case store::Weight::damage:
      return "DAMAGE";
  }
  return {};
}

// Tells what a check finds, as it finds it.
class CheckPrinter final : public store::CheckListener {
 public:
  void on_journal(const store::JournalCheck& journal) override {
    if (journal.replayed_blocks != 0) {
      print(fmt::format("journal: the next start replays {} bytes in {} rounds\n",
                        journal.replayed_bytes, journal.replayed_blocks));
    } else if (journal.ring_bytes != 0) {
      print("journal: nothing to replay\n");
    }
    print_findings(journal.findings);
  }

  void on_stream(const store::StreamCheck& stream) override {
    std::string name = fmt::format("stream {}", stream.number);
    std::vector<store::Finding> findings = stream.findings;
    if (stream.settings) {
      const auto known = name_of(*stream.settings);
      if (known) {
        name += fmt::format(", {} of account {}", known->name, known->account);
      } else {
        findings.push_back({store::Weight::unreadable,
                            fmt::format("streams/{}/settings", stream.number),
                            "they cannot be understood: " + known.error().text});
      }
    }
    const std::string range =
        stream.messages == 0
            ? std::string("no messages")
            : fmt::format("{} messages ({} to {})", stream.messages, stream.first, stream.last);
    print(fmt::format("{}: {}; {}, {} segments, {} bytes of which {} are alive\n", name,
                      word_of(findings), range, stream.segments, stream.log_bytes,
                      stream.live_bytes));
    print_findings(findings);
    ++streams_;
  }

  void on_leftover(const store::Finding& finding) override { print_findings({finding}); }

  void on_segment(std::string_view path) override {
    if (!shows_progress_) return;
    clear_progress();
    progress_ = fmt::format("reading {}", path);
    std::fputs(progress_.c_str(), stderr);
    std::fflush(stderr);
  }

  int finish() {
    clear_progress();
    const std::string counts = fmt::format("{} streams", streams_);
    if (damage_ != 0) {
      std::printf(
          "%s: DAMAGE found in %llu places. What is named above is gone; a start serves all the "
          "rest. Copy the folder before anything else, then restore what is missing from a "
          "backup\n",
          counts.c_str(), static_cast<unsigned long long>(damage_));
      return found_damage;
    }
    if (unreadable_ != 0) {
      std::printf("%s: not all could be read: see the lines above\n", counts.c_str());
      return cannot_read;
    }
    std::printf("%s: all is well\n", counts.c_str());
    return 0;
  }

 private:
  static std::string_view word_of(const std::vector<store::Finding>& findings) {
    auto worst = store::Weight::note;
    for (const store::Finding& finding : findings) worst = std::max(worst, finding.weight);
    return worst == store::Weight::note ? "well" : weight_text(worst);
  }

  void print_findings(const std::vector<store::Finding>& findings) {
    for (const store::Finding& finding : findings) {
      std::string path;
      logging::append_escaped(path, finding.path, SIZE_MAX);
      print(fmt::format("  {}: {}: {}\n", weight_text(finding.weight), path, finding.text));
      if (finding.weight == store::Weight::damage) ++damage_;
      if (finding.weight == store::Weight::unreadable) ++unreadable_;
    }
  }

  void print(const std::string& line) {
    clear_progress();
    std::fputs(line.c_str(), stdout);
    std::fflush(stdout);
  }

  void clear_progress() {
    if (progress_.empty()) return;
    std::fprintf(stderr, "\r%*s\r", static_cast<int>(progress_.size()), "");
    progress_.clear();
  }

  const bool shows_progress_ = ::isatty(STDERR_FILENO) == 1;
  std::string progress_;
  std::uint64_t streams_ = 0;
  std::uint64_t damage_ = 0;
  std::uint64_t unreadable_ = 0;
};

// The folder itself, or `jetstream` in a server's store_dir.
std::string folder_of(const StoreCommand& command) {
  std::error_code ignored;
  const std::filesystem::path folder = command.folder;
  const std::filesystem::path inner = folder / "jetstream";
  const bool is_store = std::filesystem::exists(folder / "version", ignored);
  return !is_store && std::filesystem::exists(inner / "version", ignored) ? inner.string()
                                                                          : folder.string();
}

// Fails while a server uses the folder: what it writes meanwhile would look like damage.
base::Status check_unused(const std::string& folder) {
  const auto holder = store::find_holder(folder);
  if (!holder) return tl::unexpected(holder.error());
  if (!*holder) return {};
  return base::fail(fmt::format(
      "{} is in use by process {}: stop that server first, or look at a copy", folder, **holder));
}

base::Result<std::vector<std::uint64_t>> find_streams(store::StoreView& view,
                                                      const std::string& wanted) {
  if (wanted.empty()) return view.streams();
  std::vector<std::uint64_t> found;
  for (const std::uint64_t stream : view.streams()) {
    if (store::file_number(wanted) == stream) return std::vector{stream};
    const auto settings = view.settings(stream);
    if (!settings || !*settings) continue;
    const auto parsed = jetstream::parse_stored_settings(**settings);
    if (parsed && parsed->config.name == wanted) found.push_back(stream);
  }
  if (found.empty()) return base::fail(fmt::format("there is no stream {}", app::quoted(wanted)));
  if (found.size() > 1) {
    return base::fail(fmt::format("streams {} are all called {}: give the number of one",
                                  fmt::join(found, ", "), app::quoted(wanted)));
  }
  return found;
}

void print_heading(store::StoreView& view, std::uint64_t stream) {
  const auto settings = view.settings(stream);
  const auto name =
      settings && *settings ? name_of(**settings) : base::Result<StreamName>(base::fail("damaged"));
  if (name) {
    fmt::print("stream {}, {} of account {}\n", stream, name->name, name->account);
  } else {
    fmt::print("stream {}, whose settings cannot be read\n", stream);
  }
}

base::Status dump(store::Files& files, const StoreCommand& command) {
  auto view = store::StoreView::open(files);
  if (!view) return tl::unexpected(view.error());
  const auto streams = find_streams(**view, command.stream);
  if (!streams) return tl::unexpected(streams.error());
  store::DumpSettings settings;
  settings.from = command.from.value_or(settings.from);
  settings.limit = command.limit.value_or(settings.limit);
  const auto out = [](std::string_view line) { fmt::print("{}", line); };
  base::Status status;
  if (command.stream.empty()) status = store::dump_journal(**view, settings, out);
  for (const std::uint64_t stream : *streams) {
    if (!status) return status;
    print_heading(**view, stream);
    status = store::dump_stream(**view, stream, settings, out);
  }
  return status;
}

base::Result<int> run(const StoreCommand& command) {
  const std::string folder = folder_of(command);
  auto files = store::open_files_to_read(folder);
  if (!files) return tl::unexpected(files.error());
  if (const auto unused = check_unused(folder); !unused) return tl::unexpected(unused.error());
  if (command.dump) {
    const base::Status dumped = dump(**files, command);
    return dumped ? base::Result<int>(0) : tl::unexpected(dumped.error());
  }
  CheckPrinter printer;
  const base::Status checked = store::check_store(**files, printer);
  // What a server that was started meanwhile did would be taken for damage.
  const base::Status unused = checked ? check_unused(folder) : checked;
  if (!unused) return tl::unexpected(unused.error());
  return printer.finish();
}

// The words of a command: flags may stand anywhere, `--flag N` or `--flag=N`.
class Words {
 public:
  explicit Words(std::span<const std::string_view> left) : left_(left) {}

  // What is wrong, if anything.
  std::optional<std::string> read() {
    while (!left_.empty()) {
      const std::string_view word = next();
      if (word.size() < 2 || word.front() != '-') {
        plain.push_back(word);
      } else if (auto complaint = read_flag(word)) {
        return complaint;
      }
    }
    return std::nullopt;
  }

  std::vector<std::string_view> plain;
  std::optional<std::uint64_t> from;
  std::optional<std::uint64_t> limit;
  bool help = false;

 private:
  std::string_view next() {
    const std::string_view word = left_.front();
    left_ = left_.subspan(1);
    return word;
  }

  std::optional<std::string> read_flag(std::string_view word) {
    const std::size_t equals = word.find('=');
    std::string_view name = word.substr(0, equals);
    name.remove_prefix(name.starts_with("--") ? 2 : 1);
    if (name == "h" || name == "help") {
      help = true;
      return std::nullopt;
    }
    if (name != "from" && name != "limit") return fmt::format("unknown flag {}", quoted(word));
    if (equals == std::string_view::npos && left_.empty()) {
      return fmt::format("{} needs a number", word);
    }
    const std::string_view value =
        equals == std::string_view::npos ? next() : word.substr(equals + 1);
    const auto number = store::file_number(value);
    if (!number || *number == 0) {
      return fmt::format("--{} needs a number above 0, not {}", name, quoted(value));
    }
    (name == "from" ? from : limit) = number;
    return std::nullopt;
  }

  std::span<const std::string_view> left_;
};

}  // namespace

std::variant<StoreCommand, Exit> parse_store_command(const Program& program,
                                                     std::span<const std::string_view> arguments) {
  Words words(arguments);
  if (const auto complaint = words.read()) return misuse(program, *complaint);
  if (words.help) return Exit{0, store_usage(program), {}};
  if (words.plain.empty()) return misuse(program, "store: check or dump?");
  const std::string_view what = words.plain[0];
  if (what != "check" && what != "dump") {
    return misuse(program, fmt::format("store knows no {}: check or dump?", quoted(what)));
  }
  StoreCommand command;
  command.dump = what == "dump";
  if (words.plain.size() < 2) return misuse(program, "the store's folder is missing");
  if (words.plain.size() > (command.dump ? 3 : 2)) {
    return misuse(program, fmt::format("{} is too much", quoted(words.plain.back())));
  }
  if (!command.dump && (words.from || words.limit)) {
    return misuse(program, "check looks at everything: --from and --limit are for dump");
  }
  command.folder = words.plain[1];
  if (words.plain.size() == 3) command.stream = words.plain[2];
  command.from = words.from;
  command.limit = words.limit;
  return command;
}

std::string store_usage(const Program& program) {
  return fmt::format(
      "\n"
      "Usage: {0} store check DIR\n"
      "       {0} store dump DIR [STREAM] [--from SEQ] [--limit N]\n"
      "\n"
      "Looks into the streams' folder of a server that is stopped, and changes nothing there.\n"
      "DIR is the server's store_dir, or `jetstream` in it, or a copy.\n"
      "\n"
      "    check         reads everything, tells a line for each stream and what is wrong\n"
      "    dump          prints the records of the journal and of all streams, or of one\n"
      "\n"
      "    STREAM        name or number of a stream\n"
      "    --from SEQ    begin with the first message that has this sequence or a later one\n"
      "    --limit N     at most so many records of each stream\n"
      "    -h, --help    print this\n"
      "\n"
      "Exit status: 0 all is well, 1 damage was found, 2 the store could not be read.\n"
      "\n",
      program.name);
}

int run_store_command(const Program& program, const StoreCommand& command) {
  // What recovery would say in a server's log is in the report.
  logging::Settings quiet;
  quiet.file = "/dev/null";
  if (const base::Status set = logging::configure(quiet); !set) return cannot_read;
  const auto status = run(command);
  if (status) return *status;
  std::fprintf(stderr, "%s: %s\n", program.name.c_str(), status.error().text.c_str());
  return cannot_read;
}

}  // namespace spanwire::app
