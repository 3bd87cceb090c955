// Launching, recording, and the small cache of graphs, most recently used first.
#include "backends/cuda/command_list.h"

#include <algorithm>
#include <cstring>

namespace deberta::cuda {

namespace {

// Sequences remembered; a graph of a base model is about 100 nodes and a few hundred KB on the device.
constexpr size_t kMaxGraphs = 128;

void mix(uint64_t& hash, uint64_t value) {
  hash = (hash ^ value) * 0x9E3779B97F4A7C15u;
  hash ^= hash >> 29;
}

bool same(dim3 a, dim3 b) { return a.x == b.x && a.y == b.y && a.z == b.z; }

}  // namespace

bool Command::operator==(const Command& other) const {
  return function == other.function && same(grid, other.grid) && same(block, other.block) &&
         shared_bytes == other.shared_bytes && first_argument == other.first_argument &&
         num_arguments == other.num_arguments;
}

void CommandSequence::clear() {
  commands.clear();
  argument_offsets.clear();
  argument_bytes.clear();
}

void* CommandSequence::add_argument(size_t bytes) {
  const size_t offset = argument_bytes.size();
  argument_offsets.push_back(static_cast<uint32_t>(offset));
  argument_bytes.resize(offset + (bytes + sizeof(Unit) - 1) / sizeof(Unit));
  return argument_bytes.data() + offset;
}

uint64_t CommandSequence::hash() const {
  uint64_t hash = commands.size();
  for (const Command& command : commands) {
    mix(hash, reinterpret_cast<uintptr_t>(command.function));
    mix(hash, command.grid.x | uint64_t{command.grid.y} << 32);
  }
  for (const Unit& unit : argument_bytes) {
    uint64_t words[8];
    std::memcpy(words, unit.bytes, sizeof words);
    for (uint64_t word : words) mix(hash, word);
  }
  return hash;
}

bool CommandSequence::operator==(const CommandSequence& other) const {
  return commands == other.commands && argument_offsets == other.argument_offsets &&
         argument_bytes.size() == other.argument_bytes.size() &&
         (argument_bytes.empty() ||
          std::memcmp(argument_bytes.data(), other.argument_bytes.data(), argument_bytes.size() * sizeof(Unit)) == 0);
}

CommandList::~CommandList() {
  while (!graphs_.empty()) forget_oldest();
}

LaunchFailure CommandList::set_recording(bool recording) {
  const LaunchFailure failure = flush();
  recording_ = recording;
  return failure;
}

LaunchFailure CommandList::submit(const Command& command) {
  pending_.commands.push_back(command);
  if (recording_) return {};
  const LaunchFailure failure = launch_all();
  pending_.clear();
  return failure;
}

LaunchFailure CommandList::flush() {
  if (pending_.commands.empty()) return {};
  LaunchFailure failure;
  Graph* graph = find_graph();
  if (!graph) {
    failure = launch_all();
    graphs_.push_front({pending_.hash(), pending_, nullptr});
    if (graphs_.size() > kMaxGraphs) forget_oldest();
  } else if (graph->exec || instantiate(*graph) == cudaSuccess) {
    const cudaError_t error = cudaGraphLaunch(graph->exec, stream_);
    if (error != cudaSuccess) failure = {error, "graph of a whole request"};
  } else {
    cudaGetLastError();
    failure = launch_all();
  }
  pending_.clear();
  return failure;
}

CommandList::Graph* CommandList::find_graph() {
  const uint64_t hash = pending_.hash();
  const auto found = std::find_if(graphs_.begin(), graphs_.end(),
                                  [&](const Graph& graph) { return graph.hash == hash && graph.sequence == pending_; });
  if (found == graphs_.end()) return nullptr;
  graphs_.splice(graphs_.begin(), graphs_, found);
  return &graphs_.front();
}

void CommandList::forget_oldest() {
  if (graphs_.back().exec) cudaGraphExecDestroy(graphs_.back().exec);
  graphs_.pop_back();
}

cudaError_t CommandList::instantiate(Graph& graph) {
  cudaError_t error = cudaStreamBeginCapture(stream_, cudaStreamCaptureModeThreadLocal);
  if (error != cudaSuccess) return error;
  const LaunchFailure failure = launch_all();
  cudaGraph_t captured = nullptr;
  error = cudaStreamEndCapture(stream_, &captured);
  if (failure.error != cudaSuccess) error = failure.error;
  if (error == cudaSuccess) error = cudaGraphInstantiate(&graph.exec, captured, 0);
  if (captured) cudaGraphDestroy(captured);
  return error;
}

LaunchFailure CommandList::launch_all() {
  constexpr uint32_t kMaxArguments = 16;
  void* arguments[kMaxArguments];
  for (const Command& command : pending_.commands) {
    for (uint32_t i = 0; i < command.num_arguments; ++i) {
      arguments[i] = pending_.argument_bytes.data() + pending_.argument_offsets[command.first_argument + i];
    }
    const cudaError_t error =
        cudaLaunchKernel(command.function, command.grid, command.block, arguments, command.shared_bytes, stream_);
    if (error != cudaSuccess) return {error, command.op};
  }
  return {};
}

}  // namespace deberta::cuda
