// Broken and hostile checkpoints: each must end in a typed error (or, where damage may be invisible, a whole read),
// never in a crash. Built to run under AddressSanitizer and UndefinedBehaviorSanitizer as well.
#include <cstdio>
#include <exception>
#include <optional>

#include "error_check.h"
#include "file_writers.h"
#include "io/checkpoint.h"
#include "malformed_cases.h"

using namespace deberta;
using namespace deberta::test;

namespace {

/// Touches every byte of every tensor, so that a view outside its file cannot go unnoticed.
void read_everything(const std::string& directory) {
  const Checkpoint checkpoint = Checkpoint::open(directory);
  unsigned sum = 0;
  for (const auto& [name, tensor] : checkpoint.tensors()) {
    REQUIRE(name == tensor.name);
    REQUIRE(tensor_bytes(tensor.shape, tensor.dtype) == tensor.bytes);
    const auto* bytes = static_cast<const unsigned char*>(tensor.data);
    for (size_t i = 0; i < tensor.bytes; ++i) sum += bytes[i];
  }
  REQUIRE(sum != 0);
}

void check_case(const MalformedCase& broken, const TemporaryDirectory& directory) {
  CAPTURE(broken.name);
  directory.clear();
  for (const auto& [name, bytes] : broken.files) directory.write(name, bytes);
  std::optional<Error> error;
  std::string other;
  try {
    read_everything(directory.path());
  } catch (const Error& caught) {
    error = caught;
  } catch (const std::exception& caught) {
    other = caught.what();
  }
  REQUIRE_MESSAGE(other.empty(), other);
  if (!error) {
    CHECK_MESSAGE(broken.may_read, "expected an error, the checkpoint was read");
    return;
  }
  CHECK_MESSAGE((error->code() == ErrorCode::kMODEL_FILE || error->code() == ErrorCode::kFILE_NOT_FOUND),
                error->what());
  CHECK_MENTIONS(*error, directory.path());
  CHECK_MENTIONS(*error, broken.expect);
}

size_t check_cases(const char* family, const std::vector<MalformedCase>& cases) {
  const TemporaryDirectory directory;
  for (const MalformedCase& broken : cases) check_case(broken, directory);
  std::printf("malformed checkpoints: %5zu %s\n", cases.size(), family);
  return cases.size();
}

}  // namespace

TEST_CASE("the files that the malformed cases start from are valid") {
  const TemporaryDirectory directory;
  directory.write("pytorch_model.bin", valid_torch_zip());
  CHECK(Checkpoint::open(directory.path()).tensors().size() == 2);
  directory.write("pytorch_model.bin", valid_torch_legacy());
  CHECK(to_float32(*Checkpoint::open(directory.path()).find("t")) == std::vector<float>{0, 3, 1, 4, 2, 5});
  directory.write("model.safetensors", valid_safetensors());
  CHECK(Checkpoint::open(directory.path()).tensors().size() == 3);
}

TEST_CASE("every malformed checkpoint ends in a typed error") {
  size_t count = 0;
  count += check_cases("truncated files", truncated_files());
  count += check_cases("flipped bytes", flipped_files());
  count += check_cases("hostile safetensors headers", hostile_safetensors());
  count += check_cases("hostile zip archives", hostile_archives());
  count += check_cases("hostile legacy files", hostile_legacy_files());
  count += check_cases("hostile pickles", hostile_pickles());
  count += check_cases("hostile tensors", hostile_tensors());
  count += check_cases("hostile shard indices", hostile_shard_indices());
  std::printf("malformed checkpoints: %5zu in all\n", count);
  CHECK(count >= 200);
}
