// Threads beside the committer's, for syncs that need not wait for one another.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "base/done.h"

namespace spanwire::store {

class Helpers {
 public:
  // Tasks that were started together. Destroying one waits for them.
  class Batch {
   public:
    virtual ~Batch() = default;
    // After true, all that the tasks did is seen here.
    virtual bool done() const = 0;
    virtual void wait() = 0;
  };

  virtual ~Helpers() = default;
  // The tasks run in any order, beside one another and beside the caller. They start nothing here.
  virtual std::unique_ptr<Batch> start(std::vector<base::Task> tasks) = 0;
  // The same, before all that has not begun.
  virtual std::unique_ptr<Batch> start_first(std::vector<base::Task> tasks) = 0;
};

// `threads` of them, made with the first task. Batches are destroyed before it.
std::unique_ptr<Helpers> make_helpers(std::size_t threads);

}  // namespace spanwire::store
