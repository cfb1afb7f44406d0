//! Which event is legal in which state, and what is next.
