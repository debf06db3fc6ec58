// Command tiny is the workload of tests and benchmarks: a static program that
// behaves as its arguments say.
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	command, argument := "serve", ""
	if len(os.Args) > 1 {
		command = os.Args[1]
	}
	if len(os.Args) > 2 {
		argument = os.Args[2]
	}
	os.Exit(run(command, argument))
}

func run(command, argument string) int {
	switch command {
	case "serve": // answers on :8080, READY_AFTER its start, until SIGTERM
		return serve()
	case "wait": // ends at once on SIGTERM
		<-signals()
		return 0
	case "stubborn": // ignores SIGTERM and SIGINT
		signals()
		fmt.Println("stubborn")
		select {}
	case "exit": // ends with the code, after EXIT_AFTER
		return exit(argument)
	case "get": // exits 0 if the URL, or the server beside it, answers 200
		return get(argument)
	case "env":
		fmt.Println(strings.Join(os.Environ(), "\n"))
		return 0
	case "flood": // prints that many bytes without a line break
		return flood(argument)
	case "true":
		return 0
	}
	fmt.Fprintln(os.Stderr, "unknown command", command)
	return 2
}

func signals() <-chan os.Signal {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGTERM, syscall.SIGINT)
	return c
}

func duration(variable string) time.Duration {
	d, err := time.ParseDuration(os.Getenv(variable))
	if err != nil {
		return 0
	}
	return d
}

func serve() int {
	stop := signals()
	fmt.Println("serving")
	fmt.Fprintln(os.Stderr, "to stderr")
	select {
	case <-stop:
		return 0
	case <-time.After(duration("READY_AFTER")):
	}
	fmt.Println("ready", time.Now().UnixNano())
	failed := make(chan error, 1)
	go func() {
		failed <- http.ListenAndServe(":8080", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = fmt.Fprintln(w, "ok", os.Getenv("NAME"))
		}))
	}()
	select {
	case got := <-stop:
		fmt.Println("got", got)
		return 0
	case err := <-failed:
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
}

func exit(argument string) int {
	fmt.Println("bye")
	fmt.Fprintln(os.Stderr, "last words")
	time.Sleep(duration("EXIT_AFTER"))
	code, err := strconv.Atoi(argument)
	if err != nil {
		return 0
	}
	return code
}

func get(url string) int {
	if url == "" {
		url = "http://127.0.0.1:8080/"
	}
	client := http.Client{Timeout: time.Second}
	response, err := client.Get(url)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		fmt.Fprintln(os.Stderr, response.Status)
		return 1
	}
	if _, err := io.Copy(os.Stdout, io.LimitReader(response.Body, 1000)); err != nil {
		return 1
	}
	return 0
}

func flood(argument string) int {
	size, err := strconv.ParseInt(argument, 10, 64)
	if err != nil {
		return 2
	}
	if _, err := io.CopyN(os.Stdout, endless{}, size); err != nil {
		return 1
	}
	return 0
}

// endless is a reader of as many x as are wanted.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}
