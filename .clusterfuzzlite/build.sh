#!/bin/bash -eu
# Builds every target of fuzz/fuzz_targets with a first corpus, and puts the solver's library beside them: where they
# run there is nothing but $OUT.
cd "$SRC/synth"
./setup --tools-only

cargo fuzz build -O --debug-assertions --target-dir "$WORK/target"
cargo run -p synth-fuzz --bin seeds -- "$WORK/seeds"

mkdir -p "$OUT/lib"
cp -L .z3/z3/lib/libz3.so* "$OUT/lib/"
for target in $(cargo fuzz list); do
    cp "$WORK/target/x86_64-unknown-linux-gnu/release/$target" "$OUT/"
    patchelf --set-rpath '$ORIGIN/lib' "$OUT/$target"
    zip -qj "$OUT/${target}_seed_corpus.zip" "$WORK/seeds/$target"/*
    printf '[libfuzzer]\nlen_control = 0\nmax_len = 4096\nrss_limit_mb = 4096\ntimeout = 20\n' > "$OUT/$target.options"
done
