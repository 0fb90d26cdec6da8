//! The calls that the code can make.
