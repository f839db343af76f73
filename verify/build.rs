//! Lets binaries and tests find the solver library without any setting in the environment.

fn main() {
    if let Ok(directory) = std::env::var("Z3_LIBRARY_PATH_OVERRIDE") {
        println!("cargo:rustc-link-arg=-Wl,-rpath,{directory}");
    }
    println!("cargo:rerun-if-env-changed=Z3_LIBRARY_PATH_OVERRIDE");
}
