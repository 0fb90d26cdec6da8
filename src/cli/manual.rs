//! `sg-audit completions` and `sg-audit man`, made of the options and their help texts.

use std::io;

use clap::CommandFactory;
use clap_complete::{Generator, shells};
use clap_mangen::Man;
use roff::{Roff, roman};

use super::args::{Arguments, Shell};
use super::error::CliError;
use super::output::Answer;

/// The script for a shell.
pub(super) fn completions(shell: Shell) -> Answer {
    let mut command = Arguments::command();
    command.set_bin_name("sg-audit");
    command.build();
    let mut script = Vec::new();
    match shell {
        Shell::Bash => shells::Bash.generate(&command, &mut script),
        Shell::Zsh => shells::Zsh.generate(&command, &mut script),
        Shell::Fish => shells::Fish.generate(&command, &mut script),
    }
    let mut answer = answer(&script);
    // clap_complete 4.6 spells the `-` of a program's name in two ways, so that bash would complete no options
    // (https://github.com/clap-rs/clap/issues/6421).
    answer.out = answer.out.replace("sg__subcmd__audit__", "sg__audit__");
    answer
}

/// The manual page of a command, or of the program where none is named.
pub(super) fn page(names: &[String]) -> Result<Answer, CliError> {
    let mut command = Arguments::command().disable_help_subcommand(true);
    command.build();
    let mut found = &command;
    for name in names {
        let inner = found.find_subcommand(name);
        found = inner.ok_or_else(|| CliError::NoSuchCommand { command: names.join(" ") })?;
    }
    rendered(found).map(|page| answer(&page)).map_err(CliError::Manual)
}

fn rendered(command: &clap::Command) -> io::Result<Vec<u8>> {
    let mut page = Vec::new();
    let version = concat!("sg-audit ", env!("CARGO_PKG_VERSION"));
    let man = Man::new(command.clone()).source(version).manual("sg-audit");
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut page)?;
    }
    // clap_mangen would put the exit status and the examples into one paragraph.
    let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let mut roff = Roff::new();
    for (heading, lines) in after.split("\n\n").filter_map(|part| part.split_once(":\n")) {
        roff.control("SH", [heading.to_uppercase().as_str()]).control("nf", []);
        lines.lines().for_each(|line| {
            roff.text([roman(line)]);
        });
        roff.control("fi", []);
    }
    roff.to_writer(&mut page)?;
    Ok(page)
}

fn answer(text: &[u8]) -> Answer {
    Answer { out: String::from_utf8_lossy(text).into_owned(), ..Answer::default() }
}
