package main

import "golang.org/x/sys/unix"

// sharedMemory returns memory as that which a worker shares with its host: a sealed memory file, mapped.
func sharedMemory(n int) (b []byte, free func(), err error) {
	fd, err := unix.MemfdCreate("devicecheck", unix.MFD_ALLOW_SEALING|unix.MFD_CLOEXEC)
	if err != nil {
		return nil, nil, err
	}
	defer unix.Close(fd)
	if err := unix.Ftruncate(fd, int64(n)); err != nil {
		return nil, nil, err
	}
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, unix.F_SEAL_SHRINK|unix.F_SEAL_GROW|unix.F_SEAL_SEAL); err != nil {
		return nil, nil, err
	}
	if b, err = unix.Mmap(fd, 0, n, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED); err != nil {
		return nil, nil, err
	}
	for i := 0; i < n; i += 4096 {
		b[i] = 1
	}
	return b, func() { _ = unix.Munmap(b) }, nil
}
