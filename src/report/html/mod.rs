//! Reports, histories and the index of evidence, each as one HTML file that needs nothing else.
//!
//! The page works without its script, which only adds sorting, filtering and copying. Its
//! Content-Security-Policy admits that script and its style by their hashes, and nothing from
//! anywhere. What others wrote is text: maud escapes it, and [`inert`](crate::text::inert) shows what
//! would act or hide. No attribute that a browser acts on has any of it.

mod evidence;
mod findings;
mod openings;
mod page;
mod picture;

pub use evidence::render as evidence;
pub use findings::render as report;
pub use openings::render as history;
