//! The corpus of the fuzzer, as ordinary tests.

use super::laws;

fn hold(target: &str, law: fn(&[u8])) {
    let folder = format!("{}/fuzz/corpus/{target}", env!("CARGO_MANIFEST_DIR"));
    let files: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    assert!(files.len() >= 10, "the corpus of {target} is not there");
    let mut bytes = 0;
    for file in &files {
        let input = std::fs::read(file).unwrap();
        bytes += input.len();
        // What fails is found by the name that is shown last.
        println!("{}", file.display());
        law(&input);
    }
    assert!(files.len() <= 200, "{} files of {target}: see fuzz/README.md", files.len());
    assert!(bytes <= 300 * 1024, "{bytes} bytes of {target}: see fuzz/README.md");
}

#[test]
fn every_event_of_the_corpus() {
    hold("event", laws::event::hold);
}

#[test]
fn every_baseline_of_the_corpus() {
    hold("baseline", laws::baseline::hold);
}

#[test]
fn every_set_of_the_corpus() {
    hold("algebra", laws::algebra::hold);
}
