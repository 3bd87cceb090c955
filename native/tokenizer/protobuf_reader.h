// The wire format of protocol buffers, over memory, checked at every step: enough to read sentencepiece_model.proto.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "base/error.h"

namespace deberta {

/// Fields of one message, in the file's order. Throws TOKENIZER_FILE at malformed bytes.
class ProtobufReader {
 public:
  enum class Wire : uint8_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

  ProtobufReader(std::string_view message, const std::string& file) : message_(message), file_(&file) {}

  /// Steps to the next field; false at the end of the message. The value of the field is read at once.
  bool next() {
    if (position_ == message_.size()) return false;
    const uint64_t key = varint();
    if (key >> 3 == 0 || key >> 32 != 0) fail("a field number out of range");
    field_ = static_cast<uint32_t>(key >> 3);
    wire_ = static_cast<Wire>(key & 7);
    switch (wire_) {
      case Wire::kVarint:
        value_ = varint();
        return true;
      case Wire::kFixed64:
        take(8);
        return true;
      case Wire::kBytes:
        bytes_ = take(varint());
        return true;
      case Wire::kFixed32: {
        uint32_t bits;
        std::memcpy(&bits, take(4).data(), 4);
        value_ = bits;
        return true;
      }
    }
    fail("wire type " + std::to_string(key & 7));
  }

  uint32_t field() const { return field_; }

  uint64_t integer() const {
    expect(Wire::kVarint);
    return value_;
  }

  float float32() const {
    expect(Wire::kFixed32);
    const auto bits = static_cast<uint32_t>(value_);
    float result;
    std::memcpy(&result, &bits, 4);
    return result;
  }

  std::string_view bytes() const {
    expect(Wire::kBytes);
    return bytes_;
  }

  ProtobufReader message() const { return {bytes(), *file_}; }

 private:
  uint64_t varint() {
    uint64_t result = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (position_ == message_.size()) fail("the end of a message inside a number");
      const auto byte = static_cast<uint8_t>(message_[position_++]);
      result |= static_cast<uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return result;
    }
    fail("a number of more than ten bytes");
  }

  std::string_view take(uint64_t count) {
    if (count > message_.size() - position_) fail("a field of " + std::to_string(count) + " bytes beyond its message");
    position_ += count;
    return message_.substr(position_ - count, count);
  }

  void expect(Wire wire) const {
    if (wire_ != wire) fail("another wire type for field " + std::to_string(field_));
  }

  [[noreturn]] void fail(const std::string& found) const {
    throw Error(ErrorCode::kTOKENIZER_FILE, *file_ + ": expected a SentencePiece model, found " + found);
  }

  std::string_view message_;
  const std::string* file_;
  size_t position_ = 0;
  uint32_t field_ = 0;
  Wire wire_ = Wire::kVarint;
  uint64_t value_ = 0;
  std::string_view bytes_;
};

}  // namespace deberta
