#!/bin/bash -eu
# Builds every fuzz target with a first corpus. The solver is a shared library, which travels with the targets.
./setup
cargo fuzz build -O
mkdir -p "$OUT/lib"
cp .z3/z3/lib/libz3.so* "$OUT/lib/"
cargo run -p synth-fuzz --bin seeds -- "$WORK/seeds"
for source in fuzz/fuzz_targets/*.rs; do
    target=$(basename "$source" .rs)
    cp "target/x86_64-unknown-linux-gnu/release/$target" "$OUT/"
    patchelf --set-rpath '$ORIGIN/lib' "$OUT/$target"
    zip -qj "$OUT/${target}_seed_corpus.zip" "$WORK/seeds/$target"/*
    printf '[libfuzzer]\nlen_control = 0\nmax_len = 4096\nrss_limit_mb = 4096\ntimeout = 20\n' > "$OUT/$target.options"
done
