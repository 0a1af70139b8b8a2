//go:build browser

package examples

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"testing"
)

// submit presses the button that a selector names, and waits for the next page.
func (b *browser) submit(selector string) {
	b.t.Helper()
	b.load(func() { b.eval(fmt.Sprintf("document.querySelector(%q).click()", selector), nil) })
}

// fill writes into the field that a selector names.
func (b *browser) fill(selector, text string) {
	b.t.Helper()
	b.eval(fmt.Sprintf("document.querySelector(%q).value = %q", selector, text), nil)
}

func TestBrowserSession(t *testing.T) {
	url := startServer(t, "session", "-dir", t.TempDir())
	b := newBrowser(t)
	b.open(url, 620, 620)
	check(t, b, "session-new", seen{Text: "You have no session yet"})
	for _, action := range []string{"more", "more", "more", "less", "more", "more", "less", "less", "more", "more"} {
		b.submit("[value=" + action + "]")
	}
	check(t, b, "session-counter", seen{Text: "4\ncounter.tsx Your session is"})

	b.open(url+"/todo", 620, 620)
	for _, text := range []string{"Write a component", "Kill the server", "Start it again & <b>reload</b>"} {
		b.fill("[name=text]", text)
		b.submit("[value=add]")
	}
	b.submit("li [value=toggle]")
	check(t, b, "session-todo", seen{Text: "Start it again & <b>reload</b>\n2 of 3 left"})
	b.open(url+"/todo", 360, 620)
	check(t, b, "session-narrow", seen{Text: "Write a component"})
}

func TestBrowserFanout(t *testing.T) {
	dir := t.TempDir()
	cmd := exec.Command(build(t, "fanout"))
	cmd.Dir = dir
	printed, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("fanout: %v\n%s", err, printed)
	}
	t.Logf("fanout printed:\n%s", printed)
	b := newBrowser(t)
	b.open("file://"+filepath.ToSlash(filepath.Join(dir, "out.html")), 1160, 1780)
	check(t, b, "fanout", seen{Paths: 2 + 3*16, Text: "One state, many variants\nThe best variant\nRound 3"})
}

func TestBrowserNotebook(t *testing.T) {
	url := startServer(t, "notebook")
	b := newBrowser(t)
	for name, cells := range map[string][]string{
		"Python": {
			"", // the example that is there already
			"from random import Random\nwalk = [0]\nfor _ in range(200):\n    walk.append(walk[-1] + Random(len(walk)).choice([-1, 1]))\nplot(walk, [sum(walk[: i + 1]) / (i + 1) for i in range(len(walk))], title='A walk')",
			"def share(n):\n    return len(wave) / n\n\nshare(0)",
		},
		"TypeScript": {
			"",
			"const mean = (xs: number[]) => xs.reduce((a, b) => a + b, 0) / xs.length;\n<table><tbody>{[10, 50, 100].map((n) => <tr key={n}><td>{n}</td><td>{mean(wave.slice(0, n)).toFixed(3)}</td></tr>)}</tbody></table>",
			"wave.nothing.here",
		},
	} {
		b.open(url, 1000, 480)
		check(t, b, "notebook", seen{Text: "Notebooks that can go back"})
		b.submit(fmt.Sprintf("[value=%s]", name))
		for _, code := range cells {
			if code != "" {
				b.fill("textarea", code)
			}
			b.submit("form.cell button")
		}
		var address string
		b.eval("location.href.split('#')[0]", &address)
		b.open(address, 1000, 1280)
		want := seen{Paths: 1, Rows: 3, Text: "100 points\nTypeError"}
		if name == "Python" {
			want = seen{Paths: 1 + 2, Text: "100 points\nZeroDivisionError: division by zero\nback before cell 3"}
		}
		check(t, b, "notebook-"+name, want)
	}
}
