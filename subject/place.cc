#include "subject/place.h"

#include <absl/container/inlined_vector.h>

namespace spanwire::subject {

Filter filter_at(const Place& place) {
  absl::InlinedVector<const Place*, 8> path;
  const Place* at = &place;
  for (; at->root == Place::Root::no; at = at->parent) path.push_back(at);
  Filter filter;
  while (!path.empty()) {
    filter.add(path.back()->kind, path.back()->token);
    path.pop_back();
  }
  if (at->root == Place::Root::hidden) filter.hide_dollar();
  return filter;
}

}  // namespace spanwire::subject
