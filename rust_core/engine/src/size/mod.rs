//! How large a position may be.
