package store_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sporeengine/spore/snapshot/store"
)

// TestKill kills processes at random points while they save, take, renew, recover
// and delete the same few sessions in one directory, two at a time. Each says
// what it is about to do and what was acknowledged. Whatever was acknowledged
// must be there, intact, and no session may run twice at once.
//
// SPORE_KILLS is the number of processes to kill; 200 unless it is set.
func TestKill(t *testing.T) {
	kills := 200
	if testing.Short() {
		kills = 40
	}
	if s := os.Getenv("SPORE_KILLS"); s != "" {
		var err error
		if kills, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	h := history{}
	acknowledged := 0
	for round := range kills / 2 {
		// The clock jumps, so that the leases of the dead are over.
		offset := time.Duration(round) * time.Hour
		var procs [2]*process
		for i := range procs {
			procs[i] = start(t, dir, offset)
		}
		// One may be killed while it starts, the other gets to do something.
		for i, p := range procs {
			if i == 1 {
				select {
				case <-p.worked:
				case <-p.ended:
				}
			}
			time.Sleep(time.Duration(rand.IntN(60)) * time.Millisecond)
			p.cmd.Process.Kill()
		}
		for _, p := range procs {
			<-p.ended
			for line := range strings.Lines(p.out.String()) {
				h.read(t, strings.TrimSuffix(line, "\n"))
			}
			acknowledged += strings.Count(p.out.String(), "ack ")
		}
		h.check(t, dir, offset+time.Hour/2)
		if t.Failed() {
			t.Fatalf("after %d kills; last output:\n%s\n%s", 2*round+2, tail(procs[0].out.String()), tail(procs[1].out.String()))
		}
	}
	t.Logf("%d kills, %d acknowledged states, %d lives of sessions", kills, acknowledged, len(h))
	if acknowledged < kills/2 {
		t.Errorf("%d acknowledged states", acknowledged)
	}
}

// A process works on sessions until it is killed.
type process struct {
	cmd    *exec.Cmd
	out    bytes.Buffer  // what it says; to be read when it has ended
	worked chan struct{} // closed when a state was acknowledged
	ended  chan struct{} // closed when it has
}

func start(t *testing.T, dir string, offset time.Duration) *process {
	t.Helper()
	p := &process{worked: make(chan struct{}), ended: make(chan struct{})}
	p.cmd = command(t, "sessions", dir, offset.String())
	p.cmd.Stdout, p.cmd.Stderr = p, p
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		p.cmd.Wait() // the error is that it was killed; what is wrong it says
		close(p.ended)
	}()
	return p
}

// Write takes in what the process says.
func (p *process) Write(b []byte) (int, error) {
	before := bytes.Contains(p.out.Bytes(), []byte("ack "))
	p.out.Write(b)
	if !before && bytes.Contains(p.out.Bytes(), []byte("ack ")) {
		close(p.worked)
	}
	return len(b), nil
}

func tail(s string) string { return s[max(0, len(s)-500):] }

// A history is what processes have said of the lives of sessions. A life begins
// with Save and ends with Delete; its number is in the payload.
type history map[string]*life

type life struct {
	id            string
	tried, acked  uint64 // the highest counters
	deleting, end bool   // Delete was called, and was acknowledged
}

// read takes in one line of output.
func (h history) read(t *testing.T, line string) {
	var what, id, number string
	var count uint64
	if _, err := fmt.Sscan(line, &what, &id, &number, &count); err != nil {
		t.Fatalf("the process says %q", line)
	}
	l := h[number]
	if l == nil {
		l = &life{id: id}
		h[number] = l
	}
	switch what {
	case "try":
		l.tried = max(l.tried, count)
	case "ack":
		l.acked = max(l.acked, count)
	case "deleting":
		l.deleting = true
	case "deleted":
		l.end = true
	default:
		t.Fatalf("the process says %q", line)
	}
}

// check compares what is in the directory with what was acknowledged.
func (h history) check(t *testing.T, dir string, offset time.Duration) {
	d := openDir(t, dir)
	defer d.Close()
	ss := killSessions(t, d, offset)
	found := map[string]bool{}
	count := 0
	for st, err := range ss.List(t.Context()) {
		if err != nil {
			t.Errorf("list: %v", err)
			continue
		}
		count++
		r, err := store.Peek(t.Context(), ss, st.Tenant, st.ID)
		if err != nil {
			t.Errorf("read %s: %v", st.ID, err)
			continue
		}
		number, n, err := parsePayload(r.Payload)
		if err != nil {
			t.Errorf("%s: %v", st.ID, err)
			continue
		}
		found[number] = true
		switch is := h[number]; {
		case is == nil || is.id != st.ID:
			t.Errorf("%s has a life %s that nobody has begun there", st.ID, number)
		case n < is.acked || n > is.tried:
			t.Errorf("%s counts %d, acknowledged are %d, tried %d", st.ID, n, is.acked, is.tried)
		case is.end:
			t.Errorf("%s is there although it was deleted", st.ID)
		}
	}
	for number, l := range h {
		if l.acked > 0 && !l.deleting && !found[number] {
			t.Errorf("%s is lost, with its life %s and the count %d", l.id, number, l.acked)
		}
	}
	// Nothing but the sessions is left.
	files := 0
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() && filepath.Base(filepath.Dir(path)) != "locks" {
			files++
		}
		return err
	})
	if err != nil || files != count {
		t.Errorf("%d files for %d sessions: %v", files, count, err)
	}
}

func killSessions(t testing.TB, s store.Store, offset time.Duration) *store.Sessions {
	ss, err := store.NewSessions(store.SessionsConfig{
		Store: s, Keys: []store.Key{key(1)},
		Now: func() time.Time { return time.Now().Add(offset) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return ss
}

// payload returns a state that says of which life it is and how far it is, of a
// length that depends on it, and that can be checked.
func payload(number string, n uint64) []byte {
	b := binary.LittleEndian.AppendUint64([]byte(number), n)
	fill := rand.New(rand.NewPCG(n, 1))
	for range fill.IntN(3000) {
		b = append(b, byte(fill.Uint32()))
	}
	return binary.LittleEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
}

const numberLetters = 16

func parsePayload(b []byte) (number string, n uint64, err error) {
	if len(b) < numberLetters+8+4 {
		return "", 0, fmt.Errorf("payload of %d bytes", len(b))
	}
	number, n = string(b[:numberLetters]), binary.LittleEndian.Uint64(b[numberLetters:])
	if !bytes.Equal(b, payload(number, n)) {
		return "", 0, fmt.Errorf("payload is not what was saved")
	}
	return number, n, nil
}

// runSessions is a process that works on sessions until it is killed.
func runSessions(args []string) error {
	offset, err := time.ParseDuration(args[1])
	if err != nil {
		return err
	}
	d, err := store.OpenDir(args[0])
	if err != nil {
		return err
	}
	ss, err := store.NewSessions(store.SessionsConfig{
		Store: d, Keys: []store.Key{key(1)},
		Now: func() time.Time { return time.Now().Add(offset) },
	})
	if err != nil {
		return err
	}
	w := worker{ctx: background, ss: ss, running: d, tokens: map[string]store.Token{}}
	for {
		if err := w.step(fmt.Sprintf("s%d", rand.IntN(5))); err != nil {
			return err
		}
	}
}

type worker struct {
	ctx     context.Context
	ss      *store.Sessions
	running *store.Dir
	tokens  map[string]store.Token
}

// say is one write, which a pipe takes whole or not at all.
func say(what, id, number string, n uint64) {
	os.Stdout.WriteString(fmt.Sprintln(what, id, number, n))
}

// step does something to a session. That others are faster is no error.
func (w *worker) step(id string) error {
	token, ok := w.tokens[id]
	delete(w.tokens, id)
	if !ok {
		var err error
		token, err = w.ss.Recover(w.ctx, "acme", id)
		if errors.Is(err, store.ErrNotFound) {
			number := fmt.Sprintf("%0*x", numberLetters, rand.Uint64())
			say("try", id, number, 1)
			token, err = w.ss.Save(w.ctx, store.Record{Tenant: "acme", ID: id, Payload: payload(number, 1)})
			if err == nil {
				say("ack", id, number, 1)
			}
		}
		if err != nil {
			return tolerate(err)
		}
	}
	l, err := w.ss.Take(w.ctx, token, store.Want{Tenant: "acme"})
	if err != nil {
		return tolerate(err)
	}
	// While it runs, and only then, this process holds another lock, which would
	// tell if someone else ran it too.
	unlock, err := store.TryLock(w.running, "running-"+id)
	if err != nil {
		return err
	}
	if unlock == nil {
		return fmt.Errorf("%s runs twice", id)
	}
	number, n, err := parsePayload(l.Record().Payload)
	if err != nil {
		return err
	}
	for range rand.IntN(3) {
		if rand.IntN(2) == 0 {
			err = l.Renew(w.ctx)
		} else {
			n++
			say("try", id, number, n)
			if err = l.Checkpoint(w.ctx, payload(number, n)); err == nil {
				say("ack", id, number, n)
			}
		}
		if err != nil {
			return err // nobody else may touch it
		}
	}
	unlock()
	switch rand.IntN(8) {
	case 0:
		say("deleting", id, number, n)
		if err = l.Delete(w.ctx); err == nil {
			say("deleted", id, number, n)
		}
	case 1, 2:
		w.tokens[id], err = l.Release(w.ctx)
	default:
		n++
		say("try", id, number, n)
		if w.tokens[id], err = l.Save(w.ctx, store.Record{Payload: payload(number, n)}); err == nil {
			say("ack", id, number, n)
		}
	}
	return err
}

// tolerate drops errors that say that another process was faster.
func tolerate(err error) error {
	for _, e := range []error{store.ErrTaken, store.ErrConflict, store.ErrExists, store.ErrNotFound} {
		if errors.Is(err, e) {
			return nil
		}
	}
	return err
}
