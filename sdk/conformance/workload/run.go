package workload

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// program is one run of the test program.
type program struct {
	World
	arguments []string
}

// killed is what a run returns that ctx ended.
const killed = 137

var behaviours = map[string]func(program, context.Context) int{
	"serve":    program.serve,    // [PORT]: HTTP, READY_AFTER its start, until SIGTERM
	"udp":      program.udp,      // [PORT]: sends every datagram back
	"get":      program.get,      // [URL]: exits 0 if it, or the server beside, answers 200
	"reach":    program.reach,    // URL: exits 0 as soon as it answers 200
	"wait":     program.wait,     // ends at once on SIGTERM
	"signals":  program.signals,  // ends with SignalCode on any signal
	"stubborn": program.stubborn, // ignores SIGTERM and SIGINT
	"linger":   program.linger,   // DURATION: ends that long after SIGTERM
	"exit":     program.exit,     // CODE: ends with the code, after EXIT_AFTER
	"say":      program.say,      // CODE [OUT [ERR]]: prints both, ends with the code
	"true":     program.succeed,
	"env":      program.env,
	"show":     program.show,     // prints its Self as JSON
	"print":    program.print,    // N: as many lines on either stream
	"tick":     program.tick,     // N DURATION: a line each DURATION
	"lines":    program.lines,    // N: as many numbered lines of LineWidth bytes
	"flood":    program.flood,    // N: as many bytes without a line break
	"partial":  program.partial,  // a last line without a line break, on either stream
	"strange":  program.strange,  // Strange
	"bytes":    program.bytes,    // all values of a byte, in order
	"allocate": program.allocate, // N: takes as many bytes of memory, then waits
	"write":    program.write,    // PATH TEXT
	"read":     program.read,     // PATH
}

// Run behaves as the arguments say and returns the exit code. The end of ctx
// kills it.
func Run(ctx context.Context, world World, arguments []string) int {
	if len(arguments) > 1 && arguments[0] == Lasting {
		return lasting(ctx, world, duration(arguments[1]), arguments[2:])
	}
	name := "serve"
	if len(arguments) > 0 {
		name, arguments = arguments[0], arguments[1:]
	}
	behaviour, ok := behaviours[name]
	if !ok {
		fmt.Fprintln(world.Stderr, "unknown command", name)
		return 2
	}
	return behaviour(program{world, arguments}, ctx)
}

// Lasting is followed by a duration and a behaviour, which lasts that
// much longer, unless it listens for signals. Some engines lose what a program
// prints right before its end.
const Lasting = "lasting"

func lasting(ctx context.Context, world World, longer time.Duration, arguments []string) int {
	listens := false
	notify := world.Notify
	world.Notify = func() <-chan string {
		listens = true
		return notify()
	}
	code := Run(ctx, world, arguments)
	if !listens && !pause(ctx, longer) {
		return killed
	}
	return code
}

// argument is the argument at i, or "".
func (p program) argument(i int) string {
	if i < len(p.arguments) {
		return p.arguments[i]
	}
	return ""
}

// number is the first argument as one, or 0.
func (p program) number() int64 {
	n, err := strconv.ParseInt(p.argument(0), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

func (p program) variable(name string) string {
	for _, pair := range p.Environ {
		if value, ok := strings.CutPrefix(pair, name+"="); ok {
			return value
		}
	}
	return ""
}

func duration(text string) time.Duration {
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0
	}
	return d
}

// lastly waits EXIT_AFTER and ends with the code.
func (p program) lastly(ctx context.Context, code int) int {
	if after := duration(p.variable("EXIT_AFTER")); after > 0 && !pause(ctx, after) {
		return killed
	}
	return code
}

// write copies to one of its outputs; a broken one ends the program.
func write(w io.Writer, text string) int {
	if _, err := io.WriteString(w, text); err != nil {
		return 1
	}
	return 0
}

func (p program) wait(ctx context.Context) int {
	signals := p.Notify()
	fmt.Fprintln(p.Stdout, "waiting")
	select {
	case <-signals:
		return 0
	case <-ctx.Done():
		return killed
	}
}

func (p program) signals(ctx context.Context) int {
	signals := p.Notify()
	fmt.Fprintln(p.Stdout, "listening")
	select {
	case name := <-signals:
		fmt.Fprintln(p.Stdout, "got", name)
		return SignalCode(Signals[name])
	case <-ctx.Done():
		return killed
	}
}

func (p program) stubborn(ctx context.Context) int {
	p.Notify()
	fmt.Fprintln(p.Stdout, "stubborn")
	<-ctx.Done()
	return killed
}

func (p program) linger(ctx context.Context) int {
	signals := p.Notify()
	fmt.Fprintln(p.Stdout, "lingering")
	select {
	case <-signals:
	case <-ctx.Done():
		return killed
	}
	if !pause(ctx, duration(p.argument(0))) {
		return killed
	}
	fmt.Fprintln(p.Stdout, "done")
	return 0
}

func (p program) exit(ctx context.Context) int {
	fmt.Fprintln(p.Stdout, "bye")
	fmt.Fprintln(p.Stderr, "last words")
	return p.lastly(ctx, int(p.number()))
}

func (p program) say(ctx context.Context) int {
	for i, w := range []io.Writer{p.Stdout, p.Stderr} {
		if text := p.argument(i + 1); text != "" {
			fmt.Fprintln(w, text)
		}
	}
	return p.lastly(ctx, int(p.number()))
}

func (p program) succeed(context.Context) int { return 0 }

func (p program) env(context.Context) int {
	return write(p.Stdout, strings.Join(p.Environ, "\n")+"\n")
}

func (p program) show(context.Context) int {
	data, err := json.Marshal(p.Self())
	if err != nil {
		return 1
	}
	return write(p.Stdout, string(data)+"\n")
}

// allocatePause is how long allocate waits before it takes any: an engine begins
// to watch a container's memory only when the container runs.
const allocatePause = time.Second

func (p program) allocate(ctx context.Context) int {
	if !pause(ctx, allocatePause) {
		return killed
	}
	if err := p.Allocate(p.number()); err != nil {
		fmt.Fprintln(p.Stderr, err)
		return 1
	}
	fmt.Fprintln(p.Stdout, "allocated")
	return p.wait(ctx)
}

func (p program) write(context.Context) int {
	if err := p.WriteFile(p.argument(0), []byte(p.argument(1))); err != nil {
		fmt.Fprintln(p.Stderr, err)
		return 1
	}
	return 0
}

func (p program) read(context.Context) int {
	data, err := p.ReadFile(p.argument(0))
	if err != nil {
		fmt.Fprintln(p.Stderr, err)
		return 1
	}
	return write(p.Stdout, string(data))
}
