//! Signals that end the process, held back while there is something to clear away first.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;
use signal_hook::low_level::emulate_default_handler;

/// The signals held back.
const HELD: [i32; 3] = [SIGHUP, SIGINT, SIGTERM];

/// While this lives, a signal is noted instead of obeyed.
pub struct Held {
    ends_process: Arc<AtomicBool>,
    received: Arc<AtomicUsize>,
}

impl Held {
    /// Holds signals back from now on.
    pub fn new() -> io::Result<Held> {
        let held = Held { ends_process: Arc::new(AtomicBool::new(false)), received: Arc::new(AtomicUsize::new(0)) };
        for signal in HELD {
            flag::register_conditional_default(signal, held.ends_process.clone())?;
            flag::register_usize(signal, held.received.clone(), signal as usize)?;
        }
        Ok(held)
    }

    /// Whether a signal has come.
    pub fn has_come(&self) -> bool {
        self.received.load(Ordering::SeqCst) != 0
    }
}

impl Drop for Held {
    /// Obeys the signal that has come, if one has, and every later one.
    fn drop(&mut self) {
        self.ends_process.store(true, Ordering::SeqCst);
        let signal = self.received.load(Ordering::SeqCst);
        if let Some(signal) = HELD.into_iter().find(|held| *held as usize == signal) {
            // It ends the process; where it cannot, the run has failed and says so.
            let _ = emulate_default_handler(signal);
        }
    }
}
