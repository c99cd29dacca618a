//! What worlds have in them, counted, so that it is known that it happens at all.

/// Makes the counters of one kind of world.
macro_rules! sights {
    ($($sight:ident),* $(,)?) => {
        /// How often something was seen to happen.
        #[derive(Default)]
        pub struct Sights {
            $(pub $sight: usize,)*
        }

        impl std::ops::AddAssign for Sights {
            fn add_assign(&mut self, other: Self) {
                $(self.$sight += other.$sight;)*
            }
        }

        impl Sights {
            /// Worlds in which something never happens prove nothing about it.
            pub fn assert_that_everything_was_seen(&self) {
                let counts = [$((stringify!($sight), self.$sight)),*];
                let rare: Vec<_> = counts.iter().filter(|(_, count)| *count <= 100).collect();
                assert!(rare.is_empty(), "too quiet: {rare:?}");
            }
        }
    };
}

pub(crate) use sights;
