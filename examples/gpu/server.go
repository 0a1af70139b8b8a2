package main

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"

	"github.com/sporeengine/spore/engine"
	"github.com/sporeengine/spore/gpu"
	"github.com/sporeengine/spore/hostfuncs"
)

//go:embed page.html style.css components
var files embed.FS

var page = template.Must(template.ParseFS(files, "page.html"))

// A server is safe for concurrent use.
type server struct {
	pool   *gpu.Pool
	corpus *corpus
	grants hostfuncs.Set
	log    *slog.Logger

	image, search *engine.Component
	uploads       uploads
}

// newServer compiles the components, and makes the vectors of the corpus a constant of the pool.
func newServer(ctx context.Context, eng *engine.Engine, pool *gpu.Pool, c *corpus, log *slog.Logger) (*server, error) {
	s := &server{pool: pool, corpus: c, log: log}
	if err := c.share(pool); err != nil {
		return nil, err
	}
	grants, err := hostfuncs.NewSet(c.function())
	if err != nil {
		return nil, err
	}
	if s.grants, err = grants.WithModules(gpu.Module(pool, gpu.Options{})); err != nil {
		return nil, err
	}
	for name, to := range map[string]**engine.Component{"image.tsx": &s.image, "search.py": &s.search} {
		code, err := files.ReadFile("components/" + name)
		if err != nil {
			return nil, err
		}
		if *to, err = eng.Compile(ctx, engine.Source{Name: name, Code: code, Modules: s.grants.Modules()}); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *server) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", http.RedirectHandler("/image", http.StatusSeeOther))
	mux.HandleFunc("GET /style.css", func(w http.ResponseWriter, r *http.Request) { http.ServeFileFS(w, r, files, "style.css") })
	mux.HandleFunc("GET /image", s.serveImage)
	mux.HandleFunc("POST /image", s.serveImage)
	mux.HandleFunc("GET /search", s.serveSearch)
	safe := http.NewCrossOriginProtection().Handler(mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		safe.ServeHTTP(w, r)
	})
}

// options are those of a call for the visitor.
func (s *server) options(r *http.Request) *engine.Options {
	host, _, _ := net.SplitHostPort(r.RemoteAddr)
	return &engine.Options{Grants: s.grants, Console: s.log, Tenant: host}
}

// imageProps are what image.tsx takes.
type imageProps struct {
	Width      int     `json:"width"`
	Height     int     `json:"height"`
	Digest     string  `json:"digest,omitempty"`
	Brightness float64 `json:"brightness"`
	Contrast   float64 `json:"contrast"`
	Gray       bool    `json:"gray"`
	Blur       int     `json:"blur"`
	Show       int     `json:"show"`
}

// shown is how many pixels a row of the page has at most.
const shown = 960

// An imageForm is what the page's form has.
type imageForm struct {
	Megapixels, Brightness, Contrast, Blur int
	Gray                                   bool
}

// readImageForm returns the form's values, or what a form without any has.
func readImageForm(r *http.Request) (f imageForm, err error) {
	number := func(name string, otherwise, from, to int) int {
		text := r.FormValue(name)
		if text == "" {
			return otherwise
		}
		n, e := strconv.Atoi(text)
		if e != nil || n < from || n > to {
			err = fmt.Errorf("%s is a number from %d to %d", name, from, to)
		}
		return n
	}
	f = imageForm{number("megapixels", 2, 1, 12), number("brightness", 0, -100, 100), number("contrast", 0, -100, 100), number("blur", 0, 0, 8), r.FormValue("gray") != ""}
	return f, err
}

// size returns the size of a picture of 4:3.
func (f imageForm) size() (width, height int) {
	height = 866 // of one megapixel
	for height*height*4/3 < f.Megapixels*1_000_000 {
		height++
	}
	return height * 4 / 3, height
}

func (s *server) serveImage(w http.ResponseWriter, r *http.Request) {
	c := content{Path: "/image", Title: "Picture", Image: &imageContent{}}
	r.Body = http.MaxBytesReader(w, r.Body, maxUpload)
	form, err := readImageForm(r)
	c.Image.Form = form
	if err != nil {
		s.refuse(w, c, err)
		return
	}
	p := imageProps{Brightness: float64(form.Brightness) / 100, Contrast: float64(form.Contrast) / 100, Gray: form.Gray, Blur: form.Blur, Show: shown}
	p.Width, p.Height = form.size()
	if r.Method == http.MethodPost {
		// An upload is decoded here, and goes to the device as a constant: the component gets its name.
		f, _, err := r.FormFile("picture")
		if err != nil {
			s.refuse(w, c, errPicture)
			return
		}
		upload, err := readPicture(f)
		if err != nil {
			s.refuse(w, c, err)
			return
		}
		digest, drop, err := s.uploads.share(s.pool, upload)
		if err != nil {
			s.fail(w, r, c, err)
			return
		}
		defer drop()
		p.Width, p.Height, p.Digest = upload.width, upload.height, digest
	}
	res, t, err := timed(r.Context(), func(ctx context.Context) (*engine.Result, error) { return s.image.Render(ctx, p, s.options(r)) })
	if err != nil {
		s.fail(w, r, c, err)
		return
	}
	out, by, err := imageResult(res)
	if err == nil {
		c.Image.URL, err = out.url()
	}
	if err != nil {
		s.fail(w, r, c, err)
		return
	}
	c.Timings = t
	c.Image.Text = fmt.Sprintf("%d × %d pixels, computed in full and shown 1:%d", p.Width, p.Height, by)
	s.write(w, r, http.StatusOK, c)
}

// imageResult returns what image.tsx has returned.
func imageResult(res *engine.Result) (p *picture, by int, err error) {
	var v struct {
		Width, Height, By int
		Pixels            struct {
			Index *int `json:"$bytes"`
		}
	}
	if err := res.Decode(&v); err != nil {
		return nil, 0, err
	}
	i := v.Pixels.Index
	if i == nil || *i < 0 || *i >= len(res.Buffers) {
		return nil, 0, errors.New("image.tsx returned no pixels")
	}
	return &picture{v.Width, v.Height, res.Buffers[*i]}, v.By, nil
}

// searchProps are what search.py takes.
type searchProps struct {
	Query  string `json:"query"`
	Digest string `json:"digest"`
	Count  int    `json:"count"`
	Size   int    `json:"size"`
	Most   int    `json:"most"`
}

func (s *server) serveSearch(w http.ResponseWriter, r *http.Request) {
	c := content{Path: "/search", Title: "Search", Search: &searchContent{Query: strings.TrimSpace(r.FormValue("q")), Count: len(s.corpus.texts), Size: vectorSize}}
	if len(c.Search.Query) > 1000 {
		s.refuse(w, c, errors.New("a query has at most 1000 bytes"))
		return
	}
	if c.Search.Query == "" {
		s.write(w, r, http.StatusOK, c)
		return
	}
	res, t, err := timed(r.Context(), func(ctx context.Context) (*engine.Result, error) {
		return s.search.Render(ctx, s.searchProps(c.Search.Query), s.options(r))
	})
	if err != nil {
		s.fail(w, r, c, err)
		return
	}
	c.Timings, c.Search.HTML = t, template.HTML(res.Text())
	s.write(w, r, http.StatusOK, c)
}

func (s *server) searchProps(query string) searchProps {
	return searchProps{query, s.corpus.digest, len(s.corpus.texts), vectorSize, min(10, len(s.corpus.texts))}
}

// content is what page.html shows.
type content struct {
	Path, Title, Problem string
	Image                *imageContent
	Search               *searchContent
	Timings              *timings
	Device               string
	Stats                gpu.Stats
}

type imageContent struct {
	Form imageForm
	URL  template.URL
	Text string
}

type searchContent struct {
	Query       string
	Count, Size int
	HTML        template.HTML // the component escapes what it is given
}

func (s *server) refuse(w http.ResponseWriter, c content, err error) {
	c.Problem = err.Error()
	s.write(w, nil, http.StatusBadRequest, c)
}

func (s *server) fail(w http.ResponseWriter, r *http.Request, c content, err error) {
	s.log.Warn("request failed", slog.String("path", r.URL.Path), slog.Any("error", err))
	status := http.StatusInternalServerError
	c.Problem = "That went wrong."
	if errors.Is(err, gpu.ErrUnavailable) || errors.Is(err, context.DeadlineExceeded) {
		status, c.Problem = http.StatusServiceUnavailable, "No device can serve now. Please try again."
	}
	s.write(w, nil, status, c)
}

// write sends a page. r is nil if nothing was computed.
func (s *server) write(w http.ResponseWriter, r *http.Request, status int, c content) {
	if r != nil {
		if info, err := s.pool.Info(r.Context()); err == nil {
			c.Device = info.Name + ", " + info.Device
		}
	}
	c.Stats = s.pool.Stats()
	var b bytes.Buffer
	if err := page.Execute(&b, c); err != nil {
		s.log.Error("page cannot be made", slog.Any("error", err))
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	if c.Timings != nil {
		w.Header().Set("Server-Timing", c.Timings.header())
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	w.Write(b.Bytes()) // an error means that the client has gone
}
