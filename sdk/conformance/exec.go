package conformance

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/conformance/workload"
)

// execution is what a command inside of a container did.
type execution struct {
	code           int
	stdout, stderr bytes.Buffer
}

// exec runs the test program inside of the container.
func (s *stage) exec(ctx context.Context, id string, options sdk.ExecOptions, args ...string) (*execution, error) {
	e := &execution{}
	options.Command = append(slices.Clone(s.Program), args...)
	options.Stdout, options.Stderr = &e.stdout, &e.stderr
	var err error
	e.code, err = s.Runtime.(sdk.Execer).Exec(ctx, id, options)
	return e, err
}

// execSelf runs the program with options that a runtime may refuse.
func (s *stage) execSelf(id string, options sdk.ExecOptions, names ...string) workload.Self {
	e, err := s.exec(s.ctx, id, options, "show")
	if sdk.IsCode(err, sdk.CodeUnsupported) {
		s.namesField(err, names...)
		panic(refused{err.Error()})
	}
	s.must("exec", err)
	var self workload.Self
	if err := json.Unmarshal(e.stdout.Bytes(), &self); err != nil {
		s.fail("the command ended with %d and printed %.200q, and %.200q to stderr", e.code, e.stdout.String(), e.stderr.String())
	}
	return self
}

var execChecks = []check{
	{
		name: "exec/exit-code", level: Full, needs: []ability{execer, program},
		promise: "Exec runs the command to its end and returns its exit code",
		run: func(s *stage) {
			id := s.start(s.spec("web", "wait"))
			for _, code := range []int{0, 1, 3, 42} {
				e, err := s.exec(s.ctx, id, sdk.ExecOptions{}, "say", codeText(code))
				s.must("exec", err)
				if e.code != code {
					s.errorf("exit code %d, wanted %d", e.code, code)
				}
			}
		},
	},
	{
		name: "exec/output", level: Full, needs: []ability{execer, program},
		promise: "both outputs of the command come, each to its writer",
		run: func(s *stage) {
			id := s.start(s.spec("web", "wait"))
			e, err := s.exec(s.ctx, id, sdk.ExecOptions{}, "print", "20")
			s.must("exec", err)
			s.wantText("stdout", e.stdout.String(), numbered("out", 20))
			s.wantText("stderr", e.stderr.String(), numbered("err", 20))
		},
	},
	{
		name: "exec/much", level: Full, needs: []ability{execer, program},
		promise: "much output of a command, binary too, comes whole",
		run: func(s *stage) {
			const size = 1 << 20
			id := s.start(s.spec("web", "wait"))
			e, err := s.exec(s.ctx, id, sdk.ExecOptions{}, "flood", fmt.Sprint(size))
			s.must("exec", err)
			if got := e.stdout.String(); len(got) != size || strings.Trim(got, "x") != "" {
				s.errorf("%d bytes came, wanted %d", len(got), size)
			}
			e, err = s.exec(s.ctx, id, sdk.ExecOptions{}, "bytes")
			s.must("exec", err)
			s.wantText("stdout", e.stdout.String(), workload.AllBytes())
		},
	},
	{
		name: "exec/discards", level: Full, needs: []ability{execer, program},
		promise: "without writers the output is discarded",
		run: func(s *stage) {
			id := s.start(s.spec("web", "wait"))
			code, err := s.Runtime.(sdk.Execer).Exec(s.ctx, id, sdk.ExecOptions{Command: append(slices.Clone(s.Program), "say", "5", "out", "err")})
			s.must("exec", err)
			if code != 5 {
				s.errorf("exit code %d, wanted 5", code)
			}
		},
	},
	{
		name: "exec/arguments", level: Full, needs: []ability{execer, program},
		promise: "the command's arguments reach it as they are, never through a shell",
		run: func(s *stage) {
			id := s.start(s.spec("web", "wait"))
			e, err := s.exec(s.ctx, id, sdk.ExecOptions{}, append([]string{"show"}, strangeValues...)...)
			s.must("exec", err)
			var self workload.Self
			s.must("read what it printed", json.Unmarshal(e.stdout.Bytes(), &self))
			if !slices.Equal(self.Args[1:], strangeValues) {
				s.errorf("the command got %q, wanted %q", self.Args[1:], strangeValues)
			}
		},
	},
	{
		name: "exec/env", level: Full, needs: []ability{execer, program},
		promise: "a command has the container's environment and what is added to it",
		run: func(s *stage) {
			spec := s.spec("web", "wait")
			spec.Env = map[string]string{"OF_CONTAINER": "1"}
			env := map[string]string{}
			for i, value := range strangeValues {
				env[fmt.Sprintf("VALUE_%d", i)] = value
			}
			self := s.execSelf(s.start(spec), sdk.ExecOptions{Env: env}, "env")
			env["OF_CONTAINER"] = "1"
			if missing := labelsMissing(self.Env, env); len(missing) > 0 {
				s.errorf("these variables got lost: %s", strings.Join(missing, ", "))
			}
		},
	},
	{
		name: "exec/user", level: Full, needs: []ability{execer, program},
		promise: "a command runs as the user",
		run: func(s *stage) {
			self := s.execSelf(s.start(s.spec("web", "wait")), sdk.ExecOptions{User: "1234:2345"}, "user")
			if self.UID != 1234 || self.GID != 2345 {
				s.errorf("it runs as %d:%d, wanted 1234:2345", self.UID, self.GID)
			}
		},
	},
	{
		name: "exec/working-dir", level: Full, needs: []ability{execer, program},
		promise: "a command runs in the working directory",
		run: func(s *stage) {
			self := s.execSelf(s.start(s.spec("web", "wait")), sdk.ExecOptions{WorkingDir: "/proc"}, "working_dir")
			if self.Dir != "/proc" {
				s.errorf("it runs in %q, wanted /proc", self.Dir)
			}
		},
	},
	{
		name: "exec/no-program", level: Full, needs: []ability{execer},
		promise: "a command that isn't there fails, by an error or by exit code 126 or 127",
		run: func(s *stage) {
			id := s.start(s.spec("web", "wait"))
			code, err := s.Runtime.(sdk.Execer).Exec(s.ctx, id, sdk.ExecOptions{Command: []string{"/no/such/program"}})
			if err == nil && code != 126 && code != 127 {
				s.errorf("exit code %d without an error", code)
			}
			s.stillRuns(id)
		},
	},
	{
		name: "exec/ended", level: Full, needs: []ability{execer, program, inspector},
		promise: "a command in a container that has ended can't be run",
		run: func(s *stage) {
			id := s.start(s.spec("job", "exit", "0"))
			s.ended(id)
			_, err := s.exec(s.ctx, id, sdk.ExecOptions{}, "say", "0")
			s.wantCode("exec", err, sdk.CodeExited, sdk.CodeConflict)
		},
	},
	{
		name: "exec/unknown", level: Full, needs: []ability{execer, program},
		promise: "Exec fails with not_found for a container that isn't there",
		run: func(s *stage) {
			_, err := s.exec(s.ctx, s.project+"-never-was", sdk.ExecOptions{}, "say", "0")
			s.wantCode("exec", err, sdk.CodeNotFound)
		},
	},
	{
		name: "exec/together", level: Full, needs: []ability{execer, program},
		promise: "several commands may run in a container at the same time",
		run: func(s *stage) {
			id := s.start(s.spec("web", "wait"))
			s.allMust("exec", together(4, func(i int) error {
				e, err := s.exec(s.ctx, id, sdk.ExecOptions{}, "say", codeText(i), fmt.Sprint("number ", i))
				if err == nil && (e.code != i || e.stdout.String() != fmt.Sprintf("number %d\n", i)) {
					err = fmt.Errorf("command %d ended with %d and printed %q", i, e.code, e.stdout.String())
				}
				return err
			}))
		},
	},
	{
		name: "exec/container-ends", level: Full, needs: []ability{execer, program},
		promise: "Exec ends when the container does",
		run: func(s *stage) {
			id := s.start(s.spec("web", "wait"))
			done := make(chan int, 1)
			go func() {
				e, err := s.exec(s.ctx, id, sdk.ExecOptions{}, "tick", "1000", "1s")
				if err != nil {
					done <- -1
					return
				}
				done <- e.code
			}()
			s.pause(500 * time.Millisecond)
			s.must("stop", s.Runtime.Stop(s.ctx, id, 0))
			select {
			case code := <-done:
				if code == 0 {
					s.errorf("a command that was killed with its container ended with 0")
				}
			case <-s.ctx.Done():
				s.fail("the command goes on without its container")
			}
		},
	},
	{
		name: "exec/cancelled", level: Full, needs: []ability{execer, program},
		promise: "Exec ends soon after its context does",
		run: func(s *stage) {
			id := s.start(s.spec("web", "wait"))
			s.soon("exec", func(ctx context.Context) error {
				_, err := s.exec(ctx, id, sdk.ExecOptions{}, "tick", "1000", "1s")
				return err
			}, s.after(500*time.Millisecond))
			s.soon("exec", func(ctx context.Context) error {
				_, err := s.exec(ctx, id, sdk.ExecOptions{}, "say", "0")
				return err
			}, nil)
		},
	},
}

var validateChecks = []check{
	{
		name: "validate/good", level: Full, needs: []ability{validator},
		promise: "Validate accepts what Start does, and touches nothing",
		run: func(s *stage) {
			s.must("validate", s.Runtime.(sdk.Validator).Validate(s.ctx, s.spec("web", "wait")))
			if left := s.left(); len(left) > 0 {
				s.errorf("validate made %s", strings.Join(left, ", "))
			}
		},
	},
	{
		name: "validate/no-image", level: Full, needs: []ability{validator, images},
		promise: "Validate fails with image_not_found when the image is absent and never to be pulled",
		run: func(s *stage) {
			spec := s.spec("web", "wait")
			spec.Image, spec.Pull = s.AbsentImage, sdk.PullNever
			s.wantCode("validate", s.Runtime.(sdk.Validator).Validate(s.ctx, spec), sdk.CodeImageNotFound)
			spec.Pull = sdk.PullMissing
			s.must("validate what may be pulled", s.Runtime.(sdk.Validator).Validate(s.ctx, spec))
		},
	},
}

var envChecks = []check{
	{
		name: "env/complete", level: Full, needs: []ability{envReader},
		promise: "Env returns the container's environment, secrets included",
		run: func(s *stage) {
			spec := s.spec("web", "wait")
			spec.Env = map[string]string{"PASSWORD": "secret"}
			for i, value := range strangeValues {
				spec.Env[fmt.Sprintf("VALUE_%d", i)] = value
			}
			spec.SecretEnv = []string{"PASSWORD"}
			env, err := s.Runtime.(sdk.EnvReader).Env(s.ctx, s.start(spec))
			s.must("env", err)
			if missing := labelsMissing(env, spec.Env); len(missing) > 0 {
				s.errorf("these variables got lost: %s", strings.Join(missing, ", "))
			}
		},
	},
	{
		name: "env/unknown", level: Full, needs: []ability{envReader},
		promise: "Env fails with not_found for a container that isn't there",
		run: func(s *stage) {
			_, err := s.Runtime.(sdk.EnvReader).Env(s.ctx, s.project+"-never-was")
			s.wantCode("env", err, sdk.CodeNotFound)
		},
	},
}
