package main

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"image"
	"image/color"
	_ "image/jpeg"
	"image/png"
	"io"
	"sync"

	"github.com/sporeengine/spore/gpu"
	"github.com/sporeengine/spore/gpu/tensor"
)

// Bounds of uploads.
const (
	maxUpload = 20 << 20   // bytes
	maxPixels = 12_600_000 // of a picture
)

// A picture is RGB, a byte each.
type picture struct {
	width, height int
	pixels        []byte
}

var errPicture = errors.New("this is no PNG or JPEG of at most 12 megapixels")

// readPicture decodes an upload. What is transparent becomes black.
func readPicture(r io.Reader) (*picture, error) {
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	c, _, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil || c.Width <= 0 || c.Height <= 0 || c.Width > maxPixels/c.Height { // before there is memory for it
		return nil, errPicture
	}
	img, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errPicture, err)
	}
	b := img.Bounds()
	p := &picture{b.Dx(), b.Dy(), make([]byte, 0, 3*b.Dx()*b.Dy())}
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			var red, green, blue uint8
			switch img := img.(type) {
			case *image.YCbCr: // of most JPEGs; without an allocation for each pixel
				c := img.YCbCrAt(x, y)
				red, green, blue = color.YCbCrToRGB(c.Y, c.Cb, c.Cr)
			default:
				r, g, b, _ := img.At(x, y).RGBA()
				red, green, blue = uint8(r>>8), uint8(g>>8), uint8(b>>8)
			}
			p.pixels = append(p.pixels, red, green, blue)
		}
	}
	return p, nil
}

// url returns the picture as a data URL of a PNG.
func (p *picture) url() (template.URL, error) {
	img := image.NewNRGBA(image.Rect(0, 0, p.width, p.height))
	if len(p.pixels) != 3*p.width*p.height {
		return "", errPicture
	}
	for i := range p.width * p.height {
		copy(img.Pix[4*i:], p.pixels[3*i:3*i+3])
		img.Pix[4*i+3] = 255
	}
	var b bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&b, img); err != nil {
		return "", err
	}
	return template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(b.Bytes())), nil
}

// uploads are pictures that are constants while requests use them. The zero value has none. It is safe for concurrent use.
type uploads struct {
	mu   sync.Mutex
	uses map[gpu.ConstantID]int // guarded by mu
}

// share makes a picture a constant of the pool until drop is called. Two visitors may have sent the same one.
func (u *uploads) share(pool *gpu.Pool, p *picture) (digest string, drop func(), err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	id, err := pool.ShareConstant(tensor.Type{DType: tensor.Uint8, Shape: tensor.Shape{p.height, p.width, 3}}, p.pixels)
	if err != nil {
		return "", nil, err
	}
	if u.uses == nil {
		u.uses = map[gpu.ConstantID]int{}
	}
	u.uses[id]++
	return id.String(), func() {
		u.mu.Lock()
		defer u.mu.Unlock()
		if u.uses[id]--; u.uses[id] == 0 {
			delete(u.uses, id)
			pool.DropShared(id)
		}
	}, nil
}
