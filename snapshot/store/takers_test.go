package store_test

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/sporeengine/spore/snapshot/store"
)

// TestTakers has two processes take one token at the same time, again and again.
// One gets it, and hands the session back with a new token.
func TestTakers(t *testing.T) {
	times := 300
	if testing.Short() {
		times = 50
	}
	dir := t.TempDir()
	ss := killSessions(t, openDir(t, dir), 0)
	token, err := ss.Save(t.Context(), store.Record{Tenant: "acme", ID: "one"})
	if err != nil {
		t.Fatal(err)
	}
	type proc struct {
		in  *os.File
		out *bufio.Scanner
	}
	var procs [2]proc
	for i := range procs {
		cmd := command(t, "takers", dir)
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		cmd.Stdin, cmd.Stderr = r, os.Stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		r.Close()
		procs[i] = proc{w, bufio.NewScanner(out)}
		defer func() {
			w.Close() // it ends
			if err := cmd.Wait(); err != nil {
				t.Error(err)
			}
		}()
	}
	won := [2]int{}
	for n := range times {
		for _, p := range procs {
			fmt.Fprintln(p.in, token)
		}
		var next []store.Token
		for i, p := range procs {
			if !p.out.Scan() {
				t.Fatal("a process has died")
			}
			switch what, value, _ := strings.Cut(p.out.Text(), " "); what {
			case "won":
				next = append(next, store.Token(value))
				won[i]++
			case "taken":
			default:
				t.Fatalf("the process says %q", p.out.Text())
			}
		}
		if len(next) != 1 {
			t.Fatalf("token %d was taken %d times", n, len(next))
		}
		token = next[0]
	}
	t.Logf("%d tokens, taken by %v", times, won)
	l, err := ss.Take(t.Context(), token, store.Want{Tenant: "acme"})
	if err != nil || l.Generation() != uint64(times)+1 {
		t.Errorf("it was taken more or less often than won: %v", err)
	}
}

// runTakers takes each token that it reads, and says what came of it.
func runTakers(args []string) error {
	d, err := store.OpenDir(args[0])
	if err != nil {
		return err
	}
	ss, err := store.NewSessions(store.SessionsConfig{Store: d, Keys: []store.Key{key(1)}, Lease: time.Hour})
	if err != nil {
		return err
	}
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		l, err := ss.Take(background, store.Token(in.Text()), store.Want{Tenant: "acme"})
		if errors.Is(err, store.ErrTaken) {
			fmt.Println("taken")
			continue
		}
		if err != nil {
			return err
		}
		next, err := l.Release(background)
		if err != nil {
			return err
		}
		fmt.Println("won", next)
	}
	return nil
}
