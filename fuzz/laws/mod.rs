//! What must hold for any input at all. The fuzz targets look for an input for which it does not;
//! the package's own tests hold every input of the corpus against it, without a fuzzer.

pub mod algebra;
pub mod baseline;
pub mod event;
pub mod seen;
