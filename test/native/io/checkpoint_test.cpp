#include "io/checkpoint.h"

#include <cmath>

#include "error_check.h"
#include "file_writers.h"

using namespace deberta;
using namespace deberta::test;

namespace {

std::string one_tensor(const std::string& name, float value) {
  return safetensors_file("{\"" + name + R"(":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", raw(value));
}

float value_of(const Checkpoint& checkpoint, const char* name) { return to_float32(*checkpoint.find(name))[0]; }

}  // namespace

TEST_CASE("files are chosen in the hub's order of preference") {
  const TemporaryDirectory directory;
  directory.write("pytorch_model.bin.index.json", R"({"weight_map":{"w":"pytorch_model-1.bin"}})");
  directory.write("pytorch_model-1.bin", torch_zip(state_dict_pickle({{}}), {{"0", float_ramp(24)}}));
  CHECK(Checkpoint::open(directory.path()).find("w")->shape == std::vector<int64_t>{4, 6});
  directory.write("pytorch_model.bin", torch_zip(state_dict_pickle({{.name = "bin"}}), {{"0", float_ramp(24)}}));
  CHECK(Checkpoint::open(directory.path()).find("bin") != nullptr);
  directory.write("model.safetensors.index.json",
                  R"({"metadata":{},"weight_map":{"x":"s1.safetensors","y":"s2.safetensors"}})");
  directory.write("s1.safetensors", one_tensor("x", 1));
  directory.write("s2.safetensors", one_tensor("y", 2));
  const Checkpoint sharded = Checkpoint::open(directory.path());
  CHECK(value_of(sharded, "x") == 1.0f);
  CHECK(value_of(sharded, "y") == 2.0f);
  CHECK(sharded.file() == directory.path() + "/model.safetensors.index.json");
  CHECK(sharded.find("y")->file == directory.path() + "/s2.safetensors");
  directory.write("model.safetensors", one_tensor("z", 3));
  CHECK(value_of(Checkpoint::open(directory.path()), "z") == 3.0f);
}

TEST_CASE("a missing checkpoint and a missing shard are FILE_NOT_FOUND and named") {
  const TemporaryDirectory directory;
  const Error none = error_of([&] { Checkpoint::open(directory.path()); });
  CHECK(none.code() == ErrorCode::kFILE_NOT_FOUND);
  CHECK_MENTIONS(none, directory.path());
  CHECK_MENTIONS(none, "model.safetensors");
  directory.write("model.safetensors.index.json", R"({"weight_map":{"x":"lost.safetensors"}})");
  const Error shard = error_of([&] { Checkpoint::open(directory.path()); });
  CHECK(shard.code() == ErrorCode::kFILE_NOT_FOUND);
  CHECK_MENTIONS(shard, "lost.safetensors");
}

TEST_CASE("the reference models of every format are read") {
  const std::string models = DEBERTA_TEST_FIXTURES "/models/";
  struct Expected {
    const char* name;
    const char* file;
    const char* tensor;
    FileDType dtype;
    std::vector<int64_t> shape;
    size_t tensors;
  };
  for (const Expected& expected :
       {Expected{"v3-ner-bin", "pytorch_model.bin", "classifier.weight", FileDType::kFloat16, {5, 96}, 40},
        Expected{"v1-mlm-emd",
                 "pytorch_model.bin",
                 "deberta.embeddings.position_embeddings.weight",
                 FileDType::kFloat32,
                 {512, 96},
                 42},
        Expected{"v3-reranker-sharded",
                 "model.safetensors.index.json",
                 "classifier.weight",
                 FileDType::kBFloat16,
                 {1, 96},
                 42},
        Expected{"v3-multilabel", "model.safetensors", "classifier.weight", FileDType::kFloat16, {4, 48}, 42}}) {
    CAPTURE(expected.name);
    const Checkpoint checkpoint = Checkpoint::open(models + expected.name);
    CHECK(checkpoint.file() == models + expected.name + "/" + expected.file);
    CHECK(checkpoint.tensors().size() == expected.tensors);
    const CheckpointTensor* tensor = checkpoint.find(expected.tensor);
    REQUIRE(tensor != nullptr);
    CHECK(tensor->dtype == expected.dtype);
    CHECK(tensor->shape == expected.shape);
    for (const float value : to_float32(*tensor)) REQUIRE(std::abs(value) < 10.0f);
  }
}
