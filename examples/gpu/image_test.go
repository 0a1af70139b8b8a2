package main

import (
	"bytes"
	"encoding/base64"
	"html"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"math/rand/v2"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/engine"
)

// A field is a picture of float64, for the plain computation that the component's is compared with.
type field struct {
	width, height int
	at            func(x, y, c int) float64
}

// kept computes all of f once.
func (f field) kept() field {
	v := make([]float64, 3*f.width*f.height)
	for y := range f.height {
		for x := range f.width {
			for c := range 3 {
				v[3*(f.width*y+x)+c] = f.at(x, y, c)
			}
		}
	}
	return field{f.width, f.height, func(x, y, c int) float64 { return v[3*(f.width*y+x)+c] }}
}

// expected is what image.tsx has to return, computed pixel by pixel.
func expected(p imageProps, upload []byte) *picture {
	f := field{p.Width, p.Height, func(x, y, c int) float64 {
		if upload != nil {
			return float64(upload[3*(p.Width*y+x)+c]) / 255
		}
		u, v := float64(x)/float64(p.Width), float64(y)/float64(p.Height)
		wave := math.Sin(9*u+2*math.Sin(5*v)) + math.Cos(11*v+math.Cos(7*u))
		// As float32, so that edges of the checks are where they are there.
		checks := math.Mod(math.Floor(float64(float32(u)*40))+math.Floor(float64(float32(v)*30)), 2)
		return math.Sin(3*wave+[]float64{0, 2.1, 4.2}[c])*0.4 + 0.5 - 0.2*checks
	}}
	of := f.at
	f.at = func(x, y, c int) float64 { return min(max((of(x, y, c)-0.5)*(1+p.Contrast)+0.5+p.Brightness, 0), 1) }
	f = f.kept()
	if p.Gray {
		of := f.at
		f.at = func(x, y, _ int) float64 { return 0.2126*of(x, y, 0) + 0.7152*of(x, y, 1) + 0.0722*of(x, y, 2) }
		f = f.kept()
	}
	if n := p.Blur; n > 0 {
		of := f.at
		f.at = func(x, y, c int) (sum float64) {
			for dy := -n; dy <= n; dy++ {
				for dx := -n; dx <= n; dx++ {
					sum += of(min(max(x+dx, 0), p.Width-1), min(max(y+dy, 0), p.Height-1), c)
				}
			}
			return sum / float64((2*n+1)*(2*n+1))
		}
	}
	by := (p.Width + p.Show - 1) / p.Show
	out := &picture{width: p.Width / by, height: p.Height / by}
	for y := range out.height {
		for x := range out.width {
			for c := range 3 {
				sum := 0.0
				for dy := range by {
					for dx := range by {
						sum += f.at(x*by+dx, y*by+dy, c)
					}
				}
				out.pixels = append(out.pixels, byte(sum/float64(by*by)*255+0.5))
			}
		}
	}
	return out
}

// requireClose allows what rounding does, and that only.
func requireClose(t *testing.T, want, got *picture) {
	t.Helper()
	require.Equal(t, []int{want.width, want.height, len(want.pixels)}, []int{got.width, got.height, len(got.pixels)})
	differ := 0
	for i := range want.pixels {
		d := int(want.pixels[i]) - int(got.pixels[i])
		require.LessOrEqual(t, max(d, -d), 1, "pixel %d", i/3)
		if d != 0 {
			differ++
		}
	}
	require.LessOrEqual(t, differ, len(want.pixels)/10, "halves are rounded by chance, but most values are none")
}

func noise(width, height int) []byte {
	random := rand.New(rand.NewPCG(3, 4))
	b := make([]byte, 3*width*height)
	for i := range b {
		b[i] = byte(random.Uint32())
	}
	return b
}

func TestImage(t *testing.T) {
	s, _ := newTestServer(t, testConfig())
	for name, p := range map[string]imageProps{
		"as it is":   {Width: 64, Height: 48, Show: 64},
		"light":      {Width: 61, Height: 47, Show: 100, Brightness: 0.25, Contrast: -0.5},
		"hard":       {Width: 64, Height: 48, Show: 64, Brightness: -0.1, Contrast: 1},
		"gray":       {Width: 64, Height: 48, Show: 64, Gray: true},
		"blurred":    {Width: 50, Height: 40, Show: 64, Blur: 3},
		"small":      {Width: 131, Height: 77, Show: 50},
		"everything": {Width: 131, Height: 77, Show: 50, Brightness: 0.1, Contrast: 0.3, Gray: true, Blur: 8},
		"tiny":       {Width: 1, Height: 1, Show: 10, Blur: 2},
	} {
		for _, upload := range [][]byte{nil, noise(p.Width, p.Height)} {
			given := p
			if upload != nil {
				digest, drop, err := s.uploads.share(s.pool, &picture{p.Width, p.Height, upload})
				require.NoError(t, err)
				defer drop()
				given.Digest = digest
			}
			res, err := s.image.Render(t.Context(), given, &engine.Options{Grants: s.grants})
			require.NoError(t, err, name)
			got, _, err := imageResult(res)
			require.NoError(t, err)
			requireClose(t, expected(p, upload), got)
		}
	}
}

var dataURL = regexp.MustCompile(`src="data:image/png;base64,([^"]*)"`)

// pagePicture returns the picture on a page.
func pagePicture(t *testing.T, body string) *picture {
	m := dataURL.FindStringSubmatch(body)
	require.NotNil(t, m, body)
	data, err := base64.StdEncoding.DecodeString(html.UnescapeString(m[1]))
	require.NoError(t, err)
	p, err := readPicture(bytes.NewReader(data))
	require.NoError(t, err)
	return p
}

func TestImagePage(t *testing.T) {
	_, h := newTestServer(t, testConfig())
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/image?megapixels=1&contrast=20&gray=1", nil))
	require.Equal(t, http.StatusOK, w.Code, w.Body)
	width, height := imageForm{Megapixels: 1}.size()
	require.GreaterOrEqual(t, width*height, 999_000)
	requireClose(t, expected(imageProps{Width: width, Height: height, Contrast: 0.2, Gray: true, Show: shown}, nil), pagePicture(t, w.Body.String()))
	require.Contains(t, w.Body.String(), "What it took on <b>cpu</b>")
	requireTimings(t, w)

	for _, query := range []string{"megapixels=13", "megapixels=0", "blur=9", "brightness=x", "contrast=-101"} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/image?"+query, nil))
		require.Equal(t, http.StatusBadRequest, w.Code, query)
	}
}

// requireTimings checks that they are there and fit each other.
func requireTimings(t *testing.T, w *httptest.ResponseRecorder) {
	t.Helper()
	got := map[string]float64{}
	for part := range strings.SplitSeq(w.Header().Get("Server-Timing"), ", ") {
		name, value, ok := strings.Cut(part, ";dur=")
		require.True(t, ok, part)
		v, err := strconv.ParseFloat(value, 64)
		require.NoError(t, err)
		got[name] = v
	}
	require.Positive(t, got["device"])
	require.Positive(t, got["guest"])
	require.LessOrEqual(t, got["queue"]+got["copy"]+got["device"]+got["supply"], got["total"]+0.01)
}

func upload(t *testing.T, data []byte, fields map[string]string) *http.Request {
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	for name, value := range fields {
		require.NoError(t, m.WriteField(name, value))
	}
	f, err := m.CreateFormFile("picture", "a.png")
	require.NoError(t, err)
	_, err = f.Write(data)
	require.NoError(t, err)
	require.NoError(t, m.Close())
	r := httptest.NewRequest(http.MethodPost, "/image", &b)
	r.Header.Set("Content-Type", m.FormDataContentType())
	return r
}

func TestUpload(t *testing.T) {
	s, h := newTestServer(t, testConfig())
	before := s.pool.Stats().Constants
	p := &picture{300, 200, noise(300, 200)}
	img := image.NewNRGBA(image.Rect(0, 0, 300, 200))
	for i := range 300 * 200 {
		img.Set(i%300, i/300, color.NRGBA{p.pixels[3*i], p.pixels[3*i+1], p.pixels[3*i+2], 255})
	}
	var asPNG, asJPEG bytes.Buffer
	require.NoError(t, png.Encode(&asPNG, img))
	require.NoError(t, jpeg.Encode(&asJPEG, img, nil))

	w := httptest.NewRecorder()
	h.ServeHTTP(w, upload(t, asPNG.Bytes(), map[string]string{"brightness": "10", "blur": "2"}))
	require.Equal(t, http.StatusOK, w.Code, w.Body)
	requireClose(t, expected(imageProps{Width: 300, Height: 200, Brightness: 0.1, Blur: 2, Show: shown}, p.pixels), pagePicture(t, w.Body.String()))

	w = httptest.NewRecorder()
	h.ServeHTTP(w, upload(t, asJPEG.Bytes(), nil))
	require.Equal(t, http.StatusOK, w.Code, w.Body)
	decoded, err := readPicture(&asJPEG)
	require.NoError(t, err)
	requireClose(t, decoded, pagePicture(t, w.Body.String()))
	require.Equal(t, before, s.pool.Stats().Constants, "uploads do not stay")

	for name, data := range map[string][]byte{"nothing": nil, "text": []byte("hello"), "cut": asPNG.Bytes()[:1000], "bomb": bomb(t)} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, upload(t, data, nil))
		require.Equal(t, http.StatusBadRequest, w.Code, name)
	}
	r := upload(t, asPNG.Bytes(), nil)
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	w = httptest.NewRecorder()
	h.ServeHTTP(w, r)
	require.Equal(t, http.StatusForbidden, w.Code)
}

// bomb is a small file of a large picture.
func bomb(t *testing.T) []byte {
	var b bytes.Buffer
	require.NoError(t, png.Encode(&b, image.NewGray(image.Rect(0, 0, 20_000, 1000))))
	return b.Bytes()
}
