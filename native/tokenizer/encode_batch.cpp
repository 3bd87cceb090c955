// Texts are grouped into tasks of about equal length, longest first; the pool's threads take them one at a time.
// Regions of the pool are kept short, so that other work of the process gets its turn between them.
#include "tokenizer/encode_batch.h"

#include <algorithm>
#include <memory>
#include <mutex>
#include <new>
#include <numeric>
#include <string>

#include "base/error.h"
#include "base/thread_pool.h"

namespace deberta {
namespace {

constexpr size_t kTaskUnits = 16u << 10;   // UTF-16 units of a task: about a millisecond
constexpr size_t kRegionUnits = 4u << 20;  // of all tasks of one region: some 100 ms on one thread

struct Task {
  size_t begin, end;  // of the order in which inputs are taken
  size_t units;
};

size_t units_of(const TextInput& input) { return input.text.size() + (input.text_pair ? input.text_pair->size() : 0); }

// Tasks of at least kTaskUnits each but the last.
std::vector<Task> make_tasks(const std::vector<TextInput>& inputs, const std::vector<size_t>& order) {
  std::vector<Task> tasks;
  size_t begin = 0, units = 0;
  for (size_t i = 0; i < order.size(); ++i) {
    units += units_of(inputs[order[i]]);
    if (units < kTaskUnits && i + 1 < order.size()) continue;
    tasks.push_back({begin, i + 1, units});
    begin = i + 1;
    units = 0;
  }
  return tasks;
}

/// The error of the first input that failed, whichever thread met it first.
class FirstError {
 public:
  void keep(size_t input, const Error& error) {
    const std::lock_guard lock(mutex_);
    if (error_ && input_ <= input) return;
    input_ = input;
    error_ = std::make_unique<Error>(error.code(), error.code() == ErrorCode::kABORTED
                                                       ? std::string(error.what())
                                                       : "text " + std::to_string(input) + ": " + error.what());
  }

  /// Whether an input before this one has failed, so that its result does not matter.
  bool precedes(size_t input) {
    const std::lock_guard lock(mutex_);
    return error_ != nullptr && input_ < input;
  }

  void rethrow() const {
    if (error_) throw *error_;
  }

 private:
  std::mutex mutex_;
  size_t input_ = 0;
  std::unique_ptr<Error> error_;
};

}  // namespace

std::vector<std::vector<Encoding>> encode_batch(const Tokenizer& tokenizer, const std::vector<TextInput>& inputs,
                                                const EncodeOptions& options, const CancelToken& cancel, int threads) {
  std::vector<std::vector<Encoding>> results(inputs.size());
  FirstError error;
  const auto encode_one = [&](size_t i) {
    if (error.precedes(i)) return;
    try {
      cancel.check();
      const TextInput& input = inputs[i];
      results[i] = tokenizer.encode(input.text, input.text_pair ? &*input.text_pair : nullptr, options);
    } catch (const Error& failure) {
      error.keep(i, failure);
    } catch (const std::bad_alloc&) {
      error.keep(i, Error(ErrorCode::kOUT_OF_MEMORY, "not enough memory to encode the text"));
    }
  };
  std::vector<size_t> order(inputs.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return units_of(inputs[a]) > units_of(inputs[b]); });
  const std::vector<Task> tasks = make_tasks(inputs, order);
  const auto run_task = [&](const Task& task) {
    for (size_t i = task.begin; i < task.end; ++i) encode_one(order[i]);
  };

  if (tasks.size() <= 1 || threads == 1) {
    for (const Task& task : tasks) run_task(task);
  } else {
    const auto pool = ThreadPool::shared();
    for (size_t begin = 0; begin < tasks.size();) {
      size_t end = begin, units = 0;
      while (end < tasks.size() && units < kRegionUnits) units += tasks[end++].units;
      pool->parallel_for(static_cast<int64_t>(end - begin), threads,
                         [&](int64_t task, int) { run_task(tasks[begin + static_cast<size_t>(task)]); });
      begin = end;
    }
  }
  error.rethrow();
  return results;
}

}  // namespace deberta
