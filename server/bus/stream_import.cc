#include "bus/stream_import.h"

#include <fmt/format.h>

#include "subject/subject.h"

namespace spanwire::bus {
namespace {

// Each `*` as the wildcard that it stands for: `a.*.*` becomes `a.$1.$2`.
std::string numbered(std::string_view text) {
  std::string out;
  std::size_t wildcards = 0;
  subject::Tokens tokens(text);
  bool first = true;
  for (std::string_view token; tokens.next(token); first = false) {
    if (!first) out += subject::separator;
    if (token == "*") {
      out += fmt::format("${}", ++wildcards);
    } else {
      out += token;
    }
  }
  return out;
}

// Filters with `any` meet in too many ways, and what hides `$` looks at other subjects here.
bool meets_exactly(const subject::Filter& local, const subject::Filter& wanted) {
  if (wanted.has_any()) return false;
  return !wanted.not_dollar() || local[0].kind == subject::TokenKind::literal;
}

}  // namespace

base::Result<base::Ref<const StreamImport>> StreamImport::make(Interest& exporter,
                                                               std::string_view from,
                                                               std::string_view to) {
  const std::string destination = numbered(to.empty() ? from : to);
  auto transform = subject::Transform::parse(from, destination, subject::TransformUse::reversible);
  if (!transform) return base::fail(std::move(transform.error()));
  return base::Ref<const StreamImport>(
      base::make_ref<StreamImport>(exporter, std::move(*transform)));
}

StreamImport::StreamImport(Interest& exporter, subject::Transform transform)
    : exporter_(exporter), transform_(std::move(transform)), local_(transform_.image()) {}

base::Ref<const ShadowView> ShadowView::make(base::Ref<const StreamImport> import,
                                             const subject::Filter& wanted) {
  const subject::Filter& local = import->local();
  if (wanted.not_dollar() && local[0].text.starts_with('$')) return nullptr;
  const auto common = subject::overlap(local, wanted);
  if (!common) return nullptr;
  auto filter = import->transform().origin(*common);
  if (!filter) return nullptr;
  const bool exact = meets_exactly(local, wanted);
  return base::Ref<const ShadowView>(
      base::make_ref<ShadowView>(std::move(import), std::move(*filter), wanted, exact));
}

ShadowView::ShadowView(base::Ref<const StreamImport> import, subject::Filter filter,
                       const subject::Filter& wanted, bool exact)
    : import_(std::move(import)),
      filter_(std::move(filter)),
      wanted_(exact ? subject::Filter() : wanted),
      exact_(exact) {}

bool ShadowView::present(std::string_view subject, std::string& out) const {
  out.clear();
  import_->transform().apply(subject, 0, out);
  return exact_ || subject::matches(wanted_, out);
}

}  // namespace spanwire::bus
