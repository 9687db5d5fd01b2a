// What two subjects in NATS spelling, either with wildcards, have to do with each other.
#pragma once

#include <string_view>

namespace spanwire::jetstream {

// A subject that a stream or a consumer may name: well formed, `>` only as the last token, and
// without blanks.
bool is_valid_subject(std::string_view subject);

// A name of a stream or consumer: not empty, and without blanks, dots, wildcards and slashes.
bool is_valid_name(std::string_view name);

// Some subject matches both.
bool subjects_collide(std::string_view a, std::string_view b);

// Every subject that `narrow` matches, `wide` matches too.
bool is_subset(std::string_view narrow, std::string_view wide);

}  // namespace spanwire::jetstream
