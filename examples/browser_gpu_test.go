//go:build browser

package examples

import "testing"

func TestBrowserGPU(t *testing.T) {
	url := startServer(t, "gpu")
	b := newBrowser(t)
	b.open(url, 1000, 1400)
	check(t, b, "gpu-picture", seen{Rows: 6, Text: `
		1633 × 1225 pixels, computed in full and shown 1:2
		What it took on cpu
		copies and the way
		153600000 bytes of constants`})
	var width int
	b.eval(`document.querySelector("img").naturalWidth`, &width)
	if width != 816 {
		t.Errorf("the picture is %d pixels wide", width)
	}

	// What a person does: choose, and press the button.
	b.eval(`document.querySelector("[name=megapixels]").value = "1"`, nil)
	b.fill("[name=blur]", "8")
	b.load(func() {
		b.eval(`document.querySelector("[name=gray]").click(); document.querySelector("form button").click()`, nil)
	})
	check(t, b, "gpu-gray", seen{Rows: 6, Text: `1156 × 867 pixels, computed in full and shown 1:2`})

	b.open(url+"/search", 1000, 900)
	check(t, b, "gpu-search", seen{Text: "What are you looking for?"})
	b.fill("[name=q]", "a poet who paints lighthouses")
	b.submit("form button")
	check(t, b, "gpu-found", seen{Rows: 6, Text: `
		poet paints the
		What it took on cpu`})

	b.open(url+"/search?q=poet", 420, 1300)
	check(t, b, "gpu-found-narrow", seen{Rows: 6, Text: "What it took on cpu"})
}
