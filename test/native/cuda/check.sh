#!/bin/sh
# Builds the CUDA backend for the GPU of this machine and checks it: op suite, fixture models, contexts. One command, no
# Node:   sh test/native/cuda/check.sh [sanitize | bench]
#   sanitize  also runs compute-sanitizer's four tools over small op cases of every kernel
#   bench     also runs the layer and model times (bench/ops/cuda_bench.cpp)
set -eu
root=$(cd "$(dirname "$0")/../../.." && pwd)
build=${DEBERTA_CUDA_BUILD:-$root/build-cuda}
capability=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader 2>/dev/null | head -n 1 | tr -d '. ')
if [ -z "$capability" ]; then
  echo "cuda check: SKIPPED, nvidia-smi reports no device"
  exit 77
fi
case $capability in
  90) archs=90a-real ;;  # wgmma and tensor copies want the "a"
  80 | 86 | 89 | 120) archs=$capability-real ;;
  *) archs=80-virtual ;;
esac
command -v nvcc >/dev/null || [ -n "${CUDACXX:-}" ] || export CUDACXX="${CUDA_HOME:-/usr/local/cuda}/bin/nvcc"
generator=
command -v ninja >/dev/null && generator="-G Ninja"
# shellcheck disable=SC2086
cmake -S "$root" -B "$build" $generator -DDEBERTA_CUDA=ON "-DDEBERTA_CUDA_ARCHS=$archs" -DDEBERTA_BUILD_BENCH=ON
cmake --build "$build" --target deberta_cuda_check deberta_cuda deberta_cuda_bench -j "$(nproc)"
check=$build/test/native/cuda/deberta_cuda_check
"$check"
for argument in "$@"; do
  case $argument in
    sanitize)
      for tool in memcheck racecheck initcheck synccheck; do
        echo "compute-sanitizer $tool"
        compute-sanitizer --tool "$tool" --error-exitcode 1 "$check" --test-case="*sanitizer*"
      done
      ;;
    bench) "$build/bench/ops/deberta_cuda_bench" ;;
    *) echo "unknown argument $argument" && exit 2 ;;
  esac
done
