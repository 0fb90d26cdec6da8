//! What can happen: each scene with its name and the messages that came of it.

mod elsewhere;
mod holds;
pub(super) mod left_alone;
mod lists;
mod reverts;
mod scope;
mod sweeps;
mod unaudited;

use super::scene::Told;

pub(super) type Scenes = Vec<(&'static str, Told)>;

pub(super) fn all() -> Scenes {
    [
        reverts::all(),
        left_alone::all(),
        holds::all(),
        lists::all(),
        scope::all(),
        unaudited::all(),
        sweeps::all(),
        elsewhere::all(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
