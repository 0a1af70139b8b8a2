// Command gpu serves two components that compute on a device: one changes pictures, one searches texts by their vectors. The device
// is the processor, or what the worker program of the flag -worker has.
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
	"strings"
	"syscall"
	"time"

	"github.com/sporeengine/spore/engine"
	"github.com/sporeengine/spore/gpu"
	"github.com/sporeengine/spore/gpu/cpu"
	"github.com/sporeengine/spore/gpu/tensor"
	"github.com/sporeengine/spore/runtimes"
	"github.com/sporeengine/spore/runtimes/javascript"
	"github.com/sporeengine/spore/runtimes/python"
)

// memory is what a program may need at one time, in bytes: a picture of 12 megapixels is 150 MB of float32.
const memory = 2 << 30

// serveWorker makes this program a worker if a pool has started it as one.
func serveWorker() {
	gpu.ServeWorker(func() (gpu.Backend, error) { return cpu.New(cpu.Options{Memory: memory}) })
}

func main() {
	serveWorker()
	addr := flag.String("addr", "127.0.0.1:8086", "listen on `address`")
	worker := flag.String("worker", os.Getenv("SPORE_GPU_WORKER"), "compute in workers that this `command` starts, such as gpu/cudaworker with its flags, and not on the processor; also the variable SPORE_GPU_WORKER")
	texts := flag.Int("texts", 100_000, "search so `many` texts")
	flag.Parse()
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *addr, *worker, *texts, log); err != nil {
		log.Error("gpu ends", slog.Any("error", err))
		os.Exit(1)
	}
}

// config returns the configuration of the pool. There is no fallback: a page says what went wrong with the device that was asked for.
func config(worker string, log *slog.Logger) gpu.Config {
	c := gpu.Config{Timeout: time.Minute, Arena: 512 << 20, Limits: tensor.Limits{Peak: memory}, Observe: observe, Log: log}
	if worker != "" {
		c.Command = strings.Fields(worker)
	}
	return c
}

// newEngine returns an engine whose components may wait for the device.
func newEngine(log *slog.Logger) (*engine.Engine, error) {
	cacheDir, err := engine.DefaultCacheDir()
	if err != nil {
		return nil, err
	}
	return engine.New(engine.Config{Runtimes: []runtimes.Runtime{javascript.Runtime(), python.Runtime()}, CacheDir: cacheDir, Log: log,
		Limits: engine.Limits{HostTime: time.Minute}})
}

// run serves until ctx ends.
func run(ctx context.Context, addr, worker string, texts int, log *slog.Logger) (err error) {
	begin := time.Now()
	pool, err := gpu.NewPool(config(worker, log))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	eng, err := newEngine(log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, eng.Close()) }()
	s, err := newServer(ctx, eng, pool, newCorpus(texts), log)
	if err != nil {
		return err
	}
	info, err := pool.Info(ctx)
	if err != nil {
		return err
	}
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	srv := &http.Server{Handler: s.handler(), ReadTimeout: 30 * time.Second, WriteTimeout: 2 * time.Minute, IdleTimeout: time.Minute}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ln) }()
	log.Info("listening", slog.String("url", "http://"+ln.Addr().String()), slog.String("backend", info.Name), slog.String("device", info.Device),
		slog.Duration("after", time.Since(begin)))
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return srv.Shutdown(last)
}
