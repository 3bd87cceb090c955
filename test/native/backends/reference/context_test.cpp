// What the reference backend refuses, counts and reports; its copies.
#include <cstring>
#include <vector>

#include "../expect_error.h"
#include "backends/reference/reference_backend.h"
#include "doctest/doctest.h"
#include "session.h"

namespace deberta::test {

TEST_CASE("reference: computes in float32 and names what it refuses") {
  for (const auto& [dtype, name] :
       {std::pair{DType::kBFloat16, "bfloat16"}, {DType::kFloat16, "float16"}, {DType::kInt8, "int8"}}) {
    ContextOptions options;
    options.compute_dtype = dtype;
    const std::string message =
        expect_error(ErrorCode::kBACKEND_UNAVAILABLE, [&] { reference_backend().create_context(options); });
    CHECK(message.find(name) != std::string::npos);
  }
}

TEST_CASE("reference: copies keep rows apart and bytes as they are") {
  Session session(reference_backend(), {}, DType::kFloat32, {});
  const Backend& backend = session.backend();
  const std::vector<float> host = {1, 2, 3, 4, 5, 6};
  const Matrix matrix = session.upload_matrix(host, 3, 2, 4);
  CHECK(session.download(matrix) == host);
  CHECK(session.fault().empty());

  void* memory = backend.allocate(session.context(), 0);
  CHECK(memory != nullptr);
  backend.upload(session.context(), memory, host.data(), 0);
  backend.deallocate(session.context(), memory);
}

TEST_CASE("reference: an allocation that cannot be had is an error") {
  Session session(reference_backend(), {}, DType::kFloat32, {});
  expect_error(ErrorCode::kOUT_OF_MEMORY, [&] { session.backend().allocate(session.context(), size_t{1} << 62); });
}

TEST_CASE("reference: packed_bytes counts the copies of live handles, also of those freed through another context") {
  const Backend& backend = reference_backend();
  OpContext* first = backend.create_context({});
  OpContext* second = backend.create_context({});
  const std::vector<float> values(8, 1.0f);
  const LinearPart part{{values.data(), DType::kFloat32, 2, 4}, values.data()};
  PackedLinear* packed = backend.pack_linear(first, &part, 1);
  CHECK(backend.packed_bytes(first) == 2 * sizeof(float));  // the bias; the weight stays where it is
  CHECK(backend.packed_bytes(second) == 0);
  backend.free_linear(second, packed);
  CHECK(backend.packed_bytes(first) == 0);
  CHECK(backend.packed_bytes(second) == 0);
  backend.destroy_context(first);
  backend.destroy_context(second);
}

TEST_CASE("reference: what an op cannot do surfaces in synchronize, once") {
  WorkspaceShape small;
  small.max_seqlen = 1;
  small.num_heads = 1;
  Session session(reference_backend(), {}, DType::kFloat32, small);
  AttentionArgs args;
  const Matrix qkv = session.upload_matrix(std::vector<float>(8, 1.0f), 2, 4);
  args.query = args.key = args.value = qkv;
  args.cu_seqlens = session.upload(std::vector<int32_t>{0, 2});
  args.num_sequences = 1;
  args.max_seqlen = 2;
  args.num_heads = 1;
  args.head_dim = 4;
  args.output = session.output_matrix(2, 4);
  session.backend().disentangled_attention(session.context(), args);
  const auto synchronize = [&] { session.backend().synchronize(session.context()); };
  CHECK(expect_error(ErrorCode::kINTERNAL, synchronize).find("reserve()") != std::string::npos);
  CHECK_NOTHROW(synchronize());
}

TEST_CASE("reference: a relative index that names a row beyond the table is refused") {
  Session session(reference_backend(), {}, DType::kFloat32, {});
  const std::vector<int32_t> rows = {0, 1, 2};
  PositionsArgs args;
  args.pos_key = session.upload_matrix(std::vector<float>(8, 1.0f), 2, 4);
  args.index = {rows.data(), 1, 2};
  args.num_heads = 1;
  args.head_dim = 4;
  const auto pack = [&] { session.backend().pack_positions(session.context(), args); };
  CHECK(expect_error(ErrorCode::kINTERNAL, pack).find("names row 2 of 2") != std::string::npos);
}

}  // namespace deberta::test
