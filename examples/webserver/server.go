package main

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/sporeengine/spore/engine"
)

//go:embed page.html style.css
var static embed.FS

var page = template.Must(template.ParseFS(static, "page.html"))

// renderTimeout bounds a request from outside, the wait for a worker included.
// The engine's limits bound what the component does.
const renderTimeout = 5 * time.Second

// A server has the compiled components. It is safe for concurrent use.
type server struct {
	eng   *engine.Engine
	log   *slog.Logger
	views []*view
	fixed *engine.Fixed // nil, except in tests
}

// newServer compiles every component, so that no request has to wait for it.
func newServer(ctx context.Context, eng *engine.Engine, log *slog.Logger) (*server, error) {
	s := &server{eng: eng, log: log, views: views()}
	if err := compileAll(ctx, eng, s.views); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *server) handler() http.Handler {
	mux := http.NewServeMux()
	for _, v := range s.views {
		mux.HandleFunc("GET "+v.Path, func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, v) })
	}
	mux.HandleFunc("GET /metrics", s.serveMetrics)
	mux.HandleFunc("GET /style.css", func(w http.ResponseWriter, r *http.Request) {
		http.ServeFileFS(w, r, static, "style.css")
	})
	return secure(mux)
}

// policy keeps generated HTML in its place: it can show something, link, and
// send a form to this server, but neither run scripts, redirect, nor load
// anything from elsewhere. Who has more to protect, such as a session beside
// the component, puts it into a sandboxed frame.
const policy = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; " +
	"sandbox allow-forms allow-same-origin"

func secure(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		next.ServeHTTP(w, r)
	})
}

// serve renders the component of v with the query as its props.
func (s *server) serve(w http.ResponseWriter, r *http.Request, v *view) {
	props, err := v.props(r.URL.Query())
	if err != nil {
		s.write(w, http.StatusBadRequest, content{View: v, Problem: &problem{Title: "Bad request", Text: err.Error()}})
		return
	}
	if v.component.err != nil {
		s.fail(w, r, v, v.component.err)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), renderTimeout)
	defer cancel()
	begin := time.Now()
	res, err := v.component.compiled.Render(ctx, props, &engine.Options{
		Limits:  v.limits,
		Console: s.log,
		Fixed:   s.fixed,
	})
	if err != nil {
		s.fail(w, r, v, err)
		return
	}
	c := cost{Total: time.Since(begin), Start: res.Usage.Start, Guest: res.Usage.Guest, Bytes: res.Usage.Output}
	w.Header().Set("Server-Timing", c.serverTiming())
	s.write(w, http.StatusOK, content{View: v, HTML: template.HTML(res.Text()), Cost: &c})
}

// fail answers with a page that says what is wrong with the component. A site
// for others than its developers would only log that.
func (s *server) fail(w http.ResponseWriter, r *http.Request, v *view, err error) {
	if r.Context().Err() != nil {
		return // the client has gone
	}
	s.log.Warn("component failed", slog.String("path", r.URL.Path), slog.String("component", v.File), slog.Any("error", err))
	status := http.StatusInternalServerError
	if errors.Is(err, engine.ErrClosed) || errors.Is(err, context.DeadlineExceeded) {
		status = http.StatusServiceUnavailable
	}
	s.write(w, status, content{View: v, Problem: explain(v, err)})
}

// content is what page.html shows.
type content struct {
	Views   []*view
	View    *view
	HTML    template.HTML // of the component
	Problem *problem      // instead of HTML
	Cost    *cost
}

// write sends a page. It is made before its first byte is sent, so that an
// error of the template is an error page and not half of another.
func (s *server) write(w http.ResponseWriter, status int, c content) {
	c.Views = s.views
	var b bytes.Buffer
	if err := page.Execute(&b, c); err != nil {
		s.log.Error("page cannot be made", slog.Any("error", err))
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	w.Write(b.Bytes()) // an error means that the client has gone
}

// URL is the address of v.
func (v *view) URL() string { return strings.TrimSuffix(v.Path, "{$}") }

// A cost is what a render took.
type cost struct {
	Total, Start, Guest time.Duration
	Bytes               int64
}

// serverTiming returns the value of the header, which browsers show among
// their tools for developers.
func (c cost) serverTiming() string {
	return fmt.Sprintf("start;dur=%s, guest;dur=%s, total;dur=%s", ms(c.Start), ms(c.Guest), ms(c.Total))
}

// Text describes c in a line.
func (c cost) Text() string {
	return fmt.Sprintf("rendered in %s ms: %s ms until the component ran, %s ms in it, %d bytes of HTML",
		ms(c.Total), ms(c.Start), ms(c.Guest), c.Bytes)
}

func ms(d time.Duration) string { return fmt.Sprintf("%.3f", float64(d)/float64(time.Millisecond)) }
