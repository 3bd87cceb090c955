// Look-up by page: the generated runs are spread at first use into pages of 256 characters, equal pages kept once.
#include "tokenizer/unicode_classes.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <iterator>
#include <vector>

namespace deberta {
namespace {

struct ClassRange {
  uint32_t first;
  uint8_t char_class;
};

struct LowerCaseRun {
  uint32_t first, last;
  uint16_t step;
  int32_t delta;
};

#include "tokenizer/unicode_tables.inl.h"

constexpr uint32_t kCodePoints = 0x110000;
constexpr uint32_t kPageSize = 256;

class ClassPages {
 public:
  ClassPages() {
    std::vector<uint8_t> flat(kCodePoints);
    for (size_t i = 0; i < std::size(kClassRanges); ++i) {
      const uint32_t end = i + 1 < std::size(kClassRanges) ? kClassRanges[i + 1].first : kCodePoints;
      std::fill(flat.begin() + kClassRanges[i].first, flat.begin() + end, kClassRanges[i].char_class);
    }
    for (uint32_t page = 0; page < index_.size(); ++page) index_[page] = intern(&flat[size_t{page} * kPageSize]);
  }

  CharClass operator()(char32_t code_point) const {
    return static_cast<CharClass>(pages_[index_[code_point / kPageSize] * size_t{kPageSize} + code_point % kPageSize]);
  }

 private:
  uint16_t intern(const uint8_t* page) {
    const size_t count = pages_.size() / kPageSize;
    for (size_t i = 0; i < count; ++i) {
      if (std::memcmp(&pages_[i * kPageSize], page, kPageSize) == 0) return static_cast<uint16_t>(i);
    }
    pages_.insert(pages_.end(), page, page + kPageSize);
    return static_cast<uint16_t>(count);
  }

  std::array<uint16_t, kCodePoints / kPageSize> index_{};
  std::vector<uint8_t> pages_;  // [distinct pages, 256]
};

}  // namespace

CharClass char_class(char32_t code_point) {
  static const auto& pages = *new const ClassPages;  // never destroyed: threads may outlive main
  return code_point < kCodePoints ? pages(code_point) : CharClass::kOther;
}

bool is_white_space(char16_t unit) {
  if (unit < 0x80) return unit == ' ' || (unit >= 9 && unit <= 13);
  return char_class(unit) == CharClass::kWhiteSpace;
}

char32_t lower_case(char32_t code_point) {
  if (code_point < 0x80) return code_point >= 'A' && code_point <= 'Z' ? code_point + 32 : code_point;
  const auto* run = std::upper_bound(std::begin(kLowerCaseRuns), std::end(kLowerCaseRuns), code_point,
                                     [](char32_t value, const LowerCaseRun& r) { return value < r.first; });
  if (run == std::begin(kLowerCaseRuns)) return code_point;
  --run;
  if (code_point > run->last || (code_point - run->first) % run->step != 0) return code_point;
  return static_cast<char32_t>(static_cast<int32_t>(code_point) + run->delta);
}

bool is_split_punctuation(char32_t c) {
  if (c < 0x80) return (c >= 33 && c <= 47) || (c >= 58 && c <= 64) || (c >= 91 && c <= 96) || (c >= 123 && c <= 126);
  return char_class(c) == CharClass::kPunctuation;
}

}  // namespace deberta
