// Field numbers are those of sentencepiece_model.proto; fields that encoding does not need are stepped over.
#include "tokenizer/sentencepiece_model.h"

#include <bitset>
#include <cmath>

#include "base/error.h"
#include "io/utf8.h"
#include "tokenizer/protobuf_reader.h"

namespace deberta {
namespace {

constexpr size_t kMaxPieceBytes = 8000;  // SentencePiece's own limit
constexpr size_t kMaxPieces = 8u << 20;  // what a trie unit can number
constexpr const char* kModelTypes[] = {"", "unigram", "bpe", "word", "char"};

[[noreturn]] void fail(const std::string& file, const std::string& message) {
  throw Error(ErrorCode::kTOKENIZER_FILE, file + ": " + message);
}

void read_piece(ProtobufReader fields, SentencePieceModel& model) {
  std::string_view piece;
  float score = 0;
  uint64_t type = 1;
  while (fields.next()) {
    if (fields.field() == 1) piece = fields.bytes();
    if (fields.field() == 2) score = fields.float32();
    if (fields.field() == 3) type = fields.integer();
  }
  if (type < 1 || type > 6) {
    fail(model.file,
         "piece " + std::to_string(model.size()) + ": expected a type from 1 to 6, found " + std::to_string(type));
  }
  model.add_piece(piece, score, static_cast<PieceType>(type));
}

void read_trainer_spec(ProtobufReader fields, SentencePieceModel& model) {
  while (fields.next()) {
    if (fields.field() == 3 && fields.integer() != 1) {
      const uint64_t type = fields.integer();
      fail(model.file, "expected a model of type unigram, found " +
                           (type < 5 ? std::string(kModelTypes[type]) : std::to_string(type)));
    }
    if (fields.field() == 24 && fields.integer() != 0) {
      fail(model.file, "treat_whitespace_as_suffix is not supported");
    }
    if (fields.field() == 35) model.byte_fallback = fields.integer() != 0;
  }
}

void read_normalizer_spec(ProtobufReader fields, SentencePieceModel& model) {
  while (fields.next()) {
    if (fields.field() == 2) model.charsmap = fields.bytes();
    if (fields.field() == 3) model.add_dummy_prefix = fields.integer() != 0;
    if (fields.field() == 4) model.remove_extra_whitespaces = fields.integer() != 0;
    if (fields.field() == 5) model.escape_whitespaces = fields.integer() != 0;
  }
}

}  // namespace

int byte_of_piece(std::string_view piece) {
  if (piece.size() != 6 || piece.substr(0, 3) != "<0x" || piece[5] != '>') return -1;
  int value = 0;
  for (const char c : piece.substr(3, 2)) {
    const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

void SentencePieceModel::add_piece(std::string_view piece, float score, PieceType type) {
  const std::string where = file + ": piece " + std::to_string(size());
  const auto refuse = [&](const char* message) { throw Error(ErrorCode::kTOKENIZER_FILE, where + message); };
  if (size() == kMaxPieces) refuse(": more pieces than are supported");
  if (piece.empty()) refuse(" is empty");
  if (piece.size() >= kMaxPieceBytes) refuse(" is 8000 bytes or longer");
  if (piece.find('\0') != std::string_view::npos || !is_utf8(piece)) refuse(" is not UTF-8 text without NUL");
  if (!std::isfinite(score)) refuse(": its score is not finite");
  if (type == PieceType::kUnknown) {
    if (unk_id >= 0) refuse(" is a second unknown piece");
    unk_id = static_cast<int32_t>(size());
  }
  text += piece;
  if (text.size() > UINT32_MAX) refuse(": the pieces are longer than 4 GiB together");
  ends.push_back(static_cast<uint32_t>(text.size()));
  scores.push_back(score);
  types.push_back(type);
}

void SentencePieceModel::check() const {
  if (unk_id < 0)
    fail(file, "expected an unknown piece (type 2) among " + std::to_string(size()) + " pieces, found none");
  std::bitset<256> bytes;
  for (size_t id = 0; id < size(); ++id) {
    if (types[id] != PieceType::kByte) continue;
    const int byte = byte_of_piece(piece(id));
    if (byte < 0) fail(file, "expected a byte piece like <0x0A>, found \"" + printable(piece(id)) + "\"");
    if (!byte_fallback) fail(file, "byte pieces without byte_fallback");
    bytes.set(static_cast<size_t>(byte));
  }
  if (byte_fallback && !bytes.all()) {
    fail(file, "expected 256 byte pieces for byte_fallback, found " + std::to_string(bytes.count()));
  }
}

SentencePieceModel read_sentencepiece_model(std::string_view bytes, const std::string& file) {
  SentencePieceModel model;
  model.file = file;
  ProtobufReader fields(bytes, file);
  while (fields.next()) {
    if (fields.field() == 1) read_piece(fields.message(), model);
    if (fields.field() == 2) read_trainer_spec(fields.message(), model);
    if (fields.field() == 3) read_normalizer_spec(fields.message(), model);
  }
  model.check();
  return model;
}

}  // namespace deberta
