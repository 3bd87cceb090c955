#include "io/torch_checkpoint.h"

#include <map>

#include "error_check.h"
#include "file_writers.h"

using namespace deberta;
using namespace deberta::test;

namespace {

const std::string kFixtures = DEBERTA_TEST_FIXTURES "/checkpoints/";

std::map<std::string, CheckpointTensor> read(const std::string& path) {
  std::map<std::string, CheckpointTensor> out;
  for (CheckpointTensor& tensor : read_torch_checkpoint(MappedFile::open(path))) out[tensor.name] = std::move(tensor);
  return out;
}

template <class Element>
std::vector<int64_t> integers(const CheckpointTensor& tensor) {
  std::vector<int64_t> out;
  for (size_t i = 0; i < tensor.bytes / sizeof(Element); ++i) {
    Element element;
    std::memcpy(&element, static_cast<const char*>(tensor.data) + i * sizeof element, sizeof element);
    out.push_back(element);
  }
  return out;
}

std::vector<int64_t> ramp() {
  std::vector<int64_t> out;
  for (int64_t i = 0; i < 24; ++i) out.push_back(i);
  return out;
}

/// The tensors that test/fixtures/checkpoints/generate.py saves.
void check_tensors(const std::map<std::string, CheckpointTensor>& tensors) {
  REQUIRE(tensors.size() == 18);
  const std::vector<int64_t> all = ramp();
  const std::vector<float> floats(all.begin(), all.end());
  for (const char* name : {"whole", "tied", "f16", "bf16", "f64"}) {
    CAPTURE(name);
    CHECK(tensors.at(name).shape == std::vector<int64_t>{4, 6});
    CHECK(to_float32(tensors.at(name)) == floats);
  }
  CHECK(tensors.at("f64").dtype == FileDType::kFloat64);
  CHECK(tensors.at("bf16").dtype == FileDType::kBFloat16);
  CHECK(tensors.at("whole").data == tensors.at("tied").data);
  CHECK(integers<int32_t>(tensors.at("i32")) == all);
  CHECK(integers<int16_t>(tensors.at("i16")) == all);
  CHECK(integers<int8_t>(tensors.at("i8")) == all);
  CHECK(integers<uint8_t>(tensors.at("u8")) == all);
  CHECK(integers<uint8_t>(tensors.at("bool"))[3] == 0);
  CHECK(integers<uint8_t>(tensors.at("bool"))[4] == 1);

  const std::vector<float> transposed = to_float32(tensors.at("transposed"));
  CHECK(tensors.at("transposed").shape == std::vector<int64_t>{6, 4});
  for (int row = 0; row < 6; ++row) {
    for (int col = 0; col < 4; ++col) CHECK(transposed[row * 4 + col] == float(col * 6 + row));
  }
  CHECK(to_float32(tensors.at("sliced")) == std::vector<float>{6, 8, 10, 12, 14, 16});
  CHECK(to_float32(tensors.at("column")) == std::vector<float>{5, 11, 17, 23});
  CHECK(to_float32(tensors.at("scalar")) == std::vector<float>{15});
  CHECK(tensors.at("scalar").shape.empty());
  CHECK(tensors.at("empty").shape == std::vector<int64_t>{0, 6});
  CHECK(tensors.at("empty").bytes == 0);
  CHECK(to_float32(tensors.at("expanded")) == std::vector<float>{6, 7, 8, 6, 7, 8});
  CHECK(to_float32(tensors.at("parameter")) == std::vector<float>{18, 19, 20, 21, 22, 23});
  const std::vector<int64_t> permuted = integers<int64_t>(tensors.at("permuted"));  // [4, 2, 3] of [2, 3, 4]
  for (int i = 0; i < 24; ++i) CHECK(permuted[i] == (i / 3 % 2) * 12 + (i % 3) * 4 + i / 6);
}

}  // namespace

TEST_CASE("every dtype, view and container that PyTorch writes is read") {
  for (const char* name : {"tensors_zip.bin", "tensors_zip_protocol4.bin", "tensors_legacy.bin", "nested_legacy.bin"}) {
    CAPTURE(name);
    check_tensors(read(kFixtures + name));
  }
}

TEST_CASE("a module's state dict with its _metadata is read; a pickled module is refused by the class it names") {
  const auto tensors = read(kFixtures + "module_zip.bin");
  CHECK(tensors.at("weight").shape == std::vector<int64_t>{3, 2});
  CHECK(tensors.at("bias").shape == std::vector<int64_t>{3});
  const Error error = error_of([] { read(kFixtures + "pickled_module_zip.bin"); });
  CHECK(error.code() == ErrorCode::kMODEL_FILE);
  CHECK_MENTIONS(error, "torch.nn.modules.linear.Linear");
}

TEST_CASE("contiguous tensors are views into the mapping, others own their copy") {
  const auto file = MappedFile::open(kFixtures + "tensors_zip.bin");
  const auto inside = [&](const CheckpointTensor& tensor) {
    return tensor.data >= file->data() && tensor.data <= file->data() + file->size();
  };
  for (const CheckpointTensor& tensor : read_torch_checkpoint(file)) {
    CAPTURE(tensor.name);
    const bool copied = tensor.name == "transposed" || tensor.name == "sliced" || tensor.name == "column" ||
                        tensor.name == "expanded" || tensor.name == "permuted";
    CHECK(inside(tensor) != copied);
  }
}

TEST_CASE("an axis of length 1 may have any stride") {
  const TemporaryDirectory directory;
  const int64_t absurd = INT64_MAX;
  const std::string pickle = state_dict_pickle(
      {{.shape = {1, 4, 6}, .stride = {absurd, 6, 1}}, {.name = "t", .shape = {6, 1, 4}, .stride = {1, absurd, 6}}});
  const auto tensors = read(directory.write("m.bin", torch_zip(pickle, {{"0", float_ramp(24)}})));
  CHECK(to_float32(tensors.at("w"))[23] == 23.0f);
  CHECK(to_float32(tensors.at("t"))[1] == 6.0f);
}

TEST_CASE("errors name the file and the tensor") {
  const TemporaryDirectory directory;
  const std::string pickle = state_dict_pickle({{.name = "enc.w", .offset = 1}});
  const std::string path = directory.write("m.bin", torch_zip(pickle, {{"0", float_ramp(24)}}));
  const Error error = error_of([&] { read(path); });
  CHECK(error.code() == ErrorCode::kMODEL_FILE);
  CHECK_MENTIONS(error, path + ": tensor \"enc.w\": offset 1, shape [4, 6], stride [6, 1] reach outside the storage");
}
