package wasm

import "context"

// tail is a writer that keeps the last of what is written to it. It fails when
// its context has ended, so that a flood meets the deadline.
type tail struct {
	ctx  context.Context //nolint:containedctx // io.Writer has no place for one
	kept []byte
	most int
}

func (t *tail) Write(p []byte) (int, error) {
	if err := t.ctx.Err(); err != nil {
		return 0, err
	}
	n := len(p)
	if n > t.most {
		p = p[n-t.most:]
	}
	t.kept = append(t.kept, p...)
	if surplus := len(t.kept) - t.most; surplus > t.most {
		t.kept = append(t.kept[:0], t.kept[surplus:]...)
	}
	return n, nil
}

func (t *tail) String() string { return string(t.kept[max(0, len(t.kept)-t.most):]) }
