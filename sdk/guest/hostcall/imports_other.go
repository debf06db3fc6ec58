//go:build !wasip1

package hostcall

import "unsafe"

// unsupported is the status for what isn't there.
const unsupported = 4

func inputRead(unsafe.Pointer, uint32, uint32) int32                   { return 0 }
func resultRead(unsafe.Pointer, uint32, uint32) int32                  { return 0 }
func outputWrite(unsafe.Pointer, uint32) int32                         { return unsupported }
func logLine(int32, unsafe.Pointer, uint32)                            {}
func emit(unsafe.Pointer, uint32) int32                                { return unsupported }
func clock(int32) int64                                                { return 0 }
func sleep(int64) int32                                                { return unsupported }
func ioRead(int32, unsafe.Pointer, uint32) int32                       { return -unsupported }
func ioPoll(unsafe.Pointer, uint32, int64) int32                       { return -unsupported }
func ioClose(int32) int32                                              { return unsupported }
func streamWrite(int32, int64, unsafe.Pointer, uint32) int32           { return unsupported }
func streamForward(int32, int32) int32                                 { return unsupported }
func logForward(unsafe.Pointer, uint32) int32                          { return unsupported }
func execRun(unsafe.Pointer, uint32, unsafe.Pointer, uint32) int32     { return unsupported }
func execSpawn(unsafe.Pointer, uint32, unsafe.Pointer, uint32) int32   { return unsupported }
func execWait(int32) int32                                             { return unsupported }
func execKill(int32, int32) int32                                      { return unsupported }
func httpRequest(unsafe.Pointer, uint32, unsafe.Pointer, uint32) int32 { return unsupported }
func kvGet(unsafe.Pointer, uint32) int32                               { return unsupported }
func kvSet(unsafe.Pointer, uint32, unsafe.Pointer, uint32) int32       { return unsupported }
func kvDelete(unsafe.Pointer, uint32) int32                            { return unsupported }
func kvList(unsafe.Pointer, uint32) int32                              { return unsupported }
