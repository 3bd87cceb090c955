#include "base/aligned_buffer.h"

#include <cstdlib>
#include <string>
#include <utility>

#if defined(__linux__)
#include <sys/mman.h>
#endif

#include "base/error.h"

namespace deberta {

namespace {

constexpr size_t kCacheLine = 64;
constexpr size_t kHugePage = size_t{2} << 20;

// Only whole huge pages are asked for: the rest of the last one would be resident without being used.
void advise_huge_pages([[maybe_unused]] void* data, [[maybe_unused]] size_t bytes) {
#if defined(MADV_HUGEPAGE)
  if (bytes >= kHugePage) madvise(data, bytes / kHugePage * kHugePage, MADV_HUGEPAGE);  // a wish: failing is no error
#endif
}

}  // namespace

void* allocate_aligned(size_t bytes) {
  void* memory = nullptr;
  const size_t alignment = bytes >= kHugePage ? kHugePage : kCacheLine;
  if (posix_memalign(&memory, alignment, bytes == 0 ? 1 : bytes) != 0) return nullptr;
  advise_huge_pages(memory, bytes);
  return memory;
}

AlignedBuffer::AlignedBuffer(size_t bytes, const char* what) : data_(allocate_aligned(bytes)), size_(bytes) {
  if (data_ == nullptr) {
    throw Error(ErrorCode::kOUT_OF_MEMORY, "could not allocate " + std::to_string(bytes) + " bytes for " + what);
  }
}

AlignedBuffer::~AlignedBuffer() { std::free(data_); }

AlignedBuffer::AlignedBuffer(AlignedBuffer&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

AlignedBuffer& AlignedBuffer::operator=(AlignedBuffer&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

}  // namespace deberta
