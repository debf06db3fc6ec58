package manifest

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/lightshuttle/lightshuttle/sdk"
)

func TestParseDuration(t *testing.T) {
	good := map[string]time.Duration{
		"0": 0, "0s": 0, "500ms": 500 * time.Millisecond, "10s": 10 * time.Second, "1m30s": 90 * time.Second,
		".5s": 500 * time.Millisecond, "5.s": 5 * time.Second, "1.5h": 90 * time.Minute, "3us": 3 * time.Microsecond, " 2s ": 2 * time.Second,
	}
	for text, want := range good {
		if got, err := ParseDuration(text); err != nil || got != want {
			t.Errorf("ParseDuration(%q) = %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "5", "-5s", "+5s", "5x", "s", "5 s", "1d", "99999999h", "0.1ns", "1e3s"} {
		if got, err := ParseDuration(text); err == nil {
			t.Errorf("ParseDuration(%q) = %v, want an error", text, got)
		}
	}
}

func TestParseDurationReadsWhatGoWrites(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := time.Duration(rapid.Int64Min(0).Draw(t, "duration"))
		if got, err := ParseDuration(want.String()); err != nil || got != want {
			t.Fatalf("ParseDuration(%q) = %v, %v", want, got, err)
		}
	})
}

func TestParsePort(t *testing.T) {
	tests := map[string]sdk.PortBinding{
		"8080":              {HostIP: "127.0.0.1", HostPort: 8080, ContainerPort: 8080, Protocol: "tcp"},
		"8080:80":           {HostIP: "127.0.0.1", HostPort: 8080, ContainerPort: 80, Protocol: "tcp"},
		"0:80":              {HostIP: "127.0.0.1", HostPort: 0, ContainerPort: 80, Protocol: "tcp"},
		"53:53/udp":         {HostIP: "127.0.0.1", HostPort: 53, ContainerPort: 53, Protocol: "udp"},
		"8080:80/TCP":       {HostIP: "127.0.0.1", HostPort: 8080, ContainerPort: 80, Protocol: "tcp"},
		"0.0.0.0:8080:80":   {HostIP: "0.0.0.0", HostPort: 8080, ContainerPort: 80, Protocol: "tcp"},
		"[::1]:8080:80":     {HostIP: "::1", HostPort: 8080, ContainerPort: 80, Protocol: "tcp"},
		"[::1]:8080:80/udp": {HostIP: "::1", HostPort: 8080, ContainerPort: 80, Protocol: "udp"},
	}
	for text, want := range tests {
		if got, err := ParsePort(text); err != nil || got != want {
			t.Errorf("ParsePort(%q) = %+v, %v; want %+v", text, got, err, want)
		}
	}
}

func TestParsePortRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := sdk.PortBinding{
			HostIP: rapid.SampledFrom([]string{"127.0.0.1", "0.0.0.0", "10.1.2.3"}).Draw(t, "ip"), HostPort: rapid.Uint16().Draw(t, "host"),
			ContainerPort: rapid.Uint16Min(1).Draw(t, "container"), Protocol: rapid.SampledFrom([]sdk.Protocol{sdk.TCP, sdk.UDP}).Draw(t, "protocol"),
		}
		text := fmt.Sprintf("%s:%d:%d/%s", want.HostIP, want.HostPort, want.ContainerPort, want.Protocol)
		if got, err := ParsePort(text); err != nil || got != want {
			t.Fatalf("ParsePort(%q) = %+v, %v", text, got, err)
		}
	})
}

func TestParseVolume(t *testing.T) {
	tests := map[string]volumeMount{
		"data:/data":     {Source: "data", Target: "/data"},
		"x:/y":           {Source: "x", Target: "/y"},
		"./a:/b":         {Source: "./a", IsPath: true, Target: "/b"},
		".:/b":           {Source: ".", IsPath: true, Target: "/b"},
		"/a/../b:/c:ro":  {Source: "/a/../b", IsPath: true, Target: "/c", ReadOnly: true},
		"data:/data:rw":  {Source: "data", Target: "/data"},
		`C:\data:/data`:  {Source: `C:\data`, IsPath: true, Target: "/data"},
		"C:/data:/d:ro":  {Source: "C:/data", IsPath: true, Target: "/d", ReadOnly: true},
		"my.vol-1_x:/mn": {Source: "my.vol-1_x", Target: "/mn"},
	}
	for text, want := range tests {
		if got, err := parseVolume(text); err != nil || got != want {
			t.Errorf("parseVolume(%q) = %+v, %v; want %+v", text, got, err, want)
		}
	}
}

func TestParseBytes(t *testing.T) {
	for text, want := range map[string]int64{"1": 1, "1b": 1, "10k": 10 << 10, "512m": 512 << 20, "512MB": 512 << 20, "2g": 2 << 30, "1.5GiB": 3 << 29, "1t": 1 << 40} {
		if got, err := parseBytes(text); err != nil || got != want {
			t.Errorf("parseBytes(%q) = %d, %v; want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "m", "-1m", "1x", "0", "99999999t", "1 2m"} {
		if got, err := parseBytes(text); err == nil {
			t.Errorf("parseBytes(%q) = %d, want an error", text, got)
		}
	}
}

func TestParseCPUs(t *testing.T) {
	for text, want := range map[string]int64{"1": 1e9, "0.5": 5e8, "2.25": 225e7} {
		if got, err := parseCPUs(text); err != nil || got != want {
			t.Errorf("parseCPUs(%q) = %d, %v; want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "0", "-1", "NaN", "Inf", "x"} {
		if _, err := parseCPUs(text); err == nil {
			t.Errorf("parseCPUs(%q) succeeds", text)
		}
	}
}

// L18: names on the engine are injective.
func TestL18NamesAreInjective(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringMatching(`[a-z][a-z0-9_-]{0,6}`)
		p1, r1, p2, r2 := name.Draw(t, "p1"), name.Draw(t, "r1"), name.Draw(t, "p2"), name.Draw(t, "r2")
		same := p1 == p2 && r1 == r2
		if got := ContainerName(p1, r1) == ContainerName(p2, r2); got != same {
			t.Fatalf("containers of %s/%s and %s/%s: same name %v", p1, r1, p2, r2, got)
		}
		if got := buildTag(p1, r1) == buildTag(p2, r2); got != same {
			t.Fatalf("images of %s/%s and %s/%s: same tag %v", p1, r1, p2, r2, got)
		}
		if got := NetworkName(p1) == NetworkName(p2); got != (p1 == p2) {
			t.Fatalf("networks of %s and %s: same name %v", p1, p2, got)
		}
		if _, err := parseImage(buildTag(p1, r1)); err != nil {
			t.Fatalf("the tag of %s/%s is no image: %v", p1, r1, err)
		}
		if label := hostLabel(r1); !labelPattern.MatchString(label) {
			t.Fatalf("%s has the host name %s, which DNS doesn't allow", r1, label)
		}
	})
}

func TestParseEnvFile(t *testing.T) {
	vars, found := ParseEnvFile(".env", []byte("\ufeffA=1\n# comment\n\nexport B = two # more\nC=\"x # y\" # z\nD='it is'\r\nE=\nF=a#b\nA=again\n"))
	if len(found) > 0 {
		t.Fatal(found)
	}
	got := map[string]string{}
	for _, v := range vars {
		got[v.Name] = v.Value
	}
	for name, want := range map[string]string{"A": "again", "B": "two", "C": "x # y", "D": "it is", "E": "", "F": "a#b"} {
		if got[name] != want {
			t.Errorf("%s = %q, want %q", name, got[name], want)
		}
	}
	_, found = ParseEnvFile(".env", []byte("OK=1\nno equals\n9A=1\nB=\"open\nC='a' b\n"))
	if len(found) != 4 || found[0].Line != 2 {
		t.Errorf("found = %v, want a problem with each of the four last lines", found)
	}
}

func TestEnvFileMode(t *testing.T) {
	if found := CheckEnvFileMode(".env", 0o600); len(found) != 0 {
		t.Errorf("0600: %v", found)
	}
	if found := CheckEnvFileMode(".env", 0o644); len(found) != 1 || found[0].Severity != Warning {
		t.Errorf("0644: %v, want a warning", found)
	}
}

func TestParseRestart(t *testing.T) {
	good := map[string]sdk.RestartPolicy{
		"no": {}, "always": {Mode: sdk.RestartAlways}, "on-failure": {Mode: sdk.RestartOnFailure},
		"on-failure:1": {Mode: sdk.RestartOnFailure, MaxRetries: 1}, "on-failure:65535": {Mode: sdk.RestartOnFailure, MaxRetries: 65535},
	}
	for text, want := range good {
		if got, ok := ParseRestart(text); !ok || got != want {
			t.Errorf("ParseRestart(%q) = %+v, %v; want %+v", text, got, ok, want)
		}
	}
	for _, text := range []string{"", "No", "no:1", "always:1", "on-failure:", "on-failure:0", "on-failure:-1", "on-failure:65536", "on-failure:1:2", "on-failure: 1", "unless-stopped", "true"} {
		if got, ok := ParseRestart(text); ok {
			t.Errorf("ParseRestart(%q) = %+v, want it refused", text, got)
		}
	}
}
