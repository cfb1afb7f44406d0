//! What must hold before an operation is done: traffic that stays served, windows that are open, sides that can be compared.
//! Pure: every guard looks at what was observed and says what it found.

pub mod comparable;
pub mod traffic;
pub mod windows;
