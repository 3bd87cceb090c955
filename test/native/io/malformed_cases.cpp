// Truncations and flips, and the valid files they start from. What lies on purpose is in the other malformed_*.cpp.
#include "malformed_cases.h"

#include <random>

#include "file_writers.h"

namespace deberta::test {
namespace {

constexpr const char* kSafetensors = "model.safetensors";
constexpr const char* kTorch = "pytorch_model.bin";

const std::vector<TensorSpec> kTensors = {{},
                                          {.name = "t", .key = "1", .elements = 6, .shape = {3, 2}, .stride = {1, 3}}};

ZipFile valid_zip(bool zip64) {
  return zip_file(torch_zip_parts(state_dict_pickle(kTensors), {{"0", float_ramp(24)}, {"1", float_ramp(6)}}), zip64);
}

void cut_everywhere(std::vector<MalformedCase>& cases, const std::string& what, const char* file,
                    const std::string& bytes) {
  for (size_t size = 0; size < bytes.size(); ++size) {
    cases.push_back({what + " cut to " + std::to_string(size) + " bytes", {{file, bytes.substr(0, size)}}, ""});
  }
}

/// Flips in the bytes of [begin, end): one bit, the sign bit, all bits.
void flip(std::vector<MalformedCase>& cases, const std::string& what, const char* file, const std::string& bytes,
          size_t begin, size_t end, size_t step) {
  for (size_t at = begin; at < end; at += step) {
    for (const unsigned mask : {0x01u, 0x80u, 0xFFu}) {
      const std::string flipped = patched(bytes, at, std::string(1, static_cast<char>(bytes[at] ^ mask)));
      cases.push_back(
          {what + ": byte " + std::to_string(at) + " ^ " + std::to_string(mask), {{file, flipped}}, "", true});
    }
  }
}

}  // namespace

std::string valid_torch_zip() { return valid_zip(false).bytes; }

std::string valid_torch_legacy() {
  return torch_legacy(state_dict_pickle(kTensors, true), {{"0", float_ramp(24)}, {"1", float_ramp(6)}});
}

std::vector<MalformedCase> truncated_files() {
  std::vector<MalformedCase> cases;
  cut_everywhere(cases, "safetensors", kSafetensors, valid_safetensors());
  cut_everywhere(cases, "legacy torch file", kTorch, valid_torch_legacy());
  cut_everywhere(cases, "zip", kTorch, valid_torch_zip());
  cut_everywhere(cases, "zip64", kTorch, valid_zip(true).bytes);
  const std::string pickle = state_dict_pickle(kTensors);
  for (size_t size = 0; size < pickle.size(); ++size) {  // whole archive, cut pickle
    const std::string bytes = torch_zip(pickle.substr(0, size), {{"0", float_ramp(24)}, {"1", float_ramp(6)}});
    cases.push_back({"pickle in a zip cut to " + std::to_string(size) + " bytes", {{kTorch, bytes}}, "pickle at byte"});
  }
  return cases;
}

std::vector<MalformedCase> flipped_files() {
  std::vector<MalformedCase> cases;
  const std::string safetensors = valid_safetensors();
  const size_t data = safetensors.size() - 40;
  flip(cases, "safetensors header", kSafetensors, safetensors, 0, data, 1);
  flip(cases, "safetensors data", kSafetensors, safetensors, data, safetensors.size(), 7);
  for (const bool zip64 : {false, true}) {
    const ZipFile zip = valid_zip(zip64);
    const std::string what = zip64 ? "zip64" : "zip";
    flip(cases, what + " pickle", kTorch, zip.bytes, 0, zip.data[2], 1);
    flip(cases, what + " storages", kTorch, zip.bytes, zip.data[2], zip.central[0], 17);
    flip(cases, what + " directory", kTorch, zip.bytes, zip.central[0], zip.bytes.size(), 1);
  }
  const std::string legacy = valid_torch_legacy();
  flip(cases, "legacy torch file", kTorch, legacy, 0, legacy.size() - 24 * 4 - 6 * 4, 1);
  flip(cases, "legacy torch storages", kTorch, legacy, legacy.size() - 24 * 4 - 6 * 4, legacy.size(), 13);

  std::mt19937 random(20240229);  // several bytes at once, anywhere
  const std::vector<std::pair<const char*, std::string>> seeds = {
      {kSafetensors, safetensors}, {kTorch, valid_torch_zip()}, {kTorch, valid_zip(true).bytes}, {kTorch, legacy}};
  for (int i = 0; i < 2000; ++i) {
    auto [file, bytes] = seeds[static_cast<size_t>(i) % seeds.size()];
    for (unsigned n = 1 + random() % 8; n > 0; --n) bytes[random() % bytes.size()] = static_cast<char>(random());
    cases.push_back({std::string(file) + ": random damage " + std::to_string(i), {{file, bytes}}, "", true});
  }
  return cases;
}

}  // namespace deberta::test
