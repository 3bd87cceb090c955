// What the tests of model/ share: fixture folders, backends, requests, and checkpoints written on the fly.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "io/checkpoint.h"
#include "model/model.h"

namespace deberta::test {

/// Names of the fixture models, sorted.
std::vector<std::string> fixture_names();

/// Folder of a fixture model, or of a bundled one.
std::string fixture_directory(const std::string& name);
std::string bundled_directory(const std::string& name);

/// "reference" and "cpu" (with the instruction set of DEBERTA_CPU_ISA).
const std::vector<std::string>& backend_names();

/// Loads on a backend by name; the rest by default. `threads` 2, so that work is split.
std::shared_ptr<Model> load(const std::string& directory, const std::string& backend, int32_t mask_token_id = -1,
                            const std::string& task = "", int64_t max_batch_tokens = 16384);

/// Sequences of these lengths, with ids (and types where the model has them) that depend on the position only.
std::vector<SequenceInput> make_sequences(const std::vector<int>& lengths, int32_t vocab_size,
                                          int32_t type_vocab_size = 0);

/// A copy of a checkpoint that can be changed and written to a folder of its own, which goes with it.
class EditableCheckpoint {
 public:
  struct Tensor {
    FileDType dtype = FileDType::kFloat32;
    std::vector<int64_t> shape;
    std::string bytes;
  };

  explicit EditableCheckpoint(const std::string& directory);
  ~EditableCheckpoint();
  EditableCheckpoint(const EditableCheckpoint&) = delete;
  EditableCheckpoint& operator=(const EditableCheckpoint&) = delete;

  std::map<std::string, Tensor> tensors;
  std::string config;

  /// Replaces text of config.json; it must be there.
  void edit_config(const std::string& from, const std::string& to);
  void rename(const std::string& from, const std::string& to);

  /// Every name that starts with `from` starts with `to` instead.
  void rename_prefix(const std::string& from, const std::string& to);

  /// float32, with values from a fixed sequence in [-scale, scale] around `center`.
  void add(const std::string& name, const std::vector<int64_t>& shape, float scale = 0.1f, float center = 0.0f);

  /// float32 values of a tensor.
  std::vector<float> values(const std::string& name) const;

  /// Writes config.json and model.safetensors; gives the folder.
  const std::string& write();

 private:
  std::string directory_;
};

}  // namespace deberta::test
