package config

import (
	"fmt"
	"math"
	"strings"
)

// closest returns the candidate that was most likely meant by text, or "".
func closest(text string, candidates []string) string {
	text = strings.ToLower(text)
	best, bestDistance := "", math.MaxInt
	for _, candidate := range candidates {
		d := distance(text, strings.ToLower(candidate))
		// One letter in three may be wrong, else anything would be near a short name.
		allowed := max(1, (max(len(text), len(candidate))+1)/3)
		if d <= allowed && d < bestDistance {
			best, bestDistance = candidate, d
		}
	}
	if best != "" {
		return best
	}
	// "warning" and "warn" are further apart than a typo would be.
	for _, candidate := range candidates {
		if begins(strings.ToLower(candidate), text) || begins(text, strings.ToLower(candidate)) {
			return candidate
		}
	}
	return ""
}

// begins says whether text begins with prefix, which is long enough to tell.
func begins(text, prefix string) bool { return len(prefix) > 2 && strings.HasPrefix(text, prefix) }

// distance counts the letters to insert, delete, replace or swap with their
// neighbour to turn a into b.
func distance(a, b string) int {
	s, t := []rune(a), []rune(b)
	rows := make([][]int, len(s)+1)
	for i := range rows {
		rows[i] = make([]int, len(t)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(s); i++ {
		for j := 1; j <= len(t); j++ {
			cost := 1
			if s[i-1] == t[j-1] {
				cost = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+cost)
			if i > 1 && j > 1 && s[i-1] == t[j-2] && s[i-2] == t[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(s)][len(t)]
}

// suggestKey says how the unknown key name in section was probably meant to be
// written, or "".
func suggestKey(section, name string) string {
	if near := closest(name, namesIn(section)); near != "" && !strings.Contains(name, ".") {
		return quote(near)
	}
	if key := elsewhere(section, name); key != "" {
		parent, leaf := splitKey(key)
		if parent == "" {
			return fmt.Sprintf("%q outside of any section", leaf)
		}
		return fmt.Sprintf("%q under %q", leaf, parent)
	}
	return ""
}

// elsewhere finds the setting that has the same name in another section, or
// whose whole key was written where only one name belongs.
func elsewhere(section, name string) string {
	keys := make([]string, len(table))
	for i, s := range table {
		keys[i] = s.Key
	}
	if strings.Contains(name, ".") {
		return closest(join(section, name), keys)
	}
	for _, key := range keys {
		if _, leaf := splitKey(key); strings.EqualFold(leaf, name) {
			return key
		}
	}
	return ""
}

func splitKey(key string) (parent, leaf string) {
	if i := strings.LastIndexByte(key, '.'); i >= 0 {
		return key[:i], key[i+1:]
	}
	return "", key
}
