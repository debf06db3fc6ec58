package hostcall

import "unsafe"

// Input returns the document that the operation was called with.
func Input() []byte { return document(inputRead) }

// Result returns the document of the last call that has one: LogForward, Run,
// Spawn, Wait, Kill, Request and those of the store.
func Result() []byte { return document(resultRead) }

// scratch takes a document of the usual size in one call. A module has one
// thread, and nothing else runs while the host reads.
var scratch [4 << 10]byte

func document(read func(buf unsafe.Pointer, size, offset uint32) int32) []byte {
	n := read(unsafe.Pointer(&scratch[0]), uint32(len(scratch)), 0)
	if n <= 0 {
		return nil
	}
	if int(n) < len(scratch) {
		return append([]byte(nil), scratch[:n]...)
	}
	buf := make([]byte, read(nil, 0, 0))
	return buf[:read(unsafe.Pointer(&buf[0]), uint32(len(buf)), 0)]
}

// Output leaves the operation's result, or its error document.
func Output(document []byte) int32 { return outputWrite(bytesOf(document)) }

// Log writes a line to the program's log. The levels are those of the sdk.
func Log(level int32, line string) {
	logLine(level, unsafe.Pointer(unsafe.StringData(line)), uint32(len(line)))
}

// Emit says something while the operation runs.
func Emit(document []byte) int32 { return emit(bytesOf(document)) }

// Clock reads one of the host's clocks, in nanoseconds.
func Clock(id int32) int64 { return clock(id) }

// Sleep waits.
func Sleep(nanoseconds int64) int32 { return sleep(nanoseconds) }

// Read reads at least one byte. It returns 0 at the end and a negated status
// when it fails.
func Read(handle int32, buf []byte) int32 {
	ptr, size := bytesOf(buf)
	return ioRead(handle, ptr, size)
}

// Poll waits until one of the handles is ready, and sets those that aren't to 0.
// It returns how many are, 0 after the timeout (none if it is negative), or a
// negated status.
func Poll(handles []int32, nanoseconds int64) int32 {
	return ioPoll(unsafe.Pointer(unsafe.SliceData(handles)), uint32(len(handles)), nanoseconds)
}

// Close closes a handle. That of a process kills it.
func Close(handle int32) int32 { return ioClose(handle) }

// StreamWrite gives output to who called the operation. The time is in
// nanoseconds since 1970; 0 means now.
func StreamWrite(kind int32, time int64, data []byte) int32 {
	ptr, size := bytesOf(data)
	return streamWrite(kind, time, ptr, size)
}

// StreamForward lets the host give all that the handle still has to who called
// the operation.
func StreamForward(handle, kind int32) int32 { return streamForward(handle, kind) }

// LogForward lets the host take an engine's log apart and give it to who called
// the operation, and waits until that is done.
func LogForward(request []byte) int32 { return logForward(bytesOf(request)) }

// Run runs a program to its end.
func Run(request, stdin []byte) int32 { return pair(execRun, request, stdin) }

// Spawn starts a program.
func Spawn(request, stdin []byte) int32 { return pair(execSpawn, request, stdin) }

// Wait waits for the end of a program that was spawned.
func Wait(process int32) int32 { return execWait(process) }

// Kill sends signal 9 or 15 to the process group of a program.
func Kill(process, signal int32) int32 { return execKill(process, signal) }

// Request makes an HTTP request.
func Request(request, body []byte) int32 { return pair(httpRequest, request, body) }

// Get looks up a key of the store.
func Get(key string) int32 { return kvGet(textOf(key)) }

// Set stores a value.
func Set(key string, value []byte) int32 {
	return pair(kvSet, unsafe.Slice(unsafe.StringData(key), len(key)), value)
}

// Delete deletes a key of the store.
func Delete(key string) int32 { return kvDelete(textOf(key)) }

// List lists the keys that begin with the prefix.
func List(prefix string) int32 { return kvList(textOf(prefix)) }

func pair(call func(a unsafe.Pointer, aSize uint32, b unsafe.Pointer, bSize uint32) int32, a, b []byte) int32 {
	aPtr, aSize := bytesOf(a)
	bPtr, bSize := bytesOf(b)
	return call(aPtr, aSize, bPtr, bSize)
}

func bytesOf(data []byte) (unsafe.Pointer, uint32) {
	return unsafe.Pointer(unsafe.SliceData(data)), uint32(len(data))
}

func textOf(text string) (unsafe.Pointer, uint32) {
	return unsafe.Pointer(unsafe.StringData(text)), uint32(len(text))
}
