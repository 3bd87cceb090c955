// Goes through the table of ops.h entry by entry; the assertion below fails where one was added there and not here.
#include "backends/backend_table.h"

#include <iterator>
#include <string>

#include "base/error.h"

namespace deberta {

const Backend& require_complete(const Backend& backend) {
#define DEBERTA_ENTRY(name) {#name, backend.name != nullptr}
  const struct {
    const char* name;
    bool set;
  } entries[] = {
      DEBERTA_ENTRY(name),
      DEBERTA_ENTRY(detail),
      DEBERTA_ENTRY(create_context),
      DEBERTA_ENTRY(destroy_context),
      DEBERTA_ENTRY(reserve),
      DEBERTA_ENTRY(allocate),
      DEBERTA_ENTRY(deallocate),
      DEBERTA_ENTRY(upload),
      DEBERTA_ENTRY(upload_rows),
      DEBERTA_ENTRY(download_rows),
      DEBERTA_ENTRY(download),
      DEBERTA_ENTRY(synchronize),
      DEBERTA_ENTRY(activation_dtype),
      DEBERTA_ENTRY(rows_at_once),
      DEBERTA_ENTRY(pack_linear),
      DEBERTA_ENTRY(pack_conv),
      DEBERTA_ENTRY(pack_table),
      DEBERTA_ENTRY(pack_positions),
      DEBERTA_ENTRY(free_linear),
      DEBERTA_ENTRY(free_conv),
      DEBERTA_ENTRY(free_table),
      DEBERTA_ENTRY(free_positions),
      DEBERTA_ENTRY(packed_bytes),
      DEBERTA_ENTRY(embedding),
      DEBERTA_ENTRY(linear),
      DEBERTA_ENTRY(add_layer_norm),
      DEBERTA_ENTRY(disentangled_attention),
      DEBERTA_ENTRY(conv1d),
      DEBERTA_ENTRY(gather_rows),
      DEBERTA_ENTRY(tied_logits),
  };
#undef DEBERTA_ENTRY
  static_assert(sizeof(Backend) == std::size(entries) * sizeof(void*), "an entry of Backend is not checked");
  for (const auto& entry : entries) {
    if (entry.set) continue;
    throw Error(ErrorCode::kINTERNAL, std::string("backend ") + (backend.name ? backend.name : "(unnamed)") +
                                          ": the entry '" + entry.name + "' of its op table is missing");
  }
  return backend;
}

}  // namespace deberta
