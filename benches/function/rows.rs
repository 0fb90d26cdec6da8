//! What is measured, row by row.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::beside::Programs;
use super::region;
use super::spread::Spread;
use super::support::endpoint::{Answer, Endpoint};
use super::support::moto;
use super::support::permission::tcp;
use super::support::rie::Function;
use super::support::runtime_api::Process;
use super::support::sg_audit::repository;
use super::support::tls::{REACHED, Tls, authority};
use super::support::world::{Direction::Ingress, World};

/// One thing that was measured of the function and of another program.
pub struct Row {
    pub what: &'static str,
    pub unit: &'static str,
    pub ours: Spread,
    pub beside: &'static str,
    pub theirs: Spread,
    /// The ratio that is to be reached.
    pub reach: Option<f64>,
}

/// Answers in a row, of which the median counts as one measurement.
const WARM: usize = 50;
/// Reverts in a row, of which the median counts as one measurement.
const REVERTS: usize = 10;
/// How long each of EC2's answers takes where it is measured when the revoke is sent.
const EACH: Duration = Duration::from_millis(20);
/// Answers to a hook in a row, of which the 99th percentile counts as one measurement.
const ASKED: usize = 200;

/// The variables that make the function revert and leave nothing.
const REVERT: [(&str, &str); 3] =
    [("REMEDIATION", "revert-ssh"), ("SSH_SOURCES", "none"), ("SCOPE", "all")];

/// Columns of measurements, one for each program, filled by turns.
type Columns<const N: usize> = [Vec<f64>; N];

pub async fn measure(programs: &Programs, runs: usize) -> Vec<Row> {
    let url = moto::server_that_says_what_it_revoked().url();
    let world = World::new().await;
    let custodian = programs.custodian(&world.topic_arn);
    let variables = world.variables(&url, &REVERT);
    let complies = compliant(&world).await;

    let mut start: Columns<3> = Default::default();
    let mut close: Columns<3> = Default::default();
    let mut memory: Columns<3> = Default::default();
    let mut warm: Columns<2> = Default::default();
    let mut reverted: Columns<2> = Default::default();
    let mut asked: Columns<2> = Default::default();
    let question = question();
    for _ in 0..runs {
        let starts = [&programs.auditor, &programs.echo, &custodian];
        for (number, program) in starts.into_iter().enumerate() {
            let mut function = Function::start_other(program, &variables);
            start[number].push(answered(&mut function, &complies));
            if let Some(warm) = warm.get_mut(number) {
                let again = (0..WARM).map(|_| answered(&mut function, &complies));
                warm.push(Spread::of(again.collect()).median);
                let answers = (0..ASKED).map(|_| answered(&mut function, &question));
                asked[number].push(nearly_all(answers.collect()));
            }
        }
        let closes = [&programs.auditor, &programs.smallest, &custodian];
        for (number, program) in closes.into_iter().enumerate() {
            let opened = Opened::new(&world).await;
            let mut function = Function::start_other(program, &variables);
            close[number].push(answered(&mut function, &opened.event));
            memory[number].push(peak(function.runtime_port));
            opened.is_closed(&world).await;
            let Some(reverted) = reverted.get_mut(number) else { continue };
            let mut again = Vec::new();
            for _ in 0..REVERTS {
                let opened = Opened::new(&world).await;
                again.push(answered(&mut function, &opened.event));
                opened.is_closed(&world).await;
            }
            reverted.push(Spread::of(again).median);
        }
    }

    let mut rows = Vec::new();
    let [ours, echo, custodian] = start.map(Spread::of);
    let answer = "cold start to first answer, compliant change";
    rows.push(Row::new(answer, "ms", ours, "bare echo function", echo, Some(1.35)));
    rows.push(Row::new(answer, "ms", ours, "Cloud Custodian", custodian, Some(1.0 / 20.0)));
    let [ours, smallest, custodian] = close.map(Spread::of);
    let answer = "cold start to first answer, open SSH reverted";
    rows.push(Row::new(answer, "ms", ours, "smallest function, same calls", smallest, Some(1.05)));
    rows.push(Row::new(answer, "ms", ours, "Cloud Custodian", custodian, Some(1.0 / 20.0)));
    let [ours, echo] = warm.map(Spread::of);
    let answer = "warm answer, compliant change";
    rows.push(Row::new(answer, "ms", ours, "bare echo function", echo, Some(1.1)));
    let [ours, smallest] = reverted.map(Spread::of);
    let answer = "warm answer, open SSH reverted";
    rows.push(Row::new(answer, "ms", ours, "smallest function, same calls", smallest, Some(1.1)));
    let [ours, echo] = asked.map(Spread::of);
    let answer = "answer to the hook, 99th percentile of 200 in a row";
    rows.push(Row::new(answer, "ms", ours, "bare echo function", echo, None));
    let [ours, smallest, custodian] = memory.map(Spread::of);
    let peak = "peak resident memory, open SSH reverted";
    rows.push(Row::new(peak, "MiB", ours, "smallest function, same calls", smallest, Some(1.2)));
    rows.push(Row::new(peak, "MiB", ours, "Cloud Custodian", custodian, None));
    let [ours, smallest] =
        [&programs.auditor, &programs.smallest].map(|program| mebibytes(program));
    let size = "size of the program";
    rows.push(Row::new(size, "MiB", ours, "smallest function, same calls", smallest, Some(1.3)));
    rows.extend(over_tls(&world, programs, &complies, runs).await);
    rows.push(until_the_revoke(&world, programs, runs).await);
    rows.push(sweeps(&world, programs, runs));
    rows
}

/// The same with EC2 and SNS behind TLS, each a server of its own.
async fn over_tls(world: &World, programs: &Programs, complies: &Value, runs: usize) -> Vec<Row> {
    let moto = moto::server().port;
    let [ec2, sns] = [(); 2].map(|()| Tls::before(moto, REACHED));
    let ([ec2_url, sns_url], roots) = ([ec2.url(), sns.url()], authority());
    let mut settings = REVERT.to_vec();
    settings.extend([
        ("AWS_ENDPOINT_URL_EC2", ec2_url.as_str()),
        ("AWS_ENDPOINT_URL_SNS", sns_url.as_str()),
        ("SSL_CERT_FILE", roots.as_str()),
    ]);
    let variables = world.variables(&ec2_url, &settings);
    let mut whole: Columns<2> = Default::default();
    let mut first: Columns<2> = Default::default();
    let mut start: Columns<2> = Default::default();
    for _ in 0..runs {
        for (number, program) in [&programs.auditor, &programs.smallest].into_iter().enumerate() {
            let opened = Opened::new(world).await;
            let mut function = Function::start_other(program, &variables);
            whole[number].push(answered(&mut function, &opened.event));
            opened.is_closed(world).await;

            let opened = Opened::new(world).await;
            first[number].push(started_and_answered(program, &variables, &opened.event));
            opened.is_closed(world).await;
        }
        for (number, program) in [&programs.auditor, &programs.echo].into_iter().enumerate() {
            let mut function = Function::start_other(program, &variables);
            start[number].push(answered(&mut function, complies));
        }
    }
    let beside = "smallest function, not pre-connected";
    let mut rows = Vec::new();
    let [ours, theirs] = whole.map(Spread::of);
    let answer = "over TLS: cold start to first answer, open SSH reverted";
    rows.push(Row::new(answer, "ms", ours, beside, theirs, Some(0.9)));
    let [ours, theirs] = first.map(Spread::of);
    let answer = "over TLS: first event to its answer, the start not counted, open SSH reverted";
    rows.push(Row::new(answer, "ms", ours, beside, theirs, Some(1.0)));
    let [ours, theirs] = start.map(Spread::of);
    let answer =
        "over TLS: cold start to first answer, compliant change, connections opened in vain";
    rows.push(Row::new(answer, "ms", ours, "bare echo function", theirs, None));
    rows
}

/// Milliseconds from an event to the call that revokes, with EC2 as far away as it is in a region.
async fn until_the_revoke(world: &World, programs: &Programs, runs: usize) -> Row {
    let ec2 = Endpoint::before(moto::server().port);
    let revoked = Arc::new(Mutex::new(None));
    let seen = Arc::clone(&revoked);
    ec2.answer(move |call| {
        if call.action.starts_with("Revoke") {
            *seen.lock().unwrap() = Some(Instant::now());
        }
        Answer::Late(EACH)
    });
    let url = ec2.url();
    let variables = world.variables(&url, &REVERT);
    let mut took: Columns<2> = Default::default();
    for _ in 0..runs {
        for (number, program) in [&programs.auditor, &programs.smallest].into_iter().enumerate() {
            let opened = Opened::new(world).await;
            let mut function = Process::start_other(program, &variables);
            function.asks();
            let start = Instant::now();
            function.invoke(&opened.event);
            let at = revoked.lock().unwrap().take().expect("it was revoked");
            took[number].push((at - start).as_secs_f64() * 1000.0);
            opened.is_closed(world).await;
        }
    }
    let [ours, theirs] = took.map(Spread::of);
    let what = "from the event to the revoke, where an answer of EC2 takes 20 ms";
    Row::new(what, "ms", ours, "smallest function, same calls", theirs, Some(0.75))
}

/// How many seconds a sweep of one region takes, compared with only reading the same pages.
fn sweeps(world: &World, programs: &Programs, runs: usize) -> Row {
    let (url, moto) = (region::url(), moto::server().url());
    let variables = world.variables(&moto, &[("AWS_ENDPOINT_URL_EC2", &url), ("SCOPE", "all")]);
    let event = std::fs::read(repository().join("events/scheduled-sweep.json")).expect("an event");
    let event: Value = serde_json::from_slice(&event).expect("JSON");
    let mut took: Columns<2> = Default::default();
    for _ in 0..runs {
        for (number, program) in [&programs.auditor, &programs.pages].into_iter().enumerate() {
            let mut function = Process::start_other(program, &variables);
            function.asks();
            let start = Instant::now();
            let answer = function.invoke(&event);
            took[number].push(start.elapsed().as_secs_f64());
            let rules = answer.get("rules_audited").unwrap_or(&answer).as_u64();
            assert_eq!(rules, Some(5 * region::GROUPS as u64), "{answer:#}");
        }
    }
    let [ours, theirs] = took.map(Spread::of);
    let what = "a sweep of 2,000 groups with five rules each, where an answer of EC2 takes 50 ms";
    Row::new(what, "s", ours, "reading the same pages", theirs, Some(1.2))
}

impl Row {
    fn new(
        what: &'static str,
        unit: &'static str,
        ours: Spread,
        beside: &'static str,
        theirs: Spread,
        reach: Option<f64>,
    ) -> Self {
        Self { what, unit, ours, beside, theirs, reach }
    }

    /// How many times the other's median ours is.
    pub fn ratio(&self) -> f64 {
        self.ours.median / self.theirs.median
    }
}

/// A group with SSH open, and the event of it.
struct Opened {
    group: super::support::world::Group,
    event: Value,
}

impl Opened {
    async fn new(world: &World) -> Self {
        let group = world.group("typo3-shop").await;
        let event = world.authorize(&group, Ingress, &[tcp(22, 22).from("0.0.0.0/0")]).await;
        Self { group, event }
    }

    /// Whoever was measured did the job.
    async fn is_closed(&self, world: &World) {
        assert_eq!(world.ingress(&self.group).await, Vec::<String>::new());
        assert_eq!(world.bodies(&world.queue_url).await.len(), 1, "it was published");
    }
}

/// The question of a hook, which complies.
fn question() -> Value {
    let path = repository().join("tests/hook/create-web.json");
    serde_json::from_slice(&std::fs::read(path).expect("a request")).expect("JSON")
}

/// The size of a file.
fn mebibytes(program: &Path) -> Spread {
    let size = std::fs::metadata(program).expect("a program").len();
    Spread::of(vec![size as f64 / 1024.0 / 1024.0])
}

/// What 99 of a hundred values do not exceed.
fn nearly_all(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() * 99 / 100 - 1]
}

async fn compliant(world: &World) -> Value {
    let group = world.group("typo3-shop").await;
    world.authorize(&group, Ingress, &[tcp(443, 443).from("0.0.0.0/0")]).await
}

/// Milliseconds until the emulator has the function's answer. The first event starts it.
fn answered(function: &mut Function, event: &Value) -> f64 {
    let start = Instant::now();
    let answer = function.invoke(event);
    let took = start.elapsed();
    assert_eq!((answer.status, answer.error_type()), (200, None), "{:#}", answer.body);
    took.as_secs_f64() * 1000.0
}

/// Milliseconds from the event to its answer, once the function asked for it.
fn started_and_answered(program: &Path, variables: &[(&str, &str)], event: &Value) -> f64 {
    let mut function = Process::start_other(program, variables);
    function.asks();
    let start = Instant::now();
    let answer = function.invoke(event);
    let took = start.elapsed();
    assert_eq!(answer.get("errorType"), None, "{answer:#}");
    took.as_secs_f64() * 1000.0
}

/// The most memory that the function's process had resident, in MiB.
fn peak(runtime_port: u16) -> f64 {
    let mark = format!("AWS_LAMBDA_RUNTIME_API=127.0.0.1:{runtime_port}");
    let processes = std::fs::read_dir("/proc").expect("/proc").flatten();
    let of_function = processes.filter_map(|process| {
        let environment = std::fs::read(process.path().join("environ")).ok()?;
        environment.split(|byte| *byte == 0).find(|variable| *variable == mark.as_bytes())?;
        let status = std::fs::read_to_string(process.path().join("status")).ok()?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        peak.trim().strip_suffix(" kB")?.parse::<f64>().ok()
    });
    of_function.reduce(f64::max).expect("the function's process") / 1024.0
}
