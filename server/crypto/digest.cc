#include "crypto/digest.h"

#include <openssl/evp.h>

#include "base/assert.h"

namespace spanwire::crypto {

namespace {

// The algorithms are looked up once: a look-up costs more than hashing a short text.
template <std::size_t size>
Digest<size> digest(const EVP_MD* algorithm, std::string_view bytes) {
  BASE_ASSERT(algorithm != nullptr);
  Digest<size> result;
  unsigned written = 0;
  const int done =
      EVP_Digest(bytes.data(), bytes.size(), reinterpret_cast<unsigned char*>(result.bytes.data()),
                 &written, algorithm, nullptr);
  BASE_ASSERT(done == 1);
  BASE_ASSERT(written == size);
  return result;
}

}  // namespace

Sha1 sha1(std::string_view bytes) {
  static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA1", nullptr);
  return digest<20>(algorithm, bytes);
}

Sha256 sha256(std::string_view bytes) {
  static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return digest<32>(algorithm, bytes);
}

}  // namespace spanwire::crypto
