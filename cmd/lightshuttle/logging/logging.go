package logging

import (
	"fmt"
	"io"
	"log/slog"

	"github.com/lmittmann/tint"

	"github.com/lightshuttle/lightshuttle/cmd/lightshuttle/plaintext"
	"github.com/lightshuttle/lightshuttle/config"
)

// Options say how to log.
type Options struct {
	// Settings are those of the user.
	Settings config.Log
	// Terminal says that stderr is one.
	Terminal bool
	// NoColor says that NO_COLOR is set to something.
	NoColor bool
}

// New returns the logger of the program. Only tests give another writer than
// stderr.
func New(stderr io.Writer, options Options) *slog.Logger {
	if options.Settings.Format == config.FormatJSON {
		return slog.New(slog.NewJSONHandler(stderr, &slog.HandlerOptions{Level: options.Settings.Level}))
	}
	return slog.New(tint.NewTextHandler(stderr, &tint.Options{
		Level:       options.Settings.Level,
		TimeFormat:  "15:04:05.000",
		NoColor:     !options.Terminal || options.NoColor,
		ReplaceAttr: harmless,
	}))
}

// harmless keeps text of containers and engines from steering the terminal: with
// colours on, tint lets escape sequences in values pass.
func harmless(_ []string, attr slog.Attr) slog.Attr {
	attr.Key = plaintext.Line(attr.Key)
	switch attr.Value.Kind() {
	case slog.KindString:
		attr.Value = slog.StringValue(plaintext.Line(attr.Value.String()))
	case slog.KindAny:
		// The level is one of these too, and tint wants it as it is.
		if _, ok := attr.Value.Any().(slog.Level); !ok {
			attr.Value = slog.StringValue(plaintext.Line(fmt.Sprintf("%+v", attr.Value.Any())))
		}
	}
	return attr
}
