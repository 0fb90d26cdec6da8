//! What CloudTrail answers to `lookup-events`, which no emulator at hand records with what was asked for.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;

use serde_json::{Value, json};

/// An endpoint that answers one `LookupEvents` with these records, as
/// [AWS documents it](https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html): each is text.
pub fn with(records: &[&Value]) -> String {
    let event = |record: &&Value| {
        json!({
            "EventId": record["eventID"], "EventName": record["eventName"],
            "EventSource": record["eventSource"], "CloudTrailEvent": record.to_string(),
        })
    };
    let body = json!({ "Events": records.iter().map(event).collect::<Vec<_>>() }).to_string();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("its address").port();
    std::thread::spawn(move || -> std::io::Result<()> {
        let (mut client, _) = listener.accept()?;
        let mut reader = BufReader::new(client.try_clone()?);
        let mut length = 0;
        let mut line = String::new();
        while reader.read_line(&mut line)? > 2 {
            let (name, value) = line.split_once(':').unwrap_or_default();
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse().expect("a length");
            }
            line.clear();
        }
        reader.read_exact(&mut vec![0; length])?;
        write!(
            client,
            "HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.1\r\nContent-Length: {}\r\n\
             Connection: close\r\n\r\n{body}",
            body.len()
        )
    });
    format!("http://127.0.0.1:{port}")
}
