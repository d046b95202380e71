//! Fetches that are under way, each shared by all callers that want what it brings.

use std::collections::hash_map::{self, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use foldhash::fast::RandomState;
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared, WeakShared};
use tokio::runtime::Id;

use super::entry::Entry;
use super::key::Key;
use super::{Origin, Served};
use crate::Error;

/// What a fetch came to.
#[derive(Clone)]
pub(super) struct Landing {
    pub(super) answer: Result<Entry, Error>,
    /// For the spans of those who get it.
    pub(super) outcome: &'static str,
}

impl Landing {
    pub(super) fn served(self, origin: Origin) -> Served {
        Served { answer: self.answer.map(|entry| entry.secret), origin, outcome: self.outcome }
    }
}

/// Whoever waits for a flight and is polled drives it, and it ends when the last one who waits is gone: a caller that
/// is set aside holds up nobody, and one that is dropped strands nobody.
pub(super) type Flight = Shared<BoxFuture<'static, Landing>>;

#[derive(Clone, Default)]
pub(super) struct Flights {
    board: Arc<Mutex<Board>>,
}

#[derive(Default)]
struct Board {
    flights: HashMap<Route, Listed, RandomState>,
    last_number: u64,
}

/// Connections belong to a Tokio runtime, so a flight is shared inside of one.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Route {
    key: Key,
    runtime: Id,
}

struct Listed {
    flight: WeakShared<BoxFuture<'static, Landing>>,
    number: u64,
}

/// Takes a flight off the board when it has landed, or when everybody has left it.
pub(super) struct Listing {
    flights: Flights,
    /// `None` when it is off the board.
    route: Option<Route>,
    /// Later flights have greater ones.
    pub(super) number: u64,
}

pub(super) enum Boarding {
    Joined(Flight),
    Began(Flight),
    /// What is wanted has come meanwhile.
    Landed(Entry),
}

impl Flights {
    /// The flight that is under way for `key`; else what is `kept` by now; else the one that `begin` makes.
    pub(super) fn board(
        &self,
        key: Key,
        runtime: Id,
        kept: impl FnOnce() -> Option<Entry>,
        begin: impl FnOnce(Listing) -> BoxFuture<'static, Landing>,
    ) -> Boarding {
        let route = Route { key, runtime };
        let mut board = self.lock();
        if let Some(flight) = board.flights.get(&route).and_then(|listed| listed.flight.upgrade()) {
            return Boarding::Joined(flight);
        }
        // A flight leaves the board after what it brought is kept, so that nobody misses both.
        if let Some(entry) = kept() {
            return Boarding::Landed(entry);
        }
        board.last_number += 1;
        let number = board.last_number;
        let flight = begin(Listing { flights: self.clone(), route: Some(route.clone()), number }).shared();
        if let Some(weak) = flight.downgrade() {
            board.flights.insert(route, Listed { flight: weak, number });
        }
        Boarding::Began(flight)
    }

    /// Takes all flights for `key` off the board and does `keep` with the number of a later one, which they then do not
    /// undo.
    pub(super) fn supersede(&self, key: &Key, keep: impl FnOnce(u64)) {
        let mut board = self.lock();
        board.flights.retain(|route, _| route.key != *key);
        board.last_number += 1;
        keep(board.last_number);
    }

    /// Does `change` while no flight lands.
    pub(super) fn between_landings(&self, change: impl FnOnce()) {
        let _board = self.lock();
        change();
    }

    fn lock(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Listing {
    /// Does `keep`, unless the flight was superseded.
    pub(super) fn land(mut self, keep: impl FnOnce()) {
        self.leave(keep);
    }

    /// Goes off the board after `before`, unless another flight is in its place: when everybody leaves, the next one
    /// may be on the board before this one is off it.
    fn leave(&mut self, before: impl FnOnce()) {
        let Some(route) = self.route.take() else { return };
        let mut board = self.flights.lock();
        if let hash_map::Entry::Occupied(listed) = board.flights.entry(route)
            && listed.get().number == self.number
        {
            before();
            listed.remove();
        }
    }
}

impl Drop for Listing {
    fn drop(&mut self) {
        self.leave(|| ());
    }
}
