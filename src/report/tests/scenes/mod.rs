//! What can happen: each scene with its name and the messages that came of it.

mod elsewhere;
mod holds;
mod hook;
pub(super) mod left_alone;
mod lists;
mod remembered;
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
        hook::all(),
        lists::all(),
        scope::all(),
        unaudited::all(),
        sweeps::all(),
        remembered::all(),
        elsewhere::all(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The scenes of these names.
pub(super) fn named(names: &[&str]) -> Scenes {
    let mut scenes = all();
    scenes.retain(|(name, _)| names.contains(name));
    assert_eq!(scenes.len(), names.len(), "not each of {names:?} is a scene");
    scenes
}
