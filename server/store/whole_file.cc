#include "store/whole_file.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/assert.h"
#include "base/crc32c.h"
#include "base/little_endian.h"

namespace spanwire::store {

namespace {

std::string path_in(std::string_view folder, std::string_view name) {
  return folder == "." ? std::string(name) : fmt::format("{}/{}", folder, name);
}

}  // namespace

base::Status replace_file(Files& files, std::string_view folder, std::string_view name,
                          std::string_view bytes) {
  const std::string_view parts[] = {bytes};
  return replace_file(files, folder, name, parts);
}

base::Status replace_file(Files& files, std::string_view folder, std::string_view name,
                          std::span<const std::string_view> parts) {
  const std::string path = path_in(folder, name);
  const std::string fresh = path + ".new";
  if (const base::Status removed = files.remove(fresh); !removed) return removed;
  auto file = files.create(fresh);
  if (!file) return tl::unexpected(file.error());
  base::Status status = (*file)->write_at(0, parts);
  if (status) status = (*file)->sync();
  if (status) status = files.rename(fresh, path);
  if (status) status = files.sync_folder(folder);
  return status;
}

base::Result<std::optional<std::string>> read_file(Files& files, std::string_view folder,
                                                   std::string_view name,
                                                   std::uint64_t most_bytes) {
  const auto names = files.list(folder);
  if (!names) return tl::unexpected(names.error());
  if (!std::binary_search(names->begin(), names->end(), name)) return std::nullopt;
  auto bytes = read_file(files, path_in(folder, name), most_bytes);
  if (!bytes) return tl::unexpected(bytes.error());
  return std::move(*bytes);
}

base::Result<std::string> read_file(Files& files, const std::string& path,
                                    std::uint64_t most_bytes) {
  ReadBuffer bytes;
  const base::Status read = read_file(files, path, most_bytes, bytes);
  if (!read) return tl::unexpected(read.error());
  return std::string(std::string_view(bytes));
}

base::Status read_file(Files& files, const std::string& path, std::uint64_t most_bytes,
                       ReadBuffer& into) {
  const auto file = files.open(path);
  if (!file) return tl::unexpected(file.error());
  const auto size = (*file)->size();
  if (!size) return tl::unexpected(size.error());
  if (*size > most_bytes) {
    return base::fail(fmt::format("{} has {} bytes: more than can be", path, *size));
  }
  into.clear();
  into.resize(*size);
  const auto got = (*file)->read_at(0, into.span());
  if (!got) return tl::unexpected(got.error());
  into.resize(*got);
  return {};
}

std::string with_sum(std::string_view bytes) {
  std::string file;
  file.reserve(sum_bytes + bytes.size());
  file.assign(sum_bytes, '\0');
  file += bytes;
  put_sum(file);
  return file;
}

void put_sum(std::string& file, std::initializer_list<std::string_view> behind) {
  BASE_ASSERT(file.size() >= sum_bytes);
  std::uint32_t sum = base::crc32c(std::string_view(file).substr(sum_bytes));
  for (const std::string_view part : behind) sum = base::crc32c(part, sum);
  base::put_little_endian(file.data(), sum);
}

std::optional<std::string_view> without_sum(std::string_view file) {
  if (file.size() < sum_bytes) return std::nullopt;
  const std::string_view bytes = file.substr(sum_bytes);
  if (base::read_little_endian<std::uint32_t>(file, 0) != base::crc32c(bytes)) return std::nullopt;
  return bytes;
}

}  // namespace spanwire::store
