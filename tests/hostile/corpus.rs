//! The fuzzer's corpus, as ordinary tests.

use super::laws;

fn check_corpus(target: &str, law: fn(&[u8])) {
    let folder = format!("{}/fuzz/corpus/{target}", env!("CARGO_MANIFEST_DIR"));
    let files: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    assert!(files.len() >= 10, "the corpus of {target} is missing");
    let mut bytes = 0;
    for file in &files {
        let input = std::fs::read(file).unwrap();
        bytes += input.len();
        // If the law panics, the last name shown is the file that broke it.
        println!("{}", file.display());
        law(&input);
    }
    assert!(files.len() <= 200, "{} files of {target}: see fuzz/README.md", files.len());
    assert!(bytes <= 300 * 1024, "{bytes} bytes of {target}: see fuzz/README.md");
}

#[test]
fn every_event_of_the_corpus_obeys_the_law() {
    check_corpus("event", laws::event::check);
}

#[test]
fn every_baseline_of_the_corpus_obeys_the_law() {
    check_corpus("baseline", laws::baseline::check);
}

#[test]
fn every_set_of_the_corpus_obeys_the_law() {
    check_corpus("algebra", laws::algebra::check);
}

#[test]
fn every_template_of_the_corpus_obeys_the_law() {
    check_corpus("template", laws::template::check);
}

#[test]
fn every_plan_of_the_corpus_obeys_the_law() {
    check_corpus("plan", laws::plan::check);
}
