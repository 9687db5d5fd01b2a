// Shadows of subscriptions in the trees of accounts whose streams are imported (stream_import.h).
#include "bus/router.h"

namespace spanwire::bus {

base::Status Hub::import_stream(const base::Ref<const account::Account>& importer,
                                const base::Ref<const account::Account>& exporter,
                                std::string_view from, std::string_view to) {
  if (importer->id == exporter->id) {
    return base::fail("an account cannot import a stream from itself: name another account");
  }
  auto made = StreamImport::make(interest(exporter), from, to);
  if (!made) return tl::unexpected(std::move(made.error()));
  Interest& into = interest(importer);
  std::vector<base::Ref<const StreamImport>> list;
  if (const auto known = into.stream_imports(0)) list = known->list();
  list.push_back(std::move(*made));
  into.set_stream_imports(base::make_ref<StreamImports>(std::move(list)));
  return {};
}

void Router::add_shadows(Subscription& primary, const subject::Filter& filter,
                         std::string_view queue) {
  const base::Ref<const StreamImports> imports = primary.port->interest_.stream_imports(id_);
  if (!imports) return;
  for (const auto& import : imports->list()) {
    base::Ref<const ShadowView> view = ShadowView::make(import, filter);
    if (!view) continue;
    Subscription& shadow = subscriptions_.add();
    shadow.port = primary.port;
    shadow.durable = primary.durable;
    shadow.links = std::make_unique<ShadowLinks>();
    shadow.links->primary = &primary;
    shadow.links->view = view;
    if (primary.links == nullptr) primary.links = std::make_unique<ShadowLinks>();
    primary.links->shadows.push_back(&shadow);
    Interest& exporter = view->exporter();
    const std::uint64_t watching = exporter.add(shadow, primary.port->gate_, view->filter(), queue);
    if (watching != 0) note_arrival(exporter, view->filter(), watching);
  }
}

void Router::remove_shadows(Subscription& primary) {
  for (Subscription* const shadow : primary.links->shadows) {
    shadow->view()->exporter().remove(*shadow);
    subscriptions_.remove(*shadow);
  }
  primary.links.reset();
}

}  // namespace spanwire::bus
