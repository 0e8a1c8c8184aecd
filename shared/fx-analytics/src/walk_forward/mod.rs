//! Parameters chosen on one stretch of time and tried on the next, over and over: the stretches, and what the trials
//! outside the samples come to together.

mod curve;
mod windows;

pub use curve::{CurveFigures, Stitched, efficiency, stitch};
pub use windows::{Span, Training, WINDOWS_MAX, WalkForward, Window};
