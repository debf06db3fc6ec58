package hostcall

import "unsafe"

//go:wasmimport lightshuttle_v1 input_read
func inputRead(buf unsafe.Pointer, size, offset uint32) int32

//go:wasmimport lightshuttle_v1 result_read
func resultRead(buf unsafe.Pointer, size, offset uint32) int32

//go:wasmimport lightshuttle_v1 output_write
func outputWrite(ptr unsafe.Pointer, size uint32) int32

//go:wasmimport lightshuttle_v1 log
func logLine(level int32, ptr unsafe.Pointer, size uint32)

//go:wasmimport lightshuttle_v1 emit
func emit(ptr unsafe.Pointer, size uint32) int32

//go:wasmimport lightshuttle_v1 clock
func clock(id int32) int64

//go:wasmimport lightshuttle_v1 sleep
func sleep(nanoseconds int64) int32

//go:wasmimport lightshuttle_v1 io_read
func ioRead(handle int32, buf unsafe.Pointer, size uint32) int32

//go:wasmimport lightshuttle_v1 io_poll
func ioPoll(handles unsafe.Pointer, count uint32, nanoseconds int64) int32

//go:wasmimport lightshuttle_v1 io_close
func ioClose(handle int32) int32

//go:wasmimport lightshuttle_v1 stream_write
func streamWrite(kind int32, time int64, ptr unsafe.Pointer, size uint32) int32

//go:wasmimport lightshuttle_v1 stream_forward
func streamForward(handle, kind int32) int32

//go:wasmimport lightshuttle_v1 log_forward
func logForward(ptr unsafe.Pointer, size uint32) int32

//go:wasmimport lightshuttle_exec_v1 run
func execRun(ptr unsafe.Pointer, size uint32, stdin unsafe.Pointer, stdinSize uint32) int32

//go:wasmimport lightshuttle_exec_v1 spawn
func execSpawn(ptr unsafe.Pointer, size uint32, stdin unsafe.Pointer, stdinSize uint32) int32

//go:wasmimport lightshuttle_exec_v1 wait
func execWait(process int32) int32

//go:wasmimport lightshuttle_exec_v1 kill
func execKill(process, signal int32) int32

//go:wasmimport lightshuttle_http_v1 request
func httpRequest(ptr unsafe.Pointer, size uint32, body unsafe.Pointer, bodySize uint32) int32

//go:wasmimport lightshuttle_kv_v1 get
func kvGet(key unsafe.Pointer, size uint32) int32

//go:wasmimport lightshuttle_kv_v1 set
func kvSet(key unsafe.Pointer, size uint32, value unsafe.Pointer, valueSize uint32) int32

//go:wasmimport lightshuttle_kv_v1 delete
func kvDelete(key unsafe.Pointer, size uint32) int32

//go:wasmimport lightshuttle_kv_v1 list
func kvList(prefix unsafe.Pointer, size uint32) int32
