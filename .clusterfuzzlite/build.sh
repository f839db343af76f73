#!/bin/bash -eu
# Builds every target of fuzz/fuzz_targets, and puts the solver library beside them: where they run there is
# nothing but $OUT.
cd "$SRC/synth"
./setup --tools-only

cargo fuzz build -O --debug-assertions --target-dir "$WORK/target"

mkdir -p "$OUT/lib"
cp -L .z3/z3/lib/libz3.so* "$OUT/lib/"
for target in $(cargo fuzz list); do
    cp "$WORK/target/x86_64-unknown-linux-gnu/release/$target" "$OUT/"
    patchelf --set-rpath '$ORIGIN/lib' "$OUT/$target"
    printf '[libfuzzer]\nrss_limit_mb = 4096\ntimeout = 20\n' > "$OUT/$target.options"
    if [ -d "fuzz/corpus/$target" ]; then
        (cd "fuzz/corpus/$target" && zip -q -r "$OUT/${target}_seed_corpus.zip" .)
    fi
done
