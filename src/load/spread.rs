//! Much work of one kind, done on all cores.

use std::panic::resume_unwind;

/// A thread for less than so many things is not worth its while.
const MIN_SHARE: usize = 64;

/// What `make` makes of each, in order. Nothing may hang on what is made of another one.
pub(super) fn spread<T: Sync, R: Send>(all: &[T], make: impl Fn(&T) -> R + Sync) -> Vec<R> {
    if all.len() <= MIN_SHARE {
        return all.iter().map(make).collect();
    }
    let hands = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let share = all.len().div_ceil(hands).max(MIN_SHARE);
    std::thread::scope(|scope| {
        let make = &make;
        let shares =
            all.chunks(share).map(|share| scope.spawn(move || share.iter().map(make).collect::<Vec<_>>()));
        let shares: Vec<_> = shares.collect();
        shares
            .into_iter()
            .flat_map(|share| share.join().unwrap_or_else(|panic| resume_unwind(panic)))
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_of_each_is_in_the_order_of_them_all_however_many_there_are() {
        for count in [0, 1, MIN_SHARE, MIN_SHARE + 1, 10 * MIN_SHARE + 3] {
            let all: Vec<_> = (0..count).collect();
            assert_eq!(spread(&all, |n| n * 2), all.iter().map(|n| n * 2).collect::<Vec<_>>());
        }
    }
}
