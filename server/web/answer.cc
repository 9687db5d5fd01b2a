#include "web/answer.h"

#include <utility>

#include "base/assert.h"
#include "web/session.h"

namespace spanwire::web {

Answer::~Answer() {
  if (!wanted()) return;
  slot_->session->site_.stats().unanswered.add();
  refuse(500, "the request was given up");
}

bool Answer::wanted() const {
  return slot_ != nullptr && slot_->session != nullptr;
}

void Answer::set_watch(base::Done<const Given&> watch) {
  BASE_ASSERT(slot_ != nullptr);
  slot_->watch = std::move(watch);
}

void Answer::tell(const Given& given) {
  if (!slot_->watch) return;
  std::exchange(slot_->watch, nullptr)(given);
}

void Answer::send(const Reply& reply) {
  BASE_ASSERT(slot_ != nullptr);
  tell({.status = reply.status, .body_bytes = reply.body.size()});
  if (Session* session = slot_->session) {
    session->complete(std::move(slot_), reply);
  } else {
    slot_.reset();
  }
}

void Answer::refuse(int status, std::string_view reason, std::span<const http::Header> fields) {
  BASE_ASSERT(slot_ != nullptr);
  tell({.status = status, .reason = reason});
  if (Session* session = slot_->session) {
    session->complete(std::move(slot_), status, reason, fields);
  } else {
    slot_.reset();
  }
}

}  // namespace spanwire::web
