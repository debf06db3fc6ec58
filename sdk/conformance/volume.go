package conformance

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// vol is a volume of the project, which the check cleans up.
func (s *stage) vol(name string) sdk.Volume {
	volume := sdk.Volume{Name: name, Project: s.project, Labels: map[string]string{"conformance.volume": "yes"}}
	s.volumes = append(s.volumes, volume)
	return volume
}

func (s *stage) ensureVolume(volume sdk.Volume) bool {
	created, err := s.Runtime.(sdk.Volumer).EnsureVolume(s.ctx, volume)
	s.must("ensure the volume", err)
	return created
}

// with runs a workload with a mount to its end, removes it, and returns its
// exit code and what it printed.
func (s *stage) with(mount sdk.Mount, args ...string) (int, string) {
	spec := s.spec("box", args...)
	spec.Mounts = []sdk.Mount{mount}
	id := s.honoured(spec, "mount", "volume", string(mount.Type))
	p := s.output(id)
	state := s.ended(id)
	s.must("remove", s.remove(s.ctx, id))
	if state.ExitCode == nil {
		s.fail("it has ended without an exit code")
	}
	return *state.ExitCode, p.stdout() + p.stderr()
}

func (s *stage) wantWith(mount sdk.Mount, want string, args ...string) {
	code, text := s.with(mount, args...)
	if code != 0 || text != want {
		s.errorf("`%s` ended with %d and printed %q, wanted 0 and %q", strings.Join(args, " "), code, text, want)
	}
}

var boxed = []ability{inspector, logger, remover}

var volumeChecks = []check{
	{
		name: "volumes/ensure", level: Full, needs: []ability{volumer},
		promise: "EnsureVolume creates the volume once, and says whether it did",
		run: func(s *stage) {
			volume := s.vol(s.project + "-data")
			if !s.ensureVolume(volume) {
				s.errorf("it says that the volume was there")
			}
			if s.ensureVolume(volume) {
				s.errorf("it says that it created the volume again")
			}
		},
	},
	{
		name: "volumes/list", level: Full, needs: []ability{volumer},
		promise: "ListVolumes returns the project's volumes, with their labels, and no other's",
		run: func(s *stage) {
			volume := s.vol(s.project + "-data")
			s.ensureVolume(volume)
			foreign := s.vol(s.project + "x-data")
			s.volumes[1].Project += "x"
			foreign.Project += "x"
			s.ensureVolume(foreign)
			volumes, err := s.Runtime.(sdk.Volumer).ListVolumes(s.ctx, s.project)
			s.must("list the volumes", err)
			if len(volumes) != 1 || volumes[0].Name != volume.Name || volumes[0].Project != s.project {
				s.fail("the project's volumes are %+v, wanted %s", volumes, volume.Name)
			}
			if missing := labelsMissing(volumes[0].Labels, volume.Labels); len(missing) > 0 {
				s.errorf("these labels got lost: %s", strings.Join(missing, ", "))
			}
		},
	},
	{
		name: "volumes/foreign", level: Full, needs: []ability{volumer},
		promise: "a volume of that name which is another's is refused with conflict, and left alone",
		run: func(s *stage) {
			own := s.vol(s.project + "-data")
			s.ensureVolume(own)
			foreign := own
			foreign.Project += "x"
			_, err := s.Runtime.(sdk.Volumer).EnsureVolume(s.ctx, foreign)
			s.wantCode("ensure a volume that is another project's", err, sdk.CodeConflict)
			s.wantCode("remove a volume that is another project's", s.Runtime.(sdk.Volumer).RemoveVolume(s.ctx, foreign), sdk.CodeConflict)
			if s.ensureVolume(own) {
				s.errorf("the volume wasn't left alone")
			}
		},
	},
	{
		name: "volumes/remove", level: Full, needs: []ability{volumer},
		promise: "RemoveVolume removes the volume; that it is gone is a success",
		run: func(s *stage) {
			volume := s.vol(s.project + "-data")
			s.ensureVolume(volume)
			for range 2 {
				s.must("remove the volume", s.Runtime.(sdk.Volumer).RemoveVolume(s.ctx, volume))
			}
			if volumes, err := s.Runtime.(sdk.Volumer).ListVolumes(s.ctx, s.project); err != nil || len(volumes) > 0 {
				s.errorf("the project's volumes are %v, %v", volumes, err)
			}
		},
	},
	{
		name: "volumes/persist", level: Full, needs: append([]ability{volumer}, boxed...),
		promise: "what is in a named volume stays when its container goes",
		run: func(s *stage) {
			volume := s.vol(s.project + "-data")
			s.ensureVolume(volume)
			mount := sdk.Mount{Type: sdk.MountVolume, Source: volume.Name, Target: "/data"}
			s.wantWith(mount, "", "write", "/data/file", "kept")
			s.wantWith(mount, "kept", "read", "/data/file")
		},
	},
	{
		name: "volumes/read-only", level: Full, needs: append([]ability{volumer}, boxed...),
		promise: "a mount that is read-only can't be written to",
		run: func(s *stage) {
			volume := s.vol(s.project + "-data")
			s.ensureVolume(volume)
			if code, _ := s.with(sdk.Mount{Type: sdk.MountVolume, Source: volume.Name, Target: "/data", ReadOnly: true}, "write", "/data/file", "x"); code == 0 {
				s.errorf("it was written to")
			}
		},
	},
	{
		name: "volumes/anonymous", level: Full, needs: []ability{remover, volumeSight},
		promise: "Remove deletes the container's anonymous volumes, too",
		run: func(s *stage) {
			spec := s.spec("box", "wait")
			spec.Mounts = []sdk.Mount{{Type: sdk.MountVolume, Target: "/anonymous"}}
			id := s.honoured(spec, "mount", "volume")
			names, err := s.Outside.Volumes(s.ctx, id)
			s.must("look at the container's volumes", err)
			if len(names) == 0 {
				s.fail("the container has no volume")
			}
			s.must("remove", s.remove(s.ctx, id))
			for _, name := range names {
				if there, err := s.Outside.VolumeExists(s.ctx, name); err != nil || there {
					s.errorf("the anonymous volume %s is left (%v)", name, err)
				}
			}
		},
	},
	{
		name: "volumes/bind", level: Full, needs: boxed,
		promise: "a folder of the host is mounted at its target",
		run: func(s *stage) {
			folder, err := os.MkdirTemp("", "conformance-")
			s.must("make a folder", err)
			s.later(func() { _ = os.RemoveAll(folder) })
			s.must("write a file", os.WriteFile(filepath.Join(folder, "file"), []byte("from the host"), 0o600))
			mount := sdk.Mount{Type: sdk.MountBind, Source: folder, Target: "/host"}
			s.wantWith(mount, "from the host", "read", "/host/file")
			s.wantWith(mount, "", "write", "/host/other", "from the container")
			if data, err := os.ReadFile(filepath.Join(folder, "other")); err != nil || string(data) != "from the container" {
				s.errorf("the host's file has %q: %v", data, err)
			}
			mount.ReadOnly = true
			if code, _ := s.with(mount, "write", "/host/file", "x"); code == 0 {
				s.errorf("a read-only folder was written to")
			}
		},
	},
	{
		name: "volumes/bind-missing", level: Full, needs: boxed,
		promise: "a folder of the host that isn't there is refused with invalid or not_found, and not made",
		run: func(s *stage) {
			folder := filepath.Join(os.TempDir(), s.project+"-never-was")
			spec := s.spec("box", "wait")
			spec.Mounts = []sdk.Mount{{Type: sdk.MountBind, Source: folder, Target: "/host"}}
			_, err := s.try(s.ctx, spec)
			if sdk.IsCode(err, sdk.CodeUnsupported) {
				s.refused("start", spec, err, "mount", "volume", "bind")
			}
			s.failedStart(spec, err, sdk.CodeInvalid, sdk.CodeNotFound)
			if _, err := os.Stat(folder); err == nil {
				_ = os.Remove(folder)
				s.errorf("the folder was made")
			}
		},
	},
	{
		name: "volumes/tmpfs", level: Full, needs: boxed,
		promise: "a mount in memory can be written to, with its options",
		run: func(s *stage) {
			s.wantWith(sdk.Mount{Type: sdk.MountTmpfs, Target: "/memory", Options: "size=1m,mode=1777"}, "", "write", "/memory/file", "x")
			if code, _ := s.with(sdk.Mount{Type: sdk.MountTmpfs, Target: "/memory", Options: "size=64k"}, "write", "/memory/file", strings.Repeat("x", 100_000)); code == 0 {
				s.errorf("more was written than its size allows")
			}
		},
	},
	{
		name: "volumes/cancelled", level: Full, needs: []ability{volumer},
		promise: "EnsureVolume and ListVolumes end at once when their context has ended",
		run: func(s *stage) {
			volume := s.vol(s.project + "-data")
			s.soon("ensure the volume", func(ctx context.Context) error {
				_, err := s.Runtime.(sdk.Volumer).EnsureVolume(ctx, volume)
				return err
			}, nil)
			s.soon("list the volumes", func(ctx context.Context) error {
				_, err := s.Runtime.(sdk.Volumer).ListVolumes(ctx, s.project)
				return err
			}, nil)
			if volumes, err := s.Runtime.(sdk.Volumer).ListVolumes(s.ctx, s.project); err != nil || slices.ContainsFunc(volumes, func(v sdk.Volume) bool { return v.Name == volume.Name }) {
				s.errorf("the project's volumes are %v, %v", volumes, err)
			}
		},
	},
}
