// Kernel launches, at once or recorded. A short request is bound by the cost of its ~100 launches, not by their work:
// its ops only append here, and what runs at the next wait is one CUDA graph if the same launches were seen before. The
// key is the whole list (kernels, grids, argument bytes), so that a graph is replayed exactly where it is right. Equal
// requests record equal lists because the memory pool hands out the same addresses again.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>
#include <list>
#include <vector>

namespace deberta::cuda {

struct Command {
  const void* function;
  const char* op;
  dim3 grid, block;
  uint32_t shared_bytes;
  uint32_t first_argument, num_arguments;  // in the list's argument table

  bool operator==(const Command& other) const;
};

/// Launches in order, with copies of their arguments.
struct CommandSequence {
  struct alignas(64) Unit {  // tensor maps, which are arguments, want 64-byte alignment
    unsigned char bytes[64];
  };
  std::vector<Command> commands;
  std::vector<uint32_t> argument_offsets;  // in units
  std::vector<Unit> argument_bytes;        // zero where no argument is

  void clear();
  /// Room for one more argument of the command that is being built.
  void* add_argument(size_t bytes);
  uint64_t hash() const;
  bool operator==(const CommandSequence& other) const;
};

/// What failed and in which op; `error` is cudaSuccess while nothing has.
struct LaunchFailure {
  cudaError_t error = cudaSuccess;
  const char* op = nullptr;
};

class CommandList {
 public:
  explicit CommandList(cudaStream_t stream) : stream_(stream) {}
  ~CommandList();
  CommandList(const CommandList&) = delete;
  CommandList& operator=(const CommandList&) = delete;

  /// Whether launches wait for flush(). Flushes first.
  LaunchFailure set_recording(bool recording);

  /// The sequence to which the next launch's arguments are added, before submit().
  CommandSequence& pending() { return pending_; }
  LaunchFailure submit(const Command& command);
  /// Runs what was recorded.
  LaunchFailure flush();

 private:
  struct Graph {
    uint64_t hash;
    CommandSequence sequence;
    cudaGraphExec_t exec;  // null until the sequence comes a second time
  };
  Graph* find_graph();
  void forget_oldest();
  cudaError_t instantiate(Graph& graph);
  LaunchFailure launch_all();

  cudaStream_t stream_;
  bool recording_ = false;
  CommandSequence pending_;
  std::list<Graph> graphs_;  // most recently used first
};

}  // namespace deberta::cuda
