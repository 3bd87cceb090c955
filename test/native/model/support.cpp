#include "model/support.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "backends/registry.h"
#include "doctest.h"
#include "io/mapped_file.h"

namespace deberta::test {

namespace fs = std::filesystem;

std::vector<std::string> fixture_names() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(DEBERTA_TEST_FIXTURES "/models")) {
    if (fs::exists(entry.path() / "config.json")) names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string fixture_directory(const std::string& name) { return DEBERTA_TEST_FIXTURES "/models/" + name; }

std::string bundled_directory(const std::string& name) { return DEBERTA_TEST_MODELS "/" + name; }

const std::vector<std::string>& backend_names() {
  static const std::vector<std::string> names = {"reference", "cpu"};
  return names;
}

std::shared_ptr<Model> load(const std::string& directory, const std::string& backend, int32_t mask_token_id,
                            const std::string& task, int64_t max_batch_tokens) {
  ModelOptions options;
  options.directory = directory;
  options.context.threads = 2;
  options.task = task;
  options.max_batch_tokens = max_batch_tokens;
  return Model::load(find_backend(backend), options, mask_token_id, CancelToken());
}

std::vector<SequenceInput> make_sequences(const std::vector<int>& lengths, int32_t vocab_size,
                                          int32_t type_vocab_size) {
  std::vector<SequenceInput> sequences;
  uint32_t state = 12345;
  for (const int length : lengths) {
    SequenceInput sequence;
    for (int i = 0; i < length; ++i) {
      state = state * 1664525u + 1013904223u;
      sequence.input_ids.push_back(static_cast<int32_t>((state >> 8) % static_cast<uint32_t>(vocab_size)));
      if (type_vocab_size > 0) sequence.token_type_ids.push_back(i % type_vocab_size);
    }
    sequences.push_back(std::move(sequence));
  }
  return sequences;
}

EditableCheckpoint::EditableCheckpoint(const std::string& directory) {
  const Checkpoint checkpoint = Checkpoint::open(directory);
  for (const auto& [name, tensor] : checkpoint.tensors()) {
    tensors[name] = {tensor.dtype, tensor.shape, std::string(static_cast<const char*>(tensor.data), tensor.bytes)};
  }
  config = MappedFile::open(join_path(directory, "config.json"))->text();
  static std::atomic<int> counter{0};
  const auto now = std::chrono::steady_clock::now().time_since_epoch().count();
  directory_ =
      (fs::temp_directory_path() / ("deberta-test-model-" + std::to_string(now) + "-" + std::to_string(counter++)))
          .string();
  fs::create_directories(directory_);
}

EditableCheckpoint::~EditableCheckpoint() {
  std::error_code ignored;
  fs::remove_all(directory_, ignored);
}

void EditableCheckpoint::edit_config(const std::string& from, const std::string& to) {
  const size_t found = config.find(from);
  REQUIRE_MESSAGE(found != std::string::npos, from);
  config.replace(found, from.size(), to);
}

void EditableCheckpoint::rename(const std::string& from, const std::string& to) {
  auto node = tensors.extract(from);
  REQUIRE_MESSAGE(!node.empty(), from);
  node.key() = to;
  tensors.insert(std::move(node));
}

void EditableCheckpoint::rename_prefix(const std::string& from, const std::string& to) {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : tensors) {
    if (name.starts_with(from)) names.push_back(name);
  }
  REQUIRE(!names.empty());
  for (const std::string& name : names) rename(name, to + name.substr(from.size()));
}

void EditableCheckpoint::add(const std::string& name, const std::vector<int64_t>& shape, float scale, float center) {
  Tensor tensor{FileDType::kFloat32, shape, {}};
  int64_t size = 1;
  for (const int64_t dim : shape) size *= dim;
  uint32_t state = static_cast<uint32_t>(name.size()) * 7919u + 1u;
  for (int64_t i = 0; i < size; ++i) {
    state = state * 1664525u + 1013904223u;
    const float value = center + scale * (static_cast<float>(state >> 8) / 8388608.0f - 1.0f);
    tensor.bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  tensors[name] = std::move(tensor);
}

std::vector<float> EditableCheckpoint::values(const std::string& name) const {
  const Tensor& tensor = tensors.at(name);
  CheckpointTensor view;
  view.name = name;
  view.dtype = tensor.dtype;
  view.shape = tensor.shape;
  view.data = tensor.bytes.data();
  view.bytes = tensor.bytes.size();
  return to_float32(view);
}

const std::string& EditableCheckpoint::write() {
  std::ofstream(directory_ + "/config.json", std::ios::binary) << config;
  std::string header = "{";
  size_t offset = 0;
  for (const auto& [name, tensor] : tensors) {
    header += (header.size() > 1 ? ",\"" : "\"") + name + "\":{\"dtype\":\"" + file_dtype_name(tensor.dtype) +
              "\",\"shape\":" + shape_string(tensor.shape) + ",\"data_offsets\":[" + std::to_string(offset) + "," +
              std::to_string(offset + tensor.bytes.size()) + "]}";
    offset += tensor.bytes.size();
  }
  header += "}";
  const uint64_t size = header.size();
  std::ofstream file(directory_ + "/model.safetensors", std::ios::binary);
  file.write(reinterpret_cast<const char*>(&size), sizeof size);
  file << header;
  for (const auto& [name, tensor] : tensors)
    file.write(tensor.bytes.data(), static_cast<std::streamsize>(tensor.bytes.size()));
  REQUIRE(file.good());
  return directory_;
}

}  // namespace deberta::test
