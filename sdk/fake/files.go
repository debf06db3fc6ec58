package fake

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// files are those of a container's root, a volume, or a mount in memory.
type files struct {
	mu    sync.Mutex
	limit int
	data  map[string][]byte
	// folder is that of the host which this stands for, if it does.
	folder string
}

// mounted are files at a path of a container.
type mounted struct {
	*files
	target   string
	readOnly bool
}

func newFiles(limit int) *files { return &files{limit: limit, data: map[string][]byte{}} }

func (f *files) read(name string) ([]byte, error) {
	if f.folder != "" {
		return os.ReadFile(filepath.Join(f.folder, name))
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	data, ok := f.data[name]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return data, nil
}

func (f *files) write(name string, data []byte) error {
	if f.folder != "" {
		return os.WriteFile(filepath.Join(f.folder, name), data, 0o600)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.limit > 0 && len(data) > f.limit {
		return fmt.Errorf("no space left for %s", name)
	}
	f.data[name] = data
	return nil
}

// at finds where a path leads.
func (b *box) at(path string) (mounted, string) {
	for _, m := range b.mounts {
		if rest, ok := strings.CutPrefix(path, m.target+"/"); ok {
			return m, rest
		}
	}
	return mounted{files: b.root}, path
}

func (b *box) readFile(path string) ([]byte, error) {
	if path == "/etc/hosts" {
		return []byte(b.hosts()), nil
	}
	m, rest := b.at(path)
	return m.read(rest)
}

// hosts is the content of the container's file of names.
func (b *box) hosts() string {
	var text strings.Builder
	text.WriteString("127.0.0.1\tlocalhost\n")
	for _, host := range b.spec.ExtraHosts {
		name, address, _ := strings.Cut(host, ":")
		text.WriteString(address + "\t" + name + "\n")
	}
	return text.String()
}

func (b *box) writeFile(path string, data []byte) error {
	m, rest := b.at(path)
	if m.readOnly {
		return fs.ErrPermission
	}
	return m.write(rest, data)
}

func checkMounts(spec sdk.Spec) *sdk.Error {
	for _, m := range spec.Mounts {
		if m.Type != sdk.MountBind {
			continue
		}
		if _, err := os.Stat(m.Source); err != nil {
			return sdk.Errorf(sdk.CodeInvalid, "start", "mount %s: %w", m.Target, err)
		}
	}
	return nil
}

// mount gives the container its mounts. The caller has the lock.
func (e *Engine) mount(b *box) *sdk.Error {
	for i, m := range b.spec.Mounts {
		made := mounted{target: m.Target, readOnly: m.ReadOnly}
		switch {
		case m.Type == sdk.MountBind:
			made.files = &files{folder: m.Source}
		case m.Type == sdk.MountTmpfs:
			made.files = newFiles(sizeOf(m.Options))
		case m.Source == "":
			name := fmt.Sprintf("anonymous-%s-%d", b.state.ID, i)
			e.volumes[name] = newFiles(0)
			b.anonymous = append(b.anonymous, name)
			made.files = e.volumes[name]
		case e.volumes[m.Source] == nil:
			return sdk.Errorf(sdk.CodeNotFound, "start", "there is no volume %s", m.Source)
		default:
			made.files = e.volumes[m.Source]
		}
		b.mounts = append(b.mounts, made)
	}
	return nil
}

// sizeOf reads the size of a tmpfs's options, such as "size=64k".
func sizeOf(options string) int {
	for option := range strings.SplitSeq(options, ",") {
		text, ok := strings.CutPrefix(option, "size=")
		if !ok {
			continue
		}
		unit := 1
		switch {
		case strings.HasSuffix(text, "k"):
			unit = 1 << 10
		case strings.HasSuffix(text, "m"):
			unit = 1 << 20
		}
		n, err := strconv.Atoi(strings.TrimRight(text, "km"))
		if err == nil {
			return n * unit
		}
	}
	return 0
}

// EnsureVolume implements sdk.Volumer.
func (e *Engine) EnsureVolume(ctx context.Context, volume sdk.Volume) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	there, ok := e.owned[volume.Name]
	if ok && there.Project != volume.Project {
		return false, sdk.Errorf(sdk.CodeConflict, "volume", "the volume %s isn't the project's", volume.Name)
	}
	if ok {
		return false, nil
	}
	e.owned[volume.Name], e.volumes[volume.Name] = volume, newFiles(0)
	return true, nil
}

// ListVolumes implements sdk.Volumer.
func (e *Engine) ListVolumes(ctx context.Context, project string) ([]sdk.Volume, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	var volumes []sdk.Volume
	for _, volume := range e.owned {
		if volume.Project == project {
			volumes = append(volumes, volume)
		}
	}
	return volumes, nil
}

// RemoveVolume implements sdk.Volumer.
func (e *Engine) RemoveVolume(ctx context.Context, volume sdk.Volume) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if there, ok := e.owned[volume.Name]; ok && there.Project != volume.Project {
		return sdk.Errorf(sdk.CodeConflict, "volume", "the volume %s isn't the project's", volume.Name)
	}
	delete(e.owned, volume.Name)
	delete(e.volumes, volume.Name)
	return nil
}

// VolumesOf names the volumes that the container uses.
func (e *Engine) VolumesOf(id string) []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	b := e.containers[id]
	if b == nil {
		return nil
	}
	names := append([]string{}, b.anonymous...)
	for _, m := range b.spec.Mounts {
		if m.Type == sdk.MountVolume && m.Source != "" {
			names = append(names, m.Source)
		}
	}
	return names
}

// VolumeExists says whether there is a volume of that name.
func (e *Engine) VolumeExists(name string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.volumes[name] != nil
}
