//! Forgets executions that ended long ago.
