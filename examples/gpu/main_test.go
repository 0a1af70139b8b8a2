package main

import (
	"log/slog"
	"net/http"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/gpu"
)

func TestMain(m *testing.M) {
	serveWorker()
	os.Exit(m.Run())
}

// textCount is how many texts the tests search: fewer than the program, and too many for a mistake to go unnoticed.
const textCount = 5000

func newTestServer(t testing.TB, c gpu.Config) (*server, http.Handler) {
	t.Helper()
	pool, err := gpu.NewPool(c)
	require.NoError(t, err)
	eng, err := newEngine(slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, eng.Close())
		require.NoError(t, pool.Close())
	})
	s, err := newServer(t.Context(), eng, pool, newCorpus(textCount), slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	return s, s.handler()
}

func testConfig() gpu.Config { return config("", slog.New(slog.DiscardHandler)) }
