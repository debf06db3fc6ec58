package abi

import "github.com/lightshuttle/lightshuttle/sdk"

// Status is how an operation or a call of the host ended. Calls that return a
// number of bytes return a failure as the negated status.
type Status int32

// The statuses. Those up to Unhealthy that have an sdk.Code of their own survive
// the crossing both ways; see [Status.Code].
const (
	OK            Status = 0
	Invalid       Status = 1
	NotFound      Status = 2
	AlreadyExists Status = 3 // read as a conflict
	Unsupported   Status = 4
	Unavailable   Status = 5
	Timeout       Status = 6
	Cancelled     Status = 7
	Denied        Status = 8 // not requested by the module, or not granted by the user
	Limit         Status = 9 // more than the host allows: handles, bytes, processes
	Conflict      Status = 10
	ImageNotFound Status = 11
	BuildFailed   Status = 12
	Internal      Status = 13
	IO            Status = 14 // reading or writing a handle failed
	BadHandle     Status = 15
	PortInUse     Status = 16
	Unauthorized  Status = 17
	Exited        Status = 18 // exit_code in the error document
	Unhealthy     Status = 19
)

var codes = map[Status]sdk.Code{
	Invalid:       sdk.CodeInvalid,
	NotFound:      sdk.CodeNotFound,
	AlreadyExists: sdk.CodeConflict,
	Unsupported:   sdk.CodeUnsupported,
	Unavailable:   sdk.CodeUnavailable,
	Timeout:       sdk.CodeTimeout,
	Cancelled:     sdk.CodeCancelled,
	Denied:        sdk.CodeDenied,
	Conflict:      sdk.CodeConflict,
	ImageNotFound: sdk.CodeImageNotFound,
	BuildFailed:   sdk.CodeBuildFailed,
	Internal:      sdk.CodeInternal,
	PortInUse:     sdk.CodePortInUse,
	Unauthorized:  sdk.CodeUnauthorized,
	Exited:        sdk.CodeExited,
	Unhealthy:     sdk.CodeUnhealthy,
}

// Code is what the status means to the rest of the program. Limit, IO,
// BadHandle and statuses from the future are internal errors; OK is "".
func (s Status) Code() sdk.Code {
	if s == OK {
		return ""
	}
	if code, known := codes[s]; known {
		return code
	}
	return sdk.CodeInternal
}

// StatusOf returns the status with which a code crosses. Codes from the future
// cross as Internal; "" is OK.
func StatusOf(code sdk.Code) Status {
	if code == "" {
		return OK
	}
	for status, candidate := range codes {
		if candidate == code && status != AlreadyExists {
			return status
		}
	}
	return Internal
}
