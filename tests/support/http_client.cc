#include "tests/support/http_client.h"

#include <charconv>

namespace spanwire::test {

std::optional<std::string> HttpAnswer::field(std::string_view name) const {
  const std::string start = "\r\n" + std::string(name) + ": ";
  const std::size_t at = head.find(start);
  if (at == std::string::npos) return std::nullopt;
  const std::size_t begin = at + start.size();
  return head.substr(begin, head.find("\r\n", begin) - begin);
}

std::string http_request(std::string_view method, std::string_view target, std::string_view body,
                         std::string_view fields) {
  std::string text(method);
  text.append(" ").append(target).append(" HTTP/1.1\r\nHost: x\r\n").append(fields);
  if (method == "POST") {
    text.append("Content-Length: ").append(std::to_string(body.size())).append("\r\n");
  }
  return text.append("\r\n").append(body);
}

std::optional<HttpAnswer> take_answer(std::string& bytes, bool head) {
  const std::size_t end = bytes.find("\r\n\r\n");
  if (end == std::string::npos) return std::nullopt;
  HttpAnswer answer;
  answer.head = bytes.substr(0, end + 2);
  std::from_chars(answer.head.data() + 9, answer.head.data() + 12, answer.status);
  std::size_t size = 0;
  if (const auto length = answer.field("Content-Length"); length && !head) {
    std::from_chars(length->data(), length->data() + length->size(), size);
  }
  if (bytes.size() < end + 4 + size) return std::nullopt;
  answer.body = bytes.substr(end + 4, size);
  bytes.erase(0, end + 4 + size);
  return answer;
}

}  // namespace spanwire::test
