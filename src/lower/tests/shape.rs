//! Which instructions are selected.
