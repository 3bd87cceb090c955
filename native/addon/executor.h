// The process's worker threads for calls from JavaScript, shared by every env (main thread and worker_threads).
//
// Two lanes, so that a long forward never delays a tokenizer: kCompute has one thread, which runs forwards in the order
// they came (each uses the whole ThreadPool inside); kBackground has a few, for loading, tokenizing and freeing memory.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace deberta::addon {

enum class Lane { kCompute, kBackground };

/// Whether a forward runs or waits in this process: then a background task leaves the ThreadPool alone.
bool compute_lane_busy();

/// A queue of tasks and the threads that serve it, oldest first. Threads start with the first task.
class WorkQueue {
 public:
  /// `load`, when given, counts the tasks that wait or run.
  explicit WorkQueue(int threads, std::atomic<int>* load = nullptr) : max_threads_(threads), load_(load) {}
  ~WorkQueue();  // runs what is queued, then joins

  /// `key` names the task for remove(); tasks must not throw. Throws OUT_OF_MEMORY when no thread can be started.
  void post(const void* key, std::function<void()> task);

  /// Takes a task back. True: it had not started and never will.
  bool remove(const void* key);

 private:
  struct Entry {
    const void* key;
    std::function<void()> task;
  };
  void start_thread();
  void serve();

  const int max_threads_;
  std::atomic<int>* const load_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Entry> entries_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

class Executor {
 public:
  /// The one executor of the process; it ends when the last env lets go of it.
  static std::shared_ptr<Executor> shared();

  WorkQueue& lane(Lane lane) { return lane == Lane::kCompute ? compute_ : background_; }

 private:
  Executor();

  WorkQueue compute_;
  WorkQueue background_;
};

}  // namespace deberta::addon
