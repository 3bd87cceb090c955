#include "io/folder_signature.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <vector>

namespace deberta {

namespace {

namespace fs = std::filesystem;

std::string utf8(const fs::path& path) {
  const std::u8string text = path.u8string();
  return {text.begin(), text.end()};
}

}  // namespace

std::string folder_signature(const std::string& directory, std::initializer_list<std::string_view> suffixes) {
  std::error_code failed;
  const fs::path given(std::u8string(directory.begin(), directory.end()));
  fs::path path = fs::weakly_canonical(given, failed);
  if (failed) path = given;
  failed.clear();
  std::vector<std::string> files;
  for (fs::directory_iterator entry(path, failed), end; !failed && entry != end; entry.increment(failed)) {
    const std::string name = utf8(entry->path().filename());
    if (std::none_of(suffixes.begin(), suffixes.end(), [&](auto suffix) { return name.ends_with(suffix); })) continue;
    std::error_code unknown;
    const auto size = entry->file_size(unknown);
    const auto time = entry->last_write_time(unknown).time_since_epoch().count();
    if (!unknown) files.push_back(name + ":" + std::to_string(size) + ":" + std::to_string(time));
  }
  std::sort(files.begin(), files.end());
  std::string signature = utf8(path);
  for (const std::string& file : files) signature.append("|").append(file);
  return signature;
}

}  // namespace deberta
