// The safetensors format: u64 little-endian header length | JSON header | data, every byte of the data owned by one
// tensor. Source: the format section of the safetensors README; the checks are those of its Rust reader, and shape
// overflow.
#pragma once

#include <memory>
#include <vector>

#include "io/checkpoint_tensor.h"
#include "io/mapped_file.h"

namespace deberta {

/// The tensors of a file in the order of their data, as views into the mapping. Throws MODEL_FILE naming file and
/// tensor.
std::vector<CheckpointTensor> read_safetensors(const std::shared_ptr<const MappedFile>& file);

}  // namespace deberta
