#!/usr/bin/env bash
# Rebuilds controller.wasm with clang 19 (Debian packages clang-19 and lld-19).
set -euo pipefail
cd "$(dirname "$0")"
clang-19 --target=wasm32 -mcpu=mvp -O2 -fno-builtin -nostdlib -fuse-ld=/usr/bin/wasm-ld-19 \
  -Wl,--no-entry -Wl,-z,stack-size=4096 -Wl,--strip-debug -o controller.wasm controller.c
