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

//go:embed page.html style.css notebook.js begin.py begin.tsx
var files embed.FS

var page = template.Must(template.ParseFS(files, "page.html"))

func languages() []*language {
	return []*language{
		{Name: "Python", File: "begin.py", Example: "from math import sin\nwave = [sin(i / 8) for i in range(100)]\nprint(len(wave), \"points\")\nplot(wave)"},
		{Name: "TypeScript", File: "begin.tsx", Example: "import { plot } from \"component\";\nconst wave = Array.from({ length: 100 }, (_, i) => Math.sin(i / 8));\nconsole.log(wave.length, \"points\");\nplot(wave)"},
	}
}

// A server is safe for concurrent use.
type server struct {
	languages []*language
	shelf     shelf
	log       *slog.Logger
}

func newServer(ctx context.Context, eng *engine.Engine, log *slog.Logger) (*server, error) {
	s := &server{languages: languages(), shelf: shelf{cells: map[string]*cell{}}, log: log}
	for _, l := range s.languages {
		code, err := files.ReadFile(l.File)
		if err != nil {
			return nil, err
		}
		if l.component, err = eng.Compile(ctx, engine.Source{Name: l.File, Code: code}); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *server) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { s.write(w, http.StatusOK, content{}) })
	mux.HandleFunc("POST /{$}", s.begin)
	mux.HandleFunc("GET /n/{id}", s.show)
	mux.HandleFunc("POST /n/{id}", s.run)
	mux.Handle("GET /style.css", http.FileServerFS(files))
	mux.Handle("GET /notebook.js", http.FileServerFS(files))
	safe := http.NewCrossOriginProtection().Handler(mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		// What cells show can neither run scripts nor load anything.
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		safe.ServeHTTP(w, r)
	})
}

// begin makes a notebook.
func (s *server) begin(w http.ResponseWriter, r *http.Request) {
	for _, l := range s.languages {
		if l.Name == r.FormValue("language") {
			c, err := s.shelf.begin(r.Context(), l)
			s.goTo(w, r, c, err)
			return
		}
	}
	http.Error(w, "no such language", http.StatusBadRequest)
}

// run runs a cell after the one at the URL.
func (s *server) run(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
	c := s.shelf.get(r.PathValue("id"))
	if c == nil {
		http.NotFound(w, r)
		return
	}
	code := strings.ReplaceAll(r.FormValue("code"), "\r\n", "\n")
	c, err := s.shelf.run(r.Context(), c, code)
	s.goTo(w, r, c, err)
}

func (s *server) goTo(w http.ResponseWriter, r *http.Request, c *cell, err error) {
	if err != nil {
		s.log.Warn("cell failed", slog.Any("error", err))
		http.Error(w, "The server cannot do that now.", http.StatusServiceUnavailable)
		return
	}
	http.Redirect(w, r, "/n/"+c.ID+"#end", http.StatusSeeOther)
}

// show sends the notebook that ends with a cell.
func (s *server) show(w http.ResponseWriter, r *http.Request) {
	if c := s.shelf.get(r.PathValue("id")); c != nil {
		s.write(w, http.StatusOK, content{Cell: c})
		return
	}
	http.NotFound(w, r)
}

// content is what page.html shows.
type content struct {
	Languages []*language
	Cell      *cell // nil: the front page
}

func (s *server) write(w http.ResponseWriter, status int, c content) {
	c.Languages = s.languages
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

// Rich returns the best form of a value that a page can show as it is, empty if there is none.
func (*cell) Rich(data map[string][]byte) template.HTML {
	for _, form := range []string{"image/svg+xml", "text/html"} {
		if b := data[form]; len(b) > 0 {
			return template.HTML(b) // kept in its place by the policy
		}
	}
	return ""
}

// Cost says how long a cell took.
func (c *cell) Cost() string {
	return fmt.Sprintf("%.1f ms", float64(c.Took)/float64(time.Millisecond))
}

// explain returns what is wrong with a cell; empty if that is not its fault.
func explain(err error) string {
	if e, ok := errors.AsType[*engine.SourceError](err); ok {
		d := e.Diagnostics[0]
		return fmt.Sprintf("%s:%d:%d: %s\n%s", d.File, d.Line, d.Column, d.Text, d.LineText)
	}
	if e, ok := errors.AsType[*engine.GuestError](err); ok {
		if e.Trace != "" {
			return e.Trace
		}
		return e.Error()
	}
	if _, ok := errors.AsType[*engine.LimitError](err); ok {
		return err.Error() + "\nThe notebook is as it was before this cell."
	}
	if errors.Is(err, engine.ErrSuspended) {
		return "The cell waits for longer than a cell may. The notebook is as it was before it."
	}
	return ""
}
