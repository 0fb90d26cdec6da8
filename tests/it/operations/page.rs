//! The commands of docs/operations.md.

use std::fs;

use super::NOT_RUN;
use crate::page::blocks;
use crate::support::sg_audit::repository;

/// The page, and those of its blocks of commands that were not run yet.
pub struct Page {
    pub text: String,
    pub blocks: Vec<String>,
}

impl Page {
    pub fn read() -> Self {
        let text = fs::read_to_string(repository().join("docs/operations.md")).expect("the page");
        let blocks = blocks(&text, "sh").into_iter().map(ToOwned::to_owned).collect();
        Self { text, blocks }
    }

    /// The first block that begins so, without what is not run here.
    pub fn take(&mut self, begins: &str) -> String {
        let found = self.blocks.iter().position(|block| block.starts_with(begins));
        let block = self.blocks.remove(found.unwrap_or_else(|| panic!("no block: {begins}")));
        let run: Vec<String> =
            commands(&block).into_iter().filter(|command| !is_left_out(command)).collect();
        run.join("\n")
    }
}

/// The commands of a block. One goes on in the next line after a backslash.
pub fn commands(block: &str) -> Vec<String> {
    let mut commands: Vec<String> = Vec::new();
    let mut goes_on = false;
    for line in block.lines() {
        match commands.last_mut().filter(|_| goes_on) {
            Some(command) => *command = format!("{command}\n{line}"),
            None => commands.push(line.to_owned()),
        }
        goes_on = line.ends_with('\\');
    }
    commands
}

pub fn is_left_out(command: &str) -> bool {
    NOT_RUN.iter().any(|words| command.starts_with(words))
}
