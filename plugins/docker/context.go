package docker

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"

	"github.com/lightshuttle/lightshuttle/sdk"
)

const ignoreFile = ".dockerignore"

// buildContext is what the classic builder gets: the context's files, less
// those that are ignored.
type buildContext struct {
	root string
	// dockerfile is its name in the context, with slashes.
	dockerfile string
	// outside is the Dockerfile's content if it isn't in the context.
	outside []byte
	ignored *patternmatcher.PatternMatcher
	// ignoreText is the .dockerignore to send with a Dockerfile from outside,
	// so that the builder doesn't copy that into the image.
	ignoreText []byte
	// anywhere says that an exception may match in any folder.
	anywhere bool
}

// openContext reads what decides which files are sent.
func openContext(wanted *sdk.Build) (*buildContext, error) {
	text, err := readIgnore(wanted)
	if err != nil {
		return nil, err
	}
	content := &buildContext{root: wanted.Context}
	inside, err := filepath.Rel(wanted.Context, wanted.Dockerfile)
	if err == nil && filepath.IsLocal(inside) {
		content.dockerfile = filepath.ToSlash(inside)
	} else if err := content.takeFromOutside(wanted.Dockerfile, text); err != nil {
		return nil, err
	}
	patterns, err := ignorefile.ReadAll(bytes.NewReader(text))
	if err != nil {
		return nil, &sdk.Error{Code: sdk.CodeInvalid, Op: "build", Err: fmt.Errorf("%s: %w", ignoreFile, err)}
	}
	// The builder needs both files, whatever the patterns say.
	patterns = append(patterns, "!"+ignoreFile, "!"+content.dockerfile)
	content.ignored, err = patternmatcher.New(patterns)
	if err != nil {
		return nil, &sdk.Error{Code: sdk.CodeInvalid, Op: "build", Err: fmt.Errorf("%s: %w", ignoreFile, err)}
	}
	content.anywhere = slices.ContainsFunc(content.ignored.Patterns(), func(p *patternmatcher.Pattern) bool {
		return p.Exclusion() && strings.ContainsAny(p.String(), "*?[")
	})
	return content, nil
}

// readIgnore reads the Dockerfile's own ignore file, else that of the context.
func readIgnore(wanted *sdk.Build) ([]byte, error) {
	for _, name := range []string{wanted.Dockerfile + ignoreFile, filepath.Join(wanted.Context, ignoreFile)} {
		text, err := os.ReadFile(name)
		if err == nil {
			return text, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, &sdk.Error{Code: sdk.CodeInvalid, Op: "build", Err: err}
		}
	}
	return nil, nil
}

// outsideName is what a Dockerfile from outside is called in the context.
const outsideName = ".dockerfile.outside"

func (c *buildContext) takeFromOutside(dockerfile string, ignoreText []byte) error {
	content, err := os.ReadFile(dockerfile)
	if err != nil {
		return &sdk.Error{Code: sdk.CodeInvalid, Op: "build", Err: err}
	}
	c.dockerfile, c.outside = outsideName, content
	c.ignoreText = fmt.Appendf(nil, "%s\n%s\n%s\n", ignoreText, outsideName, ignoreFile)
	return nil
}

// write writes the context as a tar stream. A file that can't be read is an
// error: an image that lacks it silently would be worse.
func (c *buildContext) write(w io.Writer) error {
	archive := tar.NewWriter(w)
	if err := c.walk(archive, ".", patternmatcher.MatchInfo{}); err != nil {
		return err
	}
	if c.outside != nil {
		if err := add(archive, outsideName, c.outside); err != nil {
			return err
		}
		if err := add(archive, ignoreFile, c.ignoreText); err != nil {
			return err
		}
	}
	return archive.Close()
}

func add(archive *tar.Writer, name string, content []byte) error {
	// Without a time of its own, so that the builder's cache knows it again.
	if err := archive.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(content)), ModTime: time.Unix(0, 0)}); err != nil {
		return err
	}
	_, err := archive.Write(content)
	return err
}

func (c *buildContext) walk(archive *tar.Writer, folder string, parent patternmatcher.MatchInfo) error {
	entries, err := os.ReadDir(filepath.Join(c.root, filepath.FromSlash(folder)))
	if err != nil {
		return fmt.Errorf("build context: %w", err)
	}
	for _, entry := range entries {
		name := path.Join(folder, entry.Name())
		ignored, info, err := c.ignored.MatchesUsingParentResults(name, parent)
		if err != nil {
			return fmt.Errorf("%s: %w", ignoreFile, err)
		}
		if !ignored && !c.replaced(name) {
			if err := c.send(archive, name, entry); err != nil {
				return err
			}
		}
		if entry.IsDir() && (!ignored || c.mayHoldException(name)) {
			if err := c.walk(archive, name, info); err != nil {
				return err
			}
		}
	}
	return nil
}

// replaced says whether the file isn't sent because another one is, under its
// name.
func (c *buildContext) replaced(name string) bool {
	return c.outside != nil && (name == outsideName || name == ignoreFile)
}

// mayHoldException says whether something in an ignored folder may be excepted
// from being ignored.
func (c *buildContext) mayHoldException(folder string) bool {
	if c.anywhere {
		return true
	}
	return slices.ContainsFunc(c.ignored.Patterns(), func(p *patternmatcher.Pattern) bool {
		return p.Exclusion() && strings.HasPrefix(filepath.ToSlash(p.String())+"/", folder+"/")
	})
}

func (c *buildContext) send(archive *tar.Writer, name string, entry fs.DirEntry) error {
	full := filepath.Join(c.root, filepath.FromSlash(name))
	info, err := entry.Info()
	if errors.Is(err, fs.ErrNotExist) {
		return nil // It went away meanwhile.
	}
	if err != nil {
		return fmt.Errorf("build context: %w", err)
	}
	if info.Mode()&(fs.ModeSocket|fs.ModeDevice) != 0 {
		return nil // They mean nothing in an image.
	}
	target := ""
	if info.Mode()&fs.ModeSymlink != 0 {
		if target, err = os.Readlink(full); err != nil {
			return fmt.Errorf("build context: %w", err)
		}
	}
	header, err := tar.FileInfoHeader(info, filepath.ToSlash(target))
	if err != nil {
		return fmt.Errorf("build context: %w", err)
	}
	header.Name = name
	if info.IsDir() {
		header.Name += "/"
	}
	header.Uid, header.Gid, header.Uname, header.Gname = 0, 0, "", ""
	header.AccessTime, header.ChangeTime = time.Time{}, time.Time{}
	if runtime.GOOS == "windows" {
		header.Mode |= 0o111 // Windows has no such bits, and a program needs one.
	}
	if !info.Mode().IsRegular() {
		return archive.WriteHeader(header)
	}
	file, err := os.Open(full)
	if err != nil {
		return fmt.Errorf("build context: %w", err)
	}
	defer file.Close()
	if err := archive.WriteHeader(header); err != nil {
		return err
	}
	if _, err := io.CopyN(archive, file, header.Size); err != nil {
		return fmt.Errorf("build context: %s: %w", full, err)
	}
	return nil
}
