#include "config/parser.h"

#include <absl/container/flat_hash_map.h>
#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "config/lexer.h"
#include "config/spelling.h"

namespace spanwire::config {
namespace {

// A container that is not closed yet, and the key that awaits its next value.
struct Frame {
  Value container;
  std::string key;
  Position key_at;
  absl::flat_hash_map<std::string, std::size_t> index;  // of a map's members
};

// What all files of one configuration share.
struct Job {
  const Sources& sources;
  Tree tree = {};
  std::size_t values = 0;
  std::size_t bytes = 0;
  std::vector<std::string> including = {};  // the files that are being read, outermost first
  std::vector<std::string> resolving = {};  // the environment variables, likewise
};

// A text, and how it hangs in the whole.
struct Text {
  std::string_view text;
  std::uint32_t file = 0;
  std::size_t depth = 0;            // of the containers around it
  std::optional<Position> at = {};  // of everything in it, when it is no file of its own
};

class Parser {
 public:
  Parser(Job& job, const Text& text)
      : job_(job), text_(text), lexer_(text.text, max_depth - std::min(max_depth, text.depth)) {}

  base::Result<Value> parse();

 private:
  base::Status take(Token token);
  base::Status take_number(Token token, Position at);
  base::Status close();
  base::Status add(Value value);
  base::Status add_copy(const Value& value, Position at);
  void set_member(Value value);
  base::Status variable(const std::string& name, Position at);
  base::Status environment_variable(const std::string& name, Position at);
  base::Status include(const std::string& name, Position at);
  base::Status merge(Value map);
  void warn(Position at, std::string text);

  Position place(Position at) const;
  tl::unexpected<base::Error> fail(Position at, const std::string& text) const;
  Value* find(const std::string& name);
  std::size_t depth() const { return text_.depth + frames_.size(); }

  Job& job_;
  Text text_;
  Lexer lexer_;
  std::vector<Frame> frames_;
};

// Counts what a copy of `value` adds to the tree, and how deep it is.
struct Extent {
  std::size_t values = 0;
  std::size_t bytes = 0;
  std::size_t depth = 0;
};

// Recurses no deeper than max_depth, which every finished value keeps.
Extent extent(const Value& value) {
  Extent sum{.values = 1, .bytes = value.text.size()};
  const auto add = [&](const Extent& inner) {
    sum.values += inner.values;
    sum.bytes += inner.bytes;
    sum.depth = std::max(sum.depth, inner.depth);
  };
  for (const Value& item : value.items) add(extent(item));
  for (const Member& member : value.members) {
    add(extent(member.value));
    sum.bytes += member.name.size();
  }
  if (value.kind == Kind::list || value.kind == Kind::map) ++sum.depth;
  return sum;
}

Position Parser::place(Position at) const {
  if (text_.at) return *text_.at;
  at.file = text_.file;
  return at;
}

tl::unexpected<base::Error> Parser::fail(Position at, const std::string& text) const {
  return base::fail(fmt::format("{}: {}", job_.tree.where(place(at)), text));
}

base::Result<Value> Parser::parse() {
  // Elsewhere a NUL would stand for the end of the text.
  const std::size_t nul = text_.text.find('\0');
  if (nul != std::string_view::npos) {
    const std::string_view before = text_.text.substr(0, nul);
    const auto lines = std::count(before.begin(), before.end(), '\n');
    const std::size_t line_start = before.rfind('\n') + 1;
    return fail({.line = static_cast<std::uint32_t>(lines + 1),
                 .column = static_cast<std::uint32_t>(nul - line_start + 1)},
                "a NUL byte; this is no text file");
  }
  frames_.push_back({.container = {.kind = Kind::map, .at = place({})}});
  for (Token token = lexer_.next(); token.kind != TokenKind::end; token = lexer_.next()) {
    if (base::Status status = take(std::move(token)); !status) {
      return tl::unexpected(std::move(status.error()));
    }
  }
  if (lexer_.stray_brace()) warn(*lexer_.stray_brace(), "'}' closes nothing; remove it");
  BASE_ASSERT(frames_.size() == 1);
  return std::move(frames_.front().container);
}

base::Status Parser::take(Token token) {
  const Position at = place(token.at);
  switch (token.kind) {
    case TokenKind::key:
      frames_.back().key = std::move(token.text);
      frames_.back().key_at = at;
      return {};
    case TokenKind::include:
      return include(token.text, at);
    case TokenKind::variable:
      return variable(token.text, at);
    case TokenKind::list_start:
      frames_.push_back({.container = {.kind = Kind::list, .at = at}});
      return {};
    case TokenKind::map_start:
      frames_.push_back({.container = {.kind = Kind::map, .at = at}});
      return {};
    case TokenKind::list_end:
    case TokenKind::map_end:
      return close();
    case TokenKind::text:
      return add({.kind = Kind::text, .text = std::move(token.text), .at = at});
    case TokenKind::boolean: {
      const bool truth = read_boolean(token.text).value_or(false);
      return add(
          {.kind = Kind::boolean, .boolean = truth, .text = std::move(token.text), .at = at});
    }
    case TokenKind::integer:
    case TokenKind::real:
    case TokenKind::datetime:
      return take_number(std::move(token), at);
    case TokenKind::error:
      return fail(token.at, token.text);
    case TokenKind::end:
      break;
  }
  return {};
}

base::Status Parser::take_number(Token token, Position at) {
  Value value{.at = at};
  if (token.kind == TokenKind::real) {
    const base::Result<double> real = read_real(token.text);
    if (!real) return fail(at, real.error().text);
    value.kind = Kind::real;
    value.real = *real;
  } else {
    const bool date = token.kind == TokenKind::datetime;
    const base::Result<std::int64_t> number =
        date ? read_date(token.text) : read_integer(token.text);
    if (!number) return fail(at, number.error().text);
    value.kind = date ? Kind::datetime : Kind::integer;
    value.integer = *number;
  }
  value.text = std::move(token.text);
  return add(std::move(value));
}

base::Status Parser::close() {
  BASE_ASSERT(frames_.size() > 1);
  Value value = std::move(frames_.back().container);
  frames_.pop_back();
  return add(std::move(value));
}

base::Status Parser::add(Value value) {
  ++job_.values;
  job_.bytes += value.text.size();
  if (job_.values > job_.sources.limits.values || job_.bytes > job_.sources.limits.text_bytes) {
    return fail(value.at, "the configuration is too large; split or simplify it");
  }
  if (frames_.back().container.kind == Kind::list) {
    frames_.back().container.items.push_back(std::move(value));
  } else {
    set_member(std::move(value));
  }
  return {};
}

// The last one of a name counts, as in the compatible server.
void Parser::set_member(Value value) {
  Frame& frame = frames_.back();
  std::vector<Member>& members = frame.container.members;
  const auto [found, fresh] = frame.index.try_emplace(frame.key, members.size());
  if (fresh) {
    members.push_back({std::move(frame.key), frame.key_at, std::move(value)});
    return;
  }
  Member& member = members[found->second];
  warn(frame.key_at, fmt::format("'{}' is set again; what {} says no longer counts",
                                 shown(member.name), job_.tree.where(member.name_at)));
  member.name_at = frame.key_at;
  member.value = std::move(value);
}

// A member of the containers that are open, the innermost first.
Value* Parser::find(const std::string& name) {
  for (auto frame = frames_.rbegin(); frame != frames_.rend(); ++frame) {
    const auto found = frame->index.find(name);
    if (found != frame->index.end()) return &frame->container.members[found->second].value;
  }
  return nullptr;
}

base::Status Parser::add_copy(const Value& value, Position at) {
  const Extent size = extent(value);
  if (depth() + size.depth > max_depth) return fail(at, too_deep(max_depth));
  job_.values += size.values - 1;
  job_.bytes += size.bytes - value.text.size();
  const Limits& limits = job_.sources.limits;
  if (job_.values > limits.values || job_.bytes > limits.text_bytes) {
    return fail(at, "the configuration is too large with what its variables repeat; simplify it");
  }
  Value copy = value;
  copy.referenced = false;
  copy.at = at;
  return add(std::move(copy));
}

base::Status Parser::variable(const std::string& name, Position at) {
  // bcrypt hashes begin with a $ and are no variables.
  constexpr std::string_view bcrypt = "2a$";
  if (name.starts_with(bcrypt)) return add({.kind = Kind::text, .text = "$" + name, .at = at});
  if (Value* value = find(name)) {
    value->referenced = true;
    return add_copy(*value, at);
  }
  return environment_variable(name, at);
}

base::Status Parser::environment_variable(const std::string& name, Position at) {
  std::vector<std::string>& resolving = job_.resolving;
  if (std::find(resolving.begin(), resolving.end(), name) != resolving.end()) {
    return fail(at, fmt::format("the environment variable {} refers to itself; set it to a value",
                                shown(name)));
  }
  if (resolving.size() >= job_.sources.limits.variable_depth) {
    return fail(at, fmt::format("${} goes through too many environment variables", shown(name)));
  }
  const std::optional<std::string> found = job_.sources.environment(name);
  if (!found) {
    return fail(at, fmt::format("${} is not set; set it above this line or in the environment, or "
                                "put the value in quotes if it is no variable",
                                shown(name)));
  }
  resolving.push_back(name);
  // The value is read as if it stood in a file, so it may be a number, a list or a block.
  const std::string text = fmt::format("value={}", *found);
  base::Result<Value> parsed =
      Parser(job_, {.text = text, .file = at.file, .depth = depth(), .at = at}).parse();
  resolving.pop_back();
  if (!parsed) {
    return base::fail(fmt::format("{} (in the value of the environment variable {})",
                                  parsed.error().text, shown(name)));
  }
  BASE_ASSERT(!parsed->members.empty());
  return add(std::move(parsed->members.front().value));
}

base::Status Parser::include(const std::string& name, Position at) {
  const Limits& limits = job_.sources.limits;
  std::vector<std::string>& including = job_.including;
  const std::string path = include_path(job_.tree.files[at.file], name);
  if (std::find(including.begin(), including.end(), path) != including.end()) {
    return fail(at, fmt::format("{} includes itself; remove one of the includes", shown(path)));
  }
  if (including.size() > limits.include_depth || job_.tree.files.size() >= limits.files) {
    return fail(at, fmt::format("too many files are included; '{}' is one too many", shown(name)));
  }
  const base::Result<std::string> text = job_.sources.read(path);
  if (!text) return fail(at, text.error().text);
  job_.bytes += text->size();
  if (job_.bytes > limits.text_bytes) {
    return fail(at, fmt::format("the configuration is too large with '{}'; split it", shown(name)));
  }
  const auto file = static_cast<std::uint32_t>(job_.tree.files.size());
  job_.tree.files.push_back(path);
  including.push_back(path);
  base::Result<Value> parsed =
      Parser(job_, {.text = *text, .file = file, .depth = depth() - 1}).parse();
  including.pop_back();
  if (!parsed) return tl::unexpected(std::move(parsed.error()));
  return merge(std::move(*parsed));
}

// Sets what an included file has into the map that includes it.
base::Status Parser::merge(Value map) {
  for (Member& member : map.members) {
    frames_.back().key = std::move(member.name);
    frames_.back().key_at = member.name_at;
    set_member(std::move(member.value));
  }
  return {};
}

void Parser::warn(Position at, std::string text) {
  if (job_.tree.warnings.size() >= job_.sources.limits.warnings) return;
  job_.tree.warnings.push_back({place(at), std::move(text)});
}

}  // namespace

std::string include_path(std::string_view including_file, std::string_view name) {
  const std::size_t slash = including_file.rfind('/');
  const std::string joined = slash == std::string_view::npos
                                 ? std::string(name)
                                 : fmt::format("{}/{}", including_file.substr(0, slash), name);
  const bool absolute = slash != std::string_view::npos && joined.starts_with('/');
  std::vector<std::string_view> parts;
  std::string_view rest = joined;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('/'), rest.size());
    const std::string_view part = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (part.empty() || part == ".") continue;
    if (part == ".." && !parts.empty() && parts.back() != "..") {
      parts.pop_back();
    } else if (part != ".." || !absolute) {
      parts.push_back(part);
    }
  }
  if (parts.empty()) return absolute ? "/" : ".";
  return fmt::format("{}{}", absolute ? "/" : "", fmt::join(parts, "/"));
}

base::Result<Tree> parse(std::string_view text, const std::string& file, const Sources& sources) {
  Job job{.sources = sources};
  if (text.size() > sources.limits.text_bytes) {
    return base::fail(fmt::format("{}: the configuration is too large; split it", file));
  }
  job.bytes = text.size();
  job.tree.files.push_back(file);
  job.including.push_back(include_path("", file));
  base::Result<Value> root = Parser(job, {.text = text}).parse();
  if (!root) return tl::unexpected(std::move(root.error()));
  job.tree.root = std::move(*root);
  return std::move(job.tree);
}

base::Result<Tree> parse_file(const std::string& path, const Sources& sources) {
  base::Result<std::string> text = sources.read(path);
  if (!text) return tl::unexpected(std::move(text.error()));
  base::Result<Tree> tree = parse(*text, path, sources);
  if (!tree) return base::fail("Parse error: " + tree.error().text);
  return tree;
}

}  // namespace spanwire::config
