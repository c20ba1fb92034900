//! `serve`: a static server for the site, on this machine alone unless `--host` says otherwise. It is for development and a
//! classroom: one thread a connection, few of them, and none that can hold up the others.

use crate::http::Server;
use crate::{build, setup, sh, site};
use anyhow::{Context, Result, bail};
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpListener, TcpStream, UdpSocket};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// Options of `serve`.
#[derive(clap::Args)]
pub struct Args {
    /// Port to listen on; if it is taken, the next free one. 0 lets the system choose
    #[arg(long, default_value_t = 8000)]
    port: u16,
    /// Address or name of this machine to listen on: 0.0.0.0 for the whole network, as in a classroom
    #[arg(long, default_value = "127.0.0.1", value_name = "ADDRESS")]
    host: String,
    /// Also answer to this name, such as that of a proxy; may be repeated
    #[arg(long, value_name = "NAME")]
    allow_host: Vec<String>,
    /// Do not open a browser
    #[arg(long)]
    no_open: bool,
    /// Serve what is there, without building the page
    #[arg(long)]
    no_build: bool,
    /// Serve this folder (such as dist) as it is instead of the working tree
    #[arg(long)]
    dir: Option<PathBuf>,
    /// Serve below this path, as some static hosts do
    #[arg(long, default_value = "/")]
    prefix: String,
}

/// Connections at once. Each may take two descriptors, its own and a file's, of the 64 that a small system gives.
const MOST_CONNECTIONS: usize = 24;
/// After an error of the listener, such as that no descriptor is free, it is asked again so late.
const AGAIN_AFTER: Duration = Duration::from_millis(100);

/// Builds the page if need be and serves it until the process ends. The first line on standard output holds the address.
///
/// # Errors
/// When the page cannot be built, or the address is not this machine's, or no port is free.
pub fn run(args: &Args) -> Result<()> {
    if args.dir.is_none() && !args.no_build {
        setup::web()?;
        build::page()?;
    }
    let root = args.dir.clone().unwrap_or_else(sh::root);
    if !root.join(site::INDEX).is_file() {
        bail!("{} has no {}: nothing to serve there", root.display(), site::INDEX);
    }
    let prefix = format!("/{}/", args.prefix.trim_matches('/')).replace("//", "/");
    let host = args.host.trim_start_matches('[').trim_end_matches(']');
    let listener = listen(host, args.port)?;
    let local = listener.local_addr()?;
    let url = |host: &str| format!("http://{host}:{}{prefix}", local.port());
    let own = url(&own_name(host, local.ip()));
    println!("Serving the page at {own} (Ctrl-C stops)");
    if !local.ip().is_loopback() {
        let there = if local.ip().is_unspecified() { network_address(local.ip()).map(literal) } else { None };
        println!("Others in this network reach it at {}", there.map_or_else(|| own.clone(), |there| url(&there)));
        println!("There it has no WebGPU and saves no runs: for those, browsers want https, or localhost.");
    }
    io::stdout().flush()?;
    if !args.no_open && open::that_detached(&own).is_err() {
        eprintln!("No browser could be opened here: open {own} yourself.");
    }
    let names = args.allow_host.iter().map(String::as_str).chain([host]).map(str::to_ascii_lowercase).collect();
    let server = Arc::new(Server { root, prefix, names });
    accept(|| Some(listener.accept().map(|(stream, _)| stream)), &server, || thread::sleep(AGAIN_AFTER));
    Ok(())
}

fn listen(host: &str, first: u16) -> Result<TcpListener> {
    let last = if first == 0 { 0 } else { first.saturating_add(99) };
    for port in first..=last {
        match TcpListener::bind((host, port)) {
            Ok(listener) => return Ok(listener),
            Err(error) if matches!(error.kind(), io::ErrorKind::AddrInUse | io::ErrorKind::PermissionDenied) => {}
            Err(error) => {
                return Err(error)
                    .with_context(|| format!("cannot listen on {host}: --host takes an address of this machine"));
            }
        }
    }
    bail!("no free port from {first} to {last}: choose another with --port")
}

/// What the browser on this machine calls the address.
fn own_name(host: &str, local: IpAddr) -> String {
    match local {
        IpAddr::V4(address) if address.is_unspecified() => Ipv4Addr::LOCALHOST.to_string(),
        IpAddr::V6(address) if address.is_unspecified() => literal(Ipv6Addr::LOCALHOST.into()),
        _ => host.parse().map_or_else(|_| host.to_string(), literal),
    }
}

/// An address as it stands in a URL.
fn literal(address: IpAddr) -> String {
    if address.is_ipv6() { format!("[{address}]") } else { address.to_string() }
}

/// The address that this machine has in its network. Nothing is sent: a socket is only asked by which way it would.
fn network_address(any: IpAddr) -> Option<IpAddr> {
    let outside = if any.is_ipv6() { "[2001:db8::1]:9" } else { "192.0.2.1:9" };
    let socket = UdpSocket::bind((any, 0)).ok()?;
    socket.connect(outside).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

/// Serves the connections that `next` gives until it gives none. `pause` is called after an error, since the next may follow
/// at once.
fn accept(mut next: impl FnMut() -> Option<io::Result<TcpStream>>, server: &Arc<Server>, mut pause: impl FnMut()) {
    let places = Arc::new(Places::default());
    while let Some(stream) = next() {
        let Ok(stream) = stream else {
            // No descriptor is free, most likely.
            let _wanted = places.want();
            pause();
            continue;
        };
        let place = places.enter();
        let server = server.clone();
        // Not `thread::spawn`, which panics where there can be no more threads.
        let started = thread::Builder::new().spawn(move || {
            // The browser may hang up at any time, which concerns only this connection.
            let _ = server.serve(&stream, || place.0.is_wanted());
        });
        if started.is_err() {
            pause();
        }
    }
}

/// Room for connections, so many at once.
#[derive(Default)]
struct Places {
    taken: Mutex<usize>,
    left: Condvar,
    /// So many wait for a place.
    waiting: AtomicUsize,
}

/// A place that a connection has, until this is dropped.
struct Place(Arc<Places>);

/// Somebody waits for a place, until this is dropped.
struct Wanted<'a>(&'a Places);

impl Places {
    /// Takes a place, when there is one. Connections that ask for nothing meanwhile give theirs up.
    fn enter(self: &Arc<Self>) -> Place {
        let mut taken = self.taken();
        if *taken >= MOST_CONNECTIONS {
            let _wanted = self.want();
            while *taken >= MOST_CONNECTIONS {
                taken = self.left.wait(taken).unwrap_or_else(PoisonError::into_inner);
            }
        }
        *taken += 1;
        Place(self.clone())
    }

    fn want(&self) -> Wanted<'_> {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        Wanted(self)
    }

    fn is_wanted(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) > 0
    }

    fn taken(&self) -> MutexGuard<'_, usize> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        *self.0.taken() -= 1;
        self.0.left.notify_one();
    }
}

impl Drop for Wanted<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn errors_of_the_listener_are_waited_out() {
        let server = Arc::new(Server { root: sh::root(), prefix: "/".into(), names: Vec::new() });
        let (mut errors, mut pauses) = (0..10, 0);
        let full = || errors.next().map(|_| Err(io::Error::other("too many open files")));
        accept(full, &server, || pauses += 1);
        assert_eq!(pauses, 10);
    }

    #[test]
    fn idle_connections_give_way() {
        let listener = listen("127.0.0.1", 0).unwrap();
        let address = listener.local_addr().unwrap();
        let server = Arc::new(Server { root: sh::root(), prefix: "/".into(), names: Vec::new() });
        thread::spawn(move || {
            accept(|| Some(listener.accept().map(|(stream, _)| stream)), &server, || panic!("an error"))
        });
        let idle: Vec<TcpStream> = (0..4 * MOST_CONNECTIONS).map(|_| TcpStream::connect(address).unwrap()).collect();
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(b"HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        assert!(text.starts_with("HTTP/1.1 200 OK"), "{text}");
        // The first of them were hung up on, which a read finds at once.
        let mut first = &idle[0];
        assert_eq!(first.read(&mut [0]).unwrap_or(0), 0);
    }

    #[test]
    fn nobody_who_has_asked_is_hung_up_on() {
        let listener = listen("127.0.0.1", 0).unwrap();
        let address = listener.local_addr().unwrap();
        let server = Arc::new(Server { root: sh::root(), prefix: "/".into(), names: Vec::new() });
        thread::spawn(move || {
            accept(|| Some(listener.accept().map(|(stream, _)| stream)), &server, || panic!("an error"))
        });
        // Many at once, as when a class opens the page: their requests lie there before anybody looks at them.
        let asking: Vec<TcpStream> = (0..6 * MOST_CONNECTIONS)
            .map(|_| {
                let mut stream = TcpStream::connect(address).unwrap();
                stream.write_all(b"HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
                stream
            })
            .collect();
        for mut stream in asking {
            let mut text = String::new();
            stream.read_to_string(&mut text).unwrap();
            assert!(text.starts_with("HTTP/1.1 200 OK"), "{text}");
        }
    }

    #[test]
    fn only_an_address_of_this_machine_is_listened_on() {
        let error = format!("{:#}", listen("203.0.113.77", 0).unwrap_err());
        assert!(error.contains("cannot listen on 203.0.113.77") && error.contains("--host"), "{error}");
        let taken = listen("127.0.0.1", 0).unwrap().local_addr().unwrap();
        assert!(taken.ip().is_loopback());
    }

    #[test]
    fn the_address_is_one_that_a_browser_opens() {
        let name = |host: &str, local: &str| own_name(host, local.parse().unwrap());
        assert_eq!(name("0.0.0.0", "0.0.0.0"), "127.0.0.1");
        assert_eq!(name("::", "::"), "[::1]");
        assert_eq!(name("::1", "::1"), "[::1]");
        assert_eq!(name("localhost", "127.0.0.1"), "localhost");
        assert_eq!(name("192.168.1.5", "192.168.1.5"), "192.168.1.5");
    }
}
