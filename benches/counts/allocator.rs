//! Counts what a thread allocates.
//!
//! The crates that do so count for all threads together, do without the system's way to grow what
//! is allocated, or bring a profiler along. What is counted here is each call that may take memory:
//! a buffer that grows counts anew, by its whole size. Giving back is not counted.
#![allow(unsafe_code, reason = "an allocator cannot be written without")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// What was allocated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allocated {
    /// How often.
    pub times: u64,
    /// How many bytes, all together.
    pub bytes: u64,
}

/// The system's allocator, and a tally.
struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

thread_local! {
    // It needs no destructor and no allocation, or it could not be used in here.
    static TALLY: Cell<Allocated> = const { Cell::new(Allocated { times: 0, bytes: 0 }) };
}

// SAFETY: everything is left to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: the caller keeps to what `alloc` asks for, which is the same there.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size);
        // SAFETY: as above, and `place` comes from there.
        unsafe { System.realloc(place, layout, size) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(place, layout) }
    }
}

fn count(size: usize) {
    let Allocated { times, bytes } = TALLY.get();
    TALLY.set(Allocated { times: times + 1, bytes: bytes + size as u64 });
}

/// What this thread allocates while it does something.
pub fn allocated_by(something: impl FnOnce()) -> Allocated {
    let before = TALLY.get();
    something();
    let after = TALLY.get();
    Allocated { times: after.times - before.times, bytes: after.bytes - before.bytes }
}
