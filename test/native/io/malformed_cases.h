// Generators of broken and hostile checkpoints, deterministic. malformed_test.cpp opens each and demands a typed error.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace deberta::test {

struct MalformedCase {
  std::string name;                                        // what is wrong
  std::vector<std::pair<std::string, std::string>> files;  // of the checkpoint folder: name, bytes
  std::string expect;                                      // what the error must say; empty: any error
  bool may_read = false;  // a valid read is right as well, as after a flipped bit in a weight or in a name
};

/// Valid files that the cases start from.
std::string valid_torch_zip();
std::string valid_torch_legacy();

std::vector<MalformedCase> truncated_files();        // cut at every structural boundary
std::vector<MalformedCase> flipped_files();          // headers densely, data sparsely
std::vector<MalformedCase> hostile_safetensors();    // headers that lie (malformed_safetensors.cpp)
std::vector<MalformedCase> hostile_archives();       // zip records that lie (malformed_archives.cpp)
std::vector<MalformedCase> hostile_legacy_files();   // the older container of torch.save (malformed_archives.cpp)
std::vector<MalformedCase> hostile_pickles();        // opcodes, globals, memo, nesting (malformed_pickles.cpp)
std::vector<MalformedCase> hostile_tensors();        // views and storages that lie (malformed_pickles.cpp)
std::vector<MalformedCase> hostile_shard_indices();  // indices that lie (malformed_safetensors.cpp)

}  // namespace deberta::test
