// What a device holds of one file, beside what the system's cache holds of it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"

namespace spanwire::test {

// The bytes of a file whose writes reach the device at sync(), or in part at a power cut. The model
// is in memory_files.h. Offsets and sizes are small enough to be held in memory.
class LossyContent {
 public:
  static constexpr std::size_t sector_bytes = 512;

  const std::string& data() const { return data_; }
  void write(std::uint64_t offset, std::string_view bytes);
  void resize(std::uint64_t size);

  void sync();
  // The system has given up these writes, but still shows them: a later sync() does not bring them
  // to the device.
  void sync_failed();
  // What is left is what the device holds.
  void cut_power(base::Random& random);
  // Bytes that were changed and are not synced, in whole sectors.
  std::size_t unsynced_bytes() const { return dirty_.size() * sector_bytes; }

 private:
  // What a sector was made by one call.
  struct Version {
    std::size_t epoch = 0;  // of the change of size without which it cannot be seen
    bool barrier = false;   // it was cut off: what was before cannot be seen from this epoch on
    std::string bytes;
  };
  struct Sector {
    std::string synced;
    std::vector<Version> versions;
    bool given_up = false;
  };
  enum class Keep : std::uint8_t { nothing, everything, anything };

  std::string sector_now(std::uint64_t sector) const;
  void touch(std::uint64_t sector);
  void record(std::uint64_t sector, std::size_t epoch, bool barrier);
  static const std::string& choose(const Sector& sector, std::size_t epoch, Keep keep,
                                   base::Random& random);

  std::string data_;
  std::map<std::uint64_t, Sector> dirty_;
  std::vector<std::uint64_t> sizes_{0};  // the synced one, then one for each epoch since
};

}  // namespace spanwire::test
