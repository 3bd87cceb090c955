// Plain mutex-and-condition queues: a task here is milliseconds of work, so the queue's own cost does not matter.
#include "addon/executor.h"

#include <algorithm>
#include <string>
#include <system_error>
#include <utility>

#ifndef _WIN32
#include <signal.h>
#endif

#include "base/error.h"

namespace deberta::addon {

namespace {

/// Keeps signals on Node's own threads: a thread started while this lives inherits a full mask.
class SignalsBlocked {
 public:
#ifndef _WIN32
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
#endif
};

std::atomic<int> compute_load{0};

int background_threads() { return std::clamp(static_cast<int>(std::thread::hardware_concurrency()) / 2, 1, 4); }

}  // namespace

bool compute_lane_busy() { return compute_load.load(std::memory_order_relaxed) > 0; }

WorkQueue::~WorkQueue() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void WorkQueue::post(const void* key, std::function<void()> task) {
  std::lock_guard lock(mutex_);
  if (static_cast<int>(threads_.size()) < max_threads_) start_thread();
  entries_.push_back({key, std::move(task)});
  if (load_) load_->fetch_add(1, std::memory_order_relaxed);
  wake_.notify_one();
}

/// Under the mutex. One thread is enough to go on with; without any there is no way to run the task.
void WorkQueue::start_thread() {
  SignalsBlocked blocked;
  try {
    threads_.emplace_back([this] { serve(); });
  } catch (const std::system_error& error) {
    if (threads_.empty())
      throw Error(ErrorCode::kOUT_OF_MEMORY, std::string("a thread could not be started: ") + error.what());
  }
}

bool WorkQueue::remove(const void* key) {
  std::lock_guard lock(mutex_);
  const auto entry =
      std::find_if(entries_.begin(), entries_.end(), [key](const Entry& candidate) { return candidate.key == key; });
  if (entry == entries_.end()) return false;
  entries_.erase(entry);
  if (load_) load_->fetch_sub(1, std::memory_order_relaxed);
  return true;
}

void WorkQueue::serve() {
  for (;;) {
    std::function<void()> task;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || !entries_.empty(); });
      if (entries_.empty()) return;
      task = std::move(entries_.front().task);
      entries_.pop_front();
    }
    task();
    if (load_) load_->fetch_sub(1, std::memory_order_relaxed);
  }
}

Executor::Executor() : compute_(1, &compute_load), background_(background_threads()) {}

std::shared_ptr<Executor> Executor::shared() {
  static std::mutex mutex;
  static std::weak_ptr<Executor> current;
  std::lock_guard lock(mutex);
  std::shared_ptr<Executor> executor = current.lock();
  if (!executor) {
    executor = std::shared_ptr<Executor>(new Executor());
    current = executor;
  }
  return executor;
}

}  // namespace deberta::addon
