// The closed table of what a pickle may name and call, apart from the stack machine that finds the calls
// (unpickler.cpp). To allow one more callable is to add a row and a function here, and nowhere else. Source:
// torch/_utils.py.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "io/mapped_file.h"
#include "io/pickle_value.h"
#include "io/unpickler.h"

namespace deberta {

/// Where an unpickler is, what it may spend, and where its values go.
struct PickleContext {
  const MappedFile& file;
  const UnpicklerOptions& options;
  PickleHeap& heap;
  size_t at = 0;     // offset in the file
  size_t steps = 0;  // spent

  /// Throws options.code with file and offset.
  [[noreturn]] void fail(const std::string& message) const;

  /// Counts steps against options.max_steps.
  void spend(size_t count);
};

/// The callable of that name; fails for every name that is not in the table.
PickleValue find_pickle_global(const PickleContext& context, std::string_view module, std::string_view name);

/// REDUCE: the value that callable(*arguments) stands for.
PickleValue call_pickle_global(PickleContext& context, PickleValue callable, PickleValue arguments);

/// BINPERSID: ("storage", type, key, location, elements[, view]).
PickleValue load_persistent_storage(PickleContext& context, PickleValue id);

/// Adds to a dict; fails for keys that are no plain values.
void add_pickle_member(const PickleContext& context, PickleDict& dict, PickleValue key, PickleValue value);

}  // namespace deberta
