// The store in a folder: docs/formats/store.md has what lies where.
#pragma once

#include <functional>
#include <memory>

#include "base/result.h"
#include "store/committer.h"
#include "store/store.h"

namespace spanwire::store {

// Makes what commits, once the folder is locked and known to be a store: it has replayed what it
// must when this returns.
using MakeCommitter = std::function<base::Result<std::unique_ptr<Committer>>(Files& files)>;

// Store::open() with another committer: for tests and simulations.
base::Result<std::unique_ptr<Store>> open_file_store(std::unique_ptr<Files> files,
                                                     const Settings& settings, Workers& workers,
                                                     const MakeCommitter& make_committer);

}  // namespace spanwire::store
