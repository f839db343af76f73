//! Writes a first corpus for every fuzz target: `seeds FOLDER`. What was found once is among it.

use std::fs;
use std::path::Path;

use synth_fuzz::choices::decisions;
use synth_fuzz::target;

/// Inputs of each target.
const COUNT: u64 = 60;

/// Their lengths in turn: what chooses one change, and what makes a whole module or function.
const LENGTHS: [usize; 4] = [24, 100, 600, 2000];

fn main() -> std::io::Result<()> {
    let folder = std::env::args().nth(1).unwrap_or_else(|| "fuzz/corpus".to_owned());
    for (name, _) in target::ALL {
        let own = Path::new(&folder).join(name);
        fs::create_dir_all(&own)?;
        for seed in 0..COUNT {
            fs::write(own.join(format!("seed{seed}")), decisions(seed, LENGTHS[seed as usize % LENGTHS.len()]))?;
        }
        let found = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(name);
        if found.is_dir() {
            for file in target::files(found)? {
                fs::copy(&file, own.join(file.file_name().unwrap_or_default()))?;
            }
        }
    }
    Ok(())
}
