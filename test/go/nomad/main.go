// Reads a job of Nomad with the parser that Nomad reads it with, holds every attribute and block against the types of
// Nomad's API, and prints what each task starts.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2/hclparse"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/nomad/api"
	"github.com/zclconf/go-cty/cty"
)

type task struct {
	Argv       []string          `json:"argv"`
	Env        map[string]string `json:"env"`
	Cwd        string            `json:"cwd"`
	Attributes map[string]string `json:"attributes"`
}

var tasks = map[string]*task{}

func main() {
	for _, path := range os.Args[1:] {
		file, diagnostics := hclparse.NewParser().ParseHCLFile(path)
		if diagnostics.HasErrors() {
			fail("%s", diagnostics.Error())
		}
		body := file.Body.(*hclsyntax.Body)
		if len(body.Blocks) != 1 || body.Blocks[0].Type != "job" || len(body.Attributes) > 0 {
			fail("%s: not one job", path)
		}
		checkBody(body.Blocks[0].Body, reflect.TypeOf(api.Job{}), "job", nil)
	}
	if err := json.NewEncoder(os.Stdout).Encode(tasks); err != nil {
		fail("%s", err)
	}
}

func fail(format string, values ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", values...)
	os.Exit(1)
}

// The fields of a struct by their names in HCL, and whether each is a block.
func fieldsOf(kind reflect.Type) (map[string]reflect.Type, map[string]bool) {
	types, blocks := map[string]reflect.Type{}, map[string]bool{}
	for i := range kind.NumField() {
		field := kind.Field(i)
		name, how, _ := strings.Cut(field.Tag.Get("hcl"), ",")
		if name == "" {
			continue
		}
		types[name], blocks[name] = field.Type, how == "block"
	}
	return types, blocks
}

func checkBody(body *hclsyntax.Body, kind reflect.Type, where string, current *task) {
	types, blocks := fieldsOf(kind)
	for name, attribute := range body.Attributes {
		place := where + "." + name
		value := valueOf(attribute.Expr, place)
		wanted, known := types[name]
		if !known || (blocks[name] && wanted.Kind() != reflect.Map) {
			fail("%s: Nomad has no such attribute", place)
		}
		checkValue(value, wanted, place)
		if current != nil && name == "env" {
			current.Env = stringsOf(value)
		} else if current != nil && value.Type() == cty.String {
			current.Attributes[name] = value.AsString()
		}
	}
	for _, block := range body.Blocks {
		place := where + "." + block.Type
		wanted, known := types[block.Type]
		if !known || !blocks[block.Type] {
			fail("%s: Nomad has no such block", place)
		}
		checkBlock(block, elementOf(wanted), place, current)
	}
}

func elementOf(kind reflect.Type) reflect.Type {
	for kind.Kind() == reflect.Pointer || kind.Kind() == reflect.Slice {
		kind = kind.Elem()
	}
	return kind
}

func checkBlock(block *hclsyntax.Block, kind reflect.Type, place string, current *task) {
	if kind.Kind() == reflect.Struct {
		if kind == reflect.TypeOf(api.Task{}) {
			current = &task{Argv: []string{}, Env: map[string]string{}, Attributes: map[string]string{}}
			tasks[block.Labels[0]] = current
		} else if current != nil {
			// What is inside of a block of a task is not of the task itself.
			checkBody(block.Body, kind, place, nil)
			return
		}
		checkBody(block.Body, kind, place, current)
		return
	}
	for name, attribute := range block.Body.Attributes {
		value := valueOf(attribute.Expr, place+"."+name)
		if current == nil {
			continue
		}
		switch {
		case block.Type == "env":
			current.Env[name] = value.AsString()
		case block.Type == "config" && name == "command":
			current.Argv = append([]string{value.AsString()}, current.Argv...)
		case block.Type == "config" && name == "args":
			for _, word := range value.AsValueSlice() {
				current.Argv = append(current.Argv, word.AsString())
			}
		case block.Type == "config" && name == "work_dir":
			current.Cwd = value.AsString()
		}
	}
}

func valueOf(expression hclsyntax.Expression, place string) cty.Value {
	value, diagnostics := expression.Value(nil)
	if diagnostics.HasErrors() {
		fail("%s: %s", place, diagnostics.Error())
	}
	return value
}

func checkValue(value cty.Value, wanted reflect.Type, place string) {
	if wanted.Kind() == reflect.Pointer {
		wanted = wanted.Elem()
	}
	got := value.Type()
	is := func(ok bool) {
		if !ok {
			fail("%s: %s is not what Nomad takes (%s)", place, got.FriendlyName(), wanted)
		}
	}
	switch {
	case wanted == reflect.TypeOf(time.Duration(0)):
		is(got == cty.String)
		if _, err := time.ParseDuration(value.AsString()); err != nil {
			fail("%s: %s", place, err)
		}
	case wanted.Kind() == reflect.String:
		is(got == cty.String)
	case wanted.Kind() == reflect.Bool:
		is(got == cty.Bool)
	case wanted.Kind() == reflect.Int:
		is(got == cty.Number)
	case wanted.Kind() == reflect.Slice, wanted.Kind() == reflect.Map:
		is(value.CanIterateElements())
	default:
		fail("%s: a type that is not known here: %s", place, wanted)
	}
}

func stringsOf(value cty.Value) map[string]string {
	found := map[string]string{}
	for name, each := range value.AsValueMap() {
		found[name] = each.AsString()
	}
	return found
}
