// Instances of one checkpoint share its packed weights; anything that would make them differ makes them apart.
#include "model/model_cache.h"

#include <filesystem>
#include <thread>

#include "backends/registry.h"
#include "doctest.h"
#include "model/support.h"

using namespace deberta;
using namespace deberta::test;

namespace {

std::shared_ptr<const PackedModel> find(const std::string& directory, const std::string& backend = "cpu",
                                        std::optional<Task> task = std::nullopt) {
  return find_or_load_packed_model(find_backend(backend), ContextOptions(), directory, task, CancelToken());
}

}  // namespace

TEST_CASE("one checkpoint is packed once while somebody uses it") {
  const std::string directory = fixture_directory("v3-classifier");
  auto first = find(directory);
  CHECK(find(directory) == first);
  CHECK(find(directory + "/../v3-classifier/.") == first);
  CHECK(find(directory, "reference") != first);
  CHECK(find(directory, "cpu", Task::kEncoder) != first);
  const std::weak_ptr<const PackedModel> watch = first;
  first.reset();
  CHECK(watch.expired());
  CHECK(find(directory)->config.hidden_size == 128);
}

TEST_CASE("a changed file is read again") {
  EditableCheckpoint checkpoint(fixture_directory("v3-classifier"));
  const auto before = find(checkpoint.write());
  checkpoint.edit_config("\"entailment\"", "\"entails\"");
  const auto after = find(checkpoint.write());
  CHECK(after != before);
  CHECK(before->config.labels[0] == "entailment");
  CHECK(after->config.labels[0] == "entails");
}

TEST_CASE("threads that load one checkpoint at once get one copy") {
  const std::string directory = fixture_directory("v3-ner-bin");
  std::vector<std::shared_ptr<const PackedModel>> models(6);
  std::vector<std::thread> threads;
  for (auto& model : models) threads.emplace_back([&] { model = find(directory); });
  for (std::thread& thread : threads) thread.join();
  for (const auto& model : models) CHECK(model == models[0]);
}

TEST_CASE("two instances run at once on shared weights") {
  const auto one = load(fixture_directory("v3-classifier"), "cpu");
  const auto other = load(fixture_directory("v3-classifier"), "cpu");
  CHECK(one->info().weight_bytes_packed > 0);
  ForwardRequest request;
  request.sequences = make_sequences({113, 17, 1}, 2100);
  const ForwardResult expected = one->forward(request, CancelToken());
  std::vector<std::thread> threads;
  std::vector<ForwardResult> results(2);
  for (size_t i = 0; i < 2; ++i) {
    threads.emplace_back([&, i] {
      for (int n = 0; n < 10; ++n) results[i] = (i == 0 ? one : other)->forward(request, CancelToken());
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const ForwardResult& result : results) {
    for (int64_t i = 0; i < expected.logits.size(); ++i) CHECK(result.logits.data[i] == expected.logits.data[i]);
  }
}

TEST_CASE("a failed load leaves nothing behind") {
  EditableCheckpoint checkpoint(fixture_directory("v3-classifier"));
  const std::string good = checkpoint.config;
  checkpoint.config = "{}";
  CHECK_THROWS_AS(find(checkpoint.write()), Error);
  checkpoint.config = good;
  CHECK(find(checkpoint.write())->config.num_labels == 3);
  CancelToken cancelled;
  cancelled.cancel();
  CHECK_THROWS_AS(
      find_or_load_packed_model(find_backend("cpu"), ContextOptions(), checkpoint.write(), Task::kEncoder, cancelled),
      Error);
  CHECK(find(checkpoint.write(), "cpu", Task::kEncoder)->task == Task::kEncoder);
}
