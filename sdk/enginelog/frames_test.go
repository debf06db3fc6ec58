package enginelog

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/lightshuttle/lightshuttle/sdk"
)

func TestFrames(t *testing.T) {
	long := strings.Repeat("x", longestPiece+1)
	for frames, want := range map[string]string{
		"": "",
		"\x01\x00\x00\x00\x00\x00\x00\x19" + "2026-01-02T03:04:05Z out\n" + "\x02\x00\x00\x00\x00\x00\x00\x18" + "2026-01-02T03:04:06Z err": "stdout 05 out\n|stderr 06 err",
		"\x01\x00\x00\x00\x00\x00\x00\x00":                                  "",
		"\x01\x00\x00\x00\x00\x01\x00\x16" + "2026-01-02T03:04:07Z " + long: "stdout 07 " + long[:longestPiece-21] + "|stdout 07 " + long[longestPiece-21:],
	} {
		var got []string
		err := Frames(strings.NewReader(frames), true, func(e sdk.LogEntry) error {
			got = append(got, string(e.Stream)+e.Time.Format(" 05 ")+string(e.Data))
			return nil
		})
		if text := strings.Join(got, "|"); err != nil || text != want {
			t.Errorf("%.60q: got %.200q, %v; want %.200q", frames, text, err, want)
		}
	}
}

func TestDamagedFrames(t *testing.T) {
	for frames, want := range map[string]error{
		"\x01\x00\x00\x00\x00\x00\x00\x05hell":      io.ErrUnexpectedEOF,
		"\x01\x00\x00\x00\x00\x00\x00\x05":          io.ErrUnexpectedEOF,
		"\x01\x00":                                  io.ErrUnexpectedEOF,
		"2026-01-02T03:04:05Z no frame":             nil,
		"\x03\x00\x00\x00\x00\x00\x00\x05hello":     nil,
		"\x01\x01\x00\x00\x00\x00\x00\x05hello\x01": nil,
	} {
		err := Frames(strings.NewReader(frames), true, func(sdk.LogEntry) error { return nil })
		if err == nil || want != nil && !errors.Is(err, want) {
			t.Errorf("%q: error = %v, want %v", frames, err, want)
		}
	}
}
