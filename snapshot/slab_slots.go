package snapshot

import (
	"encoding/binary"
	"math/bits"
)

// Classes of slots: the multiples of 64 bytes up to 1 KiB, and from there eight
// in each doubling up to maxSlot.
const (
	slotUnit    = 64
	slotClasses = 16 + 4*8
)

// slotClass returns the class of the smallest slot of n bytes, its header
// included, which is at most maxSlot.
func slotClass(n int) int32 {
	units := uint((n + slotUnit - 1) / slotUnit)
	if units <= 16 {
		return int32(units) - 1
	}
	shift := bits.Len(units-1) - 4
	return int32(16 + (shift-1)*8 + int((units-1)>>shift) - 8)
}

// slotSize returns the length of the slots of a class.
func slotSize(class int32) int {
	if class < 16 {
		return int(class+1) * slotUnit
	}
	class -= 16
	return int(class%8+9) << (class/8 + 1) * slotUnit
}

// slotsOf returns how many slots a chunk of a class has.
func slotsOf(class int32) int32 { return int32(chunkBytes / slotSize(class)) }

// slot returns the slot at an offset, which must be that of one.
func (s *Slab) slot(at uint64) []byte {
	chunk, offset := int(at/chunkBytes), int(at%chunkBytes)
	return s.memory.bytes(chunk)[offset : offset+slotSize(s.chunks[chunk].class)]
}

// find returns the first slot of the entry of h. That the id is there proves
// nothing by itself: where there was a header there may be the bytes of another
// entry by now, which guests choose. So h must be at the start of a slot that
// was used since its chunk is of its class, for these always have a header.
func (s *Slab) find(h Handle) ([]byte, error) {
	if s.memory == nil {
		return nil, ErrClosed
	}
	if h.id == 0 || h.at/chunkBytes >= uint64(len(s.chunks)) {
		return nil, ErrStaleHandle
	}
	c := &s.chunks[h.at/chunkBytes]
	size := slotSize(c.class)
	offset := int(h.at % chunkBytes)
	if c.used == 0 || offset%size != 0 || offset/size >= int(c.fresh) {
		return nil, ErrStaleHandle
	}
	slot := s.slot(h.at)
	if binary.NativeEndian.Uint64(slot[slotID:]) != h.id {
		return nil, ErrStaleHandle
	}
	return slot, nil
}

// reserve takes the slots for an entry of n bytes and writes their headers.
func (s *Slab) reserve(n int) (Handle, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.memory == nil {
		return Handle{}, ErrClosed
	}
	var first uint64
	var last []byte // slot to which the next one is linked
	for rest := n; ; rest -= slotMost {
		at, ok := s.takeSlot(slotClass(slotHeader + min(rest, slotMost)))
		if !ok {
			if last != nil {
				s.freeSlots(first)
			}
			return Handle{}, ErrSlabFull
		}
		slot := s.slot(at)
		clear(slot[:slotHeader])
		binary.NativeEndian.PutUint64(slot[slotBytes:], uint64(rest))
		if last == nil {
			first = at
		} else {
			binary.NativeEndian.PutUint64(last[slotNext:], at+1)
		}
		if last = slot; rest <= slotMost {
			break
		}
	}
	id := lastSlabID.Add(1)
	binary.NativeEndian.PutUint64(s.slot(first)[slotID:], id)
	s.entries++
	s.bytes += int64(n)
	return Handle{first, id}, nil
}

// takeSlot takes a slot of a class. It returns false if there is no room.
func (s *Slab) takeSlot(class int32) (at uint64, ok bool) {
	i := s.room[class]
	if i == noChunk {
		if i, ok = s.takeChunk(); !ok {
			return 0, false
		}
		s.chunks[i] = slabChunk{class: class, free: noSlot}
		s.link(i)
	}
	c := &s.chunks[i]
	slot := c.free
	if slot == noSlot {
		slot = c.fresh
		c.fresh++
	}
	at = uint64(i)*chunkBytes + uint64(slot)*uint64(slotSize(class))
	if slot == c.free {
		c.free = int32(binary.NativeEndian.Uint32(s.slot(at)[slotNext:]))
	}
	c.used++
	if c.free == noSlot && c.fresh == slotsOf(class) {
		s.unlink(i)
	}
	return at, true
}

// freeSlots frees a slot and those that are linked to it.
func (s *Slab) freeSlots(at uint64) {
	for {
		slot := s.slot(at)
		next := binary.NativeEndian.Uint64(slot[slotNext:])
		i := int32(at / chunkBytes)
		c := &s.chunks[i]
		full := c.free == noSlot && c.fresh == slotsOf(c.class)
		binary.NativeEndian.PutUint64(slot[slotID:], 0)
		binary.NativeEndian.PutUint32(slot[slotNext:], uint32(c.free))
		c.free = int32(int(at%chunkBytes) / len(slot))
		c.used--
		if full {
			s.link(i)
		}
		if c.used == 0 {
			s.unlink(i)
			s.giveChunk(i)
		}
		if next == 0 {
			return
		}
		at = next - 1
	}
}

// takeChunk takes an empty chunk, if there is one.
func (s *Slab) takeChunk() (int32, bool) {
	if n := len(s.spare); n > 0 {
		i := s.spare[n-1]
		s.spare = s.spare[:n-1]
		return i, true
	}
	var i int32
	if n := len(s.given); n > 0 {
		i = s.given[n-1]
		s.given = s.given[:n-1]
	} else if n := len(s.chunks); n < s.most {
		i = int32(n)
		s.chunks = append(s.chunks, slabChunk{})
	} else {
		return 0, false
	}
	s.memory.take(int(i))
	return i, true
}

// giveChunk puts an empty chunk aside.
func (s *Slab) giveChunk(i int32) {
	if len(s.spare) < spareChunks {
		s.spare = append(s.spare, i)
		return
	}
	s.memory.give(int(i))
	s.given = append(s.given, i)
}

// link puts a chunk into the list of those of its class that have room.
func (s *Slab) link(i int32) {
	c := &s.chunks[i]
	c.prev, c.next = noChunk, s.room[c.class]
	if c.next != noChunk {
		s.chunks[c.next].prev = i
	}
	s.room[c.class] = i
}

// unlink takes a chunk out of that list.
func (s *Slab) unlink(i int32) {
	c := &s.chunks[i]
	if c.prev == noChunk {
		s.room[c.class] = c.next
	} else {
		s.chunks[c.prev].next = c.next
	}
	if c.next != noChunk {
		s.chunks[c.next].prev = c.prev
	}
}
