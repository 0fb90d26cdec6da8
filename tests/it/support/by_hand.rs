//! What a service of AWS answers to calls that no emulator at hand knows. It is written by hand, as AWS documents it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};

use serde_json::{Value, json};

/// A service that speaks AWS's JSON protocol: `answer` is given the operation and its input.
fn service(mut answer: impl FnMut(&str, &Value) -> Value + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("its address").port();
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            // A connection that breaks off is the caller's to notice.
            serve(client, &mut answer).unwrap_or_default();
        }
    });
    format!("http://127.0.0.1:{port}")
}

/// One call and its answer.
fn serve(
    mut client: TcpStream,
    answer: &mut impl FnMut(&str, &Value) -> Value,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    let (mut length, mut operation) = (0, String::new());
    let mut line = String::new();
    while reader.read_line(&mut line)? > 2 {
        let (name, value) = line.split_once(':').unwrap_or_default();
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().expect("a length"),
            // `AmazonSQS.StartMessageMoveTask` and the like.
            "x-amz-target" => {
                operation = value.trim().rsplit('.').next().unwrap_or_default().to_owned();
            }
            _ => {}
        }
        line.clear();
    }
    let mut input = vec![0; length];
    reader.read_exact(&mut input)?;
    let input = serde_json::from_slice(&input).expect("JSON");
    let body = answer(&operation, &input).to_string();
    write!(
        client,
        "HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.1\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{body}",
        body.len()
    )
}

/// A CloudTrail with these records, which are looked up by the names of their events, as
/// [AWS documents it](https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html): each is text.
pub fn cloudtrail(records: &[&Value]) -> String {
    let records: Vec<Value> = records.iter().map(|record| (*record).clone()).collect();
    service(move |operation, input| {
        assert_eq!(operation, "LookupEvents");
        let [attribute] = &input["LookupAttributes"].as_array().expect("attributes")[..] else {
            panic!("CloudTrail takes one attribute: {input}")
        };
        assert_eq!(attribute["AttributeKey"], "EventName");
        let asked =
            records.iter().filter(|record| record["eventName"] == attribute["AttributeValue"]);
        let event = |record: &Value| {
            json!({
                "EventId": record["eventID"], "EventName": record["eventName"],
                "EventSource": record["eventSource"], "CloudTrailEvent": record.to_string(),
            })
        };
        json!({ "Events": asked.map(event).collect::<Vec<_>>() })
    })
}

/// An SQS that is asked to move the messages of this queue back, and says that it has, as
/// [AWS documents it](https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html).
pub fn moves_messages_of(queue_arn: &str) -> String {
    let queue = queue_arn.to_owned();
    let mut has_begun = false;
    service(move |operation, input| {
        // Without a destination they go back to where they came from.
        assert_eq!(*input, json!({ "SourceArn": queue }));
        match operation {
            "StartMessageMoveTask" => {
                has_begun = true;
                json!({ "TaskHandle": "eyJ0YXNrSWQiOiJleGFtcGxlIn0=" })
            }
            "ListMessageMoveTasks" => {
                assert!(has_begun, "nothing was begun");
                json!({ "Results": [{
                    "Status": "COMPLETED", "SourceArn": queue, "StartedTimestamp": 1_773_303_842_000_u64,
                    "ApproximateNumberOfMessagesToMove": 1, "ApproximateNumberOfMessagesMoved": 1,
                }] })
            }
            other => panic!("{other}"),
        }
    })
}
