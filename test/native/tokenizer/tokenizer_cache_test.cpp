// Folders that do not change have one tokenizer while somebody uses it.
#include "tokenizer/tokenizer_cache.h"

#include <doctest.h>

#include <thread>
#include <vector>

#include "small_tokenizer.h"

using namespace deberta;

namespace {

std::shared_ptr<const Tokenizer> find(const std::string& folder) {
  return find_or_load_tokenizer(folder, CancelToken());
}

std::string letters(const char* score) {
  UnigramJson json;
  json.vocab = std::string(R"(["a", )") + score + "]";
  return json.text();
}

}  // namespace

TEST_CASE("a tokenizer is shared while somebody uses it, and read again when its file changed") {
  const TemporaryFolder folder;
  folder.write("tokenizer.json", letters("-1"));
  auto first = find(folder.path());
  CHECK(find(folder.path()) == first);
  CHECK(find(folder.path() + "/.") == first);
  folder.write("tokenizer.json", letters("-10.5"));  // another size, whatever the clock's resolution
  CHECK(find(folder.path()) != first);
  const TemporaryFolder other;
  other.write("tokenizer.json", letters("-1"));
  CHECK(find(other.path()) != first);
  folder.write("tokenizer.json", letters("-1"));
  const std::weak_ptr<const Tokenizer> watch = first;
  first.reset();
  CHECK(watch.expired());
}

TEST_CASE("threads that load one folder at once get one tokenizer") {
  const TemporaryFolder folder;
  folder.write("tokenizer.json", letters("-1"));
  std::vector<std::shared_ptr<const Tokenizer>> found(6);
  std::vector<std::thread> threads;
  for (auto& tokenizer : found) threads.emplace_back([&] { tokenizer = find(folder.path()); });
  for (std::thread& thread : threads) thread.join();
  for (const auto& tokenizer : found) CHECK(tokenizer == found[0]);
}

TEST_CASE("a folder without a tokenizer fails every time") {
  const TemporaryFolder folder;
  for (int i = 0; i < 2; ++i) CHECK_THROWS_AS(find(folder.path()), Error);
  folder.write("tokenizer.json", letters("-1"));
  CHECK(find(folder.path()) != nullptr);
}
