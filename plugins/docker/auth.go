package docker

import (
	"fmt"

	"github.com/distribution/reference"
	"github.com/docker/docker/api/types/registry"
)

// configKey is the name under which docker's configuration has a registry.
func configKey(host string) string {
	switch host {
	case "docker.io", "index.docker.io", "registry-1.docker.io":
		return "https://index.docker.io/v1/"
	}
	return host
}

// registryAuth finds the credentials for the image's registry where docker
// keeps them, credential helpers included; "" if there are none.
func (r *Runtime) registryAuth(ref string) (string, error) {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return "", err
	}
	host := reference.Domain(named)
	found, err := r.config.GetAuthConfig(configKey(host))
	if err != nil {
		return "", fmt.Errorf("credentials for %s: %w", host, err)
	}
	if found.Username == "" && found.IdentityToken == "" && found.RegistryToken == "" && found.Auth == "" {
		return "", nil
	}
	return registry.EncodeAuthConfig(registry.AuthConfig(found))
}
