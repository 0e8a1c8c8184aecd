//! A service on a local port that gives prepared answers: conflicts and partial answers that no emulator produces.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A running service.
pub(crate) struct Answers {
    pub(crate) endpoint: String,
    given: AtomicUsize,
}

impl Answers {
    /// How many answers were given.
    pub(crate) fn count(&self) -> usize {
        self.given.load(Ordering::SeqCst)
    }
}

/// Starts a service that gives `answers` (status and body) in turn, one per connection, and then is gone.
pub(crate) fn serve(answers: Vec<(u16, String)>) -> Arc<Answers> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let served = Arc::new(Answers { endpoint, given: AtomicUsize::new(0) });
    let counter = Arc::clone(&served);
    std::thread::spawn(move || {
        for (status, body) in answers {
            let (stream, _) = listener.accept().unwrap();
            read_request(&stream);
            counter.given.fetch_add(1, Ordering::SeqCst);
            let length = body.len();
            let head =
                format!("HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
            (&stream).write_all((head + &body).as_bytes()).unwrap();
        }
    });
    served
}

fn read_request(stream: &TcpStream) {
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if line.trim().is_empty() {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    reader.read_exact(&mut vec![0; length]).unwrap();
}
