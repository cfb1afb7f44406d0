//! Preparation of one side: missing points and outliers.
