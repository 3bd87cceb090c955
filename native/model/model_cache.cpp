#include "model/model_cache.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

namespace deberta {

namespace {

namespace fs = std::filesystem;

std::string utf8(const fs::path& path) {
  const std::u8string text = path.u8string();
  return {text.begin(), text.end()};
}

/// What a load depends on. Files that cannot be looked at are left out: loading will say what is wrong with them.
std::string cache_key(const Backend& backend, const ContextOptions& options, const std::string& directory,
                      std::optional<Task> task) {
  std::error_code failed;
  const fs::path given(std::u8string(directory.begin(), directory.end()));
  fs::path path = fs::weakly_canonical(given, failed);
  if (failed) path = given;
  failed.clear();
  std::vector<std::string> files;
  for (fs::directory_iterator entry(path, failed), end; !failed && entry != end; entry.increment(failed)) {
    const std::string name = utf8(entry->path().filename());
    if (!name.ends_with(".json") && !name.ends_with(".safetensors") && !name.ends_with(".bin")) continue;
    std::error_code unknown;
    const auto size = entry->file_size(unknown);
    const auto time = entry->last_write_time(unknown).time_since_epoch().count();
    if (!unknown) files.push_back(name + ":" + std::to_string(size) + ":" + std::to_string(time));
  }
  std::sort(files.begin(), files.end());
  std::string key = utf8(path);
  for (const std::string& file : files) key.append("|").append(file);
  key.append("|").append(backend.name).append("|").append(backend.detail);
  key.append("|").append(std::to_string(static_cast<int>(options.compute_dtype)));
  key.append("|").append(std::to_string(options.device_index));
  return key.append("|").append(task ? task_name(*task) : "");
}

struct Entry {
  std::mutex loading;
  std::weak_ptr<const PackedModel> model;  // under `loading`
};

/// The entry of a key; entries that nobody uses or waits for are dropped on the way.
std::shared_ptr<Entry> find_entry(const std::string& key) {
  static std::mutex mutex;
  static auto& entries =
      *new std::map<std::string, std::shared_ptr<Entry>>();  // never destroyed: threads may outlive main
  const std::lock_guard lock(mutex);
  std::erase_if(entries, [](const auto& item) {
    const std::unique_lock idle(item.second->loading, std::try_to_lock);
    return idle && item.second.use_count() == 1 && item.second->model.expired();
  });
  std::shared_ptr<Entry>& entry = entries[key];
  if (!entry) entry = std::make_shared<Entry>();
  return entry;
}

}  // namespace

std::shared_ptr<const PackedModel> find_or_load_packed_model(const Backend& backend, const ContextOptions& options,
                                                             const std::string& directory, std::optional<Task> task,
                                                             const CancelToken& cancel) {
  const std::shared_ptr<Entry> entry = find_entry(cache_key(backend, options, directory, task));
  std::unique_lock lock(entry->loading, std::defer_lock);
  while (!lock.try_lock()) {  // somebody is loading: look at `cancel` meanwhile
    cancel.check();
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  if (std::shared_ptr<const PackedModel> model = entry->model.lock()) return model;
  std::shared_ptr<const PackedModel> model = load_packed_model(backend, options, directory, task, cancel);
  entry->model = model;
  return model;
}

}  // namespace deberta
