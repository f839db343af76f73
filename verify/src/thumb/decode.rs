//! tmp
use super::inst::Inst;
pub struct Decoded { pub inst: Inst, pub size: u32 }
pub fn decode(_: &[u8]) -> Result<Decoded, String> { Err(String::new()) }
impl std::fmt::Display for Inst { fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { write!(f, "{self:?}") } }
