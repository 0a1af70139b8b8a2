package store

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/sporeengine/spore/snapshot"
)

func fuzzKeys() keyring {
	k := keyring{{ID: 7}, {ID: 8}}
	for i := range k[0].Secret {
		k[0].Secret[i], k[1].Secret[i] = byte(i+1), byte(i+2)
	}
	return k
}

func fuzzRecords() []*record {
	return []*record{
		{Record: Record{ID: "a"}, state: parked},
		{Record: Record{Tenant: "t", ID: "b", Component: snapshot.Digest{1}, Expires: time.UnixMilli(1 << 40), Payload: []byte("payload")},
			state: running, generation: 1 << 50, until: 1 << 41, token: [32]byte{1}},
	}
}

// FuzzOpenRecord opens arbitrary bytes, which must fail, and arbitrary fields
// that someone with the key has sealed. What is accepted is what was written.
func FuzzOpenRecord(f *testing.F) {
	keys := fuzzKeys()
	for _, r := range fuzzRecords() {
		b, err := keys.seal(r)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
		f.Add(b[:len(b)-1])
		f.Add(r.append(nil))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		// The fuzzer's other processes have seeds of their own, which open too.
		if _, err := keys.open(b); err != nil && !errors.Is(err, ErrFormat) && !errors.Is(err, ErrAuth) {
			t.Fatalf("error of another kind: %v", err)
		}
		r := &record{}
		if err := r.parse(b); err != nil {
			if !errors.Is(err, ErrFormat) {
				t.Fatalf("error of another kind: %v", err)
			}
			return
		}
		if again := r.append(nil); !bytes.Equal(again, b) {
			t.Fatalf("%x comes back as %x", b, again)
		}
		sealed, err := keys.seal(r)
		if err != nil {
			t.Fatal(err)
		}
		got, err := keys.open(sealed)
		if err != nil || !bytes.Equal(got.append(nil), b) {
			t.Fatalf("does not come back: %v", err)
		}
		for _, i := range []int{0, 20, sealHead, len(sealed) - 1} {
			sealed[i] ^= 1
			if _, err := keys.open(sealed); err == nil {
				t.Fatalf("byte %d was changed", i)
			}
			sealed[i] ^= 1
		}
	})
}

// FuzzToken parses arbitrary texts. There is one way to write a token.
func FuzzToken(f *testing.F) {
	token, _ := newToken(placeOf("tenant", "id"))
	f.Add(string(token))
	f.Add(string(token[:75]))
	f.Add(string(token[:75]) + "=")
	f.Add("")
	f.Fuzz(func(t *testing.T, s string) {
		p, _, err := Token(s).parse()
		if err != nil {
			if !errors.Is(err, ErrToken) {
				t.Fatalf("error of another kind: %v", err)
			}
			return
		}
		b, err := tokenEncoding.DecodeString(s)
		if err != nil || tokenEncoding.EncodeToString(b) != s {
			t.Fatalf("%q comes back as %q", s, tokenEncoding.EncodeToString(b))
		}
		if err := CheckKey(p.key()); err != nil {
			t.Fatal(err)
		}
	})
}
