//! Random numbers of one sample.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// The stream of one sample; what it is made of is said at the top of the module above.
pub(super) struct Draw(ChaCha8Rng);

impl Draw {
    pub(super) fn new(seed: u64, sample: u64) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        let mut words = ChaCha8Rng::from_seed(key);
        words.set_stream(sample);
        Self(words)
    }

    /// A number from 0 to below `limit`, which is above zero, each as likely. Takes less than two words on average.
    pub(super) fn below(&mut self, limit: u32) -> u32 {
        below(limit, || self.0.next_u32())
    }
}

fn below(limit: u32, mut word: impl FnMut() -> u32) -> u32 {
    // 2³² mod limit.
    let unfair = limit.wrapping_neg() % limit;
    loop {
        let product = u64::from(word()) * u64::from(limit);
        if product as u32 >= unfair {
            return (product >> 32) as u32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_has_as_many_words_as_every_other() {
        // The same in four bits: of 16 words, 16 mod n are drawn again and the others fall evenly.
        for limit in 1u64..=16 {
            let unfair = 16 % limit;
            let mut hits = vec![0; limit as usize];
            for word in 0..16 {
                let product = word * limit;
                if product % 16 >= unfair {
                    hits[(product / 16) as usize] += 1;
                }
            }
            assert!(hits.iter().all(|count| *count == 16 / limit), "{limit}: {hits:?}");
        }
    }

    #[test]
    fn an_unfair_word_is_drawn_again() {
        // 2³² mod 3 = 1: only the word 0 is unfair.
        let mut words = [0, 0, u32::MAX].into_iter();
        assert_eq!(below(3, || words.next().unwrap()), 2);
        assert_eq!(below(1, || 12_345), 0);
        assert_eq!(below(1 << 31, || u32::MAX), (1 << 31) - 1);
    }

    #[test]
    fn the_words_are_those_of_chacha8_with_a_key_of_zeros() {
        // The published key stream of ChaCha8, 256-bit key and IV of zeros: 3e00ef2f895f40d6…
        let mut draw = Draw::new(0, 0);
        assert_eq!(draw.0.next_u32().to_le_bytes(), [0x3e, 0x00, 0xef, 0x2f]);
        assert_eq!(draw.0.next_u32().to_le_bytes(), [0x89, 0x5f, 0x40, 0xd6]);
    }
}
