//! The compiler: WebAssembly in, Thumb-2 out.
