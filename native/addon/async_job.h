// A call of JavaScript that runs elsewhere: an id, a cancel token, and the way back to the thread of its env, where one
// listener hears of every job's end. Promises live in JavaScript (lib/binding.ts): a native deferred that is abandoned
// when a worker_thread is terminated would leak.
//
// Every env owns one JobRunner. When the env ends (process exit, worker_thread terminated) it cancels its own jobs,
// takes back those that wait, and waits for the one that runs: at most one layer of a forward.
#pragma once

#include <napi.h>

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "addon/executor.h"
#include "base/cancel.h"

namespace deberta::addon {

/// Inputs, work and result of one call. Holds no JavaScript value: what it needs is copied in before it starts.
class Job {
 public:
  virtual ~Job() = default;

  /// On a worker thread; may throw.
  virtual void run(const CancelToken& cancel) = 0;

  /// On the env's thread, after run() returned.
  virtual Napi::Value result(Napi::Env env) = 0;
};

class JobRunner {
 public:
  explicit JobRunner(Napi::Env env);

  /// The function (id, error | null, result) that is called when a job has ended; errors carry `code`.
  void listen(const Napi::Function& listener) { listener_ = Napi::Persistent(listener); }

  /// Queues the job and returns its id. The listener is called later, never from within.
  Napi::Value start(Napi::Env env, Lane lane, std::unique_ptr<Job> job);

  /// Asks a job to stop: at once while it waits, else at its next look at the token. False: no such job is pending.
  bool cancel(Napi::Env env, uint32_t id);

  /// Runs on a background thread, or right here once the env ends: for freeing what takes long to free.
  void release_later(std::shared_ptr<void> object);

  /// The env's cleanup hook.
  void shut_down();

 private:
  struct Pending;
  static void deliver(Napi::Env env, Napi::Function, JobRunner* runner, Pending* pending);
  using Delivery = Napi::TypedThreadSafeFunction<JobRunner, Pending, deliver>;

  void run(Pending* pending);
  void settle(Napi::Env env, Pending* pending);
  void count_unfinished(int change);

  std::shared_ptr<Executor> executor_;
  Delivery delivery_;
  Napi::FunctionReference listener_;
  std::unordered_map<uint32_t, Pending*> pending_;  // only the env's thread touches it
  uint32_t next_id_ = 1;

  std::mutex mutex_;
  std::condition_variable idle_;
  int64_t unfinished_ = 0;  // posted, and neither run nor taken back
};

}  // namespace deberta::addon
