// pytorch_model.bin: the state dict of a torch.save file as tensors. Containers and pickles are pickle_file's.
#pragma once

#include <memory>
#include <vector>

#include "io/checkpoint_tensor.h"
#include "io/mapped_file.h"

namespace deberta {

/// The tensors of a state dict, in its order; also of one under "state_dict", "model_state_dict", "model" or "module"
/// in the file. Contiguous tensors are views into the mapping, others (transposed, sliced) are copied into row-major
/// order; together the copies take at most the file's size and 16 MiB. Throws MODEL_FILE naming file and tensor.
std::vector<CheckpointTensor> read_torch_checkpoint(const std::shared_ptr<const MappedFile>& file);

}  // namespace deberta
