package manifest

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/lightshuttle/lightshuttle/sdk"
)

const (
	postgresPort = 5432
	redisPort    = 6379
)

func (r *resolver) postgres(from *Postgres, to *StackResource) {
	user := r.textOr(from.User, "postgres")
	database := r.textOr(from.Database, to.Name)
	if from.Database.Set && !databasePattern.MatchString(database) {
		r.errorf(from.Database.At, "a lower-case letter, then letters, digits and _; 63 characters at most", "`%s` can't name a database", database)
	}
	password := r.textOr(from.Password, r.generated(to.Name))
	spec := &to.Spec
	spec.Image = r.databaseImage(from.Image, from.Version, "postgres", "16")
	setEnv(spec, "POSTGRES_DB", database, false)
	setEnv(spec, "POSTGRES_USER", user, false)
	setEnv(spec, "POSTGRES_PASSWORD", password, true)
	// Over TCP, because over its socket the server says that it is ready while
	// the image still initialises it.
	spec.Healthcheck = withDefaultTest(spec.Healthcheck, []string{"pg_isready", "-h", "127.0.0.1", "-U", user, "-d", database})
	r.service(to, from.Port, postgresPort, from.Volume, "/var/lib/postgresql/data")
	r.serviceOutputs(to, func(host string, port uint16) []Output {
		return []Output{
			{Name: "host", Value: host},
			{Name: "port", Value: strconv.Itoa(int(port))},
			{Name: "user", Value: user},
			{Name: "password", Value: password, Secret: true},
			{Name: "database", Value: database},
			{Name: "url", Value: fmt.Sprintf("postgres://%s:%s@%s:%d/%s", percent(user), percent(password), host, port, percent(database)), Secret: true},
		}
	})
}

// serviceOutputs makes the outputs of a database for both sides: containers find
// it on the network, processes at its published port.
func (r *resolver) serviceOutputs(to *StackResource, outputs func(host string, port uint16) []Output) {
	port := to.Spec.Ports[0]
	to.Outputs = outputs(hostLabel(to.Name), port.ContainerPort)
	r.abroad[to.Name] = outputs(loopback, port.HostPort)
}

func (r *resolver) generated(resource string) string {
	if r.in.Password == nil {
		return passwordPlaceholder
	}
	return r.in.Password(resource)
}

// redisFromStdin starts the server with its password on standard input, so
// that it stands in no argument list. The image's own entrypoint still does its
// work: it gives the server its user.
const redisFromStdin = `exec docker-entrypoint.sh redis-server - <<EOF
requirepass "$REDIS_REQUIREPASS"
EOF`

func (r *resolver) redis(from *Redis, to *StackResource) {
	password := r.plain(from.Password)
	spec := &to.Spec
	spec.Image = r.databaseImage(from.Image, from.Version, "redis", "7")
	spec.Command = []string{"redis-server"}
	if password != "" {
		spec.Command = []string{"sh", "-c", redisFromStdin}
		setEnv(spec, "REDISCLI_AUTH", password, true)
		setEnv(spec, "REDIS_REQUIREPASS", redisQuoted.Replace(password), true)
	}
	// redis-cli exits 0 also when the server refuses to answer.
	spec.Healthcheck = withDefaultTest(spec.Healthcheck, []string{"sh", "-c", `test "$(redis-cli ping)" = PONG`})
	r.service(to, from.Port, redisPort, from.Volume, "/data")
	credentials := ""
	if password != "" {
		credentials = ":" + percent(password) + "@"
	}
	r.serviceOutputs(to, func(host string, port uint16) []Output {
		return []Output{
			{Name: "host", Value: host},
			{Name: "port", Value: strconv.Itoa(int(port))},
			{Name: "password", Value: password, Secret: password != ""},
			{Name: "url", Value: fmt.Sprintf("redis://%s%s:%d", credentials, host, port), Secret: password != ""},
		}
	})
}

// redisQuoted escapes a text for double quotes in redis.conf.
var redisQuoted = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", `\r`, "\t", `\t`)

func (r *resolver) databaseImage(image, version Text, name, defaultVersion string) string {
	if image.Set {
		return r.image(image)
	}
	value := name + ":" + r.textOr(version, defaultVersion) + "-alpine"
	r.checkImage(value, version.At)
	return value
}

// service publishes a database's port on the loopback address and mounts its
// volume.
func (r *resolver) service(to *StackResource, wished Number, port uint16, storage Storage, target string) {
	hostPort := uint16(wished.Value) //nolint:gosec // checked: it fits
	if r.in.HostPort != nil {
		hostPort = r.in.HostPort(to.Name, hostPort)
	}
	to.Spec.Ports = []sdk.PortBinding{{HostIP: loopback, HostPort: hostPort, ContainerPort: port, Protocol: sdk.TCP}}
	switch {
	case storage.Given && !storage.Keep:
		return // the image's own anonymous volume, gone with the container
	case storage.Name.Set:
		r.namedStorage(to, storage.Name, target)
	default:
		name := r.volume(dataVolumeName(to.Spec.Project, to.Name), volumeOwner{resource: to.Name}, r.at)
		to.Spec.Mounts = []sdk.Mount{{Type: sdk.MountVolume, Source: name, Target: target}}
	}
}

func (r *resolver) namedStorage(to *StackResource, text Text, target string) {
	written := r.plain(text)
	if !volumeName.MatchString(written) {
		r.errorf(text.At, "true, false, or a name of letters, digits, - and _", "`%s` can't name a volume", written)
		return
	}
	name := r.volume(volumeNameOf(to.Spec.Project, written), volumeOwner{written: written}, text.At)
	to.Spec.Mounts = []sdk.Mount{{Type: sdk.MountVolume, Source: name, Target: target}}
}

// percent encodes all but the unreserved characters of RFC 3986, so that the
// value may stand anywhere in a URL.
func percent(text string) string {
	const upper = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(text) {
		c := text[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte("-._~", c) >= 0:
			b.WriteByte(c)
		default:
			b.WriteByte('%')
			b.WriteByte(upper[c>>4])
			b.WriteByte(upper[c&15])
		}
	}
	return b.String()
}
