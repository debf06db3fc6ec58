//go:build unix

package process

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// A project has a folder:
//
//	<project>/supervisor.sock, supervisor.lock, supervisor.log
//	<project>/journal           what is known of its processes
//	<project>/<id>/log.000001   the output of one, if it had any; see logfile.go
//
// The journal is a file of lines that only grows, because to append a line costs
// a fiftieth of what a new file does. The first line has its version, each other
// one what became of a process. Only the supervisor writes it; when most of it
// is of the past, it is written anew and replaced as a whole. A last line without
// its end is of a supervisor that was killed over it, and counts as not written.

const (
	journalFile    = "journal"
	journalVersion = 1
	// journalSlack is how much of a journal may be of the past.
	journalSlack = 1 << 20
)

type journalHead struct {
	Version int `json:"journal"`
}

// note is a line about a process.
type note struct {
	ID string `json:"id"`
	// Spec is there in the first one about a process.
	Spec   *sdk.Spec `json:"spec,omitempty"`
	Status *status   `json:"status,omitempty"`
	// Gone says that it was removed.
	Gone bool `json:"gone,omitempty"`
}

// readJournal reads what a folder has. It also returns how many bytes of it are
// whole lines. Without a journal there is nothing, which is no error.
func readJournal(dir string) (records map[string]record, size int64, err error) {
	records = map[string]record{}
	path := filepath.Join(dir, journalFile)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return records, 0, nil
	}
	if err != nil {
		return nil, 0, &sdk.Error{Code: sdk.CodeInternal, Err: err}
	}
	data = data[:bytes.LastIndexByte(data, '\n')+1]
	size = int64(len(data))
	damaged := func(err error) error {
		return &sdk.Error{
			Code: sdk.CodeInternal, Err: fmt.Errorf("%s is damaged: %w", path, err),
			Hint: "remove that file; a process that still runs has its id in the variable " + mark,
		}
	}
	for number := 0; len(data) > 0; number++ {
		text, rest, _ := bytes.Cut(data, []byte{'\n'})
		data = rest
		if number == 0 {
			var head journalHead
			if err := json.Unmarshal(text, &head); err != nil || head.Version < 1 {
				return nil, 0, damaged(errors.Join(errors.New("it has no version"), err))
			}
			if head.Version > journalVersion {
				return nil, 0, &sdk.Error{
					Code: sdk.CodeUnavailable, Err: fmt.Errorf("%s is of a newer version of this program (%d)", path, head.Version),
					Hint: "use that version to take the project down",
				}
			}
			continue
		}
		var news note
		if err := json.Unmarshal(text, &news); err != nil {
			return nil, 0, damaged(fmt.Errorf("line %d: %w", number+1, err))
		}
		enter(records, news)
	}
	return records, size, nil
}

// enter has a note change what is known.
func enter(records map[string]record, news note) {
	if news.Gone {
		delete(records, news.ID)
		return
	}
	known := records[news.ID]
	if news.Spec != nil {
		known.Spec = *news.Spec
	}
	if news.Status != nil {
		known.Status = *news.Status
	}
	records[news.ID] = known
}

// journal is the one that this supervisor writes.
type journal struct {
	path string

	mu      sync.Mutex
	file    *os.File
	size    int64
	records map[string]record
	// needed is the size of the last one that was written anew.
	needed int64
}

// openJournal reads the folder's journal, to go on with it.
func openJournal(dir string) (*journal, error) {
	records, size, err := readJournal(dir)
	if err != nil {
		return nil, err
	}
	return &journal{path: filepath.Join(dir, journalFile), size: size, needed: size, records: records}, nil
}

// write adds a note. A first one that could not be written is as if it had not
// been tried; of those that follow, this supervisor itself knows all the same.
func (j *journal) write(news note) error {
	data, err := json.Marshal(news)
	if err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	err = j.append(append(data, '\n'))
	if err == nil || news.Spec == nil {
		enter(j.records, news)
	}
	if err != nil {
		return err
	}
	if j.size > j.needed+journalSlack {
		return j.rewrite()
	}
	return nil
}

// append writes whole lines, or nothing. The caller holds mu.
func (j *journal) append(data []byte) error {
	if j.file == nil {
		file, err := os.OpenFile(j.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		if err := file.Truncate(j.size); err != nil { // without the half of a line
			return errors.Join(err, file.Close())
		}
		j.file = file
	}
	if j.size == 0 {
		data = append(head(), data...)
	}
	n, err := j.file.Write(data)
	if err != nil && n > 0 {
		err = errors.Join(err, j.file.Truncate(j.size))
	}
	if err == nil {
		j.size += int64(n)
	}
	return err
}

func head() []byte {
	data, _ := json.Marshal(journalHead{Version: journalVersion}) // a number
	return append(data, '\n')
}

// rewrite replaces the journal by one without the past. The caller holds mu.
func (j *journal) rewrite() error {
	data := head()
	for _, id := range slices.Sorted(maps.Keys(j.records)) {
		known := j.records[id]
		text, err := json.Marshal(note{ID: id, Spec: &known.Spec, Status: &known.Status})
		if err != nil {
			return err
		}
		data = append(append(data, text...), '\n')
	}
	temporary := j.path + ".new"
	if err := os.WriteFile(temporary, data, 0o600); err != nil {
		return err
	}
	if err := os.Rename(temporary, j.path); err != nil {
		return err
	}
	_ = j.file.Close()
	j.file, j.size, j.needed = nil, int64(len(data)), int64(len(data))
	return nil
}

// get is what is known of a process.
func (j *journal) get(id string) (record, bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	known, ok := j.records[id]
	return known, ok
}

// all is what is known of all.
func (j *journal) all() map[string]record {
	j.mu.Lock()
	defer j.mu.Unlock()
	return maps.Clone(j.records)
}

// leave removes a journal that has nothing to tell.
func (j *journal) leave() {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.records) == 0 {
		_ = os.Remove(j.path)
	}
}

// idsIn are the ids of the processes of a project's folder.
func idsIn(dir string) []string {
	records, _, err := readJournal(dir)
	if err != nil {
		return nil
	}
	return slices.Sorted(maps.Keys(records))
}
