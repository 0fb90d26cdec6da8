//! TLS in front of a test's endpoint, as AWS's services have it: connections that are kept, and a certificate.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::{built, venv};

/// The name in the certificate of a server that is reached as it is called.
pub const REACHED: &str = "localhost";
/// The name in the certificate of a server that is reached by another name.
pub const ELSEWHERE: &str = "elsewhere.example";

/// A server of HTTPS. It ends when dropped.
pub struct Tls {
    port: u16,
    seen: Arc<Seen>,
}

#[derive(Default)]
struct Seen {
    /// Handshakes that were completed.
    handshakes: Mutex<usize>,
    requests: Mutex<Vec<Vec<u8>>>,
    open: Mutex<Vec<TcpStream>>,
    closed: AtomicBool,
}

impl Tls {
    /// In front of an HTTP server on this port of 127.0.0.1, with a certificate of the [authority] for this name.
    pub fn before(backend: u16, name: &str) -> Self {
        let pem = std::fs::read(folder().join(format!("{name}.pem"))).expect("its certificate");
        let key = PrivateKeyDer::from_pem_slice(&pem).expect("a key");
        let chain = vec![CertificateDer::from_pem_slice(&pem).expect("a certificate")];
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("TLS 1.2 and 1.3")
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .expect("a key and its certificate");
        let config = Arc::new(config);
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("its address").port();
        let seen = Arc::new(Seen::default());
        let shared = Arc::clone(&seen);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if shared.closed.load(Ordering::SeqCst) {
                    break;
                }
                let (seen, config) = (Arc::clone(&shared), Arc::clone(&config));
                // A connection that breaks off is the caller's to notice.
                std::thread::spawn(move || seen.serve(client, config, backend).unwrap_or_default());
            }
        });
        Self { port, seen }
    }

    /// What `AWS_ENDPOINT_URL_EC2` and its like are set to.
    pub fn url(&self) -> String {
        format!("https://localhost:{}", self.port)
    }

    /// How many handshakes were completed.
    pub fn handshakes(&self) -> usize {
        *self.seen.handshakes.lock().unwrap()
    }

    /// The requests so far, as they came.
    pub fn whole_requests(&self) -> Vec<Vec<u8>> {
        self.seen.requests.lock().unwrap().clone()
    }

    /// The first lines of the requests so far.
    pub fn requests(&self) -> Vec<String> {
        self.whole_requests().iter().map(|request| first_line(request)).collect()
    }

    /// Closes every connection, as a server does with those that were idle for long.
    pub fn close_connections(&self) {
        for connection in self.seen.open.lock().unwrap().drain(..) {
            // One that the other side closed is closed.
            let _ = connection.shutdown(Shutdown::Both);
        }
    }
}

impl Drop for Tls {
    fn drop(&mut self) {
        self.seen.closed.store(true, Ordering::SeqCst);
        self.close_connections();
        // Wakes the thread that waits for connections; where that fails, it has ended.
        drop(TcpStream::connect(("127.0.0.1", self.port)));
    }
}

impl Seen {
    /// Requests and their answers, until the other side closes.
    fn serve(
        &self,
        client: TcpStream,
        config: Arc<ServerConfig>,
        backend: u16,
    ) -> std::io::Result<()> {
        self.open.lock().unwrap().push(client.try_clone()?);
        // A server of AWS does not wait either for what it sent before to be acknowledged.
        client.set_nodelay(true)?;
        let session = ServerConnection::new(config).map_err(std::io::Error::other)?;
        let mut stream = StreamOwned::new(session, client);
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock)?;
        }
        *self.handshakes.lock().unwrap() += 1;
        let mut stream = BufReader::new(stream);
        while let Some(request) = read(&mut stream)? {
            self.requests.lock().unwrap().push(request.clone());
            let is_page = request.starts_with(b"GET ");
            let answer = if is_page { page() } else { kept(&ask(backend, &request)?) };
            stream.get_mut().write_all(&answer)?;
            stream.get_mut().flush()?;
        }
        Ok(())
    }
}

fn first_line(request: &[u8]) -> String {
    String::from_utf8_lossy(request).lines().next().unwrap_or_default().to_owned()
}

/// A whole request; `None` where there is no other.
pub fn read(from: &mut impl BufRead) -> std::io::Result<Option<Vec<u8>>> {
    let mut request = Vec::new();
    let mut length = 0;
    loop {
        let start = request.len();
        if from.read_until(b'\n', &mut request)? == 0 {
            return Ok(None);
        }
        let line = String::from_utf8_lossy(&request[start..]).to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().expect("a length");
        }
        if line == "\r\n" {
            break;
        }
    }
    let head = request.len();
    request.resize(head + length, 0);
    from.read_exact(&mut request[head..])?;
    Ok(Some(request))
}

/// The server's answer, which ends where it closes the connection.
fn ask(backend: u16, request: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut backend = TcpStream::connect(("127.0.0.1", backend))?;
    backend.write_all(request)?;
    // Otherwise moto waits for more for ten milliseconds before it closes.
    backend.shutdown(Shutdown::Write)?;
    let mut answer = Vec::new();
    backend.read_to_end(&mut answer)?;
    Ok(answer)
}

/// The answer to who asks without a signature.
fn page() -> Vec<u8> {
    b"HTTP/1.1 404 Not Found\r\nContent-Length: 7\r\n\r\nno page".to_vec()
}

/// The same answer in a way that leaves the connection open.
fn kept(answer: &[u8]) -> Vec<u8> {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").expect("an HTTP answer");
    let head = String::from_utf8_lossy(&answer[..end]);
    let body = &answer[end + 4..];
    let mut lines = head.lines();
    let (_, status) = lines.next().and_then(|line| line.split_once(' ')).expect("a status");
    let mut kept = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n", body.len());
    for line in lines {
        let name = line.split(':').next().unwrap_or_default().to_ascii_lowercase();
        if !["connection", "content-length", "transfer-encoding"].contains(&name.as_str()) {
            kept.push_str(&format!("{line}\r\n"));
        }
    }
    [kept.as_bytes(), b"\r\n", body].concat()
}

/// The certificate of the authority, which whoever trusts these servers has to know.
pub fn authority() -> String {
    folder().join("ca.pem").to_str().expect("a path in UTF-8").to_owned()
}

/// Where the certificates of this test run are.
fn folder() -> &'static PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = built::scratch().join(format!("certificates-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let made = Command::new(venv::program("python"))
            .arg("-B")
            .arg(venv::script("certificates.py"))
            .arg(&folder)
            .args([REACHED, ELSEWHERE])
            .output()
            .expect("python");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        folder
    })
}
