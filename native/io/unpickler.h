// Reads the subset of Python's pickle format that torch.save writes, and executes nothing: a closed table of callables
// that build plain values; every other opcode and every other global is refused by name. Source: CPython's
// Lib/pickletools.py for the opcodes, torch/serialization.py and torch/_utils.py for the callables.
#pragma once

#include <cstddef>
#include <string_view>

#include "base/error.h"
#include "io/mapped_file.h"
#include "io/pickle_value.h"

namespace deberta {

struct UnpicklerOptions {
  ErrorCode code = ErrorCode::kMODEL_FILE;
  // Opcodes executed, counting elements copied: bounds time, and memory to about 100 bytes each. The vocabulary of
  // DeBERTa v1 takes under 1 million, a state dict some 20 a tensor.
  size_t max_steps = 4u << 20;
};

struct Unpickled {
  PickleValue value;
  size_t end = 0;  // offset behind the STOP opcode
};

/// Reads the pickle that lies in [begin, end) of the file. Values live in `heap`, strings in the file. Throws
/// options.code with file, offset, and the opcode or global that was refused.
Unpickled unpickle(const MappedFile& file, size_t begin, size_t end, PickleHeap& heap, const UnpicklerOptions& options);

}  // namespace deberta
