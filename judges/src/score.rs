//! Scores of groups, the total, and the verdict.
