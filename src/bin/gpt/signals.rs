//! Being asked to end.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Is set when the program is asked to end: by Ctrl-C, by `kill`, `docker stop` or a batch system (SIGTERM), or because
/// the terminal closes (SIGHUP, unless `nohup` has it ignored). Whoever asked by Ctrl-C can end the program at once by
/// another; the other signals often come twice, and so mean no more than the first time.
pub(super) fn asked_to_end() -> Arc<AtomicBool> {
    let flag = Arc::new(AtomicBool::new(false));
    // Where a signal cannot be had, it ends the program without saving, as everywhere.
    let _ = listen(&flag);
    flag
}

#[cfg(unix)]
fn listen(flag: &Arc<AtomicBool>) -> std::io::Result<()> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::flag::{register, register_conditional_shutdown};
    // In this order: the first time there is nothing to end yet.
    register_conditional_shutdown(SIGINT, 130, Arc::clone(flag))?;
    register(SIGINT, Arc::clone(flag))?;
    register(SIGTERM, Arc::clone(flag))?;
    if !is_ignored(SIGHUP) {
        register(SIGHUP, Arc::clone(flag))?;
    }
    Ok(())
}

#[cfg(unix)]
fn is_ignored(signal: libc::c_int) -> bool {
    // SAFETY: a struct of numbers and a pointer that may be null, of which all bits zero is a value.
    let mut now: libc::sigaction = unsafe { std::mem::zeroed() };
    // SAFETY: without a new action the call changes nothing but `now`, which lives longer.
    let asked = unsafe { libc::sigaction(signal, std::ptr::null(), &mut now) };
    asked == 0 && now.sa_sigaction == libc::SIG_IGN
}

#[cfg(not(unix))]
fn listen(flag: &Arc<AtomicBool>) -> Result<(), ctrlc::Error> {
    let flag = Arc::clone(flag);
    ctrlc::set_handler(move || {
        if flag.swap(true, std::sync::atomic::Ordering::SeqCst) {
            std::process::exit(130);
        }
    })
}
