// Bodies of requests (RFC 9112, 6 and 7.1): by length, or chunked.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "http/message.h"

namespace spanwire::http {

enum class BodyStep : std::uint8_t { need_more, piece, done, error };

// Hands out a body piece by piece, as it arrives and without a copy. One a connection.
class BodyReader {
 public:
  static constexpr std::size_t max_chunk_line_bytes = 256;  // a chunk's size and its extensions
  static constexpr std::size_t max_extension_bytes = 4096;  // of all chunks of a body
  static constexpr std::size_t max_trailer_bytes = 8192;    // the whole trailer section

  // A body of more than `limit_bytes` is 413: at once where its length is known.
  void start(const Request& request, std::uint64_t limit_bytes);

  // Goes one step with `in`, which begins with the first byte not consumed so far. Afterwards the
  // caller drops consumed() bytes, whatever the step was.
  //   piece      piece() is the next part of the body, not empty, a view into `in`.
  //   done       the body is complete; the next request follows. Trailers were dropped.
  //   need_more  call again when more has come. Then at most max_trailer_bytes stay unconsumed.
  //   error      problem() says what to answer before closing.
  BodyStep next(std::string_view in);

  std::size_t consumed() const { return consumed_; }
  std::string_view piece() const { return piece_; }
  const Problem& problem() const { return problem_; }

 private:
  enum class State : std::uint8_t { identity, chunk_size, chunk_data, trailer, done };

  void take_piece(std::string_view rest);
  Parse read_framing(std::string_view rest);
  Parse read_chunk_size(std::string_view rest);
  Parse read_chunk_end(std::string_view rest);
  Parse read_trailer_line(std::string_view rest);
  Parse apply_chunk_line(std::string_view line);
  Parse enter(State state);
  Parse refuse(int status, std::string_view reason);

  State state_ = State::done;
  std::uint64_t remaining_ = 0;  // of the body, or of the chunk before its CRLF
  std::uint64_t allowance_ = 0;  // of the limit
  std::size_t extension_bytes_ = 0;
  std::size_t trailer_bytes_ = 0;
  std::size_t consumed_ = 0;
  std::string_view piece_;
  Problem problem_;
};

// Waits for a whole body. One that arrives in one piece is a view of the input, any other is copied
// together. Memory grows with what has come, never with what was announced.
class BodyCollector {
 public:
  void start(const Request& request, std::uint64_t limit_bytes);

  // Takes all it can from the front of `in`; the caller drops consumed() bytes, whatever the
  // result. After ok body() is the body; it may point into `in`.
  Parse feed(std::string_view in);

  std::size_t consumed() const { return consumed_; }
  std::string_view body() const { return body_; }
  const Problem& problem() const { return reader_.problem(); }

  // Gives back the memory of a copied body.
  void release();

 private:
  BodyReader reader_;
  std::size_t consumed_ = 0;
  std::string_view body_;
  std::string copied_;
};

}  // namespace spanwire::http
