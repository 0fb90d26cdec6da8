//! What is audited while something fails: rules that open SSH, in groups of which something else has to stay.

use std::cell::Cell;

use serde_json::{Value, json};

use crate::memory::table::made;
use crate::reverts::REVERT;
use crate::support::endpoint::Answer;
use crate::support::moto;
use crate::support::permission::{Permission, tcp};
use crate::support::rie::{Function, Response};
use crate::support::world::{ACCOUNT, Direction::Ingress, Group, MEMBER, Site, World};

/// Regions in which no other test sweeps.
const NEAR: &str = "ap-east-1";
const FAR: &str = "ap-east-2";

/// The tag that says what is in scope.
const TAG: &str = "Reliability";

/// A function keeps its reserve of retries over its invocations; with a new one in time, no trial has too few.
const TRIALS_A_FUNCTION: usize = 6;

/// What makes the function audit something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scene {
    /// The event of a call that opened SSH and the website in one rule.
    Change,
    /// The event of a call that opened SSH to a prefix list.
    List,
    /// The event of a call in another account.
    Member,
    /// The event of a call that opened SSH again, for the fourth time within a day.
    Remembered,
    /// A sweep over two regions, with time for one, that may have open SSH closed.
    Sweep,
    /// What a sweep has handed on to be closed: rules of two groups, with time for one.
    Close,
}

/// Where a group is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Where {
    Near,
    Far,
    Member,
}

/// A group with what was opened in it.
pub struct Item {
    at: Where,
    pub group: Group,
    /// What complied before, one line a rule.
    pub compliant: Vec<String>,
    /// What was opened, one line a rule.
    pub opened: Vec<String>,
    /// What complies of it, without descriptions.
    pub pieces: &'static [&'static str],
}

/// One worker's part of AWS, and a function in it.
pub struct Stage {
    pub world: World,
    near: (Site, Group),
    far: (Site, Group),
    member: (Site, Group),
    /// What groups in scope are tagged with.
    own: String,
    function: Option<Function>,
    /// The table of the function, where it has one.
    table: Option<String>,
    trials: usize,
    groups: Cell<usize>,
}

impl Stage {
    pub async fn new() -> Self {
        let world = World::new().await;
        let with_vpc = async |account, region| {
            let site = world.site(account, region).await;
            let first = site.group("first").await;
            (site, first)
        };
        let (near, far) = (with_vpc(ACCOUNT, NEAR).await, with_vpc(ACCOUNT, FAR).await);
        let member = with_vpc(MEMBER, NEAR).await;
        let own = world.own.clone();
        let (function, table, groups) = (None, None, Cell::new(0));
        Self { world, near, far, member, own, function, table, trials: 0, groups }
    }

    fn site(&self, at: Where) -> &Site {
        &self.at(at).0
    }

    fn at(&self, at: Where) -> &(Site, Group) {
        match at {
            Where::Near => &self.near,
            Where::Far => &self.far,
            Where::Member => &self.member,
        }
    }

    /// Takes away what was made for a trial. moto looks at each group of a region whenever it is asked for some.
    pub async fn clear(&self, items: &[Item]) {
        for item in items {
            self.site(item.at).delete(&item.group).await;
        }
    }

    /// The function, in a process that has not ended.
    fn function(&mut self) -> &mut Function {
        let (world, own) = (&self.world, &self.own);
        let table = self.table.as_deref().unwrap_or_default();
        self.function.get_or_insert_with(|| {
            let scope = format!("tag:{TAG}={own}");
            world.function(&[
                REVERT[0],
                REVERT[1],
                ("SCOPE", &scope),
                ("SWEEP_REMEDIATION", "revert-ssh"),
                ("STATE_TABLE", table),
                ("MEMBER_ROLE_NAME", "security/typo3-sg-auditor"),
                // So little time that each region, and each group, after the first is handed on.
                ("AWS_LAMBDA_FUNCTION_TIMEOUT", "30"),
            ])
        })
    }

    /// Hands the function a payload; `None` where `given_up` said so before there was an answer.
    pub fn invoke_unless(
        &mut self,
        payload: &[u8],
        given_up: impl Fn(&World) -> bool,
    ) -> Option<Response> {
        self.function();
        let Self { world, function, .. } = self;
        let function = function.as_mut().expect("a function");
        function.invoke_unless(payload, || given_up(world))
    }

    /// The log of the function's process, where one runs.
    pub fn log(&self) -> String {
        self.function.as_ref().map(|function| function.log().join("\n")).unwrap_or_default()
    }

    /// Ends the function's process, as Lambda does where it takes too much time or memory.
    pub fn kill(&mut self) {
        self.function = None;
    }

    /// Makes what `scene` is about, and returns what the function is given.
    pub async fn set(&mut self, scene: Scene) -> (Vec<Item>, Value) {
        self.trials += 1;
        // A function that has assumed the role does not ask for it again.
        if scene == Scene::Member || self.trials.is_multiple_of(TRIALS_A_FUNCTION) {
            self.kill();
        }
        if (scene == Scene::Remembered) != self.table.is_some() {
            self.kill();
            self.table = match scene {
                Scene::Remembered => Some(made(&moto::server().url()).await),
                _ => None,
            };
        }
        match scene {
            Scene::Remembered => {
                let (item, mut event) = self.opened(Where::Near, open(), OFFICE).await;
                let group = item.group.clone();
                self.world.answer(|_| Answer::Moto);
                for number in 0..3 {
                    event["detail"]["eventID"] = format!("{}-{number}", group.id).into();
                    self.function().report(&event);
                    event = self.site(Where::Near).authorize(&group, Ingress, &[open()]).await;
                }
                self.world.messages().await;
                event["detail"]["eventID"] = format!("{}-last", group.id).into();
                (vec![item], event)
            }
            Scene::Change => {
                let open = tcp(22, 443).described("0.0.0.0/0", "all at once");
                let pieces = &["tcp 80-80 0.0.0.0/0", "tcp 22-22 203.0.113.0/24"];
                let (item, event) = self.opened(Where::Near, open, pieces).await;
                (vec![item], event)
            }
            Scene::List => {
                let cidrs = ["203.0.113.0/25", "198.51.100.0/24"];
                let list = self.site(Where::Near).prefix_list("vendors", &cidrs).await;
                let pieces = &["tcp 22-22 203.0.113.0/25"];
                let (item, event) = self.opened(Where::Near, tcp(22, 22).from(&list), pieces).await;
                (vec![item], event)
            }
            Scene::Member => {
                let (item, event) = self.opened(Where::Member, open(), OFFICE).await;
                (vec![item], event)
            }
            Scene::Sweep => {
                let mut items = Vec::new();
                for at in [Where::Near, Where::Far] {
                    items.push(self.opened(at, open(), OFFICE).await.0);
                }
                (items, json!({"sweep": {"regions": [NEAR, FAR]}}))
            }
            Scene::Close => {
                let mut items = Vec::new();
                for _ in 0..2 {
                    items.push(self.opened(Where::Near, open(), OFFICE).await.0);
                }
                self.world.answer(|_| Answer::Moto);
                self.function().report(&json!({"sweep": {"regions": [NEAR]}}));
                let close = self.world.handed_on().pop().expect("what is to be closed");
                let rules = close["close"]["rules"].as_array().expect("rules");
                assert_eq!(rules.len(), 2, "{close:#}");
                items.sort_by_key(|item| rules[0]["group"] != item.group.id);
                (items, close)
            }
        }
    }

    async fn opened(
        &self,
        at: Where,
        open: Permission,
        pieces: &'static [&'static str],
    ) -> (Item, Value) {
        let (site, first) = self.at(at);
        let name = format!("typo3-{}-{}-{}", self.own, self.trials, self.groups.get());
        self.groups.set(self.groups.get() + 1);
        let group = site.group_beside(first, &name).await;
        site.tag(&group.id, TAG, &self.own).await;
        let web = tcp(443, 443).described("0.0.0.0/0", "the web");
        let event = site.authorize(&group, Ingress, &[web, open]).await;
        let (compliant, opened): (Vec<String>, _) =
            site.ingress(&group).await.into_iter().partition(|rule| rule.contains("the web"));
        assert_eq!((compliant.len(), opened.len()), (1, 1));
        (Item { at, group, compliant, opened, pieces }, event)
    }

    /// The ingress rules of the item's group, as they are now.
    pub async fn ingress(&self, item: &Item) -> Vec<String> {
        self.site(item.at).ingress(&item.group).await
    }

    /// A sweep of where the item is.
    pub fn sweep_of(&self, item: &Item) -> Value {
        let site = self.site(item.at);
        json!({"sweep": {"accounts": [site.account], "regions": [site.region]}})
    }

    /// Whether a finding without a group is about where the item is.
    pub fn is_about(&self, item: &Item, finding: &Value) -> bool {
        let site = self.site(item.at);
        finding["account"] == site.account.as_str() && finding["region"] == site.region.as_str()
    }
}

const OFFICE: &[&str] = &["tcp 22-22 203.0.113.0/24"];

fn open() -> Permission {
    tcp(22, 22).described("0.0.0.0/0", "just a minute")
}
