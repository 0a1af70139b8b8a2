// Command webserver renders a generated component for each request.
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

// grace is the time that requests have to end when the server is told to.
const grace = 10 * time.Second

func main() {
	addr := flag.String("addr", "127.0.0.1:8080", "listen on `address`")
	flag.Parse()
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // the second Ctrl-C ends the program at once
	ln, err := net.Listen("tcp", *addr)
	if err == nil {
		err = run(ctx, ln, log)
	}
	if err != nil {
		log.Error("webserver ends", slog.Any("error", err))
		os.Exit(1)
	}
}

// run serves on ln until ctx ends, and then lets requests finish.
func run(ctx context.Context, ln net.Listener, log *slog.Logger) (err error) {
	defer ln.Close() // for the returns before Serve, which closes it too
	eng, err := newEngine(log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, eng.Close()) }()
	s, err := newServer(ctx, eng, log)
	if err != nil {
		return err
	}
	srv := &http.Server{
		Handler:           s.handler(),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      15 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ln) }()
	log.Info("listening", slog.String("url", "http://"+ln.Addr().String()))

	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	log.Info("shutting down")
	// Requests keep their own contexts: they may finish although ctx has ended.
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	err = srv.Shutdown(last)
	if serr := <-served; !errors.Is(serr, http.ErrServerClosed) {
		err = errors.Join(err, serr)
	}
	return err
}

func newEngine(log *slog.Logger) (*engine.Engine, error) {
	cacheDir, err := engine.DefaultCacheDir()
	if err != nil {
		return nil, err
	}
	return engine.New(engine.Config{
		Runtimes: []runtimes.Runtime{javascript.Runtime(), python.Runtime()},
		CacheDir: cacheDir,
		Log:      log,
	})
}
