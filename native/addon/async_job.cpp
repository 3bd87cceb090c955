#include "addon/async_job.h"

#include <utility>
#include <vector>

#include "addon/errors.h"

namespace deberta::addon {

struct JobRunner::Pending {
  Pending(Napi::Env env, uint32_t id, Lane lane, std::unique_ptr<Job> job)
      : id(id), lane(lane), job(std::move(job)), deferred(Napi::Promise::Deferred::New(env)) {}

  const uint32_t id;
  const Lane lane;
  std::unique_ptr<Job> job;
  Napi::Promise::Deferred deferred;
  CancelToken cancel;
  std::exception_ptr error;
};

JobRunner::JobRunner(Napi::Env env) : executor_(Executor::shared()) {
  delivery_ = Delivery::New(env, "deberta", 0, 1, this);
  delivery_.Unref(env);  // an idle addon does not keep the process alive
}

Napi::Object JobRunner::start(Napi::Env env, Lane lane, std::unique_ptr<Job> job) {
  if (!executor_) throw Error(ErrorCode::kABORTED, "the environment is shutting down");
  auto pending = std::make_unique<Pending>(env, next_id_++, lane, std::move(job));
  Napi::Object handle = Napi::Object::New(env);
  handle.Set("id", Napi::Number::New(env, pending->id));
  handle.Set("promise", pending->deferred.Promise());

  if (pending_.empty()) delivery_.Ref(env);
  Pending* raw = pending.release();
  pending_.emplace(raw->id, raw);
  {
    std::lock_guard lock(mutex_);
    ++unfinished_;
  }
  executor_->lane(lane).post(raw, [this, raw] { run(raw); });
  return handle;
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
  Napi::HandleScope scope(env);
  try {
    if (!pending->error) {
      try {
        pending->deferred.Resolve(pending->job->result(env));
        return;
      } catch (...) {
        pending->error = std::current_exception();
      }
    }
    pending->deferred.Reject(error_value(env, pending->error));
  } catch (const Napi::Error&) {
    // A worker_thread that is being terminated can run no JavaScript; its promise dies with it.
  }
}

bool JobRunner::cancel(Napi::Env env, uint32_t id) {
  const auto entry = pending_.find(id);
  if (entry == pending_.end()) return false;
  Pending* pending = entry->second;
  pending->cancel.cancel();
  if (!executor_->lane(pending->lane).remove(pending)) return true;
  {
    std::lock_guard lock(mutex_);
    --unfinished_;
  }
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
