// What the C library keeps of memory that was freed.
#pragma once

namespace deberta {

/// Gives it back to the system: for after work that took much memory and is done. Takes about a millisecond; does
/// nothing where the C library has no such call.
void return_freed_memory();

}  // namespace deberta
