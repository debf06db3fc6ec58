package enginelog

import (
	"bytes"
	"time"
)

const (
	shortestTime = len("2006-01-02T15:04:05Z")
	longestTime  = len("2006-01-02T15:04:05.999999999+07:00")
)

// CutTime takes the time that data begins with, and the space after it, off.
func CutTime(data []byte) (at time.Time, rest []byte, found bool) {
	end := bytes.IndexByte(data[:min(len(data), longestTime+1)], ' ')
	if end < shortestTime {
		return time.Time{}, data, false
	}
	at, err := time.Parse(time.RFC3339Nano, string(data[:end]))
	if err != nil {
		return time.Time{}, data, false
	}
	return at, data[end+1:], true
}

// secondLength is how long a time is down to its second.
const secondLength = len("2006-01-02T15:04:05")

// cutter is CutTime for the lines of a log. Most are of the same second as the
// one before, so that only the fraction has to be read.
type cutter struct {
	second []byte
	at     time.Time
}

func (c *cutter) cut(data []byte) (at time.Time, rest []byte, found bool) {
	if len(c.second) > 0 && bytes.HasPrefix(data, c.second) {
		if fraction, rest, found := cutFraction(data[secondLength:]); found {
			return c.at.Add(fraction), rest, true
		}
	}
	at, rest, found = CutTime(data)
	if found && data[len(data)-len(rest)-2] == 'Z' {
		c.second, c.at = append(c.second[:0], data[:secondLength]...), at.Truncate(time.Second)
	}
	return at, rest, found
}

// cutFraction reads a point, up to nine digits, Z and a space.
func cutFraction(data []byte) (fraction time.Duration, rest []byte, found bool) {
	end := bytes.IndexByte(data[:min(len(data), len(".123456789Z "))], 'Z')
	if end < 2 || data[0] != '.' || len(data) == end+1 || data[end+1] != ' ' {
		return 0, nil, false
	}
	unit := time.Second
	for _, digit := range data[1:end] {
		if digit < '0' || digit > '9' {
			return 0, nil, false
		}
		unit /= 10
		fraction += time.Duration(digit-'0') * unit
	}
	return fraction, data[end+2:], true
}
