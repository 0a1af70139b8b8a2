package shm

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// newSharedBuffers makes memory to which this process writes, and a file by which others can read it.
//
// F_SEAL_FUTURE_WRITE would do that too, and even if a worker opens the file anew, but under it memory cannot be given back. What is needed
// is that a worker gone mad does not change what the next one is given; one that is taken over has other ways.
func newSharedBuffers(size int64) (*os.File, []byte, error) {
	fd, err := unix.MemfdCreate("spore-gpu-buffers", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return nil, nil, errors.Join(errors.ErrUnsupported, err)
	}
	defer unix.Close(fd)
	f, err := os.OpenFile(fmt.Sprintf("/proc/self/fd/%d", fd), os.O_RDONLY, 0)
	if err != nil {
		return nil, nil, errors.Join(errors.ErrUnsupported, err) // there is no /proc
	}
	var mem []byte
	if err = unix.Ftruncate(fd, size); err == nil {
		_, err = unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, unix.F_SEAL_SHRINK|unix.F_SEAL_GROW|unix.F_SEAL_SEAL)
	}
	if err == nil {
		mem, err = mapShared(uintptr(fd), size)
	}
	if err != nil {
		f.Close()
		return nil, nil, fmt.Errorf("shm: buffers: %w", err)
	}
	return f, mem, nil
}

// MapBuffers maps the buffers of a host, in its worker, and closes the file. Nothing can be written to them, and what is in them may change at any
// time. There are none if the file is not what a host with buffers hands over.
func MapBuffers(fd int) ([]byte, error) {
	var info unix.Stat_t
	if err := unix.Fstat(fd, &info); err != nil {
		return nil, err
	}
	if info.Mode&unix.S_IFMT != unix.S_IFREG {
		return nil, errors.ErrUnsupported
	}
	defer unix.Close(fd)
	return unix.Mmap(fd, 0, int(info.Size), unix.PROT_READ, unix.MAP_SHARED)
}

// discard gives memory back to the system. It is zero then.
func discard(mem []byte) error { return unix.Madvise(mem, unix.MADV_REMOVE) }

func unmap(mem []byte) error { return unix.Munmap(mem) }
