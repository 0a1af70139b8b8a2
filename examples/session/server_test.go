package main

import (
	"flag"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/engine"
	"github.com/sporeengine/spore/runtimes"
	"github.com/sporeengine/spore/runtimes/javascript"
	"github.com/sporeengine/spore/runtimes/python"
)

var update = flag.Bool("update", false, "rewrite the files in testdata")

// newPool returns a pool over the vault in a directory, and the vault.
func newPool(t *testing.T, dir string) (*pool, *vault) {
	t.Helper()
	v, err := openVault(dir)
	require.NoError(t, err)
	cacheDir, err := engine.DefaultCacheDir() // as the program does
	require.NoError(t, err)
	eng, err := engine.New(engine.Config{
		Runtimes: []runtimes.Runtime{javascript.Runtime(), python.Runtime()}, CacheDir: cacheDir, Fetch: v.fetch,
		Limits: engine.Limits{CallTime: time.Minute, CompileTime: time.Minute}, // a test machine may be busy
	})
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, eng.Close())
		require.NoError(t, v.store.Close())
	})
	return &pool{eng: eng, sessions: v.sessions, log: slog.New(slog.DiscardHandler), awake: map[name]*session{}}, v
}

// A client is a browser: it keeps its cookie.
type client struct {
	t      *testing.T
	h      http.Handler
	cookie *http.Cookie
}

func newClient(t *testing.T) (*client, *pool) {
	t.Helper()
	p, v := newPool(t, t.TempDir())
	s, err := newServer(t.Context(), v, p)
	require.NoError(t, err)
	return &client{t: t, h: s.handler()}, p
}

func (c *client) do(r *http.Request) *httptest.ResponseRecorder {
	if c.cookie != nil {
		r.AddCookie(c.cookie)
	}
	w := httptest.NewRecorder()
	c.h.ServeHTTP(w, r)
	for _, cookie := range w.Result().Cookies() {
		c.cookie = cookie
	}
	return w
}

func post(path, form string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r
}

// event posts a form and checks the status of the answer.
func (c *client) event(status int, path, form string) {
	c.t.Helper()
	require.Equal(c.t, status, c.do(post(path, form)).Code)
}

var size = regexp.MustCompile(`\d+ bytes`)

// page returns a page, but for the size of the session's state.
func (c *client) page(path string) string {
	return size.ReplaceAllString(c.do(httptest.NewRequest(http.MethodGet, path, nil)).Body.String(), "N bytes")
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".html")
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), got, "go test -update rewrites %s", path)
}

func TestCounter(t *testing.T) {
	c, p := newClient(t)
	golden(t, "counter-new", c.page("/counter"))
	require.Nil(t, c.cookie, "who only looks gets no session")
	for _, action := range []string{"more", "more", "less", "more", "more"} {
		c.event(http.StatusSeeOther, "/counter", "action="+action)
	}
	golden(t, "counter", c.page("/counter"))

	// What the app does not understand has not happened.
	c.event(http.StatusUnprocessableEntity, "/counter", "action=explode")
	golden(t, "counter", c.page("/counter"))

	// Idle sessions are nowhere but in the store.
	require.NotZero(t, p.eng.Stats().Instances)
	p.parkIdle(t.Context(), 0)
	require.Zero(t, p.eng.Stats().Instances)
	require.Empty(t, p.awake)
	golden(t, "counter", c.page("/counter"))
}

func TestTodo(t *testing.T) {
	c, _ := newClient(t)
	for _, text := range []string{"Buy milk", `<script>alert("&")</script>`, "", "Sleep"} {
		c.event(http.StatusSeeOther, "/todo", url.Values{"action": {"add"}, "text": {text}}.Encode())
	}
	c.event(http.StatusSeeOther, "/todo", "action=toggle&number=1")
	golden(t, "todo", c.page("/todo"))
	c.event(http.StatusSeeOther, "/todo", "action=clear")
	golden(t, "todo-cleared", c.page("/todo"))
}

func TestVisitorsKnowNothingOfEachOther(t *testing.T) {
	ada, _ := newClient(t)
	bob := &client{t: t, h: ada.h}
	ada.event(http.StatusSeeOther, "/counter", "action=more")
	bob.event(http.StatusSeeOther, "/counter", "action=less")
	require.NotEqual(t, ada.cookie.Value, bob.cookie.Value)
	require.Contains(t, ada.page("/counter"), "<output>1</output>")
	require.Contains(t, bob.page("/counter"), ">−1</output>")

	// A session that somebody made up is not made for him.
	eve := &client{t: t, h: ada.h, cookie: &http.Cookie{Name: "session", Value: "GUESSED"}}
	require.Contains(t, eve.page("/counter"), "<output>0</output>")
	eve.event(http.StatusSeeOther, "/counter", "action=more")
	require.NotEqual(t, "GUESSED", eve.cookie.Value)
	// Nor is one app's session that of another.
	eve.cookie = ada.cookie
	require.Contains(t, eve.page("/todo"), "0 of 0 left")
}

func TestOtherSitesAreRefused(t *testing.T) {
	c, _ := newClient(t)
	c.event(http.StatusSeeOther, "/counter", "action=more")
	for header, value := range map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://attacker.example"} {
		r := post("/counter", "action=more")
		r.Header.Set(header, value)
		require.Equal(t, http.StatusForbidden, c.do(r).Code, header)
	}
	require.Contains(t, c.page("/counter"), "<output>1</output>")
	require.True(t, c.cookie.HttpOnly)
	require.Equal(t, http.SameSiteLaxMode, c.cookie.SameSite)
}

// TestOldSessionsKeepTheirComponent resumes one whose component this server was not
// compiled with.
func TestOldSessionsKeepTheirComponent(t *testing.T) {
	dir := t.TempDir()
	p, v := newPool(t, dir)
	old, err := p.eng.Compile(t.Context(), engine.Source{Name: "old.py", Code: []byte("n = 0\ndef event(e):\n  global n\n  n += 1\ndef render(): return f'old {n}'")})
	require.NoError(t, err)
	require.NoError(t, v.keep(t.Context(), old))
	n, err := p.create(t.Context(), "counter.tsx", old)
	require.NoError(t, err)
	require.NoError(t, p.event(t.Context(), n, nil))
	p.parkIdle(t.Context(), 0)

	q, _ := newPool(t, dir)
	require.NoError(t, q.event(t.Context(), n, nil))
	html, _, err := q.render(t.Context(), n)
	require.NoError(t, err)
	require.Equal(t, "old 2", html)
}
