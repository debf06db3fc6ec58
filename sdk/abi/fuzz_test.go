package abi

import (
	"encoding/json"
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/enginelog"
)

// documents are all that crosses the border, by one decoder each.
var documents = map[string]func([]byte) (any, error){
	"start":           decode[Request[SpecArgs]],
	"stop":            decode[Request[StopArgs]],
	"wait_healthy":    decode[Request[WaitHealthyArgs]],
	"id":              decode[Request[IDArgs]],
	"project":         decode[Request[ProjectArgs]],
	"logs":            decode[Request[LogsArgs]],
	"exec":            decode[Request[ExecArgs]],
	"network":         decode[Request[NetworkArgs]],
	"volume":          decode[Request[VolumeArgs]],
	"restart_policy":  decode[Request[RestartPolicyArgs]],
	"events":          decode[Request[EventsArgs]],
	"none":            decode[Request[None]],
	"started":         decode[StartResult],
	"state":           decode[StateResult],
	"states":          decode[StatesResult],
	"info":            decode[InfoResult],
	"prepared":        decode[PreparedResult],
	"exec result":     decode[ExecResult],
	"created":         decode[CreatedResult],
	"volumes":         decode[VolumesResult],
	"env":             decode[EnvResult],
	"ports":           decode[PortsResult],
	"error":           decode[Error],
	"emission":        decode[Emission],
	"manifest":        decode[Manifest],
	"program":         decode[ExecRequest],
	"program ran":     decode[RunResult],
	"program spawned": decode[SpawnResult],
	"program ended":   decode[WaitResult],
	"request":         decode[HTTPRequest],
	"response":        decode[HTTPResponse],
	"log":             decode[LogRequest],
	"log's end":       decode[enginelog.End],
}

func decode[Document any](data []byte) (any, error) {
	var d Document
	err := json.Unmarshal(data, &d)
	return d, err
}

// FuzzDocuments shows that no bytes make a decoder of the ABI panic, and that
// what one side has understood the other understands the same.
func FuzzDocuments(f *testing.F) {
	for _, seed := range []string{
		`{"ctx":{"op":"ls_start","project":"shop","config":{"a":[1]},"timeout_ms":5},"args":{"spec":{"name":"shop.db","image":"db:1","command":["a"],"env":{"K":"V"},"ports":[{"container":80}],"healthcheck":{"test":["CMD","x"],"interval_ms":1000}}}}`,
		`{"stdout":1,"stderr":2,"since":"2026-01-02T03:04:05.6Z","after":{"first":"2026-01-02T03:04:05Z","stdout":{"time":"2026-01-02T03:04:06Z","count":2}},"pieces":true}`,
		`{"ctx":{"op":"ls_stop"},"args":{"id":"c1","grace_ms":10000}}`,
		`{"ctx":{"op":"ls_logs"},"args":{"id":"c1","options":{"follow":true,"since":"2026-01-02T03:04:05.6Z","tail":-1}}}`,
		`{"state":{"id":"c1","status":"running","health":"none","started_at":"2026-01-02T03:04:05Z","exit_code":3,"ports":[{"container":80,"host":8080,"ip":"127.0.0.1"}]}}`,
		`{"states":[{"id":"c1","status":"exited","exit_code":0,"labels":{"a":"b"}}]}`,
		`{"message":"it is there","op":"start","resource":"db","hint":"look","exit_code":3,"output":"last"}`,
		`{"type":"event","event":{"type":"lost","time":"2026-01-02T03:04:05Z"},"status":5,"error":{"message":"gone"}}`,
		`{"type":"progress","progress":{"action":"pull","current":1,"total":2}}`,
		`{"abi":1,"name":"x","requests":{"exec":[{"program":"a","args":[["x","**"]],"env":["A"]}],"http":[{"endpoint":"e","paths":["/v*/**"]}],"kv":{"bytes":1}}}`,
		`{"program":"nerdctl","args":["ps"],"env":[["K","V"]],"timeout_ms":9223372036854}`,
		`{"endpoint":"engine","method":"GET","path":"/v1/x","query":[["a","b"]],"headers":[["X","y"]]}`,
		`{"status":200,"headers":[["a","b"]],"body":1}`, `{"process":1,"stdout":2,"stderr":3}`, `{"exit_code":1,"stdout":1,"truncated":true}`,
		`{"requests":{"http":[]}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for name, decode := range documents {
			document, err := decode(data)
			if err != nil {
				continue
			}
			crossed, err := json.Marshal(document)
			if err != nil {
				t.Fatalf("%s: what was decoded can't be encoded: %v", name, err)
			}
			again, err := decode(crossed)
			if err != nil {
				t.Fatalf("%s: what was encoded can't be decoded: %v\n%s", name, err, crossed)
			}
			twice, err := json.Marshal(again)
			if err != nil || string(twice) != string(crossed) {
				t.Fatalf("%s: crossing twice makes\n%s of\n%s (%v)", name, twice, crossed, err)
			}
		}
		errorsCross(t, data)
		eventsCross(t, data)
	})
}

// errorsCross decodes data as an error document and sends the error on.
func errorsCross(t *testing.T, data []byte) {
	var document Error
	if json.Unmarshal(data, &document) != nil {
		return
	}
	for status := Status(-1); status <= Unhealthy+1; status++ {
		err := document.Err(status, nil)
		if (err == nil) != (status == OK) {
			t.Fatalf("status %d is the error %v", status, err)
		}
		if err == nil {
			continue
		}
		again, onward := FromError(err)
		if again == OK || again.Code() != status.Code() || onward != document {
			t.Fatalf("status %d, %+v goes on as %d, %+v", status, document, again, onward)
		}
	}
}

// eventsCross decodes data as an emission and sends its event on.
func eventsCross(t *testing.T, data []byte) {
	var emission Emission
	if json.Unmarshal(data, &emission) != nil {
		return
	}
	event, err := emission.SDKEvent()
	if err != nil {
		return
	}
	again, err := FromEvent(event).SDKEvent()
	if err != nil {
		t.Fatal(err)
	}
	if (event.Err == nil) != (again.Err == nil) || event.Err != nil && event.Err.Error() != again.Err.Error() {
		t.Fatalf("the event's error %v became %v", event.Err, again.Err)
	}
	event.Err, again.Err = nil, nil
	if !reflect.DeepEqual(event, again) {
		t.Fatalf("%+v became %+v", event, again)
	}
}

// FuzzDurations shows that each duration arrives, rounded up to milliseconds.
func FuzzDurations(f *testing.F) {
	for _, seed := range []int64{0, 1, -1, 999_999, 1_000_001, math.MaxInt64, math.MinInt64} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, ns int64) {
		data, err := json.Marshal(StopArgs{Grace: sdk.Duration(ns)})
		if err != nil {
			t.Fatal(err)
		}
		var back StopArgs
		if err := json.Unmarshal(data, &back); err != nil {
			t.Fatalf("%s: %v", data, err)
		}
		if gap := back.Grace.Std() - time.Duration(ns); gap.Abs() >= time.Millisecond {
			t.Fatalf("%d ns became %d", ns, back.Grace)
		}
	})
}
