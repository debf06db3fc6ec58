package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/constant"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"reflect"
	"strings"

	"github.com/invopop/jsonschema"

	"github.com/lightshuttle/lightshuttle/sdk"
)

const sdkPath = "github.com/lightshuttle/lightshuttle/sdk"

// contract names what passes between the program and a runtime.
type contract struct {
	Spec          sdk.Spec          `json:"spec"`
	Healthcheck   sdk.Healthcheck   `json:"healthcheck"`
	State         sdk.State         `json:"state"`
	Event         sdk.Event         `json:"event"`
	Info          sdk.Info          `json:"info"`
	Progress      sdk.Progress      `json:"progress"`
	LogOptions    sdk.LogOptions    `json:"log_options"`
	LogEntry      sdk.LogEntry      `json:"log_entry"`
	ExecOptions   sdk.ExecOptions   `json:"exec_options"`
	Network       sdk.Network       `json:"network"`
	Volume        sdk.Volume        `json:"volume"`
	PublishedPort sdk.PublishedPort `json:"published_port"`
}

// schema is the JSON Schema of the contract: made from the types, described by
// their comments, with the constants of a type as its examples.
func schema(sdkDir string) ([]byte, error) {
	values, err := constants(sdkDir)
	if err != nil {
		return nil, err
	}
	reflector := &jsonschema.Reflector{
		Anonymous: true,
		// Unknown fields are ignored on both sides.
		AllowAdditionalProperties: true,
		Mapper: func(t reflect.Type) *jsonschema.Schema {
			if t == reflect.TypeFor[sdk.Duration]() {
				return &jsonschema.Schema{Type: "integer", Description: "Whole milliseconds."}
			}
			if t.PkgPath() != sdkPath || values[t.Name()] == nil {
				return nil
			}
			return &jsonschema.Schema{Ref: "#/$defs/" + t.Name()}
		},
	}
	if err := addComments(reflector, sdkDir); err != nil {
		return nil, err
	}
	whole := reflector.Reflect(contract{})
	delete(whole.Definitions, "contract")
	for name, all := range values {
		// Examples and no enum, because a newer side may know more of them.
		whole.Definitions[name] = &jsonschema.Schema{Type: "string", Description: reflector.CommentMap[sdkPath+"."+name], Examples: all}
	}
	whole.Ref = ""
	whole.Title = "The contract between LightShuttle and a runtime"
	whole.Description = "One definition for each thing that passes between them. Fields that aren't known are ignored; within one version, fields and values are only added."
	data, err := json.MarshalIndent(whole, "", "  ")
	return append(data, '\n'), err
}

// addComments reads the comments of package sdk.
func addComments(reflector *jsonschema.Reflector, dir string) error {
	// The library takes the folder as a part of the import path, so it has to
	// be relative to the root of the module.
	back, err := os.Getwd()
	if err != nil {
		return err
	}
	if err := os.Chdir(filepath.Dir(dir)); err != nil {
		return err
	}
	err = reflector.AddGoComments(filepath.ToSlash(filepath.Dir(sdkPath)), filepath.Base(dir), jsonschema.WithFullComment())
	for name, text := range reflector.CommentMap {
		reflector.CommentMap[name] = strings.Join(strings.Fields(text), " ")
	}
	return errors.Join(err, os.Chdir(back))
}

// constants are the values of the package's named texts, by type.
func constants(dir string) (map[string][]any, error) {
	files := token.NewFileSet()
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	var parsed []*ast.File
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(files, path, nil, 0)
		if err != nil {
			return nil, err
		}
		parsed = append(parsed, file)
	}
	checker := types.Config{Importer: importer.ForCompiler(files, "source", nil)}
	checked, err := checker.Check(sdkPath, files, parsed, nil)
	if err != nil {
		return nil, fmt.Errorf("package sdk: %w", err)
	}
	values := map[string][]any{}
	for _, name := range checked.Scope().Names() {
		value, ok := checked.Scope().Lookup(name).(*types.Const)
		if !ok {
			continue
		}
		if named, ok := value.Type().(*types.Named); ok && value.Val().Kind() == constant.String {
			values[named.Obj().Name()] = append(values[named.Obj().Name()], constant.StringVal(value.Val()))
		}
	}
	return values, nil
}
