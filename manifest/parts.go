package manifest

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"github.com/lightshuttle/lightshuttle/sdk"
)

const (
	// partLength is the length of a part's hash, in hex digits.
	partLength = 6
	// secretPartLength is that of a part with a secret in it: labels are shown in
	// many places, and so few bits are of no help to who guesses the secret.
	secretPartLength = 3
	// partsLimit bounds the label: containerd takes no more than 4096 bytes.
	partsLimit = 3000
)

// envPart is the part of all variables; with a dot and a name, that of one.
const envPart = "env"

// Parts returns the value of sdk.LabelParts for a spec. Parts that say nothing
// aren't in it.
func Parts(spec sdk.Spec) string {
	parts := map[string]string{}
	add := func(name string, value any, length int) {
		if saysNothing(value) {
			return
		}
		data := partJSON(value)
		// The names make a value that is used twice have two hashes.
		sum := sha256.Sum256(append([]byte(spec.Name+"\x00"+name+"\x00"), data...))
		parts[name] = hex.EncodeToString(sum[:])[:length]
	}
	for name, value := range partsOf(spec) {
		add(name, value, partLength)
	}
	if spec.Build != nil && len(spec.Build.SecretArgs) > 0 {
		add("build", spec.Build, secretPartLength)
	}
	for name, value := range spec.Env {
		length := partLength
		if slices.Contains(spec.SecretEnv, name) {
			length = secretPartLength
		}
		// The type makes an empty text count.
		add(envPart+"."+url.QueryEscape(name), []string{value}, length)
	}
	label := joinParts(parts)
	if len(label) <= partsLimit {
		return label
	}
	maps.DeleteFunc(parts, func(name, _ string) bool { return strings.HasPrefix(name, envPart+".") })
	add(envPart, spec.Env, secretPartLength)
	return joinParts(parts)
}

// network is how a container is found by others.
type network struct {
	Name, Hostname string
	Aliases        []string
}

// partsOf are the parts but for the variables, by the names that they have in a
// manifest. How an image is pulled is no part of what runs.
func partsOf(spec sdk.Spec) map[string]any {
	labels := maps.Clone(spec.Labels)
	maps.DeleteFunc(labels, func(name, _ string) bool { return strings.HasPrefix(name, "lightshuttle.") })
	return map[string]any{
		"kind": spec.Kind, "image": spec.Image, "build": spec.Build,
		"entrypoint": spec.Entrypoint, "command": spec.Command, "working_dir": spec.WorkingDir,
		"user": spec.User, "init": spec.Init, "secrets": spec.SecretEnv,
		"ports": spec.Ports, "volumes": spec.Mounts, "limits": spec.Limits,
		"network": network{spec.Network, spec.Hostname, spec.Aliases},
		"labels":  labels, "depends_on": spec.Labels[sdk.LabelDependsOn],
		"healthcheck": spec.Healthcheck, "stop_signal": spec.Stop.Signal, "stop_grace": spec.Stop.Grace,
		"restart": spec.Restart, "runtime": spec.Runtime, "extra_hosts": spec.ExtraHosts,
	}
}

// saysNothing says whether a part isn't there.
func saysNothing(value any) bool {
	v := reflect.ValueOf(value)
	if v.Kind() == reflect.Map || v.Kind() == reflect.Slice {
		return v.Len() == 0
	}
	return v.IsZero()
}

func partJSON(value any) []byte {
	data, err := json.Marshal(value)
	if err != nil {
		panic(err) // a spec has nothing that JSON couldn't hold
	}
	return data
}

func joinParts(parts map[string]string) string {
	pairs := make([]string, 0, len(parts))
	for _, name := range slices.Sorted(maps.Keys(parts)) {
		pairs = append(pairs, name+"="+parts[name])
	}
	return strings.Join(pairs, ",")
}

// SplitParts reads what Parts wrote. Of anything else it makes what it can.
func SplitParts(label string) map[string]string {
	parts := map[string]string{}
	for pair := range strings.SplitSeq(label, ",") {
		name, hash, ok := strings.Cut(pair, "=")
		if !ok {
			continue
		}
		if readable, err := url.QueryUnescape(name); err == nil {
			name = readable
		}
		parts[name] = hash
	}
	return parts
}
