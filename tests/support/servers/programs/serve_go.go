// Go's net/http server on an inherited socket.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"
)

type options struct {
	IdleMs            int
	DisableKeepAlives bool
	MaxBytes          int64
	ReadsBody         bool
}

func main() {
	descriptor, _ := strconv.Atoi(os.Args[1])
	var set options
	if err := json.Unmarshal([]byte(os.Args[2]), &set); err != nil {
		panic(err)
	}
	listener, err := net.FileListener(os.NewFile(uintptr(descriptor), "inherited"))
	if err != nil {
		panic(err)
	}
	seen, err := os.OpenFile(os.Getenv("SEEN"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		panic(err)
	}
	answer := func(response http.ResponseWriter, request *http.Request) {
		_, port, _ := net.SplitHostPort(request.RemoteAddr)
		fmt.Fprintln(seen, port)
		if set.MaxBytes > 0 {
			request.Body = http.MaxBytesReader(response, request.Body, set.MaxBytes)
			if _, err := request.Body.Read(make([]byte, set.MaxBytes+1)); err != nil {
				http.Error(response, "too large", http.StatusRequestEntityTooLarge)
				return
			}
		}
		if set.ReadsBody {
			io.Copy(io.Discard, request.Body)
		}
		fmt.Fprintln(response, "keep-alive")
	}
	server := &http.Server{
		Handler:     http.HandlerFunc(answer),
		IdleTimeout: time.Duration(set.IdleMs) * time.Millisecond,
	}
	server.SetKeepAlivesEnabled(!set.DisableKeepAlives)
	panic(server.Serve(listener))
}
