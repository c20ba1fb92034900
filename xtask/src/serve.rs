//! `serve`: a static server for the site on this machine alone.

use crate::{build, setup, sh, site};
use anyhow::{Result, bail};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tiny_http::{Header, Method, Request, Response, Server, StatusCode};

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
    let server = Arc::new(listen(args.port)?);
    let address = server.server_addr().to_ip().expect("listening on an IP address");
    let url = format!("http://{address}{prefix}");
    println!("Serving the page at {url} (Ctrl-C stops)");
    std::io::stdout().flush()?;
    if !args.no_open && open::that_detached(&url).is_err() {
        eprintln!("No browser could be opened here: open {url} yourself.");
    }
    // A browser keeps several connections open at once; a slow one must not hold up the others.
    let workers: Vec<_> = (0..4)
        .map(|_| {
            let (server, root, prefix) = (Arc::clone(&server), root.clone(), prefix.clone());
            std::thread::spawn(move || {
                for request in server.incoming_requests() {
                    // The browser may hang up at any time; that concerns only this request.
                    let _ = answer(request, &root, &prefix);
                }
            })
        })
        .collect();
    for worker in workers {
        let _ = worker.join();
    }
    Ok(())
}

fn listen(first: u16) -> Result<Server> {
    let last = if first == 0 { 0 } else { first.saturating_add(99) };
    for port in first..=last {
        if let Ok(server) = Server::http(("127.0.0.1", port)) {
            return Ok(server);
        }
    }
    bail!("no free port from {first} to {last}: choose another with --port")
}

fn answer(request: Request, root: &Path, prefix: &str) -> std::io::Result<()> {
    if !matches!(request.method(), Method::Get | Method::Head) {
        return plain(request, 405, "Only GET and HEAD are answered here.");
    }
    let path = request.url().split(['?', '#']).next().unwrap_or_default().to_string();
    if path.len() + 1 == prefix.len() && prefix.starts_with(&path) {
        // Relative URLs need the slash.
        let response = Response::empty(308).with_header(header("Location", prefix));
        return request.respond(response);
    }
    let file = path.strip_prefix(prefix).and_then(|rest| open_file(root, &format!("/{rest}")));
    let Some((file, content_type)) = file else {
        return plain(request, 404, &format!("{path} is not part of the site."));
    };
    let response = Response::from_file(file)
        .with_header(header("Content-Type", content_type))
        .with_header(header("Cache-Control", "no-cache"))
        .with_header(header("X-Content-Type-Options", "nosniff"));
    request.respond(response)
}

fn open_file(root: &Path, url_path: &str) -> Option<(File, &'static str)> {
    let relative = site::resolve(url_path)?;
    let root = root.canonicalize().ok()?;
    let path = root.join(&relative).canonicalize().ok()?;
    // A symbolic link must not lead out of the tree.
    (path.starts_with(&root) && path.is_file()).then_some(())?;
    Some((File::open(path).ok()?, site::mime(&relative)))
}

fn plain(request: Request, status: u16, text: &str) -> std::io::Result<()> {
    request.respond(Response::from_string(text).with_status_code(StatusCode(status)))
}

fn header(name: &str, value: &str) -> Header {
    Header::from_bytes(name, value).expect("a header of plain ASCII")
}
