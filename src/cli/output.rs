//! Files that appear whole or not at all.
//!
//! Ensures: until the last moment the path holds what it held before; a failure leaves nothing.

use std::io::Write;
use std::path::Path;

use super::failure::{Exit, Failure};

/// Writes the file: into a temporary one beside it, which then takes its name.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let result = if is_special(path) { std::fs::write(path, bytes) } else { replace(path, bytes) };
    result.map_err(|error| {
        let message = format!("cannot write {}: {error}", path.display());
        Failure::new(Exit::Input, "cannot-write", message, "check the directory and its permissions")
    })
}

/// Whether the path names a device or the like, which must not be replaced by a file.
fn is_special(path: &Path) -> bool {
    path.metadata().is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir())
}

fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let directory = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.prefix(".synth").tempfile_in(directory)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("out");
        write(&path, b"one").unwrap();
        write(&path, b"two").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"two");
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_missing_directory_leaves_nothing() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(write(&directory.path().join("no/out"), b"x").unwrap_err().exit, Exit::Input);
        assert!(write(directory.path(), b"x").is_err());
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    }
}
