//! Evidence on disk: a folder that appears whole or not at all, and `synth evidence check`.
//!
//! Ensures: a folder that is no bundle is left alone, a bundle is replaced by a whole one, and a failure leaves what was
//! there.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use synth_verify::evidence::{self, Fault, Files, Made, Request, Tool};

use super::args::EvidenceCheck;
use super::failure::{Exit, Failure};
use super::signals::Held;
use super::{driver, print_data, report};

/// What this program is.
pub const TOOL: Tool<'static> =
    Tool { version: env!("CARGO_PKG_VERSION"), sources: env!("SYNTH_SOURCES"), compiler: env!("SYNTH_RUSTC") };

/// Does `synth evidence check`.
pub fn check(command: &EvidenceCheck) -> Result<(), Failure> {
    let files = read(&command.directory)?;
    let made = evidence::check(&files, &TOOL).map_err(|fault| failure(&command.directory, fault))?;
    print_data(&report::text(&made.report))?;
    print_data(&format!("{} files are what is made of the inputs, {}\n", files.len(), canaries(&made)))
}

/// Nothing if a bundle was made; else why not.
pub fn refusal(made: &Made) -> Result<(), Failure> {
    report::refusal(&made.report)?;
    let against = synth_verify::canary::against(&made.report, &made.canaries);
    if against.is_empty() {
        return Ok(());
    }
    let remedy = "this is a fault of the validator: nothing was written; please report it with the input";
    let mut failure = Failure::new(Exit::Unknown, "canary", "the validator accepts damage to the file", remedy);
    failure.details = against;
    Err(failure)
}

/// What became of the canaries, in words.
pub fn canaries(made: &Made) -> String {
    let refused = made.canaries.iter().filter(|canary| canary.outcome.word() == "refused").count();
    let equivalent = made.canaries.len() - refused;
    format!("{refused} damaged copies refused, {equivalent} accepted that do the same")
}

/// What a bundle is made of beside the files.
pub fn request(modules: Vec<String>, solvers: synth_verify::check::Solvers, flags: Vec<String>) -> Request {
    Request { modules, solvers, flags }
}

fn failure(directory: &Path, fault: Fault) -> Failure {
    match fault {
        Fault::File { path, why } => {
            let message = format!("{}: {path} {why}", directory.display());
            let remedy = "the evidence is altered, or another version of synth made it: make it again";
            Failure::new(Exit::OtherModule, "evidence", message, remedy)
        }
        Fault::Check(error) => driver::check_failure(error),
        Fault::Refused(made) => refusal(&made)
            .err()
            .unwrap_or_else(|| Failure::new(Exit::Unknown, "unproved", "the evidence is not proved", "make it again")),
    }
}

/// A place for a bundle.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    /// A folder that is not there, is empty, or is a bundle.
    pub fn at(path: &Path) -> Result<Folder, Failure> {
        let folder = Folder { path: path.to_path_buf() };
        let refuse = |message: String, remedy| Err(Failure::new(Exit::Usage, "no-bundle", message, remedy));
        if path.as_os_str().is_empty() || path.file_name().is_none() {
            return refuse("the folder for evidence has no name".to_owned(), "give the path of a new folder");
        }
        match fs::read_dir(path) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound && !path.is_symlink() => {
                folder.temporary().map_err(|error| folder.failure(&error))?;
                return Ok(folder);
            }
            Err(error) => return Err(folder.failure(&error)),
        };
        if path.is_symlink() || !is_bundle(path).map_err(|error| folder.failure(&error))? {
            let message = format!("{} is there and no evidence as it was made", path.display());
            return refuse(message, "give the path of a new folder, or remove this one");
        }
        folder.temporary().map_err(|error| folder.failure(&error))?;
        Ok(folder)
    }

    /// Puts a bundle there, in the place of an older one.
    pub fn write(&self, files: &Files) -> Result<(), Failure> {
        // Nothing is left beside it by whoever ends the process now.
        let _held = Held::new().map_err(|error| self.failure(&error))?;
        self.replace(files).map_err(|error| self.failure(&error))
    }

    fn replace(&self, files: &Files) -> io::Result<()> {
        let new = self.temporary()?;
        for (name, bytes) in files {
            let path = new.path().join(name);
            path.parent().map_or(Ok(()), fs::create_dir_all)?;
            let mut file = fs::File::create(path)?;
            io::Write::write_all(&mut file, bytes)?;
            file.sync_all()?;
        }
        fs::set_permissions(new.path(), PermissionsExt::from_mode(0o755))?;
        let old = self.temporary()?;
        let aside = old.path().join("old");
        match fs::rename(&self.path, &aside) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        // Somebody may have put a file there since it was looked at.
        let replaced = match !aside.exists() || is_bundle(&aside)? {
            true => fs::rename(new.path(), &self.path),
            false => Err(io::Error::other("there are files in it that are no evidence")),
        };
        if replaced.is_err() && aside.exists() && fs::rename(&aside, &self.path).is_err() {
            // What was there is not deleted, if it cannot come back.
            _ = old.keep();
        }
        replaced.map(|()| _ = new.keep())
    }

    fn temporary(&self) -> io::Result<tempfile::TempDir> {
        let beside = match self.path.parent() {
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        };
        // The error tells a path that the user did not give: only its kind is kept.
        tempfile::Builder::new().prefix(".synth").tempdir_in(beside).map_err(|error| error.kind().into())
    }

    fn failure(&self, error: &io::Error) -> Failure {
        let why = match error.kind() {
            ErrorKind::NotFound => "the folder that it is to be in is not there".to_owned(),
            _ => error.to_string(),
        };
        let message = format!("cannot write {}: {why}", self.path.display());
        Failure::new(Exit::Input, "cannot-write", message, "check the directory and its permissions")
    }
}

/// Whether a folder is empty, or holds a bundle as it was made and nothing else.
fn is_bundle(directory: &Path) -> io::Result<bool> {
    let mut files = Files::new();
    collect(directory, "", &mut files)?;
    Ok(files.is_empty() || evidence::intact(&files).is_ok())
}

/// All files of a bundle.
fn read(directory: &Path) -> Result<Files, Failure> {
    let mut files = Files::new();
    let failure = |error: io::Error| {
        let message = format!("cannot read {}: {error}", directory.display());
        Failure::new(Exit::Input, "cannot-read", message, "check the path and its permissions")
    };
    collect(directory, "", &mut files).map_err(failure)?;
    Ok(files)
}

fn collect(directory: &Path, prefix: &str, files: &mut Files) -> io::Result<()> {
    let entries: Vec<fs::DirEntry> = fs::read_dir(directory)?.collect::<io::Result<_>>()?;
    if entries.is_empty() && !prefix.is_empty() {
        // An empty folder is something that a bundle does not have.
        files.insert(prefix.to_owned(), Vec::new());
    }
    for entry in entries {
        let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
        let kind = entry.file_type()?;
        if kind.is_dir() {
            collect(&entry.path(), &format!("{path}/"), files)?;
        } else {
            // What is no file of its own has no contents that could be right.
            let bytes = if kind.is_file() { fs::read(entry.path())? } else { Vec::new() };
            files.insert(path, bytes);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(text: &str) -> Files {
        let mut files: Files = [("a/b.csv".to_owned(), text.as_bytes().to_vec())].into();
        let sums = evidence::sums(&files);
        files.insert("SHA256SUMS".to_owned(), sums.into_bytes());
        files
    }

    #[test]
    fn a_bundle_is_replaced_whole_and_nothing_else_is() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("bundle");
        for text in ["one", "two"] {
            Folder::at(&path).unwrap().write(&files(text)).unwrap();
            assert_eq!(read(&path).unwrap(), files(text));
        }
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
        // A bundle to which somebody added a file or a folder, or of which a file is another, is theirs.
        for name in ["notes", "a/notes", "a/b.csv"] {
            let before = fs::read(path.join(name)).ok();
            fs::write(path.join(name), "mine").unwrap();
            assert_eq!(Folder::at(&path).unwrap_err().exit, Exit::Usage);
            assert!(Folder { path: path.clone() }.write(&files("three")).is_err());
            assert_eq!(fs::read(path.join(name)).unwrap(), b"mine");
            before.map_or_else(|| fs::remove_file(path.join(name)), |bytes| fs::write(path.join(name), bytes)).unwrap();
        }
        fs::create_dir(path.join("empty")).unwrap();
        assert_eq!(Folder::at(&path).unwrap_err().exit, Exit::Usage);
        fs::remove_dir(path.join("empty")).unwrap();
        assert!(Folder::at(&path).is_ok());
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
        let other = directory.path().join("other");
        fs::create_dir(&other).unwrap();
        assert!(Folder::at(&other).is_ok());
        fs::write(other.join("mine"), "x").unwrap();
        assert_eq!(Folder::at(&other).unwrap_err().exit, Exit::Usage);
        assert_eq!(Folder::at(Path::new("")).unwrap_err().exit, Exit::Usage);
        assert_eq!(Folder::at(&other.join("mine")).unwrap_err().exit, Exit::Input);
        assert_eq!(Folder::at(&other.join("no/bundle")).unwrap_err().exit, Exit::Input);
        std::os::unix::fs::symlink(&path, directory.path().join("link")).unwrap();
        assert_eq!(Folder::at(&directory.path().join("link")).unwrap_err().exit, Exit::Usage);
    }
}
