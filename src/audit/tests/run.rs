//! The sweep of an organisation: the function's three steps, driven as the state machine drives them,
//! over an EC2 without memory and under faults of every kind.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::bound::{Tree, bound};
use super::*;
use crate::audit::run::{
    AccountSweep, Accounts, Archive, BucketName, Directory, PortError, Regions, RunAnswer,
    RunError, Runner, Task, Which,
};
use crate::ec2::{
    AccountId, GroupPage, GroupRef, ListId, PrefixList, Region, Revoked, RuleId, Selection,
};
use crate::evaluate::Severity;
use crate::finding::{Coverage, PlaceOutcome, PlaceSwept, RunName};
use crate::memory::MemoryLedger;

/// Step Functions refuses the output of a state that is larger.
const STATE: usize = 256 * 1024;

/// An invocation may take two minutes.
const TIMEOUT: TimeDelta = TimeDelta::seconds(120);

/// What a place's EC2 answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mood {
    Well,
    /// It is throttled for so many calls.
    Throttled(u32),
    /// It is throttled for good.
    Busy,
    /// The role is refused.
    NoRole,
    /// The call is not allowed.
    Denied,
}

/// Groups that are made when they are asked for: every tenth one is open to the Internet.
struct Cloud {
    accounts: RefCell<Vec<AccountId>>,
    regions: Vec<Region>,
    groups: usize,
    /// Every so many-th group is open to the Internet.
    every: Cell<usize>,
    moods: RefCell<BTreeMap<(AccountId, Region), Mood>>,
    now: Cell<DateTime<Utc>>,
    /// How long a page takes.
    page: TimeDelta,
    calls: Cell<usize>,
    objects: RefCell<BTreeMap<String, Vec<u8>>>,
    /// Whether the archive fails.
    lost: Cell<bool>,
    /// Other regions than `regions`, where an account has others.
    regions_of: RefCell<BTreeMap<AccountId, Vec<Region>>>,
}

fn account(number: usize) -> AccountId {
    id(&format!("{:012}", 100_000_000_000 + number))
}

/// One in ten, where a test says nothing else.
fn is_bad(group: usize) -> bool {
    group.is_multiple_of(10)
}

impl Cloud {
    fn new(accounts: usize, regions: &[&str], groups: usize) -> Self {
        Self {
            accounts: RefCell::new((0..accounts).map(account).collect()),
            regions: regions.iter().map(|region| id(region)).collect(),
            groups,
            every: Cell::new(10),
            moods: RefCell::default(),
            now: Cell::new(noon()),
            page: TimeDelta::milliseconds(100),
            calls: Cell::default(),
            objects: RefCell::default(),
            lost: Cell::new(false),
            regions_of: RefCell::default(),
        }
    }

    fn feels(&self, number: usize, region: &str, mood: Mood) {
        self.moods.borrow_mut().insert((account(number), id(region)), mood);
    }

    /// The place's mood, which a throttled call improves.
    fn answers(&self, account: &AccountId, region: &Region) -> Result<(), Ec2Error> {
        let mut moods = self.moods.borrow_mut();
        let Some(mood) = moods.get_mut(&(account.clone(), region.clone())) else { return Ok(()) };
        let action = "DescribeSecurityGroups";
        match mood {
            Mood::Well | Mood::Throttled(0) => Ok(()),
            Mood::Throttled(times) => {
                *times -= 1;
                Err(Ec2Error::Passing { action, cause: cause("RequestLimitExceeded") })
            }
            Mood::Busy => Err(Ec2Error::Passing { action, cause: cause("RequestLimitExceeded") }),
            Mood::NoRole => {
                Err(Ec2Error::NoRole { role: "auditor".to_owned(), cause: cause("AccessDenied") })
            }
            Mood::Denied => Err(Ec2Error::Denied { action, cause: cause("UnauthorizedOperation") }),
        }
    }

    fn coverage(&self, run: &str) -> Coverage {
        let key = format!("runs/{run}/coverage.json");
        serde_json::from_slice(&self.objects.borrow()[&key]).unwrap()
    }
}

impl SecurityGroups for Cloud {
    async fn group(&self, _: &Place, _: &GroupKey) -> Result<Option<Group>, Ec2Error> {
        Ok(None)
    }

    async fn rules(&self, _: &Place, _: &GroupId) -> Result<Vec<Rule>, Ec2Error> {
        Ok(Vec::new())
    }

    async fn groups(
        &self,
        place: &Place,
        _: Selection<'_>,
        page: Option<&str>,
    ) -> Result<GroupPage, Ec2Error> {
        self.calls.set(self.calls.get() + 1);
        self.now.set(self.now.get() + self.page);
        self.answers(place.account.as_ref().unwrap(), place.region.as_ref().unwrap())?;
        let first: usize = page.map_or(0, |page| page.parse().unwrap());
        let end = self.groups.min(first + 100);
        let owner = &place.account;
        let numbers = first..end;
        let groups =
            numbers.map(|number| Group { id: numbered(number), owner: owner.clone(), ..group() });
        let next = (end < self.groups).then(|| end.to_string());
        Ok(GroupPage { groups: groups.collect(), next })
    }

    async fn page_rules(
        &self,
        _: &Place,
        groups: &[Group],
    ) -> Result<Vec<(GroupId, Rule)>, Ec2Error> {
        let rules = groups.iter().map(|group| {
            let number = group.id.as_str().strip_prefix("sg-").unwrap();
            let is_open = usize::from_str_radix(number, 16).unwrap() % self.every.get() == 0;
            let open = rule(if is_open { "tcp 22 0.0.0.0/0" } else { "tcp 443 0.0.0.0/0" });
            (group.id.clone(), open.with_id(Some(id(&format!("sgr-{number}")))))
        });
        Ok(rules.collect())
    }

    async fn held_rules(&self, _: &Place) -> Result<Vec<(GroupId, Rule)>, Ec2Error> {
        Ok(Vec::new())
    }

    async fn rules_by_id(&self, _: &Place, _: &[RuleId]) -> Result<Vec<(GroupId, Rule)>, Ec2Error> {
        Ok(Vec::new())
    }

    async fn prefix_list(&self, _: &Place, _: &ListId) -> Result<PrefixList, Ec2Error> {
        Err(Ec2Error::Denied { action: "DescribeManagedPrefixLists", cause: cause("no") })
    }

    async fn is_stale(&self, _: &Place, _: &GroupRef) -> Result<bool, Ec2Error> {
        Ok(false)
    }

    async fn authorize(&self, _: &Place, _: &GroupId, _: &Rule) -> Result<(), Ec2Error> {
        panic!("a sweep that notifies changes nothing")
    }

    async fn revoke(&self, _: &Place, _: &GroupId, _: &Rule) -> Result<Revoked, Ec2Error> {
        panic!("a sweep that notifies changes nothing")
    }
}

impl Regions for Cloud {
    async fn regions(&self, account: &AccountId) -> Result<Vec<Region>, Ec2Error> {
        self.answers(account, &id("eu-central-1"))?;
        Ok(self.regions_of.borrow().get(account).unwrap_or(&self.regions).clone())
    }
}

impl Directory for Cloud {
    async fn accounts(&self, _: &Which) -> Result<Vec<AccountId>, PortError> {
        Ok(self.accounts.borrow().clone())
    }
}

impl Archive for Cloud {
    async fn get(&self, _: &BucketName, key: &str) -> Result<Option<Vec<u8>>, PortError> {
        Ok(self.objects.borrow().get(key).cloned())
    }

    async fn put(&self, _: &BucketName, key: &str, json: Vec<u8>) -> Result<(), PortError> {
        if self.lost.get() {
            let cause = cause("SlowDown");
            return Err(PortError { action: "PutObject", cause, is_transient: true });
        }
        self.objects.borrow_mut().insert(key.to_owned(), json);
        Ok(())
    }

    async fn put_coverage(
        &self,
        bucket: &BucketName,
        coverage: &Coverage,
    ) -> Result<String, PortError> {
        let json = crate::report::coverage::json(coverage).unwrap().into_bytes();
        self.put(bucket, &format!("runs/{}/coverage.json", coverage.run), json).await?;
        let csv = crate::report::coverage::csv(coverage).unwrap().into_bytes();
        let key = format!("runs/{}/coverage.csv", coverage.run);
        self.put(bucket, &key, csv).await?;
        Ok(format!("s3://{}/{key}", bucket.as_str()))
    }
}

/// What can become of an invocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Well,
    /// It ends before it did anything.
    Dies,
    /// It does everything, and its answer is lost.
    AnswerLost,
    /// It is made twice.
    Twice,
    /// The bucket does not take what it writes.
    BucketFails,
}

/// Runs the function as `stacks/organisation.asl.json` does.
struct Machine<'a, N = MemoryNotifier> {
    cloud: &'a Cloud,
    notifier: N,
    settings: Settings,
    ledger: Option<MemoryLedger>,
    parents: Option<&'a dyn Parents>,
    fates: &'a dyn Fn() -> Fate,
    invocations: Cell<usize>,
    largest: Cell<usize>,
    counts: RefCell<Counts>,
}

impl<'a, N: Notifier + Invoker + Default> Machine<'a, N> {
    fn new(cloud: &'a Cloud, fates: &'a dyn Fn() -> Fate) -> Self {
        let settings = settings(Remediation::Notify);
        let notifier = N::default();
        Self {
            cloud,
            notifier,
            settings,
            ledger: None,
            parents: None,
            fates,
            invocations: Cell::default(),
            largest: Cell::default(),
            counts: RefCell::default(),
        }
    }

    fn once(&self, payload: &Value) -> Result<Value, RunError> {
        let home = place();
        let mut auditor =
            Auditor::new(self.cloud, &self.notifier, &self.notifier, &self.settings, &home)
                .with_members(true);
        if let Some(ledger) = &self.ledger {
            auditor = auditor.with_ledger(ledger, Severity::Low);
        }
        if let Some(parents) = self.parents {
            auditor = auditor.with_parents(parents);
        }
        let runner = Runner { auditor: &auditor, directory: self.cloud, archive: self.cloud };
        let payload = payload.to_string();
        assert!(payload.len() < STATE, "an input of {} bytes", payload.len());
        let task = Task::of(payload.as_bytes()).expect("a task")?;
        let clock = || self.cloud.now.get();
        let deadline = Some(clock() + TIMEOUT);
        self.invocations.set(self.invocations.get() + 1);
        let counts = &mut *self.counts.borrow_mut();
        let answer: RunAnswer = block_on(runner.run(&task, &clock, deadline, counts))?;
        let answer = serde_json::to_value(answer).unwrap();
        self.largest.set(self.largest.get().max(answer.to_string().len()));
        Ok(answer)
    }

    /// One invocation with its tries, as `Retry` says.
    fn invoke(&self, payload: &Value) -> Option<Value> {
        for _ in 0..4 {
            let fate = (self.fates)();
            self.cloud.lost.set(fate == Fate::BucketFails);
            let answer = match fate {
                Fate::Dies => None,
                Fate::AnswerLost => {
                    drop(self.once(payload));
                    None
                }
                Fate::Twice => {
                    drop(self.once(payload));
                    self.once(payload).ok()
                }
                Fate::Well | Fate::BucketFails => match self.once(payload) {
                    Ok(answer) => Some(answer),
                    Err(error) if error.kind() == "RunRefused" => return None,
                    Err(_) => None,
                },
            };
            if answer.is_some() {
                return answer;
            }
        }
        None
    }

    /// A whole execution; the digest's answer at its end.
    fn execute(&self, run: &str, input: &Value) -> Option<Value> {
        let discover = serde_json::json!({"discover": {
            "run": run, "bucket": "results", "accounts": "organization", "regions": "enabled", "input": input,
        }});
        let found = self.invoke(&discover)?;
        let key = found["expected"].as_str().unwrap();
        let items: Vec<Value> = serde_json::from_slice(&self.cloud.objects.borrow()[key]).unwrap();
        for item in items {
            let mut next = serde_json::json!({"sweep": {
                "run": run, "bucket": "results", "account": item["account"], "regions": item["regions"],
            }});
            // What is caught ends this account and no other.
            while let Some(answer) = self.invoke(&next) {
                if answer["rest"].is_null() {
                    break;
                }
                next = answer["rest"].clone();
            }
        }
        (self.fates)();
        self.cloud.lost.set(false);
        self.once(&serde_json::json!({"digest": {
            "run": run, "bucket": "results",
            "machine": "arn:aws:states:eu-central-1:123456789012:stateMachine:sweep",
        }}))
        .ok()
    }
}

impl Machine<'_> {
    /// The ids of the findings with this code that were told, by account, region and group.
    fn told(&self, code: &str) -> BTreeMap<(String, String, String), BTreeSet<String>> {
        let mut told: BTreeMap<_, BTreeSet<String>> = BTreeMap::new();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        for message in self.notifier.take() {
            assert!(message.size() <= STATE);
            let body: Value = serde_json::from_str(&message.body).unwrap();
            let report: Value = serde_json::from_str(body["default"].as_str().unwrap()).unwrap();
            for finding in report["findings"].as_array().unwrap() {
                if finding["code"] == code {
                    let group = text(&finding["group"]["id"]);
                    let key = (text(&finding["account"]), text(&finding["region"]), group);
                    told.entry(key).or_default().insert(text(&finding["id"]));
                }
            }
        }
        told
    }
}

fn well() -> Fate {
    Fate::Well
}

#[test]
fn every_place_is_audited_and_nothing_is_said_where_nothing_is_wrong() {
    let cloud = Cloud::new(3, &["eu-central-1", "eu-west-1"], 1);
    let machine: Machine<'_> = Machine::new(&cloud, &well);
    let answer =
        machine.execute("first", &Value::Null.as_object().cloned().unwrap_or_default().into());
    let answer = answer.unwrap();
    assert_eq!((&answer["missing"], &answer["totals"]["audited"]), (&false.into(), &6.into()));
    assert_eq!(answer["table"], "s3://results/runs/first/coverage.csv");
    // Group 0 is bad in each place, and each account has a message of its own beside the digest.
    let messages = machine.notifier.take();
    assert_eq!(messages.len(), 4);
    let run = |message: &crate::report::Message| {
        message.attributes.iter().find(|it| it.name == "run").map(|it| it.value.clone())
    };
    assert!(messages.iter().all(|message| run(message).as_deref() == Some("first")));
}

/// Two hundred accounts are two hundred mails otherwise.
#[test]
fn each_account_of_an_organisation_is_judged_by_its_binding() {
    let cloud = Cloud::new(3, &["eu-central-1"], 1);
    let tree = Tree::of(&["ou-ab12-11111111", "r-ab12"]);
    let mut machine: Machine<'_> = Machine::new(&cloud, &well);
    machine.parents = Some(&tree);
    machine.settings = bound(
        "  \
- { name: scoped, accounts: [\"100000000000\"], scope: \"tag:audit=yes\" }
  - { name: closed, accounts: [\"100000000001\"], ssh_sources: [], remediation: notify }
  - { name: unit, ous: [ou-ab12-11111111], remediation: notify }
",
    );
    let input = Value::Null.as_object().cloned().unwrap_or_default().into();
    assert_eq!(machine.execute("first", &input).unwrap()["missing"], false);
    let mut told = Vec::new();
    for message in machine.notifier.take() {
        let report = report_in(&message);
        for finding in report["findings"].as_array().unwrap() {
            assert_eq!(report["baseline"]["binding"], finding["binding"]);
            told.push(
                [&finding["account"], &finding["code"], &finding["binding"]]
                    .map(|it| it.as_str().unwrap_or("none").to_owned()),
            );
        }
    }
    // Group 0 is open to the Internet in each account.
    let expected = [["100000000001", "open-ssh", "closed"], ["100000000002", "open-ssh", "unit"]];
    assert_eq!(told, expected.map(|it| it.map(str::to_owned)));
    assert_eq!(tree.asked(), 1);
}

#[test]
fn an_account_whose_units_are_not_told_for_now_is_swept_when_they_are() {
    let cloud = Cloud::new(1, &["eu-central-1"], 1);
    let tree = Tree::of(&["ou-ab12-11111111", "r-ab12"]).throttled(1);
    let mut machine: Machine<'_> = Machine::new(&cloud, &well);
    machine.parents = Some(&tree);
    machine.settings = bound("  - { name: unit, ous: [ou-ab12-11111111], remediation: notify }\n");
    let sweep = serde_json::json!({"sweep": {
        "run": "first", "bucket": "results", "account": account(0), "regions": ["eu-central-1"],
    }});
    // The state machine tries again what fails so.
    assert_eq!(machine.once(&sweep).unwrap_err().kind(), "Ec2Unavailable");
    assert!(machine.notifier.take().is_empty());
    let input = Value::Null.as_object().cloned().unwrap_or_default().into();
    assert_eq!(machine.execute("first", &input).unwrap()["missing"], false);
    let bindings: Vec<Value> = machine
        .notifier
        .take()
        .iter()
        .flat_map(|message| report_in(message)["findings"].as_array().unwrap().clone())
        .map(|finding| finding["binding"].clone())
        .collect();
    assert_eq!(bindings, ["unit"]);
}

#[test]
fn people_get_one_mail_of_a_run_whether_or_not_it_can_be_remembered() {
    for fails in [false, true] {
        let cloud = Cloud::new(3, &["eu-central-1"], 1);
        let ledger = MemoryLedger::default();
        ledger.set_hook(Box::new(move |_| match fails {
            true => Err(LedgerError(cause("denied"))),
            false => Ok(()),
        }));
        let machine: Machine<'_> = Machine { ledger: Some(ledger), ..Machine::new(&cloud, &well) };
        machine.execute("run", &serde_json::json!({})).unwrap();
        let messages = machine.notifier.take();
        let is_mailed = |message: &&crate::report::Message| {
            message.attributes.iter().any(|it| it.name == "mail" && it.value == "now")
        };
        let is_of_account = |message: &&crate::report::Message| {
            let body: Value = serde_json::from_str(&message.body).unwrap();
            let report: Value = serde_json::from_str(body["default"].as_str().unwrap()).unwrap();
            !report["run"].is_null() && report["run"]["coverage"].is_null()
        };
        assert_eq!(messages.iter().filter(is_of_account).count(), 3, "{fails}");
        assert_eq!(messages.iter().filter(is_of_account).filter(is_mailed).count(), 0, "{fails}");
        assert!(messages.iter().filter(is_mailed).count() > 0, "{fails}");
    }
}

#[test]
fn a_place_that_is_throttled_for_good_is_unread_and_the_others_are_audited() {
    let cloud = Cloud::new(3, &["eu-central-1", "eu-west-1"], 20);
    cloud.feels(1, "eu-west-1", Mood::Busy);
    let machine: Machine<'_> = Machine::new(&cloud, &well);
    let answer = machine.execute("throttled", &serde_json::json!({})).unwrap();
    let totals = &answer["totals"];
    assert_eq!(
        (&totals["audited"], &totals["unread"], &totals["missing"]),
        (&5.into(), &1.into(), &0.into())
    );
    let coverage = cloud.coverage("throttled");
    let [place] = coverage.not_audited().collect::<Vec<_>>()[..] else { panic!() };
    assert_eq!((&place.account, place.region.as_str()), (&account(1), "eu-west-1"));
    assert!(place.reason.as_ref().unwrap().contains("RequestLimitExceeded"), "{place:?}");
    assert_eq!(machine.told("unaudited-change").len(), 1);
}

#[test]
fn an_account_without_the_role_is_told_once_and_all_its_places_are_unread() {
    let cloud = Cloud::new(2, &["eu-central-1", "eu-west-1", "us-east-1"], 20);
    for region in ["eu-central-1", "eu-west-1", "us-east-1"] {
        cloud.feels(1, region, Mood::NoRole);
    }
    let machine: Machine<'_> = Machine::new(&cloud, &well);
    let answer = machine.execute("denied", &serde_json::json!({})).unwrap();
    assert_eq!((&answer["totals"]["audited"], &answer["totals"]["unread"]), (&3.into(), &3.into()));
    assert_eq!(answer["missing"], false);
    assert_eq!(machine.told("unaudited-change").len(), 1);
}

#[test]
fn all_that_fail_are_unread_and_the_digest_says_so() {
    let cloud = Cloud::new(4, &["eu-central-1"], 20);
    for number in 0..4 {
        cloud.feels(number, "eu-central-1", Mood::Denied);
    }
    let machine: Machine<'_> = Machine::new(&cloud, &well);
    let answer = machine.execute("nothing", &serde_json::json!({})).unwrap();
    assert_eq!(answer["totals"]["unread"], 4);
    let messages = machine.notifier.take();
    let digest = messages.last().unwrap();
    assert_eq!(digest.subject, "NOT AUDITED: 4 of 4 places (medium, organisation sweep)");
    assert!(digest.body.contains("is not allowed: UnauthorizedOperation"), "{}", digest.body);
}

#[test]
fn a_long_account_goes_on_where_it_stopped_and_every_group_is_audited_once() {
    let mut cloud = Cloud::new(1, &["eu-central-1", "eu-west-1"], 12_000);
    cloud.page = TimeDelta::seconds(2);
    let machine: Machine<'_> = Machine::new(&cloud, &well);
    let answer = machine.execute("long", &serde_json::json!({})).unwrap();
    assert_eq!(
        (&answer["totals"]["audited"], &answer["totals"]["groups"]),
        (&2.into(), &24_000.into())
    );
    assert_eq!(answer["totals"]["findings"], 2_400);
    // Discover, the digest, and so many as 240 pages of two seconds take, at 85 seconds each.
    let invocations = machine.invocations.get();
    assert!((7..=9).contains(&invocations), "{invocations}");
    // An invocation may have asked ahead for a page that the next one asks for again.
    let asked = cloud.calls.get();
    assert!((240..240 + invocations).contains(&asked), "{asked}");
    assert_eq!(machine.told("open-ssh").len(), 2_400);
}

#[test]
fn each_place_has_its_own_figures_whatever_an_invocation_audits_beside_it() {
    // An invocation reads four pages, so the second one audits the end of one region and the
    // beginning of the next.
    let mut cloud = Cloud::new(1, &["eu-central-1", "eu-west-1"], 700);
    cloud.page = TimeDelta::seconds(20);
    let machine: Machine<'_> = Machine::new(&cloud, &well);
    machine.execute("apart", &serde_json::json!({})).unwrap();
    let places = cloud.coverage("apart").places;
    let figures = |place: &PlaceSwept| (place.groups, place.rules, place.findings, place.worst);
    let expected = (700, 700, 70, Some(Severity::Critical));
    assert_eq!(places.iter().map(figures).collect::<Vec<_>>(), [expected; 2]);
    assert!(places.iter().all(|place| place.codes == BTreeSet::from([Code::OpenSsh])));
    assert!(cloud.calls.get() < 14 + machine.invocations.get(), "{}", cloud.calls.get());
}

/// A sweep of the account 0, without a rest.
fn sweep_of_account(regions: &[&str]) -> Value {
    serde_json::json!({"sweep": {
        "run": "first", "bucket": "results", "account": account(0), "regions": regions,
    }})
}

#[test]
fn an_account_that_there_is_no_time_for_goes_on_at_once() {
    for (groups, seconds, outcome, audited) in [(700, 20, "later", 400), (100, 90, "audited", 100)]
    {
        let mut cloud = Cloud::new(1, &[], groups);
        cloud.page = TimeDelta::seconds(seconds);
        let machine: Machine<'_> = Machine::new(&cloud, &well);
        let answer = machine.once(&sweep_of_account(&["eu-central-1", "eu-west-1"])).unwrap();
        let [first, second] = &answer["places"].as_array().unwrap()[..] else { panic!("{answer}") };
        assert_eq!((&first["outcome"], &first["groups"]), (&outcome.into(), &audited.into()));
        assert_eq!((&second["outcome"], &second["groups"]), (&"later".into(), &0.into()));
        // Nobody is throttled, so there is nothing to wait for.
        assert_eq!(answer["wait"], false);
        let answer = machine.once(&answer["rest"]).unwrap();
        let first = &answer["places"][0];
        assert_eq!((&first["outcome"], &first["groups"]), (&"audited".into(), &groups.into()));
    }
}

#[test]
fn a_region_that_is_throttled_is_waited_for_and_one_that_is_not_allowed_is_unread_at_once() {
    let cloud = Cloud::new(1, &[], 10);
    cloud.feels(0, "eu-central-1", Mood::Throttled(1));
    cloud.feels(0, "eu-west-1", Mood::Denied);
    let machine: Machine<'_> = Machine::new(&cloud, &well);
    let answer = machine.once(&sweep_of_account(&["eu-central-1", "eu-west-1"])).unwrap();
    assert_eq!(answer["wait"], true);
    assert_eq!(answer["rest"]["sweep"]["tried"], serde_json::json!({"eu-central-1": 1}));
    let outcomes = |answer: &Value| {
        let places = answer["places"].as_array().unwrap().iter();
        let outcome = |place: &Value| format!("{} {}", place["region"], place["outcome"]);
        places.map(outcome).collect::<BTreeSet<_>>()
    };
    let expected = |first: &str| {
        let lines =
            [format!("\"eu-central-1\" \"{first}\""), "\"eu-west-1\" \"unread\"".to_owned()];
        BTreeSet::from(lines)
    };
    assert_eq!(outcomes(&answer), expected("later"));
    let unread = answer["places"].as_array().unwrap().iter().find(|it| it["outcome"] == "unread");
    assert!(unread.unwrap()["at"].is_string());
    let answer = machine.once(&answer["rest"]).unwrap();
    assert_eq!(outcomes(&answer), expected("audited"));
    assert_eq!((&answer["wait"], &answer["rest"]), (&false.into(), &Value::Null));
}

#[test]
fn that_there_is_no_role_is_told_once_by_all_invocations_of_an_account() {
    for (mood, told) in [(Mood::NoRole, 0), (Mood::Well, 1), (Mood::Denied, 1)] {
        let cloud = Cloud::new(1, &[], 1);
        cloud.feels(0, "eu-central-1", mood);
        cloud.feels(0, "eu-west-1", Mood::NoRole);
        let machine: Machine<'_> = Machine::new(&cloud, &well);
        let done = machine.once(&sweep_of_account(&["eu-central-1"])).unwrap()["places"].take();
        machine.notifier.take();
        let mut rest = sweep_of_account(&["eu-central-1", "eu-west-1"]);
        rest["sweep"]["done"] = done;
        machine.once(&rest).unwrap();
        assert_eq!(machine.told("unaudited-change").len(), told, "{mood:?}");
    }
    // What is found in a group of the account does not tell it.
    let cloud = Cloud::new(1, &[], 1);
    cloud.feels(0, "eu-west-1", Mood::NoRole);
    let machine: Machine<'_> = Machine::new(&cloud, &well);
    machine.once(&sweep_of_account(&["eu-central-1", "eu-west-1"])).unwrap();
    assert_eq!(machine.told("unaudited-change").len(), 1);
}

#[test]
fn that_one_region_sends_no_events_does_not_hide_that_another_one_has_no_role() {
    let cloud = Cloud::new(1, &[], 30);
    let ledger = Some(MemoryLedger::default());
    let machine: Machine<'_> = Machine { ledger, ..Machine::new(&cloud, &well) };
    for every in [10, 7] {
        cloud.every.set(every);
        machine.once(&sweep_of_account(&["eu-central-1"])).unwrap();
        cloud.now.set(cloud.now.get() + TimeDelta::days(1));
    }
    machine.notifier.take();
    cloud.feels(0, "eu-west-1", Mood::NoRole);
    machine.once(&sweep_of_account(&["eu-central-1", "eu-west-1"])).unwrap();
    assert_eq!(machine.told("unaudited-change").len(), 2);
}

#[test]
fn a_region_that_is_throttled_is_waited_for_once_the_one_that_went_on_is_done() {
    let mut cloud = Cloud::new(1, &[], 700);
    cloud.page = TimeDelta::seconds(20);
    cloud.feels(0, "eu-west-1", Mood::Busy);
    let machine: Machine<'_> = Machine::new(&cloud, &well);
    let answer = machine.once(&sweep_of_account(&["eu-central-1", "eu-west-1"])).unwrap();
    assert_eq!(answer["wait"], false);
    let answer = machine.once(&answer["rest"]).unwrap();
    assert_eq!(answer["places"][0]["outcome"], "audited");
    assert_eq!((&answer["wait"], &answer["rest"]["sweep"]["resume"]), (&true.into(), &Value::Null));
}

#[test]
fn a_run_counts_as_a_sweep_if_it_is_complete() {
    let cloud = Cloud::new(2, &["eu-central-1"], 1);
    let ledger = MemoryLedger::default();
    ledger.set_hook(Box::new(|_| Err(LedgerError(cause("denied")))));
    let machine: Machine<'_> = Machine { ledger: Some(ledger), ..Machine::new(&cloud, &well) };
    machine.execute("whole", &serde_json::json!({})).unwrap();
    // Each invocation that asks the table asks it once.
    let counts = machine.counts.take();
    assert_eq!((counts.sweeps, counts.ledger_failures), (1, 3));
    let digest = report_in(machine.notifier.take().last().unwrap());
    assert_eq!((&digest["groups_audited"], &digest["rules_audited"]), (&2.into(), &2.into()));
    assert_eq!(digest["partial"], false);
    let codes = |message: &crate::report::Message| {
        message.attributes.iter().find(|it| it.name == "code").unwrap().value.clone()
    };
    cloud.feels(1, "eu-central-1", Mood::Denied);
    machine.execute("part", &serde_json::json!({})).unwrap();
    assert_eq!(machine.counts.take().sweeps, 0);
    let message = machine.notifier.take().pop().unwrap();
    assert_eq!(report_in(&message)["partial"], true);
    assert_eq!(codes(&message), r#"["open-ssh","unaudited-change"]"#);
}

#[test]
fn an_account_whose_regions_are_not_told_has_those_of_the_functions_own_account() {
    let cloud = Cloud::new(3, &["eu-west-1"], 1);
    let home = place().account.unwrap();
    cloud.regions_of.borrow_mut().insert(home.clone(), vec![id("us-east-1")]);
    cloud.regions_of.borrow_mut().insert(account(1), Vec::new());
    cloud.feels(2, "eu-central-1", Mood::Denied);
    let machine: Machine<'_> = Machine::new(&cloud, &well);
    let regions = |run: &str, input: Value| {
        machine.execute(run, &input).unwrap();
        let places = cloud.coverage(run).places;
        places.iter().map(|place| place.region.to_string()).collect::<Vec<_>>()
    };
    let enabled = serde_json::json!({});
    assert_eq!(regions("own", enabled.clone()), ["eu-west-1", "us-east-1", "us-east-1"]);
    // Where they are not known either, the function's own region is left.
    cloud.regions_of.borrow_mut().insert(home, Vec::new());
    assert_eq!(regions("home", enabled), ["eu-west-1", "eu-central-1", "eu-central-1"]);
    let unnamed = serde_json::json!({"regions": "", "accounts": ""});
    assert_eq!(regions("unnamed", unnamed), ["eu-central-1"]);
}

#[test]
fn the_state_machine_tries_again_what_may_pass() {
    let kind = |is_transient| {
        let cause = cause("SlowDown");
        RunError::from(PortError { action: "PutObject", cause, is_transient }).kind()
    };
    assert_eq!([true, false].map(kind), ["RunUnavailable", "RunRefused"]);
}

#[test]
fn a_region_that_goes_on_under_other_settings_is_not_covered() {
    let mut cloud = Cloud::new(1, &["eu-central-1"], 6_000);
    cloud.page = TimeDelta::seconds(2);
    cloud.every.set(6_000);
    for changes in [false, true] {
        let mut machine: Machine<'_> = Machine::new(&cloud, &well);
        machine.ledger = Some(MemoryLedger::default());
        let mut sweep = serde_json::json!({
            "run": "a", "bucket": "results", "account": account(0).to_string(),
            "regions": ["eu-central-1"],
        });
        while !sweep.is_null() {
            let answer = machine.once(&serde_json::json!({"sweep": sweep})).unwrap();
            sweep = answer["rest"]["sweep"].clone();
            if changes {
                machine.settings.revert_keeps = RevertKeeps::Nothing;
            }
        }
        assert!(machine.invocations.get() > 1);
        let covered = machine.ledger.as_ref().unwrap().audits().len();
        assert_eq!(covered, usize::from(!changes));
    }
}

#[test]
fn a_region_of_which_something_could_not_be_remembered_is_not_covered() {
    let mut cloud = Cloud::new(1, &[], 700);
    cloud.page = TimeDelta::seconds(20);
    for fails in [false, true] {
        let ledger = MemoryLedger::default();
        let first = Cell::new(true);
        ledger.set_hook(Box::new(move |call| {
            match call == "see" && first.replace(false) && fails {
                true => Err(LedgerError(cause("throttled"))),
                false => Ok(()),
            }
        }));
        let machine: Machine<'_> = Machine { ledger: Some(ledger), ..Machine::new(&cloud, &well) };
        let mut next = sweep_of_account(&["eu-central-1"]);
        while !next.is_null() {
            next = machine.once(&next).unwrap()["rest"].take();
        }
        let covered = machine.ledger.as_ref().unwrap().audits().len();
        assert_eq!(covered, usize::from(!fails));
    }
}

#[test]
fn what_a_run_missed_is_all_that_the_next_one_audits_if_it_is_asked_to() {
    let cloud = Cloud::new(3, &["eu-central-1", "eu-west-1"], 20);
    cloud.feels(1, "eu-west-1", Mood::Denied);
    // The second account's invocations all die.
    let turn = Cell::new(0);
    let fates = || {
        turn.set(turn.get() + 1);
        if (3..7).contains(&turn.get()) { Fate::Dies } else { Fate::Well }
    };
    let machine: Machine<'_> = Machine::new(&cloud, &fates);
    let answer = machine.execute("before", &serde_json::json!({})).unwrap();
    assert_eq!((&answer["missing"], &answer["totals"]["missing"]), (&true.into(), &2.into()));
    let said = answer["cause"].as_str().unwrap();
    assert!(
        said.starts_with("2 of 6 places are missing") && said.contains(r#"{"again":"before"}"#),
        "{said}"
    );
    let digest = machine.notifier.take().pop().unwrap();
    assert_eq!(
        digest.subject,
        "NOT AUDITED: 2 of 6 places; 8 findings (critical, organisation sweep)"
    );
    assert!(
        digest.body.contains("aws stepfunctions start-execution --region eu-central-1"),
        "{}",
        digest.body
    );

    cloud.moods.borrow_mut().clear();
    let answer = machine.execute("after", &serde_json::json!({"again": "before"})).unwrap();
    assert_eq!(
        (&answer["totals"]["expected"], &answer["totals"]["audited"]),
        (&2.into(), &2.into())
    );
    assert_eq!(answer["missing"], false);
}

#[test]
fn an_account_that_is_new_is_in_the_next_sweep() {
    let cloud = Cloud::new(1, &["eu-central-1"], 5);
    let machine: Machine<'_> = Machine::new(&cloud, &well);
    let before = machine.execute("monday", &serde_json::json!({})).unwrap();
    cloud.accounts.borrow_mut().push(account(7));
    let after = machine.execute("tuesday", &serde_json::json!({})).unwrap();
    assert_eq!((&before["totals"]["audited"], &after["totals"]["audited"]), (&1.into(), &2.into()));
}

#[test]
fn a_member_whose_groups_change_and_of_which_no_event_comes_is_a_finding_of_the_run() {
    let cloud = Cloud::new(2, &["eu-central-1"], 5);
    let ledger = Some(MemoryLedger::default());
    let machine: Machine<'_> = Machine { ledger, ..Machine::new(&cloud, &well) };
    let unheard = |day: i64, every: usize| {
        cloud.now.set(noon() + TimeDelta::days(day));
        cloud.every.set(every);
        let run = format!("day-{day}");
        machine.execute(&run, &serde_json::json!({})).unwrap();
        let places = cloud.coverage(&run).places.into_iter();
        places.filter(|place| place.codes.contains(&Code::UnauditedChange)).count()
    };
    // The first run only remembers, the second one sees the change, and the third one tells.
    assert_eq!([unheard(0, 10), unheard(1, 2), unheard(2, 2), unheard(3, 2)], [0, 0, 2, 0]);
}

#[test]
fn the_input_replaces_the_stacks_accounts_and_regions() {
    let cloud = Cloud::new(5, &["eu-central-1"], 5);
    let machine: Machine<'_> = Machine::new(&cloud, &well);
    let input =
        serde_json::json!({"accounts": ["210987654321"], "regions": ["us-east-1", "eu-west-1"]});
    let answer = machine.execute("some", &input).unwrap();
    assert_eq!(answer["totals"]["expected"], 2);
    let places = cloud.coverage("some").places;
    assert!(places.iter().all(|place| place.account.as_str() == "210987654321"));
}

#[test]
fn the_age_of_the_oldest_audit_grows_while_a_place_is_not_audited() {
    let cloud = Cloud::new(2, &["eu-central-1"], 5);
    let machine: Machine<'_> = Machine::new(&cloud, &well);
    let age = |run: &str| {
        machine.execute(run, &serde_json::json!({})).unwrap();
        let latest: Value = serde_json::from_slice(&cloud.objects.borrow()["latest.json"]).unwrap();
        latest["100000000001/eu-central-1"]["at"].clone()
    };
    let first = age("one");
    assert!(first.is_string());
    cloud.feels(1, "eu-central-1", Mood::Denied);
    cloud.now.set(cloud.now.get() + TimeDelta::days(1));
    assert_eq!(age("two"), first, "it was not audited again");
    cloud.moods.borrow_mut().clear();
    assert_ne!(age("three"), first);
}

#[test]
fn what_is_not_a_task_is_an_event_and_what_is_a_bad_one_says_what_is_wrong() {
    for event in [
        "{}",
        "null",
        "[]",
        r#"{"sweep":{"accounts":[],"regions":[]}}"#,
        r#"{"run":"x"}"#,
        r#"{"detail":{"run":1}}"#,
        r#"{"discover":{"runs":1}}"#,
        r#"{"sweep":{"run":"x"},"detail":{"eventName":"AuthorizeSecurityGroupIngress"}}"#,
    ] {
        assert!(Task::of(event.as_bytes()).is_none(), "{event}");
    }
    for (payload, wrong) in [
        (r#"{"digest":{"run":"a/../b","bucket":"results"}}"#, "name of a run"),
        (r#"{"digest":{"run":"a","bucket":"evil.example/"}}"#, "name of a bucket"),
        (
            r#"{"digest":{"run":"a","bucket":"results","machine":"arn:aws:states:x;reboot"}}"#,
            "state machine",
        ),
        (r#"{"digest":{"run":"a","bucket":"results","machine":"arn:aws:s3:x"}}"#, "state machine"),
        (r#"{"digest":{"run":"a","bucket":"results","machine":"x:states:y"}}"#, "state machine"),
        (
            &format!(
                r#"{{"digest":{{"run":"a","bucket":"results","machine":"arn:aws:states:{}"}}}}"#,
                "x".repeat(256)
            ),
            "state machine",
        ),
        (
            &format!(
                r#"{{"sweep":{{"run":"a","bucket":"results","account":"123456789012","regions":{}}}}}"#,
                serde_json::json!(vec!["eu-central-1"; 101])
            ),
            "101 regions are more than an account has",
        ),
        (r#"{"sweep":{"run":"a","bucket":"results","account":"1","regions":[]}}"#, "12 digits"),
        (
            r#"{"sweep":{"run":"a","bucket":"results","account":"123456789012","regions":[]}}"#,
            "names no region",
        ),
        (
            r#"{"discover":{"run":"a","bucket":"results","accounts":"all","regions":""}}"#,
            "organization",
        ),
        (
            r#"{"discover":{"run":"a","bucket":"results","accounts":"","regions":"here"}}"#,
            "not an AWS region",
        ),
    ] {
        let error = Task::of(payload.as_bytes()).unwrap().unwrap_err();
        let said = crate::text::causes(&error);
        assert!(said.contains(wrong), "{payload}: {said}");
    }
}

#[test]
fn what_is_left_over_goes_back_in_as_it_is() {
    let json = serde_json::json!({"sweep": {
        "run": "a", "bucket": "results", "account": "123456789012", "regions": ["eu-central-1"],
    }});
    let Task::Sweep(sweep) = Task::of(json.to_string().as_bytes()).unwrap().unwrap() else {
        panic!()
    };
    let again = serde_json::to_value(Task::Sweep(sweep.clone())).unwrap();
    let Task::Sweep(read) = Task::of(again.to_string().as_bytes()).unwrap().unwrap() else {
        panic!()
    };
    assert_eq!(*sweep, *read);
    let _: AccountSweep = *read;
}

#[test]
fn a_step_is_written_as_it_is_read() {
    for json in [
        serde_json::json!({"discover": {
            "run": "a", "bucket": "results", "regions": "enabled",
            "accounts": ["123456789012", "organization", "ou-ab12-11111111"],
            "input": {"accounts": null, "regions": null, "again": "b"},
        }}),
        serde_json::json!({"digest": {
            "run": "a", "bucket": "results",
            "machine": "arn:aws:states:eu-central-1:123456789012:stateMachine:sweep",
        }}),
    ] {
        let task = Task::of(json.to_string().as_bytes()).unwrap().unwrap();
        assert_eq!(serde_json::to_value(task).unwrap(), json);
    }
    let named: Accounts = id("123456789012, organization");
    assert_eq!(named.0, [Which::Account(id("123456789012")), Which::Organization]);
}

#[test]
fn a_payload_that_is_larger_than_a_state_is_no_step() {
    let task = r#"{"digest":{"run":"a","bucket":"results"}}"#;
    let padded = |bytes: usize| format!("{task}{}", " ".repeat(bytes - task.len()));
    assert!(Task::of(padded(STATE).as_bytes()).is_some());
    assert!(Task::of(padded(STATE + 1).as_bytes()).is_none());
}

#[test]
fn an_account_with_as_many_regions_as_there_can_be_answers_less_than_a_state_holds() {
    let regions: Vec<String> = (0..100).map(|n| format!("ap-southeast-{n}")).collect();
    let regions: Vec<&str> = regions.iter().map(String::as_str).collect();
    let cloud = Cloud::new(1, &regions, 300);
    for region in &regions {
        cloud.feels(0, region, Mood::Denied);
    }
    let machine: Machine<'_> = Machine::new(&cloud, &well);
    let answer = machine.execute("wide", &serde_json::json!({})).unwrap();
    assert_eq!(answer["totals"]["unread"], 100);
    assert!(machine.largest.get() < STATE / 4, "{}", machine.largest.get());
}

/// Counts messages and keeps none.
#[derive(Debug, Default)]
struct Counted {
    messages: Cell<usize>,
    /// SNS bills 64 KiB each.
    billed: Cell<usize>,
    findings: Cell<usize>,
}

impl Notifier for Counted {
    async fn publish(&self, report: &Report) -> Result<(), NotifyError> {
        let messages = messages(report).map_err(|error| NotifyError(cause(error)))?;
        let billed: usize = messages.iter().map(|it| it.size().div_ceil(64 * 1024)).sum();
        assert!(messages.iter().all(|message| message.size() <= STATE));
        self.messages.set(self.messages.get() + messages.len());
        self.billed.set(self.billed.get() + billed);
        self.findings.set(self.findings.get() + report.findings.len());
        Ok(())
    }
}

impl Invoker for Counted {
    async fn invoke(&self, _: &Value) -> Result<(), InvokeError> {
        panic!("a sweep that notifies hands nothing on")
    }
}

/// The most memory that this process has had so far, in megabytes.
fn peak() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|it| it.trim().strip_suffix(" kB")?.trim().parse::<usize>().ok());
    kilobytes.unwrap_or_default() / 1024
}

/// An organisation with so many groups in 100 accounts of 10 regions, of which so many percent are
/// open. What it took is printed as a line of the table in docs/organisation.md.
fn simulate(groups: usize, percent: usize) {
    let regions: Vec<String> = (1..=10).map(|n| format!("eu-west-{n}")).collect();
    let regions: Vec<&str> = regions.iter().map(String::as_str).collect();
    let cloud = Cloud::new(100, &regions, groups / 1000);
    cloud.every.set(100 / percent);
    let began = cloud.now.get();
    let clock = std::time::Instant::now();
    let machine: Machine<'_, Counted> = Machine::new(&cloud, &well);
    let answer = machine.execute("simulated", &serde_json::json!({})).unwrap();
    let seconds = clock.elapsed().as_secs_f64();
    let totals = &answer["totals"];
    assert_eq!((&totals["audited"], &totals["groups"]), (&1000.into(), &groups.into()));
    let bad = 1000 * (groups / 1000).div_ceil(cloud.every.get());
    assert_eq!((&totals["findings"], machine.notifier.findings.get()), (&bad.into(), bad));
    // A page of groups is a call here, and two to EC2.
    let pages = 1000 * (groups / 1000).div_ceil(100);
    assert_eq!(cloud.calls.get(), pages);
    assert!(machine.largest.get() < STATE);
    let transitions = 5.0 + 4.0 * 100.0;
    let in_lambda = (cloud.now.get() - began).as_seconds_f64() * 0.25;
    let cost = transitions * 0.025 / 1e3
        + in_lambda * 0.000_013_333_4
        + machine.invocations.get() as f64 * 0.2 / 1e6
        + machine.notifier.billed.get() as f64 * 0.5 / 1e6;
    println!(
        "| {groups} | {percent} % | {seconds:.1} | {} | {} | {} | {} | {cost:.3} |",
        peak(),
        2 * pages,
        machine.invocations.get(),
        machine.notifier.messages.get(),
    );
}

/// `SG_AUDIT_GROUPS=1000000 cargo test --no-default-features --lib a_simulated -- --nocapture`
#[test]
fn a_simulated_organisation_of_a_hundred_thousand_groups_is_swept_whole() {
    let groups = std::env::var("SG_AUDIT_GROUPS").ok().and_then(|groups| groups.parse().ok());
    let percents: &[usize] = if groups.is_some() { &[1, 10, 50] } else { &[1] };
    for percent in percents {
        simulate(groups.unwrap_or(100_000), *percent);
    }
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        4 => Just(Fate::Well),
        1 => Just(Fate::Dies),
        1 => Just(Fate::AnswerLost),
        1 => Just(Fate::Twice),
        1 => Just(Fate::BucketFails),
    ]
}

fn mood() -> impl Strategy<Value = Mood> {
    prop_oneof![
        6 => Just(Mood::Well),
        2 => (1_u32..6).prop_map(Mood::Throttled),
        1 => Just(Mood::Busy),
        1 => Just(Mood::NoRole),
        1 => Just(Mood::Denied),
    ]
}

const THREE: [&str; 3] = ["eu-central-1", "eu-west-1", "us-east-1"];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Audited, unread and missing places are together those that are expected, and each is one of
    /// them. Every group that is open in a place that counts as audited was told, under one id.
    #[test]
    fn the_places_are_parted_whatever_fails(
        fates in prop::collection::vec(fate(), 1..40),
        moods in prop::collection::vec(mood(), 12),
        page in prop_oneof![Just(1), Just(30)],
        lost in prop::collection::vec(any::<bool>(), 4),
    ) {
        let mut cloud = Cloud::new(4, &THREE, 120);
        cloud.page = TimeDelta::seconds(page);
        for (number, mood) in moods.iter().enumerate() {
            cloud.feels(number / 3, THREE[number % 3], *mood);
        }
        let turn = Cell::new(0);
        let fates = || {
            turn.set(turn.get() + 1);
            fates[turn.get() % fates.len()]
        };
        let machine: Machine<'_> = Machine::new(&cloud, &fates);
        if let Some(mut answer) = machine.execute("faulty", &serde_json::json!({})) {
            // What is lost afterwards is missing, and nothing else changes.
            for (number, _) in lost.iter().enumerate().filter(|(_, lost)| **lost) {
                let key = format!("runs/faulty/accounts/{}.json", account(number));
                cloud.objects.borrow_mut().remove(&key);
            }
            if lost.contains(&true) {
                let digest = serde_json::json!({"digest": {"run": "faulty", "bucket": "results"}});
                answer = machine.once(&digest).unwrap();
            }
            let coverage = cloud.coverage("faulty");
            let met: BTreeSet<_> =
                coverage.places.iter().map(|place| (&place.account, &place.region)).collect();
            prop_assert_eq!((met.len(), coverage.places.len()), (12, 12));
            let totals = coverage.totals;
            prop_assert_eq!(totals.audited + totals.unread + totals.missing, 12);
            prop_assert_eq!(&answer["missing"], &Value::Bool(totals.missing > 0));
            let told = machine.told("open-ssh");
            for place in &coverage.places {
                let is_audited = place.outcome == PlaceOutcome::Audited;
                prop_assert!(!is_audited || (place.groups, place.findings) == (120, 12), "{:?}", place);
                for number in (0..120).filter(|&number| is_audited && is_bad(number)) {
                    let key = (place.account.to_string(), place.region.to_string(), numbered(number).to_string());
                    prop_assert_eq!(told.get(&key).map(BTreeSet::len), Some(1), "{:?}", key);
                }
            }
        }
        prop_assert!(machine.largest.get() < STATE);
        let _: RunName = id("faulty");
    }
}
