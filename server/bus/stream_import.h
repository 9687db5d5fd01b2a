// What the subscriptions of one account get of another's messages. Data that never changes;
// Hub::import_stream puts it into force.
//
// A subscription whose filter meets an import's local subjects has a shadow: a subscription in the
// exporter's tree, with the exporter's subjects, whose messages are the first one's. Imports do not
// chain: what the exporter itself imports does not come along, as in nats-server.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ref.h"
#include "base/result.h"
#include "subject/transform.h"

namespace spanwire::bus {

class Interest;

class StreamImport : public base::RefCounted<StreamImport> {
 public:
  // `from`: the exporter's subjects. `to`: what they are called here, with `$n` for the wildcards
  // of `from`, or `*` for them in their order; if it is empty, the same. A prefix `p` is `p.FROM`.
  static base::Result<base::Ref<const StreamImport>> make(Interest& exporter, std::string_view from,
                                                          std::string_view to);

  // Of a transform that is reversible.
  StreamImport(Interest& exporter, subject::Transform transform);

  Interest& exporter() const { return exporter_; }
  const subject::Filter& local() const { return local_; }
  const subject::Transform& transform() const { return transform_; }

 private:
  Interest& exporter_;
  const subject::Transform transform_;
  const subject::Filter local_;
};

// How a shadow sees the exporter's messages. Any loop reads it.
class ShadowView : public base::RefCounted<ShadowView> {
 public:
  // None if nothing that the import brings can match `wanted`.
  static base::Ref<const ShadowView> make(base::Ref<const StreamImport> import,
                                          const subject::Filter& wanted);

  ShadowView(base::Ref<const StreamImport> import, subject::Filter filter,
             const subject::Filter& wanted, bool exact);

  Interest& exporter() const { return import_->exporter(); }
  // In the exporter's tree.
  const subject::Filter& filter() const { return filter_; }
  // Whether each message that the filter matches is wanted.
  bool is_exact() const { return exact_; }
  // Replaces `out` by the subject that the importer sees; false if it is not wanted.
  bool present(std::string_view subject, std::string& out) const;

 private:
  const base::Ref<const StreamImport> import_;
  const subject::Filter filter_;
  const subject::Filter wanted_;
  const bool exact_;
};

// Those of one account.
class StreamImports : public base::RefCounted<StreamImports> {
 public:
  explicit StreamImports(std::vector<base::Ref<const StreamImport>> list)
      : list_(std::move(list)) {}
  const std::vector<base::Ref<const StreamImport>>& list() const { return list_; }

 private:
  const std::vector<base::Ref<const StreamImport>> list_;
};

}  // namespace spanwire::bus
