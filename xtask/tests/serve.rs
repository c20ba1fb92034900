//! The server as a process, with as few descriptors as a small system gives.
#![cfg(unix)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

struct Serving(Child);

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts the server with at most 64 descriptors; returns it with the first line that it prints.
fn start(options: &str) -> (Serving, String) {
    let command =
        format!("ulimit -n 64 && exec '{}' serve --no-build --no-open {options}", env!("CARGO_BIN_EXE_xtask"));
    let child = Command::new("sh").args(["-c", &command]).stdout(Stdio::piped()).spawn().expect("a shell");
    let mut serving = Serving(child);
    let mut line = String::new();
    BufReader::new(serving.0.stdout.take().expect("piped")).read_line(&mut line).expect("a line");
    (serving, line)
}

#[test]
fn idle_connections_beyond_the_descriptors_keep_nobody_out() {
    let (_serving, line) = start("--port 0");
    let address = line.split("http://").nth(1).and_then(|rest| rest.split('/').next()).expect("an address");
    let _idle: Vec<TcpStream> = (0..189).map(|_| TcpStream::connect(address).expect("a connection")).collect();
    for _ in 0..3 {
        let mut stream = TcpStream::connect(address).expect("a connection");
        write!(stream, "GET / HTTP/1.1\r\nHost: {address}\r\n\r\n").expect("sent");
        let mut text = String::new();
        stream.read_to_string(&mut text).expect("an answer");
        assert!(text.starts_with("HTTP/1.1 200 OK") && text.ends_with("</html>\n"), "{text}");
    }
}
