package config

import (
	"bytes"
	"fmt"
	"strings"
)

// Markdown returns the table of settings for the documentation.
func Markdown() []byte {
	var out bytes.Buffer
	out.WriteString("| key | type | default | flag | environment | what it is for |\n|---|---|---|---|---|---|\n")
	for _, s := range table {
		flag := ""
		if s.Flag != "" {
			flag = "--" + s.Flag
		}
		fmt.Fprintf(&out, "| %s | %s | %s | %s | %s | %s |\n",
			code(s.Key), s.Type(), code(s.Default), code(flag), code(s.Env()), strings.ReplaceAll(s.Doc, "|", `\|`))
	}
	return out.Bytes()
}

func code(text string) string {
	if text == "" {
		return ""
	}
	return "`" + text + "`"
}
