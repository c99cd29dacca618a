//! A world that fails, made smaller.
//!
//! Each bound is bisected in turn, until none can be lowered any more. Smaller worlds of a seed are
//! other worlds, which may fail for another reason or not at all: what is kept has failed, and
//! whoever wants to know why looks at the smallest.

use crate::bounds::Bounds;

/// The smallest bounds found in which the world still fails, which it does in `bounds`.
pub fn shrunk(mut bounds: Bounds, fails: impl Fn(Bounds) -> bool) -> Bounds {
    loop {
        let before = bounds;
        for (_, dimension) in Bounds::DIMENSIONS {
            // It fails with the upper one of these two. Nothing is as small as the lower one.
            let (mut lower, mut upper) = (0, *dimension(&mut bounds));
            let with = |bound| {
                let mut bounds = bounds;
                *dimension(&mut bounds) = bound;
                bounds
            };
            while upper - lower > 1 {
                let middle = lower.midpoint(upper);
                if fails(with(middle)) {
                    upper = middle;
                } else {
                    lower = middle;
                }
            }
            bounds = with(upper);
        }
        if bounds == before {
            return bounds;
        }
    }
}
