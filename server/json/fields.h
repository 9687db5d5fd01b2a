// Fields: fills typed variables from the members of a JSON object by the rules that Go's decoder
// has for a struct, since peers were written against those.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "json/document.h"

namespace spanwire::json {

// Names match without regard to the case of ASCII letters. A member that is absent or null leaves
// its variable as it is; of several the last wins, but each must have the right type. Members that
// nobody asks for are ignored. The first mismatch is kept for status(); reading goes on.
class Fields {
 public:
  // Null counts as an object without members; any other kind is a mismatch.
  explicit Fields(Value object);

  void read(std::string_view name, bool& out);
  void read(std::string_view name, std::int32_t& out);
  void read(std::string_view name, std::int64_t& out);
  void read(std::string_view name, std::uint64_t& out);
  void read(std::string_view name, double& out);
  void read(std::string_view name, std::string& out);
  void read(std::string_view name, std::vector<std::string>& out);
  // Nested values, for a Fields of their own or a loop.
  void read_object(std::string_view name, std::optional<Value>& out);
  void read_array(std::string_view name, std::optional<Value>& out);

  const base::Status& status() const { return status_; }

 private:
  template <class Get>
  void read_each(std::string_view name, std::string_view wanted, const Get& get);
  void mismatch(Value member, std::string_view wanted);

  Value object_;
  base::Status status_;
};

}  // namespace spanwire::json
