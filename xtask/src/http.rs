//! What `serve` answers to a request: files of the site, to those who ask for it by a name that is its own.

use crate::site;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, Shutdown, TcpStream};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// A request's head may be this long.
const HEAD_LIMIT: usize = 32 << 10;
/// The head must be there so soon: a browser opens connections that it never uses.
const HEAD_WITHIN: Duration = Duration::from_secs(10);
/// A client that has sent nothing while its connection was read for so long is idle. What it has sent is there at once, also
/// where the machine is busy: only time spent reading counts.
const IDLE_AFTER: Duration = Duration::from_millis(250);
/// A client that takes nothing for so long is given up.
const WRITE_WITHIN: Duration = Duration::from_secs(20);
/// What a client still sends after its head is read for so long, and so much of it: a socket that is closed before all is
/// read resets the connection, and the answer may be lost.
const REST_WITHIN: Duration = Duration::from_millis(500);
const REST_LIMIT: usize = 64 << 10;

/// No page of another site may frame this one or load its files, whatever a browser would let it do with them.
const GUARDS: &str = "X-Frame-Options: DENY\r\nContent-Security-Policy: frame-ancestors 'none'\r\n\
    Cross-Origin-Resource-Policy: same-origin\r\nX-Content-Type-Options: nosniff\r\n";

/// What is served, and to whom.
pub struct Server {
    /// The folder with `index.html`.
    pub root: PathBuf,
    /// The path that the site stands below; begins and ends in "/".
    pub prefix: String,
    /// Names, besides `localhost` and the address of the connection, that a request may ask by; lowercase.
    pub names: Vec<String>,
}

impl Server {
    /// Answers the one request of a connection. `wanted` says whether others wait for its place: then a client that has
    /// sent nothing for a moment loses it.
    ///
    /// # Errors
    /// When the client hangs up, or lets too much time pass. It concerns only this connection.
    pub fn serve(&self, stream: &TcpStream, wanted: impl Fn() -> bool) -> io::Result<()> {
        let head = read_head(stream, wanted)?;
        let (answer, body) = match &head {
            Head::TooLong => (plain("431 Request Header Fields Too Large", "The request's head is too long."), true),
            Head::Whole(text) => self.answer(text, stream.local_addr()?.ip().to_canonical()),
        };
        let mut writer = stream;
        writer.set_write_timeout(Some(WRITE_WITHIN))?;
        let Answer { status, content_type, length, more, .. } = &answer;
        let about = format!("Content-Type: {content_type}\r\nContent-Length: {length}\r\n{more}");
        let rest = "Cache-Control: no-cache\r\nConnection: close\r\n\r\n";
        writer.write_all(format!("HTTP/1.1 {status}\r\n{about}{GUARDS}{rest}").as_bytes())?;
        if body {
            io::copy(&mut answer.body.take(answer.length), &mut writer)?;
        }
        writer.flush()?;
        finish(stream)
    }

    /// The answer to a request that came in on the address `local`, and whether its body is to be sent.
    fn answer(&self, head: &str, local: IpAddr) -> (Answer, bool) {
        let mut lines = head.lines();
        let mut words = lines.next().unwrap_or_default().split_whitespace();
        let (Some(method), Some(target), Some(_), None) = (words.next(), words.next(), words.next(), words.next())
        else {
            return (plain("400 Bad Request", "This is not a request of HTTP."), true);
        };
        let with_body = method != "HEAD";
        let hosts: Vec<&str> = lines
            .filter_map(|line| line.split_once(':'))
            .filter(|(name, _)| name.eq_ignore_ascii_case("host"))
            .map(|(_, value)| value.trim())
            .collect();
        let [host] = hosts[..] else {
            return (plain("400 Bad Request", "A request needs one Host header."), with_body);
        };
        if !self.admits(host, local) {
            return (refusal(host), with_body);
        }
        if !matches!(method, "GET" | "HEAD") {
            return (plain("405 Method Not Allowed", "Only GET and HEAD are answered here."), with_body);
        }
        (self.file(target), with_body)
    }

    /// Whether a Host header names this server: any port, since a forwarded one is another. A page of another site whose
    /// name was made to lead here asks by that name.
    fn admits(&self, host: &str, local: IpAddr) -> bool {
        let Some(name) = without_port(host).map(str::to_ascii_lowercase) else { return false };
        let literal = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(&name);
        match literal.parse::<IpAddr>().map(|address| address.to_canonical()) {
            Ok(address) if address.is_loopback() || address == local => true,
            _ => name == "localhost" || self.names.contains(&name),
        }
    }

    fn file(&self, target: &str) -> Answer {
        let (prefix, path) = (&self.prefix, target.split(['?', '#']).next().unwrap_or_default());
        if path.len() + 1 == prefix.len() && prefix.starts_with(path) {
            // Relative URLs need the slash.
            let redirect = plain("308 Permanent Redirect", "");
            return Answer { more: format!("Location: {prefix}\r\n"), ..redirect };
        }
        let Some(relative) = path.strip_prefix(prefix.as_str()).and_then(|rest| site::resolve(&format!("/{rest}")))
        else {
            return not_found(path);
        };
        match self.open(&relative) {
            Ok(Some((file, length))) => Answer {
                status: "200 OK",
                content_type: site::mime(&relative),
                length,
                more: String::new(),
                body: Box::new(file),
            },
            Ok(None) => not_found(path),
            Err(error) if error.kind() == ErrorKind::NotFound => not_found(path),
            Err(error) => plain("503 Service Unavailable", &format!("{path} could not be read now: {error}.")),
        }
    }

    /// A file of the site and its length; `None` where it is no file, or lies elsewhere.
    fn open(&self, relative: &std::path::Path) -> io::Result<Option<(File, u64)>> {
        let root = self.root.canonicalize()?;
        let path = root.join(relative).canonicalize()?;
        // A symbolic link must not lead out of the tree.
        if !path.starts_with(&root) || !path.is_file() {
            return Ok(None);
        }
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        Ok(Some((file, length)))
    }
}

enum Head {
    Whole(String),
    TooLong,
}

/// Reads up to the empty line that ends a request's head.
fn read_head(mut stream: &TcpStream, wanted: impl Fn() -> bool) -> io::Result<Head> {
    let until = Instant::now() + HEAD_WITHIN;
    let mut head = Vec::new();
    let mut part = [0; 4096];
    loop {
        // The time is for all of it, however small the parts in which it comes.
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(ErrorKind::TimedOut.into());
        }
        stream.set_read_timeout(Some(left.min(IDLE_AFTER)))?;
        let count = match stream.read(&mut part) {
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                if wanted() {
                    return Err(ErrorKind::TimedOut.into());
                }
                continue;
            }
            count => count?,
        };
        if count == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        // The end may stand across two parts.
        let from = head.len().saturating_sub(3);
        head.extend_from_slice(&part[..count]);
        if let Some(end) = head[from..].windows(4).position(|four| four == b"\r\n\r\n") {
            head.truncate(from + end);
            return Ok(Head::Whole(String::from_utf8_lossy(&head).into_owned()));
        }
        if head.len() > HEAD_LIMIT {
            return Ok(Head::TooLong);
        }
    }
}

/// Ends the answer, and takes what the client still sends.
fn finish(mut stream: &TcpStream) -> io::Result<()> {
    stream.shutdown(Shutdown::Write)?;
    stream.set_read_timeout(Some(REST_WITHIN))?;
    let mut part = [0; 4096];
    let mut taken = 0;
    while taken < REST_LIMIT {
        match stream.read(&mut part)? {
            0 => break,
            count => taken += count,
        }
    }
    Ok(())
}

/// The name of a Host header; `None` where what follows it is no port.
fn without_port(host: &str) -> Option<&str> {
    let end = match host.rfind(']') {
        Some(bracket) => bracket + 1,
        None => host.find(':').unwrap_or(host.len()),
    };
    let (name, port) = host.split_at(end);
    let is_port = |port: &str| port.parse::<u16>().is_ok() && port.bytes().all(|byte| byte.is_ascii_digit());
    (port.is_empty() || port.strip_prefix(':').is_some_and(is_port)).then_some(name)
}

struct Answer {
    status: &'static str,
    content_type: &'static str,
    length: u64,
    /// Further header lines.
    more: String,
    body: Box<dyn Read>,
}

fn plain(status: &'static str, text: &str) -> Answer {
    let body = Box::new(io::Cursor::new(text.to_string()));
    let (content_type, length) = ("text/plain; charset=utf-8", text.len() as u64);
    Answer { status, content_type, length, more: String::new(), body }
}

fn not_found(path: &str) -> Answer {
    plain("404 Not Found", &format!("{path} is not part of the site."))
}

fn refusal(host: &str) -> Answer {
    let name = without_port(host).unwrap_or(host);
    let text = format!(
        "This server does not answer to the name {name}. If that is a name of this machine, start the server with \
         `cargo xtask serve --allow-host {name}`."
    );
    plain("421 Misdirected Request", &text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sh;
    use std::net::TcpListener;

    fn server() -> Server {
        Server { root: sh::root(), prefix: "/x/".into(), names: vec!["classroom.test".into()] }
    }

    /// Sends bytes to a server over the repository's page, below `/x/`, and reads what comes back.
    fn send(request: &[u8]) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let serving = std::thread::spawn(move || server().serve(&listener.accept().unwrap().0, || false));
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(request).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        drop(stream);
        serving.join().unwrap().unwrap();
        text
    }

    fn ask(request: &str) -> String {
        send(format!("{request} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes())
    }

    fn status(answer: &str) -> &str {
        answer.split(' ').nth(1).unwrap_or_default()
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
        for (request, expected) in [("GET /index.html", "404"), ("GET /x/Cargo.toml", "404"), ("POST /x/", "405")] {
            assert_eq!(status(&ask(request)), expected, "{request}");
        }
    }

    #[test]
    fn no_answer_may_be_framed() {
        for request in ["GET /x/", "GET /x", "GET /nowhere", "POST /x/"] {
            let answer = ask(request);
            let (head, _) = answer.split_once("\r\n\r\n").unwrap();
            for guard in ["X-Frame-Options: DENY", "Content-Security-Policy: frame-ancestors 'none'"] {
                assert!(head.contains(guard), "{request}: {head}");
            }
        }
    }

    #[test]
    fn it_answers_to_its_own_names_alone() {
        let local = "192.168.1.5".parse().unwrap();
        for host in [
            "localhost",
            "localhost:8000",
            "LOCALHOST:1",
            "127.0.0.1",
            "127.0.0.1:9000",
            "[::1]",
            "[::1]:8000",
            "192.168.1.5:8000",
            "[::ffff:192.168.1.5]:8000",
            "Classroom.Test:80",
        ] {
            assert!(server().admits(host, local), "{host}");
        }
        for host in [
            "",
            "evil.test",
            "evil.test:8000",
            "localhost.evil.test",
            "127.0.0.1.evil.test",
            "192.168.1.6:8000",
            "[::2]:8000",
            "::1",
            "localhost:8000:evil",
            "localhost:+1",
            "localhost:99999",
            "evil@localhost",
            "classroom.test.evil",
        ] {
            assert!(!server().admits(host, local), "{host}");
        }
    }

    #[test]
    fn a_foreign_name_is_refused_with_a_sentence() {
        for (hosts, expected) in [
            ("Host: evil.test:8000\r\n", "421"),
            ("host: evil.test\r\n", "421"),
            ("Host: localhost\r\nHost: evil.test\r\n", "400"),
            ("", "400"),
            ("Host: 127.0.0.1:1\r\n", "200"),
        ] {
            let answer = send(format!("GET /x/ HTTP/1.1\r\n{hosts}\r\n").as_bytes());
            assert_eq!(status(&answer), expected, "{hosts}");
            assert_eq!(answer.contains("<html"), expected == "200", "{hosts}");
        }
        let refused = send(b"GET /x/ HTTP/1.1\r\nHost: evil.test:8000\r\n\r\n");
        assert!(
            refused.contains("does not answer to the name evil.test.") && refused.contains("--allow-host"),
            "{refused}"
        );
    }

    #[test]
    fn what_is_no_request_is_told_so() {
        assert_eq!(status(&send(b"\x16\x03\x01 hello\r\n\r\n")), "400");
        let long = [b"GET /x/ HTTP/1.1\r\nX: ".as_slice(), &[b'a'; HEAD_LIMIT + 1]].concat();
        assert_eq!(status(&send(&long)), "431");
    }

    #[test]
    fn who_hangs_up_ends_only_the_own_connection() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (accepted, _) = listener.accept().unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let outcome = server().serve(&accepted, || panic!("nothing was asked"));
        assert_eq!(outcome.unwrap_err().kind(), ErrorKind::UnexpectedEof);
    }
}
