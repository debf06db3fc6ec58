package manifest

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
)

var sizeForm = regexp.MustCompile(`^(\d+(?:\.\d+)?)\s*([bkmgt]?)(?:i?b)?$`)

// units are the units of sizes, each 1024 times the one before it.
const units = "bkmgt"

// parseBytes reads a size such as 512m or 2g; units are powers of 1024.
func parseBytes(text string) (int64, error) {
	match := sizeForm.FindStringSubmatch(strings.ToLower(strings.TrimSpace(text)))
	if match == nil {
		return 0, fmt.Errorf("%q is not a size such as 512m or 2g", text)
	}
	number, err := strconv.ParseFloat(match[1], 64)
	if err != nil {
		return 0, fmt.Errorf("%q is not a size such as 512m or 2g", text)
	}
	if match[2] == "" {
		match[2] = "b"
	}
	bytes := number * math.Pow(1024, float64(strings.Index(units, match[2])))
	if bytes < 1 || bytes > math.MaxInt64/2 {
		return 0, fmt.Errorf("a size of %q is out of range", text)
	}
	return int64(bytes), nil
}

// parseCPUs reads a number of CPUs such as 0.5, in billionths.
func parseCPUs(text string) (int64, error) {
	number, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil || math.IsNaN(number) || number < 0.001 || number > 100_000 {
		return 0, errors.New("it must be a number of CPUs such as 0.5 or 2")
	}
	return int64(math.Round(number * 1e9)), nil
}
