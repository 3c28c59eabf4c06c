//! Tests of this module, in virtual time.
