// Chooses the file, follows an index to its shards, and holds index and shards against each other.
#include "io/checkpoint.h"

#include <set>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "io/json_reader.h"
#include "io/safetensors.h"
#include "io/torch_checkpoint.h"
#include "io/utf8.h"

namespace deberta {
namespace {

constexpr const char* kCandidates[] = {"model.safetensors", "model.safetensors.index.json", "pytorch_model.bin",
                                       "pytorch_model.bin.index.json"};

std::vector<CheckpointTensor> read_weights(const std::shared_ptr<const MappedFile>& file) {
  return file->path().ends_with(".safetensors") ? read_safetensors(file) : read_torch_checkpoint(file);
}

/// An index names files beside it and nothing else.
bool is_plain_file_name(std::string_view name) {
  return name.find_first_of(std::string_view("/\\:\0", 4)) == name.npos &&
         (name.ends_with(".safetensors") || name.ends_with(".bin"));
}

std::string quoted(std::string_view text) { return '"' + printable(text) + '"'; }

}  // namespace

Checkpoint Checkpoint::open(const std::string& directory) {
  Checkpoint checkpoint;
  for (const char* name : kCandidates) {
    checkpoint.file_ = join_path(directory, name);
    if (!file_exists(checkpoint.file_)) continue;
    if (checkpoint.file_.ends_with(".json")) {
      checkpoint.add_shards(directory);
    } else {
      checkpoint.add_file(checkpoint.file_);
    }
    return checkpoint;
  }
  throw Error(ErrorCode::kFILE_NOT_FOUND, directory +
                                              ": expected weights in model.safetensors, model.safetensors.index.json, "
                                              "pytorch_model.bin or pytorch_model.bin.index.json, found none of them");
}

void Checkpoint::add_file(const std::string& path) {
  files_.push_back(MappedFile::open(path));
  for (CheckpointTensor& tensor : read_weights(files_.back())) {
    const auto [place, fresh] = tensors_.try_emplace(tensor.name);
    if (!fresh) {
      throw Error(ErrorCode::kMODEL_FILE,
                  tensor.file + ": tensor " + quoted(tensor.name) + " is in " + place->second.file + " as well");
    }
    place->second = std::move(tensor);
  }
}

void Checkpoint::add_shards(const std::string& directory) {
  const JsonDocument index = read_json_file(file_);
  const JsonObject& weight_map = index.object_at(index.root_object(), "weight_map");
  std::set<std::string> shards;
  for (const JsonMember& entry : weight_map.members()) {
    const std::string& shard = index.expect_string(entry.value, "weight_map: " + printable(entry.key));
    if (!is_plain_file_name(shard)) {
      index.fail("weight_map: " + printable(entry.key),
                 "expected the name of a .safetensors or .bin file in the same folder, found " + quoted(shard));
    }
    shards.insert(shard);
  }
  if (shards.empty()) index.fail("weight_map", "expected at least one tensor, found none");
  for (const std::string& shard : shards) add_file(join_path(directory, shard));
  for (const JsonMember& entry : weight_map.members()) {
    const std::string path = join_path(directory, *entry.value.as_string());
    const CheckpointTensor* tensor = find(entry.key);
    if (tensor == nullptr || tensor->file != path) {
      index.fail("weight_map", "tensor " + quoted(entry.key) + " is not in " + path);
    }
  }
}

void Checkpoint::release_pages() const {
  for (const auto& file : files_) file->release_pages();
}

const CheckpointTensor* Checkpoint::find(std::string_view name) const {
  const auto place = tensors_.find(name);
  return place == tensors_.end() ? nullptr : &place->second;
}

}  // namespace deberta
