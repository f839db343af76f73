//! Where results go: files that appear whole or not at all, special files, standard output.
//!
//! Ensures: until the last moment a file holds what it held before, and a failure leaves nothing.
//! A link stays, and what it points to is replaced. A special file (a device, a pipe, an open
//! file of a process) is written to, because it cannot be replaced. A reader that has gone away is
//! no error.

use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::failure::{Exit, Failure};

/// Most links between a path and its file, as Linux has it.
const LINKS_MAX: u32 = 40;

/// A place that a result goes to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Output {
    /// Its name as the user knows it.
    shown: String,
    place: Place,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Place {
    Standard,
    /// A special file, by the user's path.
    Special(PathBuf),
    /// A regular file, there or not, no link itself.
    File(PathBuf),
}

/// What makes two places the same.
#[derive(PartialEq, Eq)]
enum Identity {
    Standard,
    /// A file that is there: device and number.
    Present(u64, u64),
    /// A file that is not there yet.
    Absent(PathBuf),
}

impl Output {
    /// Standard output.
    pub fn standard() -> Output {
        Output { shown: "standard output".into(), place: Place::Standard }
    }

    /// Finds where a path leads, `-` being standard output, and that a file can be made there.
    pub fn at(path: &Path) -> Result<Output, Failure> {
        if path == Path::new("-") {
            return Ok(Output::standard());
        }
        if path.as_os_str().is_empty() {
            let remedy = "give a path, or - for standard output";
            return Err(Failure::new(Exit::Usage, "no-path", "the path of an output is empty", remedy));
        }
        let output = Output { shown: path.display().to_string(), place: Place::Special(path.into()) };
        let place = resolve(path).map_err(|error| output.failure(&error))?;
        if let Place::File(file) = &place {
            temporary(file).map_err(|error| output.failure(&error))?;
        }
        Ok(Output { place, ..output })
    }

    /// Whether it is standard output.
    pub fn is_standard(&self) -> bool {
        self.place == Place::Standard
    }

    /// Writes all of the result.
    pub fn write(&self, bytes: &[u8]) -> Result<(), Failure> {
        let written = match &self.place {
            Place::Standard => write_all(&mut io::stdout().lock(), bytes),
            Place::Special(path) => File::create(path).and_then(|mut file| write_all(&mut file, bytes)),
            Place::File(path) => replace(path, bytes),
        };
        written.map_err(|error| self.failure(&error))
    }

    fn failure(&self, error: &io::Error) -> Failure {
        let remedy = match self.place {
            Place::Standard => "check where it is redirected to",
            Place::Special(_) | Place::File(_) => "check the directory and its permissions",
        };
        Failure::new(Exit::Input, "cannot-write", format!("cannot write {}: {error}", self.shown), remedy)
    }

    fn identity(&self) -> Option<Identity> {
        match &self.place {
            Place::Standard => Some(Identity::Standard),
            Place::Special(path) | Place::File(path) => identity(path),
        }
    }
}

/// Refuses an output that is the input, and two outputs that are one.
pub fn check_distinct(input: &Path, outputs: &[&Output]) -> Result<(), Failure> {
    let mut seen = vec![(identity(input), "the input".to_string())];
    for output in outputs {
        let found = output.identity();
        if let Some((_, other)) = seen.iter().find(|(known, _)| found.is_some() && *known == found) {
            let message = match output.is_standard() {
                true => "more than one output goes to standard output".to_string(),
                false => format!("the output {} is also {other}", output.shown),
            };
            return Err(Failure::new(Exit::Usage, "same-file", message, "give each output a path of its own"));
        }
        seen.push((found, format!("the output {}", output.shown)));
    }
    Ok(())
}

/// Refuses outputs in a folder that is written whole.
pub fn check_outside(folder: &Path, outputs: &[&Output]) -> Result<(), Failure> {
    let Some(place) = place(folder) else { return Ok(()) };
    for output in outputs {
        if let Place::File(target) = &output.place
            && self::place(target).is_some_and(|target| target.starts_with(&place))
        {
            let message = format!("the output {} is in the folder for evidence", output.shown);
            return Err(Failure::new(Exit::Usage, "same-file", message, "give each output a path of its own"));
        }
    }
    Ok(())
}

/// A path without links in it but at its end.
fn place(path: &Path) -> Option<PathBuf> {
    Some(directory(path).canonicalize().ok()?.join(path.file_name()?))
}

/// `None` for what any number of results may go to: devices and pipes.
fn identity(path: &Path) -> Option<Identity> {
    match path.metadata() {
        Ok(found) if found.is_file() => Some(Identity::Present(found.dev(), found.ino())),
        Ok(_) => None,
        Err(_) => Some(Identity::Absent(place(path)?)),
    }
}

fn resolve(path: &Path) -> io::Result<Place> {
    match path.metadata() {
        Ok(found) if found.is_dir() => return Err(ErrorKind::IsADirectory.into()),
        Ok(found) if !found.is_file() => return Ok(Place::Special(path.into())),
        Ok(_) | Err(_) => {}
    }
    let mut target = path.to_path_buf();
    for _ in 0..LINKS_MAX {
        if !target.is_symlink() {
            return Ok(Place::File(target));
        }
        // What a process has open is the file itself, not the name that its link shows.
        if directory(&target).canonicalize()?.starts_with("/proc") {
            return Ok(Place::Special(path.into()));
        }
        target = directory(&target).join(target.read_link()?);
    }
    Err(io::Error::other("its links lead nowhere"))
}

fn directory(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

fn write_all(to: &mut dyn Write, bytes: &[u8]) -> io::Result<()> {
    match to.write_all(bytes).and_then(|()| to.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        done => done,
    }
}

/// A temporary file beside a file, to take its name.
fn temporary(path: &Path) -> io::Result<tempfile::NamedTempFile> {
    let directory = directory(path);
    if !directory.metadata()?.is_dir() {
        return Err(ErrorKind::NotADirectory.into());
    }
    let mut builder = tempfile::Builder::new();
    builder.permissions(PermissionsExt::from_mode(0o666));
    // The error tells a path that the user did not give: only its kind is kept.
    builder.prefix(".synth").tempfile_in(directory).map_err(|error| error.kind().into())
}

fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = temporary(path)?;
    // The temporary file's own errors tell its path, those of the file inside do not.
    file.as_file_mut().write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
        Output::at(path)?.write(bytes)
    }

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
        let path = directory.path().join("no/out");
        let failure = write(&path, b"x").unwrap_err();
        assert_eq!(failure.exit, Exit::Input);
        assert!(failure.message.starts_with(&format!("cannot write {}: ", path.display())), "{}", failure.message);
        assert!(!failure.message.contains(".synth"), "{}", failure.message);
        assert!(write(directory.path(), b"x").is_err());
        assert_eq!(write(Path::new(""), b"x").unwrap_err().exit, Exit::Usage);
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_link_stays_and_its_target_is_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        std::fs::create_dir(path("sub")).unwrap();
        symlink("second", path("first")).unwrap();
        symlink("sub/file", path("second")).unwrap();
        // The target is made if it is not there, and replaced if it is.
        for bytes in [b"one", b"two"] {
            write(&path("first"), bytes).unwrap();
            assert_eq!(std::fs::read(path("sub/file")).unwrap(), bytes);
        }
        assert!(path("first").is_symlink() && path("second").is_symlink());
        assert!(!path("sub/file").is_symlink());
        symlink("round", path("round")).unwrap();
        assert!(write(&path("round"), b"x").is_err());
    }

    #[test]
    fn special_files_are_written_to() {
        let directory = tempfile::tempdir().unwrap();
        let link = directory.path().join("null");
        symlink("/dev/null", &link).unwrap();
        write(&link, b"x").unwrap();
        assert_eq!(link.read_link().unwrap(), Path::new("/dev/null"));
        // An open file has another name only by chance: it keeps its number.
        let file = File::create(directory.path().join("open")).unwrap();
        let number = file.metadata().unwrap().ino();
        let open = PathBuf::from(format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&file)));
        write(&open, b"seen").unwrap();
        let path = directory.path().join("open");
        assert_eq!(std::fs::read(&path).unwrap(), b"seen");
        assert_eq!(path.metadata().unwrap().ino(), number);
    }

    #[test]
    fn one_file_has_one_role() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        std::fs::write(path("in"), b"x").unwrap();
        symlink("in", path("link")).unwrap();
        let output = |name: &str| Output::at(&path(name)).unwrap();
        let check = |outputs: &[&Output]| check_distinct(&path("in"), outputs);
        assert_eq!(check(&[&output("link")]).unwrap_err().exit, Exit::Usage);
        assert!(check(&[&output("a"), &output("b")]).is_ok());
        assert!(check(&[&output("a"), &output("../a")]).is_ok());
        assert!(check(&[&output("a"), &output("./a")]).is_err());
        assert!(check(&[&Output::standard(), &Output::standard()]).is_err());
        let null = Output::at(Path::new("/dev/null")).unwrap();
        assert!(check(&[&null, &null]).is_ok());
    }
}
