//! From allocated code to bytes.
//!
//! | file | holds |
//! |---|---|
//! | `machine` | one Thumb-2 instruction |
//! | `encode` | its bytes; their number is the only size there is |
//! | `text` | printing |

pub mod encode;
pub mod machine;
pub mod text;
