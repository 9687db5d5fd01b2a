// `/`: the list of pages, for people.
#pragma once

#include "web/answer.h"
#include "wire/services.h"

namespace spanwire::monitor {

void index_page(const wire::ServerIdentity& identity, web::Answer answer);

}  // namespace spanwire::monitor
