// The activation stack: memory comes back at the end of a scope, and a pass that outgrew it finds one block next time.
#include "model/arena.h"

#include <cstring>
#include <utility>

#include "backends/registry.h"
#include "doctest.h"

using namespace deberta;

TEST_CASE("scopes give memory back, and nothing that lives overlaps") {
  const Device device(find_backend("reference"), ContextOptions());
  Arena arena(device);
  for (int pass = 0; pass < 3; ++pass) {
    arena.reset();
    auto* kept = static_cast<char*>(arena.allocate(100));
    std::memset(kept, 1, 100);
    void* first = nullptr;
    for (int layer = 0; layer < 4; ++layer) {
      const Arena::Scope scope(arena);
      void* a = arena.allocate(1000);
      void* b = arena.allocate(static_cast<size_t>(5000 * (pass + 1)));
      std::memset(a, 2, 1000);
      std::memset(b, 3, static_cast<size_t>(5000 * (pass + 1)));
      CHECK(reinterpret_cast<uintptr_t>(b) % 64 == 0);
      CHECK(static_cast<char*>(a)[999] == 2);
      if (layer == 0) first = a;
      CHECK(a == first);
    }
    CHECK(kept[0] == 1);
    CHECK(kept[99] == 1);
  }
}

TEST_CASE("the second pass of one shape allocates nothing") {
  const Device device(find_backend("reference"), ContextOptions());
  Arena arena(device);
  const auto run = [&] {
    arena.reset();
    const Arena::Scope scope(arena);
    std::vector<void*> memory;
    for (const size_t bytes : {64, 6400, 640, 64000}) memory.push_back(arena.allocate(bytes));
    return memory;
  };
  run();
  const auto second = run();
  CHECK(run() == second);
  CHECK(static_cast<char*>(second[3]) - static_cast<char*>(second[0]) == 64 + 6400 + 640);  // one block
}

TEST_CASE("what one long pass needed is forgotten after many short ones, and not while passes of its size come") {
  size_t allocated = 0;  // by the last call of `allocate`
  static size_t* const seen = &allocated;
  Backend counting = find_backend("reference");
  static const auto allocate = counting.allocate;
  counting.allocate = [](OpContext* context, size_t bytes) { return allocate(context, *seen = bytes); };
  const Device device(counting, ContextOptions());
  Arena arena(device);
  const auto run = [&](size_t bytes) {
    arena.reset();
    arena.allocate(bytes);
    return std::exchange(allocated, 0);
  };
  CHECK(run(6400) == 6400);
  for (int pass = 0; pass < 3 * Arena::kPassesToForget; ++pass) CHECK(run(pass % 50 == 49 ? 6400 : 64) == 0);
  size_t given = 0;  // the smaller block that replaces the long one
  for (int pass = 0; pass < 2 * Arena::kPassesToForget; ++pass) given += run(64);
  CHECK(given == 64);
  CHECK(run(6400) == 6400);
}

TEST_CASE("a matrix has the activation dtype and no gap between rows") {
  const Device device(find_backend("reference"), ContextOptions());
  Arena arena(device);
  const Matrix matrix = arena.matrix(17, 5);
  CHECK(matrix.rows == 17);
  CHECK(matrix.cols == 5);
  CHECK(matrix.stride == 5);
  CHECK(arena.matrix(0, 5).data != nullptr);
}
