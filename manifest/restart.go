package manifest

import (
	"strconv"
	"strings"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// ParseRestart parses a restart policy, if it is one. "no" is the zero policy.
func ParseRestart(text string) (policy sdk.RestartPolicy, ok bool) {
	mode, count, bounded := strings.Cut(text, ":")
	policy.Mode = sdk.RestartMode(mode)
	switch policy.Mode {
	case sdk.RestartNo:
		return sdk.RestartPolicy{}, !bounded
	case sdk.RestartAlways:
		return policy, !bounded
	case sdk.RestartOnFailure:
		if !bounded {
			return policy, true
		}
		retries, err := strconv.ParseUint(count, 10, 16)
		policy.MaxRetries = int(retries)
		return policy, err == nil && retries > 0
	}
	return sdk.RestartPolicy{}, false
}

func (c *checker) restart(r *Resource) {
	common := r.common()
	if policy := common.Restart; policy.Set {
		c.restartPolicy(policy)
	}
	seen := map[string]bool{}
	for _, name := range common.RestartWith {
		switch {
		case name.Value == r.Name:
			c.errorf(name.At, "", "`%s` can't be restarted with itself", r.Name)
		case seen[name.Value]:
			c.errorf(name.At, "", "`%s` is named twice in restart_with", name.Value)
		case c.byName[name.Value] == nil:
			c.errorf(name.At, suggestOr(name.Value, c.names()), "there is no resource `%s`", name.Value)
		}
		seen[name.Value] = true
	}
}

func (c *checker) restartPolicy(policy Text) {
	if _, ok := ParseRestart(policy.Value); ok {
		return
	}
	hint := "write no, on-failure, on-failure:3 (at most 3 times in a row) or always"
	if policy.Value == "unless-stopped" {
		hint = "write always: what you stop yourself stays stopped"
	}
	c.errorf(policy.At, hint, "`%s` is not a restart policy", policy.Value)
}

// restartsWith are the names of the resources with which r is restarted.
func (r *Resource) restartsWith() []string {
	var names []string
	for _, name := range r.common().RestartWith {
		names = append(names, name.Value)
	}
	return names
}
