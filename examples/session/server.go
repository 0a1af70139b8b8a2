package main

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"html/template"
	"log/slog"
	"net/http"

	"github.com/sporeengine/spore/engine"
	"github.com/sporeengine/spore/snapshot/store"
)

//go:embed page.html style.css components
var files embed.FS

var page = template.Must(template.ParseFS(files, "page.html"))

// An app is a component with the functions event and render.
type app struct {
	Path, Title, File string
	component         *engine.Component
}

func apps() []*app {
	return []*app{
		{Path: "/counter", Title: "Counter", File: "counter.tsx"},
		{Path: "/todo", Title: "To do", File: "todo.py"},
	}
}

// A server is safe for concurrent use.
type server struct {
	apps []*app
	pool *pool
	log  *slog.Logger
}

// newServer compiles the apps and keeps them in the vault.
func newServer(ctx context.Context, v *vault, p *pool) (*server, error) {
	s := &server{apps: apps(), pool: p, log: p.log}
	for _, a := range s.apps {
		code, err := files.ReadFile("components/" + a.File)
		if err != nil {
			return nil, err
		}
		if a.component, err = p.eng.Compile(ctx, engine.Source{Name: a.File, Code: code}); err != nil {
			return nil, err
		}
		if err := v.keep(ctx, a.component); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *server) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", http.RedirectHandler(s.apps[0].Path, http.StatusSeeOther))
	mux.HandleFunc("GET /style.css", func(w http.ResponseWriter, r *http.Request) { http.ServeFileFS(w, r, files, "style.css") })
	for _, a := range s.apps {
		mux.HandleFunc("GET "+a.Path, func(w http.ResponseWriter, r *http.Request) { s.show(w, r, a) })
		mux.HandleFunc("POST "+a.Path, func(w http.ResponseWriter, r *http.Request) { s.event(w, r, a) })
	}
	// Forms of other sites are refused, whatever cookies the browser sends with them.
	safe := http.NewCrossOriginProtection().Handler(mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		safe.ServeHTTP(w, r)
	})
}

// name returns the session that the browser says it has.
func (a *app) name(r *http.Request) (name, bool) {
	c, err := r.Cookie("session")
	if err != nil || len(c.Value) > store.MaxNameBytes {
		return name{}, false
	}
	return name{a.File, c.Value}, c.Value != ""
}

func missing(err error) bool {
	return errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrExpired)
}

// event takes what was clicked or typed to the visitor's instance, and makes one
// if need be. The answer is sent when the new state is on disk.
func (s *server) event(w http.ResponseWriter, r *http.Request, a *app) {
	r.Body = http.MaxBytesReader(w, r.Body, 4<<10)
	if err := r.ParseForm(); err != nil {
		http.Error(w, "bad form", http.StatusBadRequest)
		return
	}
	e := map[string]string{}
	for k := range r.PostForm {
		e[k] = r.PostForm.Get(k)
	}
	n, ok := a.name(r)
	err := error(store.ErrNotFound)
	if ok {
		err = s.pool.event(r.Context(), n, e)
	}
	if missing(err) {
		if n, err = s.pool.create(r.Context(), a.File, a.component); err == nil {
			err = s.pool.event(r.Context(), n, e)
		}
	}
	if err != nil {
		s.fail(w, r, a, err)
		return
	}
	http.SetCookie(w, &http.Cookie{Name: "session", Value: n.id, Path: a.Path, MaxAge: int(lifetime.Seconds()),
		HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: r.TLS != nil})
	http.Redirect(w, r, a.Path, http.StatusSeeOther)
}

// show sends a visitor's page. Who has no session sees how one begins.
func (s *server) show(w http.ResponseWriter, r *http.Request, a *app) {
	n, ok := a.name(r)
	html, size, err := "", 0, error(store.ErrNotFound)
	if ok {
		html, size, err = s.pool.render(r.Context(), n)
	}
	if missing(err) {
		var res *engine.Result
		if res, err = a.component.Render(r.Context(), nil, nil); err == nil {
			html = res.Text()
		}
	}
	if err != nil {
		s.fail(w, r, a, err)
		return
	}
	s.write(w, http.StatusOK, content{App: a, HTML: template.HTML(html), Bytes: size})
}

func (s *server) fail(w http.ResponseWriter, r *http.Request, a *app, err error) {
	s.log.Warn("request failed", slog.String("path", r.URL.Path), slog.Any("error", err))
	if _, ok := errors.AsType[*engine.GuestError](err); ok {
		s.write(w, http.StatusUnprocessableEntity, content{App: a, Problem: "The app did not understand that. Nothing has changed."})
		return
	}
	s.write(w, http.StatusServiceUnavailable, content{App: a, Problem: "That could not be saved and has not happened. Please try again."})
}

// content is what page.html shows.
type content struct {
	Apps    []*app
	App     *app
	HTML    template.HTML // components escape what they are given
	Problem string        // instead of HTML
	Bytes   int
}

func (s *server) write(w http.ResponseWriter, status int, c content) {
	c.Apps = s.apps
	var b bytes.Buffer
	if err := page.Execute(&b, c); err != nil {
		s.log.Error("page cannot be made", slog.Any("error", err))
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	w.Write(b.Bytes()) // an error means that the client has gone
}
