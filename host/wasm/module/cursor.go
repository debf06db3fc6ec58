package module

import (
	"encoding/binary"
	"unicode/utf8"
)

// cursor reads a module from front to back. Its first failure sticks: from then
// on it returns zeros, and the caller looks at err when it has read what it
// wanted.
type cursor struct {
	data []byte
	at   int
	err  error
}

func (c *cursor) left() int { return len(c.data) - c.at }

func (c *cursor) fail(err error) {
	if c.err == nil {
		c.err = err
	}
	c.at = len(c.data)
}

func (c *cursor) byte() byte {
	if c.at >= len(c.data) {
		c.fail(errTruncated)
		return 0
	}
	b := c.data[c.at]
	c.at++
	return b
}

func (c *cursor) bytes(n uint32) []byte {
	if int64(n) > int64(c.left()) {
		c.fail(errTruncated)
		return nil
	}
	b := c.data[c.at : c.at+int(n)]
	c.at += int(n)
	return b
}

// u32 reads an unsigned number in LEB128, which has at most 5 bytes.
func (c *cursor) u32() uint32 {
	// Most numbers are small, and a module has millions of them.
	if c.at < len(c.data) && c.data[c.at] < 0x80 {
		b := c.data[c.at]
		c.at++
		return uint32(b)
	}
	value, n := binary.Uvarint(c.data[c.at:min(c.at+5, len(c.data))])
	if n <= 0 || value > 1<<32-1 {
		c.fail(errNumber(c.left() < 5))
		return 0
	}
	c.at += n
	return uint32(value)
}

// skipSigned passes over a signed number in LEB128 of at most max bytes.
func (c *cursor) skipSigned(most int) {
	for range most {
		if c.byte() < 0x80 {
			return
		}
	}
	c.fail(errNumber(false))
}

// name reads a name in UTF-8.
func (c *cursor) name() string {
	b := c.bytes(c.u32())
	if !utf8.Valid(b) {
		c.fail(malformed("a name isn't UTF-8"))
		return ""
	}
	return string(b)
}

// count reads how many entries follow, each of which takes at least size bytes:
// so a short module can't make anybody allocate much.
func (c *cursor) count(what string, size, most int) int {
	n := c.u32()
	if c.err != nil {
		return 0
	}
	if int64(n) > int64(most) {
		c.fail(tooMuch("%d %s, more than the %d that are allowed", n, what, most))
		return 0
	}
	if int64(n)*int64(size) > int64(c.left()) {
		c.fail(errTruncated)
		return 0
	}
	return int(n)
}
