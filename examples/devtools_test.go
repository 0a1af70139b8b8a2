//go:build browser

package examples

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"testing"
	"time"
)

// browserTime bounds the life of a browser, so that a page that never loads
// fails its test.
const browserTime = 2 * time.Minute

// A browser is headless Chromium with one page, driven through the DevTools
// protocol over a pipe. It is for one goroutine.
type browser struct {
	t       *testing.T
	in      io.Writer
	out     *bufio.Reader
	session string
	lastID  int
	loads   int      // of pages, so far
	trouble []string // what the browser complained about
}

// newBrowser starts Chromium with a new, empty profile.
func newBrowser(t *testing.T) *browser {
	t.Helper()
	args := []string{
		"--headless", "--disable-gpu", "--hide-scrollbars", "--remote-debugging-pipe", "--user-data-dir=" + t.TempDir(),
		"--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-quic", "--disable-sync",
	}
	if os.Geteuid() == 0 {
		args = append(args, "--no-sandbox") // Chromium refuses to run as root with it
	}
	cmd := exec.Command(chromium(t), append(args, "about:blank")...)
	toBrowser, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	out, fromBrowser, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.ExtraFiles = []*os.File{toBrowser, fromBrowser} // 3 and 4, as Chromium expects
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	toBrowser.Close()
	fromBrowser.Close()
	kill := time.AfterFunc(browserTime, func() { cmd.Process.Kill() })
	b := &browser{t: t, in: in, out: bufio.NewReader(out)}
	t.Cleanup(func() {
		b.session = ""
		b.call("Browser.close", nil, nil)
		if err := cmd.Wait(); err != nil {
			t.Errorf("chromium: %v", err)
		}
		kill.Stop()
		in.Close()
		out.Close()
	})
	var target struct{ TargetID string }
	b.call("Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	var attached struct{ SessionID string }
	b.call("Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &attached)
	b.session = attached.SessionID
	for _, domain := range []string{"Page", "Runtime", "Log"} {
		b.call(domain+".enable", nil, nil)
	}
	return b
}

// chromium returns the path of the browser. Whoever runs these tests asked for
// them, so its absence is a failure.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatal("no chromium in PATH; install it, on Debian with: apt install chromium")
	return ""
}

// call calls a method and stores its result, unless that is nil.
func (b *browser) call(method string, params, result any) {
	b.t.Helper()
	b.lastID++
	id := b.lastID
	if params == nil {
		params = struct{}{}
	}
	msg, err := json.Marshal(map[string]any{"id": id, "method": method, "params": params, "sessionId": b.session})
	if b.session == "" {
		msg, err = json.Marshal(map[string]any{"id": id, "method": method, "params": params})
	}
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := b.in.Write(append(msg, 0)); err != nil {
		b.t.Fatalf("chromium, %s: %v", method, err)
	}
	for {
		m, err := b.read()
		if err != nil {
			b.t.Fatalf("chromium, %s: %v", method, err)
		}
		if m.ID != id {
			continue
		}
		if m.Error != nil {
			b.t.Fatalf("chromium, %s: %s", method, m.Error)
		}
		if result != nil {
			if err := json.Unmarshal(m.Result, result); err != nil {
				b.t.Fatalf("chromium, %s: %v", method, err)
			}
		}
		return
	}
}

// A message is an answer, if it has an ID, or an event.
type message struct {
	ID            int
	Result, Error json.RawMessage
	Method        string
	Params        struct {
		Entry            struct{ Level, Text string }
		ExceptionDetails json.RawMessage
	}
}

// read returns the next message, having taken note of it if it is an event.
func (b *browser) read() (m message, err error) {
	raw, err := b.out.ReadBytes(0)
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(bytes.TrimSuffix(raw, []byte{0}), &m); err != nil {
		return m, err
	}
	switch m.Method {
	case "Page.loadEventFired":
		b.loads++
	case "Log.entryAdded":
		b.trouble = append(b.trouble, m.Params.Entry.Level+": "+m.Params.Entry.Text)
	case "Runtime.exceptionThrown":
		b.trouble = append(b.trouble, string(m.Params.ExceptionDetails))
	case "Inspector.targetCrashed":
		return m, errors.New("the page crashed")
	}
	return m, nil
}

// load does what makes the browser load a page and waits until it has.
func (b *browser) load(do func()) {
	b.t.Helper()
	loads := b.loads
	do()
	for b.loads == loads {
		if _, err := b.read(); err != nil {
			b.t.Fatalf("chromium, waiting for a page: %v", err)
		}
	}
}

// open shows the page at url in a window of that size.
func (b *browser) open(url string, width, height int) {
	b.t.Helper()
	b.call("Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false}, nil)
	b.load(func() { b.call("Page.navigate", map[string]any{"url": url}, nil) })
}

// eval stores the value of a JavaScript expression in result.
func (b *browser) eval(expression string, result any) {
	b.t.Helper()
	var r struct {
		Result           struct{ Value json.RawMessage }
		ExceptionDetails json.RawMessage
	}
	b.call("Runtime.evaluate", map[string]any{"expression": expression, "returnByValue": true}, &r)
	if r.ExceptionDetails != nil {
		b.t.Fatalf("%s: %s", expression, r.ExceptionDetails)
	}
	if result == nil {
		return
	}
	if err := json.Unmarshal(r.Result.Value, result); err != nil {
		b.t.Fatalf("%s: %v: %s", expression, err, r.Result.Value)
	}
}

// screenshot returns the visible part of the page as a PNG.
func (b *browser) screenshot() []byte {
	b.t.Helper()
	var shot struct{ Data []byte } // base64 in JSON
	b.call("Page.captureScreenshot", map[string]any{"format": "png"}, &shot)
	return shot.Data
}
