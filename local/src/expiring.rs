//! What is remembered for a while, and never more of it than fits.

use std::collections::HashMap;
use std::fmt;
use std::sync::Mutex;

use crate::clock::UnixMillis;
use crate::sync::lock;

/// Values under secret or random names, each until its end.
pub(crate) struct Expiring<V> {
    entries: Mutex<HashMap<String, Entry<V>>>,
    capacity: usize,
}

struct Entry<V> {
    end: UnixMillis,
    value: V,
}

impl<V> Expiring<V> {
    /// Room for `capacity` values; one more puts out the one that ends soonest.
    pub(crate) fn new(capacity: usize) -> Self {
        Self { entries: Mutex::default(), capacity }
    }

    /// Whether no value of this name was there before.
    pub(crate) fn insert(&self, name: String, value: V, end: UnixMillis, now: UnixMillis) -> bool {
        let mut entries = lock(&self.entries);
        if entries.len() >= self.capacity && !entries.contains_key(&name) {
            entries.retain(|_, entry| now < entry.end);
            let soonest = entries.iter().min_by_key(|(_, entry)| entry.end).map(|(name, _)| name.clone());
            if let Some(soonest) = soonest.filter(|_| entries.len() >= self.capacity) {
                entries.remove(&soonest);
            }
        }
        let earlier = entries.insert(name, Entry { end, value });
        earlier.is_none_or(|earlier| now >= earlier.end)
    }

    /// Reads or changes a value that has not ended. No other thread sees it meanwhile.
    pub(crate) fn with<T>(&self, name: &str, now: UnixMillis, read: impl FnOnce(&mut V) -> T) -> Option<T> {
        let mut entries = lock(&self.entries);
        let entry = entries.get_mut(name).filter(|entry| now < entry.end)?;
        Some(read(&mut entry.value))
    }

    pub(crate) fn contains(&self, name: &str, now: UnixMillis) -> bool {
        self.with(name, now, |_| ()).is_some()
    }

    pub(crate) fn remove(&self, name: &str) {
        lock(&self.entries).remove(name);
    }
}

/// Names and values are secrets.
impl<V> fmt::Debug for Expiring<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Expiring").field("entries", &lock(&self.entries).len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> UnixMillis {
        UnixMillis::from_seconds(seconds)
    }

    #[test]
    fn a_value_is_there_until_its_end() {
        let values = Expiring::new(8);
        assert!(values.insert("a".into(), 1, at(10), at(0)));
        assert_eq!(values.with("a", at(9), |value| std::mem::replace(value, 2)), Some(1));
        assert_eq!(values.with("a", at(9), |value| *value), Some(2));
        assert!(!values.contains("a", at(10)));
        assert!(values.insert("a".into(), 3, at(20), at(10)));
        assert!(!values.insert("a".into(), 4, at(20), at(19)));
        values.remove("a");
        assert!(!values.contains("a", at(0)));
    }

    #[test]
    fn a_full_one_forgets_what_has_ended_and_then_what_ends_soonest() {
        let values = Expiring::new(2);
        for (name, end) in [("ended", 1), ("long", 90)] {
            values.insert(name.into(), (), at(end), at(0));
        }
        values.insert("short".into(), (), at(50), at(2));
        assert!(values.contains("long", at(3)) && values.contains("short", at(3)));
        values.insert("new".into(), (), at(80), at(3));
        assert!(!values.contains("short", at(3)));
        assert!(values.contains("long", at(3)) && values.contains("new", at(3)));
    }
}
