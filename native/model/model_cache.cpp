#include "model/model_cache.h"

#include "base/shared_by_key.h"
#include "io/folder_signature.h"

namespace deberta {

namespace {

/// What a load depends on.
std::string cache_key(const Backend& backend, const ContextOptions& options, const std::string& directory,
                      std::optional<Task> task) {
  std::string key = folder_signature(directory, {".json", ".safetensors", ".bin"});
  key.append("|").append(backend.name).append("|").append(backend.detail);
  key.append("|").append(std::to_string(static_cast<int>(options.compute_dtype)));
  key.append("|").append(std::to_string(options.device_index));
  return key.append("|").append(task ? task_name(*task) : "");
}

}  // namespace

std::shared_ptr<const PackedModel> find_or_load_packed_model(const Backend& backend, const ContextOptions& options,
                                                             const std::string& directory, std::optional<Task> task,
                                                             const CancelToken& cancel) {
  static auto& models = *new SharedByKey<PackedModel>();  // never destroyed: threads may outlive main
  return models.find_or_make(cache_key(backend, options, directory, task), cancel,
                             [&] { return load_packed_model(backend, options, directory, task, cancel); });
}

}  // namespace deberta
