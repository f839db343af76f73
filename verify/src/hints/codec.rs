//! Reads and writes the bytes of the hint section.
