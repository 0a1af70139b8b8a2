// Package store keeps parked sessions, and images of components, where they
// survive the process: on the local disk ([Dir]), in memory for tests ([Mem]), in
// a bucket (package blobstore, a module of its own), or in whatever else
// implements [Store].
//
// # Sessions
//
// [Sessions] keeps sessions in a store. A session is a payload, opaque bytes of
// at most SessionsConfig.MaxPayload, with a tenant, an ID, the digest of its component
// and an expiry. It is in one of three states:
//
//	         Save              Take(token)
//	(absent) ───────► parked ───────────────► running until t ─┐ Renew, Checkpoint
//	    ▲               │ ▲      generation+1   │ │      ▲     │ (t moves)
//	    │    Recover    │ │                     │ │      └─────┘
//	    │ (a new token) └─┤     Lease.Save,     │ │
//	    │                 │◄────Release─────────┘ │
//	    │                 │   (a new token)       │
//	    │                 └───────Recover─────────┘
//	    │                  (a new token; only after t + MaxSkew)
//	    └── Delete, and Sweep for what has expired and does not run
//
// Each arrow is one compare-and-swap of one key of the store, so that of several
// who try at once one succeeds. While a session runs, the store holds the state
// that was saved last; a taker that dies takes nothing with it, and after its
// lease the same state can be taken again with the token that Recover gives.
//
// A token serves once. Save, Release and Recover make a new one, and the ones
// before are void.
//
// # What is promised
//
// If the store keeps what it promises, whatever process is killed whenever:
//
//   - No state that Save or Checkpoint has acknowledged is lost, but for a later
//     one, Delete, or Sweep after it has expired.
//   - A state is never mixed or half: a record that opens is one that was saved.
//   - Two leases of one session never both change it: the one that was recovered
//     from gets [ErrLost].
//   - Two takers never run a session at the same time, as long as clocks are as
//     below and a taker stops at [Lease.Until].
//
// # Clocks
//
// The end of a lease is wall time, compared on other machines. Clocks must not
// differ by more than SessionsConfig.MaxSkew, and a taker must have stopped by then after
// its lease ended. If they do not hold to it (a machine that was asleep, a clock
// that was set), the session may run twice for a while, but what the first run
// wants to save is refused; where outside effects matter too,
// [Lease.Generation] lets their receiver refuse the first run. See
// https://martin.kleppmann.com/2016/02/08/how-to-do-distributed-locking.html for
// why a lease alone cannot.
//
// # Secrecy
//
// Records are sealed with a key of the embedder's, bound to their tenant, ID,
// component and expiry. Who can write to the store can delete a record or put an
// older one of the same session back, and nothing else. DESIGN.md says more.
package store
