//! The record: what is written can be read, whatever happens to the file.
