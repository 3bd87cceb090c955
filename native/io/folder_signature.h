// Tells whether what was read from a folder is still what is there.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

namespace deberta {

/// A string that differs when the folder does, or the name, size or time of a file in it whose name ends with one of
/// `suffixes`. Files that cannot be looked at are left out: reading them will say what is wrong.
std::string folder_signature(const std::string& directory, std::initializer_list<std::string_view> suffixes);

}  // namespace deberta
