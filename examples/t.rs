//! T.
use synth::*;
fn main() {
    let b = std::fs::read("/tmp/t.wat").unwrap();
    let b = wasm::read(&b).unwrap();
    let c = config::Config::default();
    let m = wasm::parse(&b, &c).unwrap();
    for f in m.functions.keys() {
        if let Some(mut func) = translate::run(&m, f) {
            if std::env::args().count() > 1 {
                println!("{func}");
            }
            opt::run(&mut func, &c, |_, _| ());
            println!("{func}");
        }
    }
}
