// The CPU backend: the op table of ops/ops.h with kernels for the best instruction set of this machine.
#pragma once

#include <string>
#include <vector>

#include "ops/ops.h"

namespace deberta {

/// The backend for the instruction set of DEBERTA_CPU_ISA, or the best that this CPU can run.
/// Throws INVALID_ARGUMENT for an unknown name, BACKEND_UNAVAILABLE for one that this CPU cannot run.
const Backend& cpu_backend();

/// The same for an instruction set by name: "scalar", "avx2", "avx512", ...; "" is the best.
const Backend& cpu_backend(const std::string& isa);

/// The instruction sets that this CPU can run, best first.
std::vector<std::string> cpu_instruction_sets();

/// What the contexts of `backend` can compute in, e.g. {"float32", "bfloat16"}.
std::vector<std::string> cpu_compute_dtypes(const Backend& backend);

}  // namespace deberta
