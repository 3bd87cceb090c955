#include "addon/async_job.h"

#include <utility>
#include <vector>

#include "addon/errors.h"

namespace deberta::addon {

struct JobRunner::Pending {
  Pending(uint32_t id, Lane lane, std::unique_ptr<Job> job) : id(id), lane(lane), job(std::move(job)) {}

  const uint32_t id;
  const Lane lane;
  std::unique_ptr<Job> job;
  CancelToken cancel;
  std::exception_ptr error;
};

JobRunner::JobRunner(Napi::Env env) : executor_(Executor::shared()) {
  delivery_ = Delivery::New(env, "deberta", 0, 1, this);
  delivery_.Unref(env);  // an idle addon does not keep the process alive
}

Napi::Value JobRunner::start(Napi::Env env, Lane lane, std::unique_ptr<Job> job) {
  if (!executor_) throw Error(ErrorCode::kABORTED, "the environment is shutting down");
  auto pending = std::make_unique<Pending>(next_id_++, lane, std::move(job));
  count_unfinished(1);
  try {
    executor_->lane(lane).post(pending.get(), [this, raw = pending.get()] { run(raw); });
  } catch (...) {  // no thread could be started
    count_unfinished(-1);
    throw;
  }
  if (pending_.empty()) delivery_.Ref(env);
  const uint32_t id = pending->id;
  pending_.emplace(id, pending.release());
  return Napi::Number::New(env, id);
}

void JobRunner::count_unfinished(int change) {
  std::lock_guard lock(mutex_);
  unfinished_ += change;
}

void JobRunner::run(Pending* pending) {
  try {
    pending->cancel.check();
    pending->job->run(pending->cancel);
  } catch (...) {
    pending->error = std::current_exception();
  }
  // Posting and counting down are one critical section: shut_down() cannot end between them.
  std::lock_guard lock(mutex_);
  if (delivery_.NonBlockingCall(pending) != napi_ok) delete pending;
  if (--unfinished_ == 0) idle_.notify_all();
}

// Without an env (it ended with the call still queued) there is nobody to tell, and the runner may be gone.
void JobRunner::deliver(Napi::Env env, Napi::Function, JobRunner* runner, Pending* pending) {
  if (env == nullptr) {
    delete pending;
    return;
  }
  runner->settle(env, pending);
}

void JobRunner::settle(Napi::Env env, Pending* raw) {
  std::unique_ptr<Pending> pending(raw);
  pending_.erase(pending->id);
  if (pending_.empty()) delivery_.Unref(env);
  if (listener_.IsEmpty()) return;
  Napi::HandleScope scope(env);
  try {
    Napi::Value result = env.Undefined();
    if (!pending->error) {
      try {
        result = pending->job->result(env);
      } catch (...) {
        pending->error = std::current_exception();
      }
    }
    const Napi::Value error = pending->error ? error_value(env, pending->error) : env.Null();
    listener_.Call({Napi::Number::New(env, pending->id), error, result});
  } catch (const Napi::Error&) {
    // A worker_thread that is being terminated can run no JavaScript; nobody is left to be told.
  }
}

bool JobRunner::cancel(Napi::Env env, uint32_t id) {
  const auto entry = pending_.find(id);
  if (entry == pending_.end()) return false;
  Pending* pending = entry->second;
  pending->cancel.cancel();
  if (!executor_->lane(pending->lane).remove(pending)) return true;
  count_unfinished(-1);
  pending->error = std::make_exception_ptr(Error(ErrorCode::kABORTED, "the operation was aborted before it started"));
  settle(env, pending);
  return true;
}

void JobRunner::release_later(std::shared_ptr<void> object) {
  if (executor_) executor_->lane(Lane::kBackground).post(nullptr, [object = std::move(object)] {});
}

void JobRunner::shut_down() {
  std::vector<Pending*> taken_back;
  for (auto& [id, pending] : pending_) {
    pending->cancel.cancel();
    if (executor_->lane(pending->lane).remove(pending)) taken_back.push_back(pending);
  }
  {
    std::unique_lock lock(mutex_);
    unfinished_ -= taken_back.size();
    idle_.wait(lock, [this] { return unfinished_ == 0; });
  }
  for (Pending* pending : taken_back) delete pending;
  pending_.clear();
  executor_.reset();
}

}  // namespace deberta::addon
