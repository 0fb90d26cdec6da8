//! What the auditor remembers, in a table of moto and of ministack.

mod same;
pub mod table;
pub mod told;
mod versions;
mod without;
