//! `serve`: a static server for the site on this machine alone.

use crate::{build, setup, sh, site};
use anyhow::{Result, bail};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Options of `serve`.
#[derive(clap::Args)]
pub struct Args {
    /// Port to listen on; if it is taken, the next free one. 0 lets the system choose
    #[arg(long, default_value_t = 8000)]
    port: u16,
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

/// Builds the page if need be and serves it until the process ends. The first line on standard output holds the address.
///
/// # Errors
/// When the page cannot be built or no port is free.
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
    let listener = listen(args.port)?;
    let url = format!("http://{}{prefix}", listener.local_addr()?);
    println!("Serving the page at {url} (Ctrl-C stops)");
    io::stdout().flush()?;
    if !args.no_open && open::that_detached(&url).is_err() {
        eprintln!("No browser could be opened here: open {url} yourself.");
    }
    for stream in listener.incoming() {
        let (root, prefix) = (root.clone(), prefix.clone());
        // A thread for each connection: a browser opens several at once, some of which it never uses. It may hang up at
        // any time, which concerns only this connection.
        std::thread::spawn(move || stream.and_then(|stream| serve(stream, &root, &prefix)));
    }
    Ok(())
}

fn listen(first: u16) -> Result<TcpListener> {
    let last = if first == 0 { 0 } else { first.saturating_add(99) };
    for port in first..=last {
        if let Ok(listener) = TcpListener::bind(("127.0.0.1", port)) {
            return Ok(listener);
        }
    }
    bail!("no free port from {first} to {last}: choose another with --port")
}

/// A request's head may be this long.
const HEAD_LIMIT: u64 = 64 << 10;

/// Answers the one request of a connection.
fn serve(stream: TcpStream, root: &Path, prefix: &str) -> io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    let mut reader = BufReader::new(&stream).take(HEAD_LIMIT);
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let mut line = String::new();
    // The headers matter to nothing here, but a socket that is closed before all is read resets the connection.
    while reader.read_line(&mut line)? > 2 {
        line.clear();
    }
    let mut words = first.split_whitespace();
    let (Some(method), Some(target)) = (words.next(), words.next()) else { return Ok(()) };
    let answer = answer(method, target, root, prefix);
    let mut head = format!(
        "HTTP/1.1 {}\r\nContent-Type: {}\r\nContent-Length: {}\r\n{}",
        answer.status, answer.content_type, answer.length, answer.more
    );
    head += "Cache-Control: no-cache\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n";
    let mut writer = &stream;
    writer.write_all(head.as_bytes())?;
    if method != "HEAD" {
        io::copy(&mut answer.body.take(answer.length), &mut writer)?;
    }
    writer.flush()
}

struct Answer {
    status: &'static str,
    content_type: &'static str,
    length: u64,
    /// Further header lines.
    more: String,
    body: Box<dyn Read>,
}

fn answer(method: &str, target: &str, root: &Path, prefix: &str) -> Answer {
    if !matches!(method, "GET" | "HEAD") {
        return plain("405 Method Not Allowed", "Only GET and HEAD are answered here.".into());
    }
    let path = target.split(['?', '#']).next().unwrap_or_default();
    if path.len() + 1 == prefix.len() && prefix.starts_with(path) {
        // Relative URLs need the slash.
        let redirect = plain("308 Permanent Redirect", String::new());
        return Answer { more: format!("Location: {prefix}\r\n"), ..redirect };
    }
    let file = path.strip_prefix(prefix).and_then(|rest| open_file(root, &format!("/{rest}")));
    let Some((file, length, content_type)) = file else {
        return plain("404 Not Found", format!("{path} is not part of the site."));
    };
    Answer { status: "200 OK", content_type, length, more: String::new(), body: Box::new(file) }
}

fn plain(status: &'static str, text: String) -> Answer {
    let (content_type, length) = ("text/plain; charset=utf-8", text.len() as u64);
    Answer { status, content_type, length, more: String::new(), body: Box::new(io::Cursor::new(text)) }
}

fn open_file(root: &Path, url_path: &str) -> Option<(File, u64, &'static str)> {
    let relative = site::resolve(url_path)?;
    let root = root.canonicalize().ok()?;
    let path = root.join(&relative).canonicalize().ok()?;
    // A symbolic link must not lead out of the tree.
    (path.starts_with(&root) && path.is_file()).then_some(())?;
    let file = File::open(path).ok()?;
    let length = file.metadata().ok()?.len();
    Some((file, length, site::mime(&relative)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Asks a server over the repository's page, below `/x/`, as a browser does.
    fn ask(request: &str) -> String {
        let listener = listen(0).unwrap();
        let address = listener.local_addr().unwrap();
        let server = std::thread::spawn(move || serve(listener.accept().unwrap().0, &sh::root(), "/x/"));
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(format!("{request} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes()).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        server.join().unwrap().unwrap();
        text
    }

    #[test]
    fn requests_are_answered() {
        let page = ask("GET /x/?backend=cpu");
        assert!(
            page.starts_with("HTTP/1.1 200 OK\r\nContent-Type: text/html") && page.ends_with("</html>\n"),
            "{page}"
        );
        let head = ask("HEAD /x/www/main.js");
        assert!(head.contains("text/javascript") && head.ends_with("\r\n\r\n"), "{head}");
        assert!(ask("GET /x").contains("\r\nLocation: /x/\r\n"));
        for (request, status) in [("GET /index.html", "404"), ("GET /x/Cargo.toml", "404"), ("POST /x/", "405")] {
            assert!(ask(request).starts_with(&format!("HTTP/1.1 {status} ")), "{request}");
        }
    }
}
