// One copy of a checkpoint's packed weights per process, however many instances there are. Holds nothing alive: the
// last instance that goes takes the weights with it.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/cancel.h"
#include "model/packed_model.h"

namespace deberta {

/// The packed model of `directory`: the one that lives if its files are unchanged (path, sizes, times) and backend,
/// instruction set, dtype, device and task are the same, else a new one. A second caller for the same one waits for the
/// first. Throws what load_packed_model throws. Thread-safe.
std::shared_ptr<const PackedModel> find_or_load_packed_model(const Backend& backend, const ContextOptions& options,
                                                             const std::string& directory, std::optional<Task> task,
                                                             const CancelToken& cancel);

}  // namespace deberta
