#include "app/version.h"

namespace spanwire::app {

constexpr std::string_view spanwire_version = SPANWIRE_VERSION;  // the build names it

}  // namespace spanwire::app
