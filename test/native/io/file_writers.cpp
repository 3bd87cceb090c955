#include "file_writers.h"

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <stdexcept>

namespace deberta::test {

TemporaryDirectory::TemporaryDirectory() {
  static std::atomic<int> count{0};
  const auto name = "deberta-io-" + std::to_string(std::random_device{}()) + "-" + std::to_string(count++);
  path_ = (std::filesystem::temp_directory_path() / name).string();
  if (!std::filesystem::create_directory(path_)) throw std::runtime_error("cannot create " + path_);
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string TemporaryDirectory::write(const std::string& name, const std::string& bytes) const {
  const std::string path = path_ + "/" + name;
  std::ofstream file(path, std::ios::binary);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (!file.flush()) throw std::runtime_error("cannot write " + path);
  return path;
}

void TemporaryDirectory::clear() const {
  for (const auto& entry : std::filesystem::directory_iterator(path_)) std::filesystem::remove_all(entry.path());
}

std::string float_ramp(int count) {
  std::string bytes;
  for (int i = 0; i < count; ++i) bytes += raw(static_cast<float>(i));
  return bytes;
}

std::string patched(std::string bytes, size_t offset, const std::string& replacement) {
  return bytes.replace(offset, replacement.size(), replacement);
}

std::string safetensors_file(const std::string& header, const std::string& data) {
  return raw(static_cast<uint64_t>(header.size())) + header + data;
}

std::string valid_safetensors() {
  const std::string header =
      R"({"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},)"
      R"("b":{"dtype":"F16","shape":[4],"data_offsets":[24,32]},"c":{"dtype":"I64","shape":[],"data_offsets":[32,40]}})";
  std::string data = float_ramp(6);
  for (const uint16_t half : {0x3C00, 0xC000, 0x0001, 0x7C00}) data += raw(half);  // 1, -2, 2^-24, infinity
  return safetensors_file(header, data + raw(int64_t{-7}));
}

namespace {

std::string zip64_extra(const std::vector<uint64_t>& values) {
  std::string field = raw(uint16_t{1}) + raw(static_cast<uint16_t>(8 * values.size()));
  for (const uint64_t value : values) field += raw(value);
  return field;
}

std::string local_header(const ZipPart& part) {
  const auto size = static_cast<uint32_t>(part.data.size());
  return "PK\x03\x04" + raw(uint16_t{20}) + raw(part.flags) + raw(part.method) + raw(uint32_t{0}) + raw(uint32_t{0}) +
         raw(size) + raw(size) + raw(static_cast<uint16_t>(part.name.size())) + raw(uint16_t{0}) + part.name;
}

std::string central_record(const ZipPart& part, size_t local, bool zip64) {
  const uint64_t size = part.data.size();
  const std::string extra = zip64 ? zip64_extra({size, size, local}) : "";
  const auto narrow = [&](uint64_t value) { return raw(zip64 ? 0xFFFFFFFFu : static_cast<uint32_t>(value)); };
  return "PK\x01\x02" + raw(uint16_t{20}) + raw(uint16_t{20}) + raw(part.flags) + raw(part.method) + raw(uint32_t{0}) +
         raw(uint32_t{0}) + narrow(size) + narrow(size) + raw(static_cast<uint16_t>(part.name.size())) +
         raw(static_cast<uint16_t>(extra.size())) + raw(uint16_t{0}) + raw(uint16_t{0}) + raw(uint16_t{0}) +
         raw(uint32_t{0}) + narrow(local) + part.name + extra;
}

}  // namespace

ZipFile zip_file(const std::vector<ZipPart>& parts, bool zip64) {
  ZipFile zip;
  for (const ZipPart& part : parts) {
    zip.local.push_back(zip.bytes.size());
    zip.bytes += local_header(part);
    zip.data.push_back(zip.bytes.size());
    zip.bytes += part.data;
  }
  const uint64_t directory = zip.bytes.size();
  for (size_t i = 0; i < parts.size(); ++i) {
    zip.central.push_back(zip.bytes.size());
    zip.bytes += central_record(parts[i], zip.local[i], zip64);
  }
  const uint64_t size = zip.bytes.size() - directory, count = parts.size();
  if (zip64) {
    zip.end64 = zip.bytes.size();
    zip.bytes += "PK\x06\x06" + raw(uint64_t{44}) + raw(uint16_t{45}) + raw(uint16_t{45}) + raw(uint32_t{0}) +
                 raw(uint32_t{0}) + raw(count) + raw(count) + raw(size) + raw(directory);
    zip.locator = zip.bytes.size();
    zip.bytes += "PK\x06\x07" + raw(uint32_t{0}) + raw(static_cast<uint64_t>(zip.end64)) + raw(uint32_t{1});
  }
  zip.end = zip.bytes.size();
  const uint16_t narrow_count = zip64 ? 0xFFFF : static_cast<uint16_t>(count);
  zip.bytes += "PK\x05\x06" + raw(uint32_t{0}) + raw(narrow_count) + raw(narrow_count) +
               raw(zip64 ? 0xFFFFFFFFu : static_cast<uint32_t>(size)) +
               raw(zip64 ? 0xFFFFFFFFu : static_cast<uint32_t>(directory)) + raw(uint16_t{0});
  return zip;
}

PickleWriter& PickleWriter::op(const std::string& opcodes) {
  bytes_ += opcodes;
  return *this;
}

PickleWriter& PickleWriter::text(const std::string& utf8) {
  return op("X" + raw(static_cast<uint32_t>(utf8.size())) + utf8);
}

PickleWriter& PickleWriter::integer(int64_t value) {
  if (value >= INT32_MIN && value <= INT32_MAX) return op("J" + raw(static_cast<int32_t>(value)));
  return op("\x8a\x08" + raw(value));
}

PickleWriter& PickleWriter::integers(const std::vector<int64_t>& values) {
  op("(");
  for (const int64_t value : values) integer(value);
  return op("t");
}

PickleWriter& PickleWriter::global(const std::string& module, const std::string& name) {
  return op("c" + module + "\n" + name + "\n");
}

PickleWriter& PickleWriter::empty_ordered_dict() { return global("collections", "OrderedDict").op(")R"); }

PickleWriter& PickleWriter::storage(const std::string& type, const std::string& key, int64_t elements, bool legacy) {
  op("(").text("storage").global("torch", type).text(key).text("cpu").integer(elements);
  return op(legacy ? "NtQ" : "tQ");
}

std::string state_dict_pickle(const std::vector<TensorSpec>& tensors, bool legacy) {
  PickleWriter pickle;
  pickle.empty_ordered_dict().op("(");
  for (const TensorSpec& spec : tensors) {
    pickle.text(spec.name).global("torch._utils", "_rebuild_tensor_v2").op("(");
    pickle.storage(spec.type, spec.key, spec.elements, legacy).integer(spec.offset);
    pickle.integers(spec.shape).integers(spec.stride).op("\x89").empty_ordered_dict().op("tR");
  }
  return pickle.op("u").stop();
}

std::vector<ZipPart> torch_zip_parts(const std::string& pickle, const Storages& storages) {
  std::vector<ZipPart> parts = {{"archive/data.pkl", pickle}, {"archive/byteorder", "little"}};
  for (const auto& [key, bytes] : storages) parts.push_back({"archive/data/" + key, bytes});
  parts.push_back({"archive/version", "3\n"});
  return parts;
}

std::string torch_zip(const std::string& pickle, const Storages& storages) {
  return zip_file(torch_zip_parts(pickle, storages)).bytes;
}

std::string torch_legacy_head(const std::string& pickle, const std::vector<std::string>& keys) {
  const std::string magic = PickleWriter().op("\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19").stop();
  const std::string protocol = PickleWriter().integer(1001).stop();
  const std::string system = PickleWriter().op("}(").text("little_endian").op("\x88u").stop();
  PickleWriter list;
  list.op("](");
  for (const std::string& key : keys) list.text(key);
  return magic + protocol + system + pickle + list.op("e").stop();
}

std::string torch_legacy(const std::string& pickle, const Storages& storages, size_t element_size) {
  std::vector<std::string> keys;
  std::string tail;
  for (const auto& [key, bytes] : storages) {
    keys.push_back(key);
    tail += raw(static_cast<uint64_t>(bytes.size() / element_size)) + bytes;
  }
  return torch_legacy_head(pickle, keys) + tail;
}

}  // namespace deberta::test
