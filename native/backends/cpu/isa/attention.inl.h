// Attention kernels against `Vec`, one instance per instruction set; the table they go into is attention_microkernels.h.

namespace deberta {
namespace {

constexpr AttentionMicrokernels kAttentionKernels = {2 * kWidth};

}  // namespace
}  // namespace deberta
