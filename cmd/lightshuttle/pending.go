package main

import "github.com/spf13/cobra"

func newManifest(a *app) *cobra.Command { return &cobra.Command{Use: "manifest"} }
func newSecrets(a *app) *cobra.Command  { return &cobra.Command{Use: "secrets"} }
