#include "http/date.h"

#include <algorithm>
#include <cstddef>

namespace spanwire::http {

namespace {

constexpr std::string_view days = "SunMonTueWedThuFriSat";
constexpr std::string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec";

// Puts the last two digits of `number` at `at`.
void put_two(char* at, int number) {
  at[0] = static_cast<char>('0' + number / 10 % 10);
  at[1] = static_cast<char>('0' + number % 10);
}

void put(char* at, std::string_view text) {
  std::copy(text.begin(), text.end(), at);
}

}  // namespace

std::string_view DateField::at(base::WallTime now) {
  using std::chrono::floor;
  const std::string_view view(text_.data(), text_.size());
  const auto second = floor<std::chrono::seconds>(now);
  if (second == second_) return view;
  second_ = second;
  const auto day = floor<std::chrono::days>(second);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(second - day);
  const auto month = static_cast<std::size_t>(static_cast<unsigned>(date.month()) - 1);
  const int year = static_cast<int>(date.year());
  char* const text = text_.data();
  put(text, "Date: Www, dd Mmm yyyy hh:mm:ss GMT\r\n");
  put(text + 6, days.substr(std::chrono::weekday(day).c_encoding() * 3, 3));
  put_two(text + 11, static_cast<int>(static_cast<unsigned>(date.day())));
  put(text + 14, months.substr(month * 3, 3));
  put_two(text + 18, year / 100);
  put_two(text + 20, year);
  put_two(text + 23, static_cast<int>(time.hours().count()));
  put_two(text + 26, static_cast<int>(time.minutes().count()));
  put_two(text + 29, static_cast<int>(time.seconds().count()));
  return view;
}

}  // namespace spanwire::http
