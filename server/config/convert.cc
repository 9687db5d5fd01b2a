#include "config/convert.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/assert.h"
#include "config/spelling.h"

namespace spanwire::config {
namespace {

using Scalar = Values::Scalar;
constexpr std::int64_t second = 1'000'000'000;

std::string number_text(const Key& key, std::int64_t number) {
  return key.type == Type::duration ? duration_text(base::Duration(number))
                                    : fmt::format("{}", number);
}

base::Result<Scalar> in_range(const Key& key, std::int64_t number) {
  if (number < key.min) {
    return base::fail(fmt::format("{} is too small; write at least {}", number_text(key, number),
                                  number_text(key, key.min)));
  }
  if (number > key.max) {
    return base::fail(fmt::format("{} is too large; write at most {}", number_text(key, number),
                                  number_text(key, key.max)));
  }
  return Scalar(number);
}

tl::unexpected<base::Error> wrong_kind(const Key& key, const Value& value) {
  const std::string wanted = expectation(key);
  // The commonest mistakes are quotes around a number or a boolean, and none around a text.
  const bool number = key.type == Type::integer || key.type == Type::size || key.type == Type::real;
  const bool unquote =
      value.kind == Kind::text && ((number && read_integer(value.text)) ||
                                   (key.type == Type::boolean && read_boolean(value.text)));
  const bool quote = (key.type == Type::text || key.type == Type::text_list) &&
                     value.kind != Kind::map && value.kind != Kind::list;
  const char* const advice = unquote ? ", without quotes" : quote ? ", in quotes" : "";
  return base::fail(fmt::format("is {}; write {}{}", kind_name(value.kind), wanted, advice));
}

base::Result<Scalar> size_or_integer(const Key& key, const Value& value) {
  if (value.kind == Kind::integer) return in_range(key, value.integer);
  if (value.kind != Kind::text || !key.quoted_size) return wrong_kind(key, value);
  const base::Result<std::int64_t> size = read_quoted_size(value.text);
  if (!size) return tl::unexpected(size.error());
  return in_range(key, *size);
}

base::Result<Scalar> seconds(const Key& key, double count) {
  constexpr double most = 9e9;  // 64 bits of nanoseconds are 9.2e9 seconds
  if (!(std::abs(count) <= most)) {
    return base::fail("is more seconds than a duration holds; write a smaller number");
  }
  return in_range(key, std::llround(count * static_cast<double>(second)));
}

base::Result<Scalar> duration(const Key& key, const Value& value, Conversion& notes) {
  if (value.kind == Kind::text) {
    const base::Result<base::Duration> read = read_duration(value.text);
    if (!read) return tl::unexpected(read.error());
    return in_range(key, read->count());
  }
  if (value.kind == Kind::real && key.plain_seconds) return seconds(key, value.real);
  if (value.kind != Kind::integer) return wrong_kind(key, value);
  // Without quotes 5m is five million, which nobody means in seconds.
  if (!is_digit(value.text.back())) {
    return base::fail(fmt::format("{} is a number without quotes; write \"{}\"", shown(value.text),
                                  shown(value.text)));
  }
  if (!key.plain_seconds) {
    notes.warning = fmt::format("a bare number counts in seconds; write \"{}s\"", value.integer);
  }
  return seconds(key, static_cast<double>(value.integer));
}

base::Status check_choice(const Key& key, const std::string& text) {
  if (key.choices.empty()) return {};
  if (std::find(key.choices.begin(), key.choices.end(), text) != key.choices.end()) return {};
  return base::fail(fmt::format("\"{}\" is none of {}", shown(text), fmt::join(key.choices, ", ")));
}

base::Result<Scalar> text_list(const Key& key, const Value& value, Conversion& notes) {
  if (value.kind == Kind::map) return wrong_kind(key, value);
  std::vector<std::string> texts;
  const auto take = [&](const Value& item) -> base::Status {
    notes.at = item.at;
    if (item.kind != Kind::text) return wrong_kind(key, item);
    texts.push_back(item.text);
    return check_choice(key, item.text);
  };
  if (value.kind != Kind::list) {
    if (base::Status status = take(value); !status) return tl::unexpected(status.error());
  }
  for (const Value& item : value.items) {
    if (base::Status status = take(item); !status) return tl::unexpected(status.error());
  }
  return Scalar(std::move(texts));
}

base::Result<Scalar> listen(const Key& key, const Value& value) {
  if (value.kind != Kind::integer && value.kind != Kind::text) return wrong_kind(key, value);
  base::Result<Listen> listen =
      value.kind == Kind::integer ? listen_on(value.integer) : parse_listen(value.text);
  if (!listen) return tl::unexpected(std::move(listen.error()));
  return Scalar(*std::move(listen));
}

// A list of the texts between commas.
Value split(std::string_view text) {
  Value list{.kind = Kind::list};
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(','), text.size());
    list.items.push_back({.kind = Kind::text, .text = std::string(text.substr(0, end))});
    text.remove_prefix(std::min(end + 1, text.size()));
    while (text.starts_with(' ')) text.remove_prefix(1);
  }
  return list;
}

std::string range_text(const Key& key) {
  const bool low = key.min != std::numeric_limits<std::int64_t>::min();
  const bool high = key.max != std::numeric_limits<std::int64_t>::max();
  if (low && high) {
    return fmt::format(" from {} to {}", number_text(key, key.min), number_text(key, key.max));
  }
  if (low) return fmt::format(" of at least {}", number_text(key, key.min));
  if (high) return fmt::format(" of at most {}", number_text(key, key.max));
  return "";
}

}  // namespace

bool is_block_type(Type type) {
  return type == Type::block || type == Type::block_list || type == Type::named_blocks;
}

std::string expectation(const Key& key) {
  const auto one = [&]() -> std::string {
    switch (key.type) {
      case Type::boolean:
        return "true or false";
      case Type::integer:
        return "an integer" + range_text(key);
      case Type::size:
        return "a size such as 64mb" + range_text(key);
      case Type::real:
        return "a number";
      case Type::duration:
        return "a duration such as \"2s\"" + range_text(key);
      case Type::text:
        if (key.choices.empty()) return "a string";
        return fmt::format("one of {}", fmt::join(key.choices, ", "));
      case Type::text_list:
        return "a string or a list of strings";
      case Type::listen:
        return "\"host:port\" or a port";
      case Type::block:
        return "a block { }";
      case Type::block_list:
        return "a list of blocks [ { } ]";
      case Type::named_blocks:
        return "a block of named blocks { name { } }";
      case Type::raw:
        return "a value";
    }
    return "a value";
  };
  return !is_block_type(key.type) && !key.block.empty() ? one() + ", or a block { }" : one();
}

base::Result<Scalar> convert(const Key& key, const Value& value, Conversion& notes) {
  switch (key.type) {
    case Type::boolean:
      if (value.kind != Kind::boolean) return wrong_kind(key, value);
      return Scalar(value.boolean);
    case Type::integer:
    case Type::size:
      return size_or_integer(key, value);
    case Type::real:
      if (value.kind == Kind::integer) return Scalar(static_cast<double>(value.integer));
      if (value.kind != Kind::real) return wrong_kind(key, value);
      return Scalar(value.real);
    case Type::duration:
      return duration(key, value, notes);
    case Type::text:
      if (value.kind != Kind::text) return wrong_kind(key, value);
      if (const base::Status status = check_choice(key, value.text); !status) {
        return tl::unexpected(status.error());
      }
      return Scalar(value.text);
    case Type::text_list:
      return text_list(key, value, notes);
    case Type::listen:
      return listen(key, value);
    case Type::raw:
      return Scalar(value);
    case Type::block:
    case Type::block_list:
    case Type::named_blocks:
      break;
  }
  return wrong_kind(key, value);
}

base::Result<Scalar> default_value(const Key& key) {
  if (key.default_text.empty()) return Scalar();
  Value value{.kind = Kind::text, .text = std::string(key.default_text)};
  switch (key.type) {
    case Type::boolean:
      value.kind = Kind::boolean;
      value.boolean = read_boolean(value.text).value_or(false);
      break;
    case Type::integer:
    case Type::size: {
      const base::Result<std::int64_t> number = read_integer(value.text);
      if (!number) return tl::unexpected(number.error());
      value.kind = Kind::integer;
      value.integer = *number;
      break;
    }
    case Type::real: {
      const base::Result<double> number = read_real(value.text);
      if (!number) return tl::unexpected(number.error());
      value.kind = Kind::real;
      value.real = *number;
      break;
    }
    case Type::text_list:
      value = split(value.text);
      break;
    default:
      break;
  }
  Conversion notes;
  return convert(key, value, notes);
}

}  // namespace spanwire::config
