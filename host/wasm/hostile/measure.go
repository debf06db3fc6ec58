package hostile

import (
	"bytes"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"time"
)

// watchStalls measures, until the function that it returns is called, the
// longest time in which a goroutine that wanted to run couldn't, beyond the
// millisecond that it sleeps. Meanwhile garbage is collected, for which all
// goroutines have to stop: a guest that never looks up holds it up, and with it
// everybody.
func watchStalls() func() time.Duration {
	const (
		tick    = time.Millisecond
		collect = usualTime / 5
	)
	stop, done := make(chan struct{}), make(chan time.Duration)
	go func() {
		ticker := time.NewTicker(tick)
		defer ticker.Stop()
		var longest time.Duration
		last := time.Now()
		for {
			select {
			case <-stop:
				done <- longest
				return
			case <-ticker.C:
				now := time.Now()
				longest = max(longest, now.Sub(last)-tick)
				last = now
			}
		}
	}()
	collected := make(chan struct{})
	go func() {
		defer close(collected)
		ticker := time.NewTicker(collect)
		defer ticker.Stop()
		for range 3 {
			select {
			case <-stop:
				return
			case <-ticker.C:
				runtime.GC()
			}
		}
	}()
	return func() time.Duration {
		close(stop)
		<-collected
		return <-done
	}
}

// watchMemory measures by how many bytes the program's memory grows at most
// until the function that it returns is called.
func watchMemory() func() int64 {
	debug.FreeOSMemory()
	// 5 makes the system forget the peak so far.
	if os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) != nil {
		return func() int64 { return 0 }
	}
	before := peak()
	return func() int64 { return max(0, peak()-before) }
}

// peak is the most memory that the program had, in bytes.
func peak() int64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, rest, _ := bytes.Cut(status, []byte("VmHWM:"))
	fields := bytes.Fields(rest)
	if len(fields) == 0 {
		return 0
	}
	kib, err := strconv.ParseInt(string(fields[0]), 10, 64)
	if err != nil {
		return 0
	}
	return kib << 10
}
