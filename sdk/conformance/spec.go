package conformance

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/lightshuttle/lightshuttle/sdk"
)

var specChecks = []check{
	{
		name: "spec/command", level: Managed, needs: []ability{logger},
		promise: "the command's arguments reach the program as they are",
		run: func(s *stage) {
			arguments := append([]string{"show"}, strangeValues...)
			self := s.self(func(spec *sdk.Spec) {
				*spec = s.spec("shown", arguments...)
			}, "command")
			if !slices.Equal(self.Args, s.lasting(arguments)) {
				s.errorf("the program got %q, wanted %q", self.Args, s.lasting(arguments))
			}
		},
	},
	{
		name: "spec/entrypoint", level: Managed, needs: []ability{logger, program},
		promise: "entrypoint and command replace the image's own",
		run: func(s *stage) {
			self := s.self(func(spec *sdk.Spec) {
				spec.Entrypoint, spec.Command = append(slices.Clone(s.Program), "show"), []string{"from the command"}
			}, "entrypoint")
			if !slices.Equal(self.Args, []string{"show", "from the command"}) {
				s.errorf("the program got %q", self.Args)
			}
		},
	},
	{
		name: "spec/env", level: Managed, needs: []ability{logger},
		promise: "the environment reaches the program as it is",
		run: func(s *stage) {
			env := map[string]string{"LOWER_case_1": "x", "EMPTY": ""}
			for i, value := range strangeValues {
				env[fmt.Sprintf("VALUE_%d", i)] = value
			}
			self := s.self(func(spec *sdk.Spec) {
				spec.Env, spec.SecretEnv = env, []string{"VALUE_1", "VALUE_2"}
			}, "env")
			if missing := labelsMissing(self.Env, env); len(missing) > 0 {
				s.errorf("these variables got lost: %s", strings.Join(missing, ", "))
			}
		},
	},
	{
		name: "spec/env-lines", level: Managed, needs: []ability{logger},
		promise: "a variable of several lines reaches the program as it is, or is refused",
		run: func(s *stage) {
			const value = "-----BEGIN-----\nabc=\n\nINJECTED=1\n-----END-----\n"
			self := s.self(func(spec *sdk.Spec) { spec.Env = map[string]string{"KEY": value} }, "env", "key")
			if self.Env["KEY"] != value || self.Env["INJECTED"] != "" {
				s.errorf("the program got %q, and INJECTED=%q", self.Env["KEY"], self.Env["INJECTED"])
			}
		},
	},
	{
		name: "spec/working-dir", level: Managed, needs: []ability{logger},
		promise: "the program runs in the working directory",
		run: func(s *stage) {
			set := func(spec *sdk.Spec) {
				spec.WorkingDir = "/tmp"
				if !s.HostNetwork { // images need not have one
					spec.Mounts = append(spec.Mounts, sdk.Mount{Type: sdk.MountTmpfs, Target: spec.WorkingDir})
				}
			}
			if self := s.self(set, "working_dir", "mount", "tmpfs"); self.Dir != "/tmp" {
				s.errorf("it runs in %q, wanted /tmp", self.Dir)
			}
		},
	},
	{
		name: "spec/working-dir-absent", level: Managed, needs: []ability{logger, images},
		promise: "a working directory that the image doesn't have is made",
		run: func(s *stage) {
			const absent = "/not/in/the/image"
			if self := s.self(func(spec *sdk.Spec) { spec.WorkingDir = absent }, "working_dir"); self.Dir != absent {
				s.errorf("it runs in %q, wanted %s", self.Dir, absent)
			}
		},
	},
	{
		name: "spec/user", level: Managed, needs: []ability{logger},
		promise: "the program runs as the user",
		run: func(s *stage) {
			if self := s.self(func(spec *sdk.Spec) { spec.User = "1234:2345" }, "user"); self.UID != 1234 || self.GID != 2345 {
				s.errorf("it runs as %d:%d, wanted 1234:2345", self.UID, self.GID)
			}
		},
	},
	{
		name: "spec/extra-hosts", level: Full, needs: []ability{logger},
		promise: "the container can look up the names of extra hosts",
		run: func(s *stage) {
			spec := s.spec("job", "read", "/etc/hosts")
			spec.ExtraHosts = []string{"db.example:203.0.113.7", "cache.example:203.0.113.8"}
			hosts := s.output(s.honoured(spec, "extra_hosts")).stdout()
			for _, wanted := range spec.ExtraHosts {
				name, address, _ := strings.Cut(wanted, ":")
				if !regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(address) + `\s(.*\s)?` + regexp.QuoteMeta(name) + `(\s|$)`).MatchString(hosts) {
					s.errorf("the name %s isn't in its hosts:\n%s", name, hosts)
				}
			}
		},
	},
	{
		name: "spec/hostname", level: Full, needs: []ability{logger},
		promise: "the container has the hostname",
		run: func(s *stage) {
			if self := s.self(func(spec *sdk.Spec) { spec.Hostname = "conformance-host" }, "hostname"); self.Hostname != "conformance-host" {
				s.errorf("the hostname is %q", self.Hostname)
			}
		},
	},
	{
		name: "spec/init", level: Full, needs: []ability{logger},
		promise: "with init, the program isn't process 1",
		run: func(s *stage) {
			if self := s.self(func(spec *sdk.Spec) { spec.Init = true }, "init"); self.PID == 1 {
				s.errorf("it is process 1")
			}
		},
	},
	{
		name: "spec/memory", level: Full, needs: []ability{logger},
		promise: "the program is under the memory limit",
		run: func(s *stage) {
			if self := s.self(func(spec *sdk.Spec) { spec.Limits.MemoryBytes = 64 << 20 }, "memory", "limit"); self.Memory != 64<<20 {
				s.errorf("the limit is %d, wanted %d", self.Memory, 64<<20)
			}
		},
	},
	{
		name: "spec/cpus", level: Full, needs: []ability{logger},
		promise: "the program is under the CPU limit",
		run: func(s *stage) {
			if self := s.self(func(spec *sdk.Spec) { spec.Limits.NanoCPUs = 500_000_000 }, "cpu", "limit"); self.CPU != 500_000_000 {
				s.errorf("the limit is %d billionths, wanted half a CPU", self.CPU)
			}
		},
	},
	{
		name: "spec/pids", level: Full, needs: []ability{logger},
		promise: "the program is under the limit of processes",
		run: func(s *stage) {
			if self := s.self(func(spec *sdk.Spec) { spec.Limits.PIDs = 77 }, "pids", "limit"); self.PIDs != 77 {
				s.errorf("the limit is %d, wanted 77", self.PIDs)
			}
		},
	},
	{
		name: "spec/memory-exceeded", level: Full, needs: []ability{inspector},
		promise: "a container that takes more memory than its limit is killed, with exit code 137",
		run: func(s *stage) {
			s.wantExit("take too much memory", s.starved(), 137)
		},
	},
	{
		name: "spec/out-of-memory", level: Full, needs: []ability{inspector},
		promise: "the state of a container that was killed for lack of memory says so",
		run: func(s *stage) {
			if !s.starved().OOMKilled {
				s.errorf("the state doesn't say that it was killed for lack of memory")
			}
		},
	},
}

// starved is the state of a container that wanted more memory than it may have.
func (s *stage) starved() sdk.State {
	spec := s.spec("hungry", "allocate", fmt.Sprint(200<<20))
	spec.Limits.MemoryBytes = 32 << 20
	return s.ended(s.honoured(spec, "memory", "limit"))
}
