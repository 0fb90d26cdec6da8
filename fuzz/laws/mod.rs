//! Laws that every input must obey. The fuzz targets look for an input that breaks one;
//! tests/hostile checks every input of the corpus without a fuzzer.

pub mod algebra;
pub mod baseline;
pub mod declared;
pub mod event;
pub mod plan;
pub mod seen;
pub mod template;
