// Comparing what a peer sent with a secret that the configuration names, plain or hashed.
#pragma once

#include <string_view>

namespace spanwire::crypto {

// Takes as long for a wrong guess as for a right one of the same length.
bool equal_in_constant_time(std::string_view left, std::string_view right);

// Whether the configuration means `secret` as a bcrypt hash: "$2" and one of a, b, x, y, then two
// digits, as nats-server decides it. Anything else is a plain secret.
bool is_bcrypt(std::string_view secret);

// Whether `password` is the one that `hash` was made from. BLOCKS for the cost that the hash names
// (about 50 ms for cost 10, twice that for each step more): call it on a helper thread, never on a
// loop. Like bcrypt everywhere, it looks at the first 72 bytes. False for a password with a NUL
// byte and for a malformed hash.
bool bcrypt_matches(std::string_view hash, std::string_view password);

}  // namespace spanwire::crypto
