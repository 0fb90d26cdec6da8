//! Replaces the parts of a baseline that have settings of their own: SSH sources and web ports.

use super::model::{ANYWHERE, Baseline, BaselinePeer, Entry, PeerTerm, SSH_SOURCES};
use crate::ec2::Protocol;
use crate::net::{Interval, IntervalSet, Set};
use crate::text::in_backticks;

/// The ingress entries that web ports replace.
const REPLACED: [&str; 2] = ["HTTP", "HTTPS"];

/// The entry that replaces them.
const WEB: &str = "Web";

impl Baseline {
    /// The baseline with these peers as its set `ssh-sources`. This has no effect on traffic if no
    /// entry names the set, as in `as-documented`.
    pub fn with_ssh_sources(mut self, peers: Vec<BaselinePeer>) -> Self {
        self.peer_sets.insert(SSH_SOURCES.to_owned(), peers);
        self
    }

    /// Whether an ingress entry names the set `ssh-sources`, so that the setting has an effect.
    pub fn uses_ssh_sources(&self) -> bool {
        let is_sources = |term: &PeerTerm| *term == PeerTerm::Set(SSH_SOURCES.to_owned());
        self.ingress.iter().any(|entry| entry.peers.iter().any(is_sources))
    }

    /// The baseline with one expected ingress entry `Web`, which admits TCP on these ports from
    /// anywhere, instead of the entries `HTTP` and `HTTPS`.
    ///
    /// # Errors
    ///
    /// When a port is one of SSH, when there is no port, no entry to replace, or already an entry
    /// `Web`. The text says what is wrong and what to write instead.
    pub fn with_web_ports(mut self, ports: &IntervalSet<u16>) -> Result<Self, String> {
        let both = ports.intersection(&self.ssh_ports);
        if !both.is_empty() {
            return Err(format!("{} is for SSH; write web ports without it", written(&both)));
        }
        if ports.is_empty() {
            return Err("there is no web port; write one, such as 443".to_owned());
        }
        let replaced = |entry: &Entry| REPLACED.contains(&entry.name.as_str());
        let Some(place) = self.ingress.iter().position(replaced) else {
            return Err(format!(
                "the baseline {} has no entry HTTP or HTTPS in ingress that web ports could replace; \
                 write the ports into the baseline",
                in_backticks(&self.name)
            ));
        };
        if self.ingress.iter().any(|entry| entry.name == WEB) {
            return Err(format!(
                "the baseline {} already has an entry `{WEB}`; write the ports into the baseline",
                in_backticks(&self.name)
            ));
        }
        let web = Entry {
            name: WEB.to_owned(),
            protocol: Protocol::TCP,
            ports: ports.clone(),
            peers: vec![PeerTerm::Set(ANYWHERE.to_owned())],
            expected: true,
        };
        // Nothing before the place is removed.
        self.ingress.retain(|entry| !replaced(entry));
        self.ingress.insert(place.min(self.ingress.len()), web);
        Ok(self)
    }
}

/// Ports for people: `22, 80-90`.
fn written(ports: &IntervalSet<u16>) -> String {
    let word = |interval: &Interval<u16>| match (interval.first(), interval.last()) {
        (first, last) if first == last => first.to_string(),
        (first, last) => format!("{first}-{last}"),
    };
    ports.intervals().iter().map(word).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
