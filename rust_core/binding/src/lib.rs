//! Python binding: arguments in, one call, result out.
