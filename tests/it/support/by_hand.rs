//! What a service of AWS answers to calls that no emulator at hand knows. It is written by hand, as AWS documents it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use serde_json::{Value, json};

/// A call of AWS's JSON protocol.
pub struct Request {
    pub operation: String,
    /// The region that it is signed for.
    pub region: String,
    pub input: Value,
    pub at: Instant,
}

/// A service that answers every call: `answer` is given the operation and its input.
fn service(mut answer: impl FnMut(&str, &Value) -> Value + Send + 'static) -> String {
    faulty_service(move |request| (200, answer(&request.operation, &request.input)))
}

/// A service that answers with a status too.
fn faulty_service(mut answer: impl FnMut(&Request) -> (u16, Value) + Send + 'static) -> String {
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
    answer: &mut impl FnMut(&Request) -> (u16, Value),
) -> std::io::Result<()> {
    let at = Instant::now();
    let mut reader = BufReader::new(client.try_clone()?);
    let (mut length, mut operation, mut region) = (0, String::new(), String::new());
    let mut line = String::new();
    while reader.read_line(&mut line)? > 2 {
        let (name, value) = line.split_once(':').unwrap_or_default();
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().expect("a length"),
            // `AmazonSQS.StartMessageMoveTask` and the like.
            "x-amz-target" => {
                operation = value.trim().rsplit('.').next().unwrap_or_default().to_owned();
            }
            // `AWS4-HMAC-SHA256 Credential=AKIA…/20260312/eu-central-1/cloudtrail/aws4_request, …`
            "authorization" => {
                region = value.split('/').nth(2).unwrap_or_default().to_owned();
            }
            _ => {}
        }
        line.clear();
    }
    let mut input = vec![0; length];
    reader.read_exact(&mut input)?;
    let input = serde_json::from_slice(&input).expect("JSON");
    let (status, body) = answer(&Request { operation, region, input, at });
    let body = body.to_string();
    write!(
        client,
        "HTTP/1.1 {status} Answered\r\nContent-Type: application/x-amz-json-1.1\r\nContent-Length: {}\r\n\
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

/// A CloudTrail that gives one event a page, and refuses calls with the code that `refuse` returns. moto has no
/// LookupEvents; that of ministack has neither pages nor a limit of calls.
pub struct PagedCloudTrail {
    pub url: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl PagedCloudTrail {
    /// `records` by region.
    pub fn new(
        records: &[(&str, Value)],
        mut refuse: impl FnMut(&Request, &[Request]) -> Option<&'static str> + Send + 'static,
    ) -> Self {
        let records: Vec<(String, Value)> =
            records.iter().map(|(region, record)| ((*region).to_owned(), record.clone())).collect();
        let requests: Arc<Mutex<Vec<Request>>> = Arc::default();
        let noted = Arc::clone(&requests);
        let url = faulty_service(move |request| {
            let mut noted = noted.lock().expect("the requests");
            let refused = refuse(request, &noted);
            let Request { operation, region, input, at } = request;
            let (operation, region) = (operation.clone(), region.clone());
            noted.push(Request { operation, region, input: input.clone(), at: *at });
            match refused {
                Some(code) => (400, json!({ "__type": code, "Message": "as the test wants" })),
                None => (200, page(request, &records)),
            }
        });
        Self { url, requests }
    }

    /// Takes the calls so far.
    pub fn requests(&self) -> Vec<Request> {
        std::mem::take(&mut self.requests.lock().expect("the requests"))
    }
}

/// The event that a token numbers, among those that are asked for.
fn page(request: &Request, records: &[(String, Value)]) -> Value {
    let Request { operation, region, input, .. } = request;
    assert_eq!(operation, "LookupEvents");
    let [attribute] = &input["LookupAttributes"].as_array().expect("attributes")[..] else {
        panic!("CloudTrail takes one attribute: {input}")
    };
    assert_eq!(attribute["AttributeKey"], "EventName");
    let within = |record: &Value| {
        let time = record["eventTime"].as_str().expect("a time");
        let time = chrono::DateTime::parse_from_rfc3339(time).expect("RFC 3339").timestamp();
        let bound = |name: &str| input[name].as_f64().expect("a time") as i64;
        (bound("StartTime")..=bound("EndTime")).contains(&time)
    };
    let asked: Vec<&Value> = records
        .iter()
        .filter(|(of, record)| of == region && within(record))
        .map(|(_, record)| record)
        .filter(|record| record["eventName"] == attribute["AttributeValue"])
        .collect();
    let at = input["NextToken"].as_str().map_or(0, |token| token.parse().expect("our token"));
    let event = |record: &&Value| {
        json!({
            "EventId": record["eventID"], "EventName": record["eventName"],
            "EventSource": record["eventSource"], "CloudTrailEvent": record.to_string(),
        })
    };
    let events: Vec<Value> = asked.get(at).iter().map(|record| event(record)).collect();
    match at + 1 < asked.len() {
        true => json!({ "Events": events, "NextToken": (at + 1).to_string() }),
        false => json!({ "Events": events }),
    }
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
