// Reads a file of Compose as `docker compose` does, with the library that it is made of, and prints its services.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
)

type service struct {
	Argv        []string          `json:"argv"`
	Env         map[string]string `json:"env"`
	Cwd         string            `json:"cwd"`
	Init        bool              `json:"init"`
	Test        []string          `json:"test"`
	DependsOn   map[string]string `json:"dependsOn"`
	Restart     string            `json:"restart"`
	StopSignal  string            `json:"stopSignal"`
	GraceSecs   float64           `json:"graceSeconds"`
	Replicas    int               `json:"replicas"`
	MemoryBytes int64             `json:"memoryBytes"`
}

func main() {
	file := os.Args[1]
	details := types.ConfigDetails{
		WorkingDir:  filepath.Dir(file),
		ConfigFiles: []types.ConfigFile{{Filename: file}},
		Environment: types.Mapping{},
	}
	project, err := loader.LoadWithContext(context.Background(), details, func(options *loader.Options) {
		options.SkipResolveEnvironment = true
		options.Profiles = []string{"*"}
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	services := map[string]service{}
	for name, one := range project.Services {
		services[name] = describe(one)
	}
	if err := json.NewEncoder(os.Stdout).Encode(services); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func describe(one types.ServiceConfig) service {
	described := service{
		Argv:        one.Command,
		Env:         map[string]string{},
		Cwd:         one.WorkingDir,
		Init:        one.Init != nil && *one.Init,
		DependsOn:   map[string]string{},
		Restart:     one.Restart,
		StopSignal:  one.StopSignal,
		Replicas:    one.GetScale(),
		MemoryBytes: int64(one.MemLimit),
	}
	for name, value := range one.Environment {
		if value != nil {
			described.Env[name] = *value
		}
	}
	for name, dependency := range one.DependsOn {
		described.DependsOn[name] = dependency.Condition
	}
	if one.HealthCheck != nil {
		described.Test = one.HealthCheck.Test
	}
	if one.StopGracePeriod != nil {
		described.GraceSecs = float64(*one.StopGracePeriod) / 1e9
	}
	return described
}
