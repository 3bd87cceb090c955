#include "io/safetensors.h"

#include <cmath>

#include "error_check.h"
#include "file_writers.h"

using namespace deberta;
using namespace deberta::test;

TEST_CASE("tensors are views into the mapping, in the order of their data") {
  const TemporaryDirectory directory;
  const auto file = MappedFile::open(directory.write("m.safetensors", valid_safetensors()));
  const std::vector<CheckpointTensor> tensors = read_safetensors(file);
  REQUIRE(tensors.size() == 3);
  CHECK(tensors[0].name == "a");
  CHECK(tensors[0].shape == std::vector<int64_t>{2, 3});
  CHECK(to_float32(tensors[0]) == std::vector<float>{0, 1, 2, 3, 4, 5});
  CHECK(to_float32(tensors[1]) == std::vector<float>{1, -2, 0x1p-24f, INFINITY});
  CHECK(tensors[2].dtype == FileDType::kInt64);
  CHECK(tensors[2].shape.empty());
  for (const CheckpointTensor& tensor : tensors) {
    CHECK(tensor.data >= file->data());
    CHECK(tensor.file == file->path());
  }
  CHECK(static_cast<const uint8_t*>(tensors[2].data) + 8 == file->data() + file->size());
}

TEST_CASE("tensors keep the mapping alive") {
  const TemporaryDirectory directory;
  const auto tensors = read_safetensors(MappedFile::open(directory.write("m.safetensors", valid_safetensors())));
  CHECK(to_float32(tensors[0])[5] == 5.0f);
}

TEST_CASE("padding after the header, empty tensors and files without tensors are fine") {
  const TemporaryDirectory directory;
  const auto read = [&](const std::string& header, const std::string& data) {
    return read_safetensors(MappedFile::open(directory.write("m.safetensors", safetensors_file(header, data))));
  };
  CHECK(read("{}   ", "").empty());
  const auto tensors = read(R"({"e":{"dtype":"F32","shape":[0,3],"data_offsets":[4,4]},)"
                            R"("x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}   )",
                            raw(2.0f));
  REQUIRE(tensors.size() == 2);
  CHECK(tensors[0].name == "x");
  CHECK(tensors[1].bytes == 0);
}

TEST_CASE("errors name the file and the tensor") {
  const TemporaryDirectory directory;
  const Error error = error_of([&] {
    const std::string bytes = safetensors_file(R"({"enc.w":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", "1234");
    read_safetensors(MappedFile::open(directory.write("m.safetensors", bytes)));
  });
  CHECK(error.code() == ErrorCode::kMODEL_FILE);
  CHECK_MENTIONS(error, directory.path() + "/m.safetensors: tensor \"enc.w\": [2] of F32 takes 8 bytes");
}
