//! The diagnosis as text and as JSON.

use anstyle::{AnsiColor, Style as Ansi};
use serde::Serialize;

use super::check::{Check, State, Unknown};
use super::words::sentence;
use crate::text::{count, inert};

/// What was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Diagnosis {
    /// The name of the stack.
    pub stack: String,
    pub account: String,
    pub region: String,
    /// In the order of the topics.
    pub checks: Vec<Check>,
}

impl Diagnosis {
    /// 0 where everything is as it has to be or worth a look, 1 where something is wrong, 2 where
    /// something could not be looked at.
    pub fn exit_status(&self) -> u8 {
        let totals = self.totals();
        match (totals.fault, totals.cannot_tell) {
            (0, 0) => 0,
            (0, _) => 2,
            _ => 1,
        }
    }

    fn totals(&self) -> Totals {
        let of = |is: fn(&State) -> bool| self.checks.iter().filter(|it| is(&it.state)).count();
        Totals {
            ok: of(|it| matches!(it, State::Ok)),
            warning: of(|it| matches!(it, State::Warning)),
            fault: of(|it| matches!(it, State::Fault)),
            cannot_tell: of(|it| matches!(it, State::CannotTell(_))),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Totals {
    ok: usize,
    warning: usize,
    fault: usize,
    cannot_tell: usize,
}

#[derive(Serialize)]
struct Json<'a> {
    version: u8,
    stack: &'a str,
    account: &'a str,
    region: &'a str,
    totals: Totals,
    checks: Vec<Line<'a>>,
}

#[derive(Serialize)]
struct Line<'a> {
    check: &'static str,
    of: Option<&'a str>,
    state: &'static str,
    fact: &'static str,
    what: String,
    right: Option<&'a str>,
    mend: Option<String>,
}

impl<'a> Line<'a> {
    fn of(check: &'a Check) -> Self {
        let right = match &check.state {
            State::CannotTell(Unknown::Right(right)) => Some(right.as_str()),
            _ => None,
        };
        Self {
            check: check.topic.into(),
            of: check.of.as_deref(),
            state: (&check.state).into(),
            fact: (&check.fact).into(),
            what: sentence(check),
            right,
            mend: check.mend.as_ref().map(ToString::to_string),
        }
    }
}

/// Every member is always there, and null where it has no value.
///
/// # Errors
///
/// When it cannot be written.
pub fn to_json(diagnosis: &Diagnosis) -> serde_json::Result<String> {
    let json = serde_json::to_string_pretty(&Json {
        version: 1,
        stack: &diagnosis.stack,
        account: &diagnosis.account,
        region: &diagnosis.region,
        totals: diagnosis.totals(),
        checks: diagnosis.checks.iter().map(Line::of).collect(),
    })?;
    Ok(format!("{json}\n"))
}

/// A line for each check, with the command that mends it in a line of its own.
pub fn to_text(diagnosis: &Diagnosis, colour: bool) -> String {
    let mut text =
        format!("{} in {}, account {}\n\n", diagnosis.stack, diagnosis.region, diagnosis.account);
    for check in &diagnosis.checks {
        let (word, style) = match check.state {
            State::Ok => ("ok", AnsiColor::Green),
            State::Warning => ("warning", AnsiColor::Yellow),
            State::Fault => ("fault", AnsiColor::Red),
            State::CannotTell(_) => ("cannot tell", AnsiColor::Cyan),
        };
        let (on, off) = match colour {
            true => {
                let style = Ansi::new().fg_color(Some(style.into()));
                (style.render().to_string(), style.render_reset().to_string())
            }
            false => (String::new(), String::new()),
        };
        let name = match &check.of {
            Some(of) => format!("{} {}", check.topic, inert::plain(of)),
            None => check.topic.to_string(),
        };
        text.push_str(&format!("{on}{word:<11}{off}  {name}: {}\n", sentence(check)));
        if let Some(mend) = &check.mend {
            text.push_str(&format!("             {}\n", inert::plain(&mend.to_string())));
        }
    }
    let totals = diagnosis.totals();
    let mut parts = vec![count(totals.fault, "fault"), count(totals.warning, "warning")];
    if totals.cannot_tell > 0 {
        parts.push(format!("{} could not be looked at", totals.cannot_tell));
    }
    parts.push(format!("{} ok", totals.ok));
    text.push_str(&format!("\n{}\n", parts.join(", ")));
    text
}
