// One live object per key: who asks while it lives shares it, who asks while it is being made waits. Holds nothing
// alive: an object goes with the last one who uses it.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "base/cancel.h"

namespace deberta {

template <class T>
class SharedByKey {
 public:
  /// The object of `key`, from make() -> std::shared_ptr<const T> where none lives. Throws ABORTED while it waits, and
  /// what `make` throws. Thread-safe.
  template <class Make>
  std::shared_ptr<const T> find_or_make(const std::string& key, const CancelToken& cancel, Make&& make) {
    const std::shared_ptr<Entry> entry = find_entry(key);
    std::unique_lock lock(entry->making, std::defer_lock);
    while (!lock.try_lock()) {  // somebody is making it: look at `cancel` meanwhile
      cancel.check();
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    if (std::shared_ptr<const T> object = entry->object.lock()) return object;
    std::shared_ptr<const T> object = make();
    entry->object = object;
    return object;
  }

 private:
  struct Entry {
    std::mutex making;
    std::weak_ptr<const T> object;  // under `making`
  };

  /// The entry of a key; entries that nobody uses or waits for are dropped on the way.
  std::shared_ptr<Entry> find_entry(const std::string& key) {
    const std::lock_guard lock(mutex_);
    std::erase_if(entries_, [](const auto& item) {
      const std::unique_lock idle(item.second->making, std::try_to_lock);
      return idle && item.second.use_count() == 1 && item.second->object.expired();
    });
    std::shared_ptr<Entry>& entry = entries_[key];
    if (!entry) entry = std::make_shared<Entry>();
    return entry;
  }

  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Entry>> entries_;
};

}  // namespace deberta
