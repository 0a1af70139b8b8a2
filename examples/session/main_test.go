package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestMain is the server if a test has started it as one.
func TestMain(m *testing.M) {
	lease = 2 * time.Second
	dir := os.Getenv("SPORE_SESSION_DIR")
	if dir == "" {
		os.Exit(m.Run())
	}
	err := run(context.Background(), "127.0.0.1:0", dir, time.Minute, slog.New(slog.NewTextHandler(os.Stderr, nil)))
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// startChild starts a server in a process of its own. kill is kill -9.
func startChild(t *testing.T, dir string) (url string, kill func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "SPORE_SESSION_DIR="+dir)
	stderr, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	kill = sync.OnceFunc(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	t.Cleanup(kill)
	lines := bufio.NewScanner(stderr)
	for lines.Scan() {
		if m := regexp.MustCompile(`msg=listening url=(\S+)`).FindStringSubmatch(lines.Text()); m != nil {
			go io.Copy(io.Discard, stderr)
			return m[1], kill
		}
		t.Log(lines.Text())
	}
	t.Fatal("the server ended before it listened")
	return "", nil
}

// A visitor is a browser that does not follow redirects.
type visitor struct{ http.Client }

func newVisitor() *visitor {
	jar, _ := cookiejar.New(nil) // never fails
	return &visitor{http.Client{
		Jar:           jar,
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// click reports whether an action was acknowledged.
func (v *visitor) click(url, action string) bool {
	res, err := v.PostForm(url, map[string][]string{"action": {action}})
	if err != nil {
		return false
	}
	defer res.Body.Close()
	return res.StatusCode == http.StatusSeeOther
}

// follow moves the cookies of the server at one URL to another, as they would be the
// same if both had one address.
func (v *visitor) follow(from, to string) {
	a, _ := url.Parse(from)
	b, _ := url.Parse(to)
	v.Jar.SetCookies(b, v.Jar.Cookies(a))
}

// count returns what the visitor's counter shows.
func (v *visitor) count(t *testing.T, url string) (n int64) {
	t.Helper()
	res, err := v.Get(url)
	require.NoError(t, err)
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	m := regexp.MustCompile(`<output[^>]*>(\d+)<`).FindStringSubmatch(string(b))
	require.NotNil(t, m, "%s", b)
	fmt.Sscan(m[1], &n)
	return n
}

// TestKillLosesNoClick kills the server again and again while a visitor clicks. What
// was acknowledged is there afterwards, and what was not has happened once or never.
func TestKillLosesNoClick(t *testing.T) {
	dir := t.TempDir()
	v := newVisitor()
	var acknowledged, tried int64
	last := ""
	for range 3 {
		url, kill := startChild(t, dir)
		url += "/counter"
		if last != "" {
			v.follow(last, url)
			n := v.count(t, url)
			require.GreaterOrEqual(t, n, acknowledged)
			require.LessOrEqual(t, n, tried)
			acknowledged, tried = n, n
		}
		var clicks atomic.Int64
		go func() {
			for clicks.Load() < 5 {
				time.Sleep(time.Millisecond)
			}
			time.Sleep(time.Duration(rand.IntN(100)) * time.Millisecond)
			kill()
		}()
		for tried++; v.click(url, "more"); tried++ {
			acknowledged++
			clicks.Add(1)
		}
		require.GreaterOrEqual(t, clicks.Load(), int64(5))
		last = url
	}
	url, _ := startChild(t, dir)
	url += "/counter"
	v.follow(last, url)
	n := v.count(t, url)
	t.Logf("%d clicks acknowledged, %d made, the counter is %d", acknowledged, tried, n)
	require.GreaterOrEqual(t, n, acknowledged)
	require.LessOrEqual(t, n, tried)
}

// startHere starts a server in this process. stop ends it as Ctrl-C does.
func startHere(t *testing.T, dir string, idle time.Duration) (url string, stop func()) {
	t.Helper()
	r, w := io.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, "127.0.0.1:0", dir, idle, slog.New(slog.NewTextHandler(w, nil)))
		w.Close()
	}()
	line, err := bufio.NewReader(r).ReadString('\n')
	require.NoError(t, err)
	go io.Copy(io.Discard, r)
	_, url, _ = strings.Cut(strings.TrimSpace(line), "url=")
	return url, func() {
		cancel()
		require.NoError(t, <-ended)
	}
}

// awake returns how many sessions in a directory belong to a server.
func awake(t *testing.T, dir string) (n int) {
	t.Helper()
	v, err := openVault(dir)
	require.NoError(t, err)
	defer v.store.Close()
	for s, err := range v.sessions.List(t.Context()) {
		require.NoError(t, err)
		if s.Running {
			n++
		}
	}
	return n
}

// TestShutdownParks ends the server as Ctrl-C does: all sessions are free at once.
func TestShutdownParks(t *testing.T) {
	dir := t.TempDir()
	v := newVisitor()
	last := ""
	for i := range int64(2) {
		url, stop := startHere(t, dir, time.Minute)
		url += "/counter"
		if last != "" {
			v.follow(last, url)
		}
		require.True(t, v.click(url, "more"))
		require.Equal(t, i+1, v.count(t, url))
		last = url
		require.Equal(t, 1, awake(t, dir))
		stop()
		require.Zero(t, awake(t, dir))
	}
}

// TestIdleSessionsPark waits until a session that is not used is only on disk.
func TestIdleSessionsPark(t *testing.T) {
	dir := t.TempDir()
	url, stop := startHere(t, dir, 20*time.Millisecond)
	defer stop()
	v := newVisitor()
	for i := range int64(2) {
		require.True(t, v.click(url+"/counter", "more"))
		require.Equal(t, i+1, v.count(t, url+"/counter"))
		require.Eventually(t, func() bool { return awake(t, dir) == 0 }, 20*time.Second, 10*time.Millisecond)
	}
}
