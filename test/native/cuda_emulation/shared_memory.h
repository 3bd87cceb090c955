// Shared memory of the running block, with a shadow: what was written, by whom, and whether synchronization orders the
// accesses. Granularity: two bytes. Addresses are offsets, 1024-aligned at zero as on the device.
#pragma once

#include <cstddef>
#include <cstdint>

namespace deberta::emulation {

constexpr size_t kMaxSharedBytes = 227 << 10;

/// Fresh shared memory of `bytes`, all of it uninitialised.
void reset_shared_memory(size_t bytes);

/// Checked accesses of the running thread. Reports: out of bounds, misaligned, uninitialised or still being copied,
/// and a race with an access that nothing orders before this one.
void read_shared(uint32_t address, void* to, uint32_t bytes);
void write_shared(uint32_t address, const void* from, uint32_t bytes);

/// Reads of the async proxy (wgmma): also want fence.proxy.async between ordinary stores and themselves.
void read_shared_async(uint32_t address, void* to, uint32_t bytes);

/// An asynchronous copy into [address, address + bytes) was issued: the old content is gone, the new is not there yet.
void begin_copy(uint32_t address, uint32_t bytes);
/// It arrives, as a write of thread `writer` at the moment it was issued.
void finish_copy(uint32_t address, const void* from, uint32_t bytes, int writer, uint32_t clock, uint32_t syncs,
                 bool async_proxy);

}  // namespace deberta::emulation
