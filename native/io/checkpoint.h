// The weights of a folder as the Hugging Face hub ships it, whatever the file format and however many files.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "io/checkpoint_tensor.h"
#include "io/mapped_file.h"

namespace deberta {

class Checkpoint {
 public:
  /// Opens the first of model.safetensors, model.safetensors.index.json, pytorch_model.bin,
  /// pytorch_model.bin.index.json that is in `directory`. Throws FILE_NOT_FOUND when there is none or a shard is
  /// missing, MODEL_FILE otherwise.
  static Checkpoint open(const std::string& directory);

  /// By name, in sorted order. Each tensor keeps its own file mapped.
  const std::map<std::string, CheckpointTensor, std::less<>>& tensors() const { return tensors_; }

  /// The tensor of that name, or nullptr.
  const CheckpointTensor* find(std::string_view name) const;

  /// Takes the pages of the files that were read so far out of resident memory: what was copied out of them is read no
  /// more, and what is still read comes back from the page cache.
  void release_pages() const;

  /// The file that was opened: the weights, or the index of the shards.
  const std::string& file() const { return file_; }

 private:
  void add_file(const std::string& path);
  void add_shards(const std::string& directory);

  std::map<std::string, CheckpointTensor, std::less<>> tensors_;
  std::vector<std::shared_ptr<const MappedFile>> files_;
  std::string file_;
};

}  // namespace deberta
