//! The statistics against R 4.2.2 and SciPy 1.17.1.
