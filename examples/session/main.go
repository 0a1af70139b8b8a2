// Command session serves two apps whose state lives in components: a counter in
// TSX and a to-do list in Python. It survives the server.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/sporeengine/spore/engine"
	"github.com/sporeengine/spore/runtimes"
	"github.com/sporeengine/spore/runtimes/javascript"
	"github.com/sporeengine/spore/runtimes/python"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:8081", "listen on `address`")
	dir := flag.String("dir", "", "keep sessions in `directory`; empty means one in the user's cache")
	idle := flag.Duration("idle", time.Minute, "sessions that were not used for so `long` are only on disk")
	flag.Parse()
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *addr, *dir, *idle, log); err != nil {
		log.Error("session ends", slog.Any("error", err))
		os.Exit(1)
	}
}

// run serves until ctx ends.
func run(ctx context.Context, addr, dir string, idle time.Duration, log *slog.Logger) (err error) {
	cacheDir, err := engine.DefaultCacheDir()
	if err != nil {
		return err
	}
	v, err := openVault(cmp.Or(dir, filepath.Join(filepath.Dir(cacheDir), "spore-session")))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, v.store.Close()) }()
	if _, err := v.sessions.Sweep(ctx); err != nil { // of those that have expired
		log.Warn("sweep", slog.Any("error", err))
	}
	eng, err := engine.New(engine.Config{
		Runtimes: []runtimes.Runtime{javascript.Runtime(), python.Runtime()},
		CacheDir: cacheDir,
		Fetch:    v.fetch,
		Log:      log,
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, eng.Close()) }()
	p := &pool{eng: eng, sessions: v.sessions, log: log, awake: map[name]*session{}}
	s, err := newServer(ctx, v, p)
	if err != nil {
		return err
	}

	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	srv := &http.Server{Handler: s.handler(), ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second, IdleTimeout: time.Minute}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ln) }()
	log.Info("listening", slog.String("url", "http://"+ln.Addr().String()))

	tick := time.NewTicker(idle/4 + time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			p.parkIdle(ctx, idle)
			continue
		case err := <-served:
			return err
		case <-ctx.Done():
		}
		break
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	err = srv.Shutdown(last)
	p.parkIdle(last, 0) // all of them
	return err
}
