// Command notebook serves notebooks in Python and TypeScript whose cells run in
// sandboxes, and that can go back to any of them.
package main

import (
	"context"
	"errors"
	"flag"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/sporeengine/spore/engine"
	"github.com/sporeengine/spore/runtimes"
	"github.com/sporeengine/spore/runtimes/javascript"
	"github.com/sporeengine/spore/runtimes/python"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:8082", "listen on `address`")
	flag.Parse()
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *addr, log); err != nil {
		log.Error("notebook ends", slog.Any("error", err))
		os.Exit(1)
	}
}

// run serves until ctx ends.
func run(ctx context.Context, addr string, log *slog.Logger) (err error) {
	eng, err := newEngine(log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, eng.Close()) }()
	s, err := newServer(ctx, eng, log)
	if err != nil {
		return err
	}
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	srv := &http.Server{Handler: s.handler(), ReadTimeout: 10 * time.Second, WriteTimeout: time.Minute, IdleTimeout: time.Minute}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ln) }()
	log.Info("listening", slog.String("url", "http://"+ln.Addr().String()))
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return srv.Shutdown(last)
}

func newEngine(log *slog.Logger) (*engine.Engine, error) {
	cacheDir, err := engine.DefaultCacheDir()
	if err != nil {
		return nil, err
	}
	return engine.New(engine.Config{
		Runtimes:  []runtimes.Runtime{javascript.Runtime(), python.Runtime()},
		CacheDir:  cacheDir,
		Limits:    engine.Limits{CallTime: 2 * time.Second},
		Instances: 10_000, // cells, as each keeps its state
		Log:       log,
	})
}
