package cuda

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"runtime"
	"strings"
	"unsafe"
)

// A cudaDriver is the driver that calls the libraries.
type cudaDriver struct {
	cu, rtc, blas *library
	info          deviceInfo
	dev           uintptr
	retained      bool
	handle        uintptr // of cuBLAS
	modules       map[function]uintptr

	// out is memory for results and params for the parameters of a launch. Both are pinned until the driver is closed.
	pin    runtime.Pinner
	out    *[8]uint64
	params *[maxLaunchWords]uint64
	first  *uintptr // of the list of parameters: where params is
	rtcID  string
}

// maxLaunchWords is how many words of parameters a kernel can have: 4 KiB.
const maxLaunchWords = 512

// openDriver opens the libraries and makes the primary context of the device current on this thread.
func openDriver(o *Options) (driver, error) {
	dirs := libraryDirs(o.Libraries.Dirs)
	cu, err := openLibrary(o.Libraries.CUDA, driverNames, dirs, driverSymbols[:])
	if err != nil {
		return nil, fmt.Errorf("cuda: no driver: %w", err)
	}
	d := &cudaDriver{cu: cu, modules: map[function]uintptr{}, out: new([8]uint64), params: new([maxLaunchWords]uint64), first: new(uintptr)}
	d.pin.Pin(d.out)
	d.pin.Pin(d.params)
	d.pin.Pin(d.first)
	*d.first = uintptr(unsafe.Pointer(d.params))
	if err := d.open(o, dirs); err != nil {
		return nil, errors.Join(err, d.close())
	}
	return d, nil
}

func (d *cudaDriver) open(o *Options, dirs []string) (err error) {
	if err := d.try(cuInit, 0); err != nil {
		return err
	}
	if err := d.try(cuDeviceGetCount, d.outAt(0)); err != nil {
		return err
	}
	if n := int(int32(d.out[0])); o.Device < 0 || o.Device >= n {
		return fmt.Errorf("cuda: there is no device %d: there are %d", o.Device, n)
	}
	d.out[0] = 0
	if err := d.try(cuDeviceGet, d.outAt(0), uintptr(o.Device)); err != nil {
		return err
	}
	d.dev = uintptr(uint32(d.out[0]))
	if err := d.describe(); err != nil {
		return err
	}
	if err := d.try(cuDevicePrimaryCtxRetain, d.outAt(0), d.dev); err != nil {
		return err
	}
	d.retained = true
	if err := d.try(cuCtxSetCurrent, uintptr(d.out[0])); err != nil {
		return err
	}
	if d.rtc, err = openLibrary(o.Libraries.NVRTC, namesFor("libnvrtc", d.info.driver), dirs, nvrtcSymbols[:]); err != nil {
		return fmt.Errorf("cuda: no NVRTC, with which kernels are compiled: %w", err)
	}
	if status := d.rtc.call(nvrtcVersion, d.outAt(0), d.outAt(1)); status != 0 {
		return d.nvrtcError(nvrtcVersion, status)
	}
	d.rtcID = fmt.Sprintf("NVRTC %d.%d", int32(d.out[0]), int32(d.out[1]))
	d.info.runtimeLibs = d.rtcID + " " + d.rtc.path
	d.rtcID += " " + strings.Join(nvrtcOptions, " ")
	if d.blas, err = openLibrary(o.Libraries.CUBLAS, namesFor("libcublas", d.info.driver), dirs, cublasSymbols[:], "libcublasLt.so.13", "libcublasLt.so.12"); err != nil {
		d.blas = nil // the backend says that it has no matmul
		d.info.runtimeLibs += ", no cuBLAS"
		return nil
	}
	return d.openBLAS()
}

// describe asks for what is to be known about the device.
func (d *cudaDriver) describe() error {
	if err := d.try(cuDriverGetVersion, d.outAt(0)); err != nil {
		return err
	}
	d.info.driver = int(int32(d.out[0]))
	d.info.library = d.cu.path
	name := make([]byte, 256)
	var pin runtime.Pinner
	defer pin.Unpin()
	pin.Pin(&name[0])
	if err := d.try(cuDeviceGetName, uintptr(unsafe.Pointer(&name[0])), uintptr(len(name)), d.dev); err != nil {
		return err
	}
	name, _, _ = bytes.Cut(name, []byte{0})
	d.info.name = string(name)
	attribute := func(a uintptr) (int, error) {
		d.out[0] = 0
		err := d.try(cuDeviceGetAttribute, d.outAt(0), a, d.dev)
		return int(int32(d.out[0])), err
	}
	const multiprocessors, major, minor = 16, 75, 76
	var ma, mi int
	var err error
	if d.info.multiprocs, err = attribute(multiprocessors); err != nil {
		return err
	}
	if ma, err = attribute(major); err != nil {
		return err
	}
	if mi, err = attribute(minor); err != nil {
		return err
	}
	d.info.arch = fmt.Sprintf("sm_%d%d", ma, mi)
	if err := d.try(cuDeviceGetUuid, d.outAt(0), d.dev); err != nil {
		return err
	}
	d.info.uuid = fmt.Sprintf("%x", (*[16]byte)(unsafe.Pointer(d.out))[:])
	if err := d.try(cuDeviceTotalMem, d.outAt(0), d.dev); err != nil {
		return err
	}
	d.info.memory = int64(d.out[0])
	return nil
}

// outAt is the address of a word of out.
func (d *cudaDriver) outAt(i int) uintptr { return uintptr(unsafe.Pointer(&d.out[i])) }

// try calls a function of the driver and turns its status into an error.
func (d *cudaDriver) try(f int, args ...uintptr) error {
	status := int(int32(d.cu.call(f, args...)))
	if status == statusOK {
		return nil
	}
	text := ""
	if f != cuGetErrorString {
		d.out[7] = 0
		if d.cu.call(cuGetErrorString, uintptr(status), d.outAt(7)) == 0 {
			text = cString(uintptr(d.out[7]))
		}
	}
	return &driverError{call: driverSymbols[f].name, code: status, text: text, kind: kindOf(status)}
}

// pointer makes an address outside of Go's heap a pointer.
func pointer(p uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&p)) }

// cString copies a string of C.
func cString(p uintptr) string {
	if p == 0 {
		return ""
	}
	var b []byte
	for i := 0; i < 512; i++ {
		c := *(*byte)(unsafe.Add(pointer(p), i))
		if c == 0 {
			break
		}
		b = append(b, c)
	}
	return string(b)
}

func addressOf(b []byte) uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(b))) }

func (d *cudaDriver) device() deviceInfo { return d.info }
func (d *cudaDriver) compiler() string   { return d.rtcID }
func (d *cudaDriver) canGemm() bool      { return d.blas != nil }

// made calls a function that stores a handle.
func (d *cudaDriver) made(f int, args ...uintptr) (uintptr, error) {
	d.out[0] = 0
	err := d.try(f, append([]uintptr{d.outAt(0)}, args...)...)
	return uintptr(d.out[0]), err
}

func (d *cudaDriver) memAlloc(bytes int64) (devPtr, error) {
	p, err := d.made(cuMemAlloc, uintptr(bytes))
	return devPtr(p), err
}

func (d *cudaDriver) memFree(p devPtr) error { return d.try(cuMemFree, uintptr(p)) }

func (d *cudaDriver) memInfo() (free, total int64, err error) {
	err = d.try(cuMemGetInfo, d.outAt(0), d.outAt(1))
	return int64(d.out[0]), int64(d.out[1]), err
}

func (d *cudaDriver) hostAlloc(bytes int) ([]byte, error) {
	p, err := d.made(cuMemHostAlloc, uintptr(bytes), 0)
	if err != nil {
		return nil, err
	}
	return unsafe.Slice((*byte)(pointer(p)), bytes), nil
}

func (d *cudaDriver) hostFree(b []byte) error { return d.try(cuMemFreeHost, addressOf(b)) }
func (d *cudaDriver) register(b []byte) error {
	return d.try(cuMemHostRegister, addressOf(b), uintptr(len(b)), 0)
}
func (d *cudaDriver) unregister(b []byte) error { return d.try(cuMemHostUnregister, addressOf(b)) }

func (d *cudaDriver) newStream() (stream, error) {
	const nonBlocking = 1
	p, err := d.made(cuStreamCreate, nonBlocking)
	return stream(p), err
}
func (d *cudaDriver) freeStream(s stream) error { return d.try(cuStreamDestroy, uintptr(s)) }

func (d *cudaDriver) newEvent() (event, error) {
	const disableTiming = 2
	p, err := d.made(cuEventCreate, disableTiming)
	return event(p), err
}
func (d *cudaDriver) freeEvent(e event) error { return d.try(cuEventDestroy, uintptr(e)) }
func (d *cudaDriver) record(e event, s stream) error {
	return d.try(cuEventRecord, uintptr(e), uintptr(s))
}

func (d *cudaDriver) query(e event) (bool, error) {
	if int32(d.cu.call(cuEventQuery, uintptr(e))) == statusNotReady {
		return false, nil
	}
	if err := d.try(cuEventQuery, uintptr(e)); err != nil {
		return false, err
	}
	return true, nil
}

func (d *cudaDriver) copyIn(dst devPtr, src []byte, s stream) error {
	return d.try(cuMemcpyHtoDAsync, uintptr(dst), addressOf(src), uintptr(len(src)), uintptr(s))
}

func (d *cudaDriver) copyOut(dst []byte, src devPtr, s stream) error {
	return d.try(cuMemcpyDtoHAsync, addressOf(dst), uintptr(src), uintptr(len(dst)), uintptr(s))
}

func (d *cudaDriver) fill(dst devPtr, b byte, bytes int64, s stream) error {
	return d.try(cuMemsetD8Async, uintptr(dst), uintptr(b), uintptr(bytes), uintptr(s))
}

func (d *cudaDriver) load(code []byte) (function, error) {
	image := append(bytes.Clone(code), 0)
	name := []byte("k\x00")
	var pin runtime.Pinner
	defer pin.Unpin()
	pin.Pin(&image[0])
	pin.Pin(&name[0])
	m, err := d.made(cuModuleLoadData, addressOf(image))
	if err != nil {
		return 0, err
	}
	f, err := d.made(cuModuleGetFunction, m, addressOf(name))
	if err != nil {
		return 0, errors.Join(err, d.try(cuModuleUnload, m))
	}
	d.modules[function(f)] = m
	return function(f), nil
}

func (d *cudaDriver) unload(f function) error {
	m := d.modules[f]
	delete(d.modules, f)
	return d.try(cuModuleUnload, m)
}

func (d *cudaDriver) launch(f function, blocks, threads int, words []uint64, s stream) error {
	copy(d.params[:], words) // CUDA has copied them when the call returns
	return d.try(cuLaunchKernel, uintptr(f), uintptr(blocks), 1, 1, uintptr(threads), 1, 1, 0, uintptr(s), uintptr(unsafe.Pointer(d.first)), 0)
}

func (d *cudaDriver) close() error {
	var err error
	if d.handle != 0 {
		if status := d.blas.call(cublasDestroy, d.handle); status != 0 {
			err = blasError(cublasDestroy, status)
		}
		d.handle = 0
	}
	if d.retained {
		err = errors.Join(err, d.try(cuCtxSetCurrent, 0), d.try(cuDevicePrimaryCtxRelease, d.dev))
		d.retained = false
	}
	d.pin.Unpin()
	return err
}

// compile compiles to code of this device, not to code that the driver would have to compile: of a
// newer compiler it might not know it.
func (d *cudaDriver) compile(source string) ([]byte, error) {
	var pin runtime.Pinner
	defer pin.Unpin()
	c := func(s string) uintptr {
		b := append([]byte(s), 0)
		pin.Pin(&b[0])
		return addressOf(b)
	}
	out := new([2]uint64)
	pin.Pin(out)
	prog, size := uintptr(unsafe.Pointer(&out[0])), uintptr(unsafe.Pointer(&out[1]))
	if status := d.rtc.call(nvrtcCreateProgram, prog, c(source), c("kernel.cu"), 0, 0, 0); status != 0 {
		return nil, d.nvrtcError(nvrtcCreateProgram, status)
	}
	defer d.rtc.call(nvrtcDestroyProgram, prog)
	options := []uintptr{c("--gpu-architecture=" + d.info.arch)}
	for _, o := range nvrtcOptions {
		options = append(options, c(o))
	}
	pin.Pin(&options[0])
	p := uintptr(out[0])
	read := func(sizeOf, get int) ([]byte, error) {
		if status := d.rtc.call(sizeOf, p, size); status != 0 || out[1] > math.MaxInt32 {
			return nil, d.nvrtcError(sizeOf, status)
		}
		b := make([]byte, out[1]+1)
		pin.Pin(&b[0])
		if status := d.rtc.call(get, p, addressOf(b)); status != 0 {
			return nil, d.nvrtcError(get, status)
		}
		return b[:out[1]], nil
	}
	if status := d.rtc.call(nvrtcCompileProgram, p, uintptr(len(options)), uintptr(unsafe.Pointer(&options[0]))); status != 0 {
		log, _ := read(nvrtcGetProgramLogSize, nvrtcGetProgramLog)
		return nil, fmt.Errorf("%w: %s", d.nvrtcError(nvrtcCompileProgram, status), log)
	}
	return read(nvrtcGetCUBINSize, nvrtcGetCUBIN)
}

func (d *cudaDriver) nvrtcError(f int, status uintptr) error {
	return &driverError{call: nvrtcSymbols[f].name, code: int(int32(status)), text: cString(d.rtc.call(nvrtcGetErrorString, status))}
}
