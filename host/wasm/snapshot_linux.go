package wasm

import (
	"bytes"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// snapshot is a copy of a memory, of which instances share what they don't write.
type snapshot struct {
	file *os.File
	size uint32
}

// takeSnapshot copies a memory. Pages of zeros take no room.
func takeSnapshot(memory []byte) (*snapshot, error) {
	fd, err := unix.MemfdCreate("plugin", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, err
	}
	s := &snapshot{file: os.NewFile(uintptr(fd), "plugin"), size: uint32(len(memory))} //nolint:gosec // at most 64 MiB
	if err := s.write(memory); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *snapshot) write(memory []byte) error {
	if err := s.file.Truncate(int64(len(memory))); err != nil {
		return err
	}
	page := make([]byte, os.Getpagesize())
	for at := 0; at < len(memory); at += len(page) {
		part := memory[at:min(at+len(page), len(memory))]
		if bytes.Equal(part, page[:len(part)]) {
			continue
		}
		if _, err := s.file.WriteAt(part, int64(at)); err != nil {
			return err
		}
	}
	return nil
}

// restore gives a memory, which view shows as far as the snapshot goes, the
// snapshot's content. A page is copied when the instance first writes to it.
func (s *snapshot) restore(l *linear, view []byte) error {
	if len(l.mapping) < len(view) || len(view) == 0 || &view[0] != &l.mapping[0] {
		_, err := s.file.ReadAt(view, 0)
		return err
	}
	const access, flags = unix.PROT_READ | unix.PROT_WRITE, unix.MAP_PRIVATE | unix.MAP_FIXED | unix.MAP_NORESERVE
	_, err := unix.MmapPtr(int(s.file.Fd()), 0, unsafe.Pointer(&l.mapping[0]), uintptr(len(view)), access, flags) //nolint:gosec // within our own mapping
	return err
}

func (s *snapshot) close() { _ = s.file.Close() }
